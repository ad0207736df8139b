// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA master without hardware: platform devices that sit behind the reference IOMMU. This file
 * makes the devices and keeps their counters.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "refdma.h"

static unsigned int endpoints = 1;
module_param(endpoints, uint, 0444);
MODULE_PARM_DESC(endpoints, "How many devices refdma.N to create, 1 to 64 (default 1)");
unsigned int refdma_watchdog_ms = 500;
module_param_named(watchdog_ms, refdma_watchdog_ms, uint, 0644);
MODULE_PARM_DESC(
	watchdog_ms,
	"How long a queue may have work and make no progress before it is reset (default 500)");

static unsigned int pasid_bits;
module_param(pasid_bits, uint, 0444);
MODULE_PARM_DESC(pasid_bits, "Width of the devices' PASIDs, up to 20 (default 0: they have none)");

static struct platform_device *devices[REFIOMMU_MAX_ENDPOINTS];
static struct dentry *dir;

static DEFINE_MUTEX(lock); /* the list of devices and the counters of those that are gone */
static LIST_HEAD(list);
static struct refdma_stats retired;

/* --- counters --------------------------------------------------------------------------------- */

#define NAME(name) #name,
const char *const refdma_stat_names[REFDMA_NR_STATS] = { REFDMA_STATS(NAME) };
#undef NAME

void refdma_stats_sum(struct refdma_dev *rd, struct refdma_stats *sum)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < REFDMA_NR_STATS; i++)
			sum->v[i] += READ_ONCE(per_cpu_ptr(rd->stats, cpu)->v[i]);
}

static int truth_show(struct seq_file *m, void *unused)
{
	struct refdma_stats sum;
	struct refdma_dev *rd;
	unsigned int i;

	mutex_lock(&lock);
	sum = retired;
	list_for_each_entry(rd, &list, node)
		refdma_stats_sum(rd, &sum);
	mutex_unlock(&lock);
	for (i = 0; i < REFDMA_NR_STATS; i++)
		seq_printf(m, "%s %llu\n", refdma_stat_names[i], sum.v[i]);
	refbug_show_truth(m, REFBUG_DEVICE);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(truth);

/* --- the platform driver ---------------------------------------------------------------------- */

static int refdma_probe(struct platform_device *pdev)
{
	struct refdma_dev *rd;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	rd = kzalloc(sizeof(*rd), GFP_KERNEL);
	if (!rd)
		return -ENOMEM;
	rd->stats = alloc_percpu(struct refdma_stats);
	if (!rd->stats) {
		kfree(rd);
		return -ENOMEM;
	}
	rd->dev = &pdev->dev;
	rd->id = pdev->id;
	mutex_init(&rd->bench_lock);
	refdma_run_init(rd);
	platform_set_drvdata(pdev, rd);
	mutex_lock(&lock);
	list_add_tail(&rd->node, &list);
	mutex_unlock(&lock);
	refdma_ctl_add(rd, dir);
	return 0;
}

static refiommu_remove_t refdma_remove(struct platform_device *pdev)
{
	struct refdma_dev *rd = platform_get_drvdata(pdev);

	refdma_run_exit(rd);
	refdma_ctl_remove(rd);
	refdma_prq_off(rd);
	mutex_lock(&lock);
	list_del(&rd->node);
	refdma_stats_sum(rd, &retired);
	mutex_unlock(&lock);
	free_percpu(rd->stats);
	kfree(rd->bench_ns);
	kfree(rd);
	REFIOMMU_REMOVE_RETURN;
}

static struct platform_driver refdma_driver = {
	.driver = { .name = "refdma" },
	.probe = refdma_probe,
	.remove = refdma_remove,
};

/* --- the devices ------------------------------------------------------------------------------ */

static void devices_remove(void)
{
	unsigned int i;

	for (i = 0; i < endpoints; i++) {
		if (devices[i])
			platform_device_unregister(devices[i]);
		devices[i] = NULL;
	}
}

static int device_create_one(unsigned int id)
{
	const struct property_entry pasids[] = {
		PROPERTY_ENTRY_U32("pasid-num-bits", pasid_bits),
		{},
	};
	struct platform_device *pdev = platform_device_alloc("refdma", id);
	int ret;

	if (!pdev)
		return -ENOMEM;
	ret = refiommu_endpoint_init(&pdev->dev, id);
	if (!ret && pasid_bits) {
		ret = device_create_managed_software_node(&pdev->dev, pasids, NULL);
		if (ret)
			refiommu_endpoint_undo(&pdev->dev);
	}
	if (ret) {
		pr_err("refdma.%u cannot become an endpoint of the reference IOMMU: %d\n", id, ret);
		goto out;
	}
	/* The driver limits its addresses at probe; the core reads the mask before that. */
	pdev->platform_dma_mask = DMA_BIT_MASK(64);
	ret = platform_device_add(pdev);
	if (ret) {
		pr_err("refdma.%u cannot be added: %d\n", id, ret);
		refiommu_endpoint_undo(&pdev->dev);
		goto out;
	}
	if (!iommu_get_domain_for_dev(&pdev->dev)) {
		pr_err("refdma.%u got no IOMMU domain; see the kernel log above\n", id);
		platform_device_del(pdev);
		ret = -ENODEV;
		goto out;
	}
	devices[id] = pdev;
	return 0;
out:
	platform_device_put(pdev);
	return ret;
}

static int __init refdma_init(void)
{
	unsigned int i;
	int ret;

	if (!endpoints || endpoints > REFIOMMU_MAX_ENDPOINTS) {
		pr_err("endpoints=%u: must be 1 to %u\n", endpoints, REFIOMMU_MAX_ENDPOINTS);
		return -EINVAL;
	}
	if (pasid_bits > 20) {
		pr_err("pasid_bits=%u: must be 0 to 20\n", pasid_bits);
		return -EINVAL;
	}
	dir = debugfs_create_dir("refdma", NULL);
	debugfs_create_file("truth", 0444, dir, NULL, &truth_fops);
	ret = platform_driver_register(&refdma_driver);
	if (ret)
		goto out_dir;
	for (i = 0; i < endpoints; i++) {
		ret = device_create_one(i);
		if (ret)
			goto out_devices;
	}
	return 0;

out_devices:
	devices_remove();
	platform_driver_unregister(&refdma_driver);
out_dir:
	debugfs_remove(dir);
	return ret;
}
module_init(refdma_init);

static void __exit refdma_exit(void)
{
	devices_remove();
	platform_driver_unregister(&refdma_driver);
	debugfs_remove(dir);
}
module_exit(refdma_exit);

MODULE_DESCRIPTION(
	"DMA master of iommutop: moves bytes through the reference IOMMU, with injectable bugs");
MODULE_LICENSE("GPL");
