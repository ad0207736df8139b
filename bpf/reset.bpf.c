// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of PCI functions (drivers/pci/pci.c): told when they begin, for what happens meanwhile has
 * to do with them, and once more when they end, with how they were done and what came of it. All
 * ways meet in few functions: __pci_reset_function_locked() resets one function by the first of its
 * methods that works; pcibios_reset_secondary_bus() all that is below a bridge, for whomever: its
 * caller is inlined here and there, itself it can't be, for it is weak; drivers may call pcie_flr()
 * themselves.
 */
#include "trouble.h"

struct reset {
	__u64 runner;
	__u64 begin;  /* when it was told */
	__u32 one;    /* it is in __pci_reset_function_locked() */
	__u32 method; /* METHOD_*, once it is known */
};

/* Resets under way, by struct pci_dev *. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct reset);
} resets SEC(".maps");

/* As in pci_reset_fn_methods[], of which reset_methods[] of a function has the indices. */
#define METHOD_UNKNOWN  0
#define METHOD_SPECIFIC 1
#define METHOD_ACPI     2
#define METHOD_FLR      3
#define METHOD_AF_FLR   4
#define METHOD_PM       5
#define METHOD_BUS      6
#define METHODS         8

static __always_inline void reset__name(char *what, __u32 method)
{
	static const char names[][24] = {
		[METHOD_UNKNOWN] = "pci reset",
		[METHOD_SPECIFIC] = "pci reset, device's own",
		[METHOD_ACPI] = "pci reset, acpi",
		[METHOD_FLR] = "pci reset, flr",
		[METHOD_AF_FLR] = "pci reset, af_flr",
		[METHOD_PM] = "pci reset, pm",
		[METHOD_BUS] = "pci reset, bus",
	};

	if (method > METHOD_BUS)
		method = METHOD_UNKNOWN;
	bpf_probe_read_kernel_str(what, sizeof(names[0]), names[method]);
}

/* begin: that of the reset, told already, which ends here; 0: none was. When it was told. */
static __always_inline __u64 reset__tell(struct pci_dev *pdev, __u64 begin, __u32 method, int ret)
{
	struct iot_trouble *e = trouble__begin(IOT_EV_RESET, &pdev->dev);
	__u64 ts;

	if (!e)
		return 0;
	ts = e->h.ts;
	e->begin = begin;
	e->ret = ret;
	reset__name(e->what, method);
	rare__submit(e);
	return ts;
}

static __always_inline void reset__begin(struct pci_dev *pdev, __u32 one)
{
	struct reset fresh = { .runner = cpu__runner(), .one = one };
	__u64 key = (__u64)pdev;
	struct reset *known = bpf_map_lookup_elem(&resets, &key);

	/* begun by saving its state; with anything else, the end of an earlier one wasn't seen */
	if (known && known->runner == fresh.runner && one && !known->one) {
		known->one = one;
		return;
	}
	fresh.begin = reset__tell(pdev, 0, METHOD_UNKNOWN, 0);
	bpf_map_update_elem(&resets, &key, &fresh, BPF_ANY);
}

/*
 * Methods that no hook sees have to be told by elimination: of those that the function has, the
 * others would have been seen.
 */
static __always_inline __u32 reset__unseen(struct pci_dev *pdev)
{
	struct pci_dev___own *d = (void *)pdev;
	__u32 found = METHOD_UNKNOWN, nr = 0;
	__u8 methods[METHODS] = {};

	if (bpf_core_read(methods, sizeof(methods), &d->reset_methods))
		return METHOD_UNKNOWN;
	for (int i = 0; i < METHODS; i++) {
		__u32 m = methods[i];

		if (i >= bpf_core_field_size(d->reset_methods)) /* 7 up to 6.1 */
			break;
		if (!m || m == METHOD_FLR || m >= METHOD_BUS)
			continue;
		found = m;
		nr++;
	}
	return nr == 1 ? found : METHOD_UNKNOWN;
}

/* The device's driver is told, and its state saved: whoever resets begins with it. */
SEC("?fentry/pci_dev_save_and_disable")
int BPF_PROG(pci_saved, struct pci_dev *pdev)
{
	reset__begin(pdev, 0);
	return 0;
}

SEC("?fentry/__pci_reset_function_locked")
int BPF_PROG(pci_reset_entry, struct pci_dev *pdev)
{
	reset__begin(pdev, 1);
	return 0;
}

SEC("?fexit/__pci_reset_function_locked")
int BPF_PROG(pci_reset_exit, struct pci_dev *pdev, int ret)
{
	__u64 key = (__u64)pdev;
	struct reset *r = bpf_map_lookup_elem(&resets, &key);
	__u32 method;

	if (!r)
		return 0;
	method = r->method;
	if (!method && !ret)
		method = reset__unseen(pdev);
	reset__tell(pdev, r->begin, method, ret);
	bpf_map_delete_elem(&resets, &key);
	return 0;
}

SEC("?fexit/pcie_flr")
int BPF_PROG(pci_flr_exit, struct pci_dev *pdev, int ret)
{
	__u64 key = (__u64)pdev;
	struct reset *r = bpf_map_lookup_elem(&resets, &key);

	if (r)
		r->method = METHOD_FLR;
	else
		reset__tell(pdev, 0, METHOD_FLR, ret); /* its driver's own idea */
	return 0;
}

/* What the callback below is to do, by CPU: in a map, for the reason given at struct walk. */
struct bus_reset {
	__u64 runner;
	__u32 method;
	int ret;
	__u32 end;
	__u32 found;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IOT_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct bus_reset);
} bus_resets SEC(".maps");

static __always_inline struct bus_reset *bus__here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&bus_resets, &cpu);
}

/* At the end, a function that is reset by itself goes on; all others that this task had begun are
 * over. */
static long bus__step(void *map, __u64 *pdev, struct reset *r, void *ctx)
{
	struct bus_reset *b = bus__here();

	if (!b || r->runner != b->runner)
		return 0;
	b->found++;
	if (!r->method)
		r->method = b->method;
	if (!b->end || r->one)
		return 0;
	reset__tell((struct pci_dev *)*pdev, r->begin, r->method, b->ret);
	bpf_map_delete_elem(&resets, pdev);
	return 0;
}

/* How many resets of this task it concerned. */
static __always_inline __u32 bus__each(__u32 method, __u32 end, int ret)
{
	struct bus_reset *b = bus__here();

	if (!b)
		return 0;
	b->runner = cpu__runner();
	b->method = method;
	b->end = end;
	b->ret = ret;
	b->found = 0;
	bpf_for_each_map_elem(&resets, bus__step, NULL, 0);
	return b->found;
}

SEC("?fentry/pcibios_reset_secondary_bus")
int BPF_PROG(pci_bus_entry, struct pci_dev *bridge)
{
	if (!bus__each(METHOD_BUS, 0, 0)) /* recovery from an error: nobody says of which devices */
		reset__tell(bridge, 0, METHOD_BUS, 0);
	return 0;
}

SEC("?fexit/pci_bridge_secondary_bus_reset")
int BPF_PROG(pci_bus_exit, struct pci_dev *bridge, int ret)
{
	bus__each(METHOD_BUS, 1, ret);
	return 0;
}

/* Where the one before is inlined, and slots that some other way resets. */
SEC("?fexit/pci_reset_bus")
int BPF_PROG(pci_reset_bus_exit, struct pci_dev *pdev, int ret)
{
	bus__each(METHOD_UNKNOWN, 1, ret);
	return 0;
}
