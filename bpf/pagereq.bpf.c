// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests (PRI, stalls): a device asks for a page and waits until the kernel answers.
 * Requests with one number (PRGI) are a group; the last of them is marked, and the group gets one
 * answer. drivers/iommu/io-pgfault.c, on 6.1 drivers/iommu/iommu.c.
 */
#include "device.h"

/*
 * How the kernel finds the group that an answer belongs to. pasid: of groups that are answered with
 * it, else NO_PASID.
 */
struct group_key {
	__u64 dev; /* struct device * */
	__u32 prgi;
	__u32 pasid;
};

#define NO_PASID (~0U)

struct group_wait {
	__u64 since; /* when the last request of the group was reported */
	__u32 pasid;
	__u32 pasid_valid;
};

/* Groups that wait for their answer. Where one is never answered, the oldest makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct group_key);
	__type(value, struct group_wait);
} waiting SEC(".maps");

/* An answer that is being given, by task: once the device has it, it may use the number again. */
struct answer {
	__u64 dev, domain; /* pointers; domain 0 = not said */
	__u64 since;       /* 0 = the request wasn't seen */
	__u32 prgi, code;
	__u32 pasid, pasid_valid;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct answer);
} answers SEC(".maps");

static __always_inline __u32 domain__number(__u64 ptr)
{
	int place = ptr ? dom__place(ptr) : -1;

	return place >= 0 ? dom__at(place)->id : 0;
}

/* Of accesses without a PASID: the one that the device is attached to. */
static __always_inline __u32 dev__domain(struct device *dev)
{
	__u64 key = (__u64)dev;
	struct iot_dev *known = bpf_map_lookup_elem(&devs, &key);

	return known ? domain__number(known->domain) : 0;
}

static __always_inline struct group_key request__key(struct device *dev, const struct page_req *r)
{
	return (struct group_key){
		.dev = (__u64)dev,
		.prgi = r->prgi,
		.pasid = r->answer_has_pasid ? r->pasid : NO_PASID,
	};
}

/* Fills in since and PASID, if the group is known; it is no longer waiting then. */
static __always_inline int waiting__take(const struct group_key *key, struct answer *a)
{
	struct group_wait *w = bpf_map_lookup_elem(&waiting, key);

	if (!w)
		return 0;
	a->since = w->since;
	a->pasid = w->pasid;
	a->pasid_valid = w->pasid_valid;
	bpf_map_delete_elem(&waiting, key);
	return 1;
}

static __always_inline void answer__tell(const struct answer *a, int ret)
{
	struct device *dev = (void *)a->dev;
	__u32 number = dev__number(kernel__number(a->dev), 0);
	__u32 domain = a->domain || a->pasid_valid ? domain__number(a->domain) : dev__domain(dev);
	struct iot_page_response *e = rare__reserve(sizeof(*e));

	if (!e)
		return;
	event__init(&e->h, IOT_EV_PAGE_RESPONSE, sizeof(*e), domain, number);
	e->latency = a->since && a->since < e->h.ts ? e->h.ts - a->since : 0;
	e->pasid = a->pasid;
	e->prgi = a->prgi;
	e->code = a->code;
	e->ret = ret;
	e->pasid_valid = (__u8)a->pasid_valid;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	rare__submit(e);
}

/* Told before the kernel looks for somebody to answer it, who may do so at once. */
SEC("?fentry/iommu_report_device_fault")
int BPF_PROG(page_request, struct device *dev, void *evt)
{
	struct iot_page_request *e;
	struct page_req r;
	__u32 number;

	if (!kernel__page_req(evt, &r))
		return 0;
	number = dev__number(kernel__number((__u64)dev), 0);
	if (r.last) {
		struct group_key key = request__key(dev, &r);
		struct group_wait fresh = {
			.since = bpf_ktime_get_ns(),
			.pasid = r.pasid,
			.pasid_valid = r.pasid_valid,
		};

		bpf_map_update_elem(&waiting, &key, &fresh, BPF_ANY);
	}
	e = rare__reserve(sizeof(*e));
	if (!e)
		return 0;
	event__init(&e->h, IOT_EV_PAGE_REQUEST, sizeof(*e), r.pasid_valid ? 0 : dev__domain(dev),
		    number);
	e->iova = r.iova;
	e->pasid = r.pasid;
	e->prgi = r.prgi;
	e->perm = r.perm;
	e->pasid_valid = r.pasid_valid;
	e->last = r.last;
	e->pad[0] = e->pad[1] = 0;
	rare__submit(e);
	return 0;
}

/*
 * Nobody took it. Where groups know the domain they are for, the core has told the device that the
 * request is invalid; before that, its driver is to, which isn't seen.
 */
