// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time-outs that a module knows of. User space opens this object once for each of these programs,
 * when its module is there: only then the module's BTF says where the members are. By kprobe, for
 * that doesn't keep the module from being unloaded; they are far too rare for its cost to matter.
 */
#define IOT_DEFINE_STATE
#include "trouble.h"

/* When the block layer began with a request; 0 if it keeps no time of it. CLOCK_MONOTONIC. */
static __always_inline __u64 request__since(struct request *req)
{
	return BPF_CORE_READ(req, start_time_ns);
}

/* Called for each request that is out of time: by poll, abort or reset the driver then deals with
 * it. Queue 0 is the admin queue. */
SEC("?kprobe")
int BPF_KPROBE(nvme_timeout, struct request *req)
{
	struct nvme_queue___mod *q = BPF_CORE_READ(req, mq_hctx, driver_data);
	static const char what[] = "nvme timeout";

	trouble__tell(IOT_EV_HANG, BPF_CORE_READ(q, dev, dev), BPF_CORE_READ(q, qid),
		      request__since(req), what, sizeof(what));
	return 0;
}

/* Two ways to the work that resets a controller (drivers/nvme/host/core.c). Both may refuse; up to
 * 6.1 the first also begins the life of a controller. */
static __always_inline int nvme__reset(struct nvme_ctrl___mod *ctrl, int expected)
{
	static const char what[] = "nvme controller reset";
	__u64 fresh = bpf_core_enum_value(enum nvme_ctrl_state___mod, NVME_CTRL_NEW___mod),
	      resetting =
		      bpf_core_enum_value(enum nvme_ctrl_state___mod, NVME_CTRL_RESETTING___mod),
	      state = BPF_CORE_READ(ctrl, state);

	if (state != fresh && (state == resetting) == expected)
		trouble__tell(IOT_EV_RESET, BPF_CORE_READ(ctrl, dev), -1, 0, what, sizeof(what));
	return 0;
}

/*
 * Three functions, each calling the next, begin a reset: compilers put the inner ones into the
 * outer ones, here and there. Where an inner one is called all the same, the outer one has told.
 */
#define CALLER_BYTES 256
static __always_inline int called_by(struct pt_regs *ctx, __u64 outer)
{
	__u64 from = 0;

	BPF_KPROBE_READ_RET_IP(from, ctx);
	return outer && from - outer < CALLER_BYTES;
}

SEC("?kprobe")
int BPF_KPROBE(nvme_reset, struct nvme_ctrl___mod *ctrl)
{
	return called_by(ctx, state.nvme_sync_fn) ? 0 : nvme__reset(ctrl, 0);
}

SEC("?kprobe")
int BPF_KPROBE(nvme_sync, struct nvme_ctrl___mod *ctrl)
{
	state.nvme_sync_fn = PT_REGS_IP(ctx);
	return called_by(ctx, state.nvme_sysfs_fn) ? 0 : nvme__reset(ctrl, 0);
}

/* The controller is what the driver keeps with this device, one of its class. */
SEC("?kprobe")
int BPF_KPROBE(nvme_sysfs, struct device *dev)
{
	state.nvme_sysfs_fn = PT_REGS_IP(ctx);
	return nvme__reset((void *)BPF_CORE_READ(dev, driver_data), 0);
}

SEC("?kprobe")
int BPF_KPROBE(nvme_again, struct nvme_ctrl___mod *ctrl)
{
	return nvme__reset(ctrl, 1);
}

/* A SCSI command, or an ATA one, is out of time. The command lies behind the request. */
SEC("?kprobe")
int BPF_KPROBE(scsi_timeout, struct request *req)
{
	struct scsi_cmnd___mod *cmd = (void *)req + bpf_core_type_size(struct request);
	struct Scsi_Host___mod *host = BPF_CORE_READ(cmd, device, host);
	static const char what[] = "scsi timeout";

	trouble__tell(IOT_EV_HANG, BPF_CORE_READ(host, shost_gendev.parent),
		      (int)BPF_CORE_READ(req, mq_hctx, queue_num), request__since(req), what,
		      sizeof(what));
	return 0;
}

/* A job of a graphics scheduler's ring. */
SEC("?kprobe")
int BPF_KPROBE(drm_timeout, struct work_struct *work)
{
	struct drm_gpu_scheduler___mod *sched =
		(void *)work - bpf_core_field_offset(struct drm_gpu_scheduler___mod, work_tdr) -
		bpf_core_field_offset(struct delayed_work, work);
	static const char what[] = "drm scheduler timeout";

	trouble__tell(IOT_EV_HANG, BPF_CORE_READ(sched, dev), -1, 0, what, sizeof(what));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
