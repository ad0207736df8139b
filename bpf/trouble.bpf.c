// SPDX-License-Identifier: GPL-2.0-only
/* Hangs, resets and errors that the kernel itself tells of; those of modules: hang.bpf.c. */
#include "trouble.h"

SEC("?tp_btf/net_dev_xmit_timeout")
int BPF_PROG(xmit_timeout, struct net_device *ndev, int queue)
{
	static const char what[] = "net_dev_xmit_timeout";

	trouble__tell(IOT_EV_HANG, ndev->dev.parent, queue, 0, what, sizeof(what));
	return 0;
}

/* A driver reports that its device is ill; reporter_name says of what: "fw_fatal", "tx". */
SEC("?tp_btf/devlink_health_report")
int BPF_PROG(devlink_report, const struct devlink *devlink, const char *reporter_name)
{
	char what[40] = "devlink ";

	bpf_probe_read_kernel_str(what + 8, sizeof(what) - 8, reporter_name);
	trouble__tell(IOT_EV_HANG, BPF_CORE_READ(devlink, dev), -1, 0, what, sizeof(what));
	return 0;
}

/* PCI Express Advanced Error Reporting. 7.x has one argument more, behind these. */
SEC("?tp_btf/aer_event")
int BPF_PROG(aer, const char *name, u32 status, u8 severity)
{
	struct iot_raw_aer *e = rare__reserve(sizeof(*e));

	if (!e)
		return 0;
	event__init(&e->h, IOT_RAW_AER, sizeof(*e), 0, 0);
	e->status = status;
	e->severity = severity;
	__builtin_memset(e->name, 0, sizeof(e->name));
	bpf_probe_read_kernel_str(e->name, sizeof(e->name), name);
	rare__submit(e);
	return 0;
}