SEC("?fexit/iommu_report_device_fault")
int BPF_PROG(page_refused, struct device *dev, void *evt, int ret)
{
	struct answer a = {};
	struct group_key key;
	struct page_req r;

	if (!ret || !kernel__page_req(evt, &r))
		return 0;
	a.dev = (__u64)dev;
	a.prgi = r.prgi;
	a.pasid = r.pasid;
	a.pasid_valid = r.pasid_valid;
	a.code = kernel__core_answers(ret) ? IOT_PAGE_INVALID : IOT_PAGE_REFUSED;
	key = request__key(dev, &r);
	if (r.last)
		waiting__take(&key, &a);
	answer__tell(&a, a.code == IOT_PAGE_REFUSED ? ret : 0);
	return 0;
}

static __always_inline void group__look(struct iopf_group___own *group, struct answer *a)
{
	struct page_req r = {};
	struct group_key key;

	kernel__group_req(group, &r);
	a->dev = kernel__group_dev(group);
	a->domain = kernel__group_domain(group);
	a->prgi = r.prgi;
	a->pasid = r.pasid;
	a->pasid_valid = r.pasid_valid;
	key = request__key((void *)a->dev, &r);
	waiting__take(&key, a);
}

SEC("?fentry/iopf_group_response")
int BPF_PROG(group_answer, struct iopf_group___own *group, int status)
{
	__u64 task = bpf_get_current_task();
	struct answer a = { .code = (__u32)status };

	group__look(group, &a);
	bpf_map_update_elem(&answers, &task, &a, BPF_ANY);
	return 0;
}

/* 6.1: whoever answers says to which group. */
SEC("?fentry/iommu_page_response")
int BPF_PROG(page_answer, struct device *dev, struct iommu_page_response___own *msg)
{
	__u64 task = bpf_get_current_task();
	struct answer a = { .dev = (__u64)dev };
	struct group_key key = { .dev = (__u64)dev };

	a.prgi = key.prgi = BPF_CORE_READ(msg, grpid);
	a.code = BPF_CORE_READ(msg, code);
	a.pasid_valid = BPF_CORE_READ(msg, flags) & PAGE_RESP_PASID_VALID;
	a.pasid = key.pasid = a.pasid_valid ? BPF_CORE_READ(msg, pasid) : NO_PASID;
	/* a group that needs no PASID in its answer takes one that has it all the same */
	if (!waiting__take(&key, &a) && a.pasid_valid) {
		key.pasid = NO_PASID;
		waiting__take(&key, &a);
	}
	if (!a.pasid_valid)
		a.pasid = 0;
	bpf_map_update_elem(&answers, &task, &a, BPF_ANY);
	return 0;
}

static __always_inline void answer__end(int ret)
{
	__u64 task = bpf_get_current_task();
	struct answer *known = bpf_map_lookup_elem(&answers, &task), a;

	if (!known)
		return;
	a = *known;
	bpf_map_delete_elem(&answers, &task);
	answer__tell(&a, ret);
}

SEC("?fexit/iopf_group_response")
int BPF_PROG(group_answered)
{
	answer__end(0);
	return 0;
}

SEC("?fexit/iommu_page_response")
int BPF_PROG(page_answered, struct device *dev, void *msg, int ret)
{
	answer__end(ret);
	return 0;
}

/* Where the walk through a device's groups is: in a map, for the reason given at struct walk. */
struct group_walk {
	__u64 end, next;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IOT_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct group_walk);
} group_walks SEC(".maps");

#define GROUPS_MAX 4096

static long group__drop(__u32 nr, void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct group_walk *w = bpf_map_lookup_elem(&group_walks, &cpu);
	struct answer a = { .code = IOT_PAGE_INVALID };
	struct list_head *node;

	if (!w || !w->next || w->next == w->end)
		return 1;
	node = (void *)w->next;
	group__look(kernel__group_of(w->next), &a);
	answer__tell(&a, 0);
	w->next = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

/*
 * A device is to make no more page requests. The core answers those that wait by itself, as invalid
 * (not on 6.1).
 */
SEC("?fentry/iopf_queue_remove_device")
int BPF_PROG(page_queue_left, void *queue, struct device *dev)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct group_walk *w = bpf_map_lookup_elem(&group_walks, &cpu);
	struct list_head *list;

	if (!w)
		return 0;
	list = kernel__groups_of(dev);
	if (!list)
		return 0;
	w->end = (__u64)list;
	w->next = (__u64)BPF_CORE_READ(list, next);
	bpf_loop(GROUPS_MAX, group__drop, NULL, 0);
	return 0;
}
