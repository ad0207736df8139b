// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/refiommu: the ground truth of the whole IOMMU and of each domain. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "refiommu_priv.h"

static struct dentry *dir;

#define NAME(name) #name,
static const char *const stat_names[] = { REFIOMMU_STATS(NAME) };
#undef NAME

static void stats_add(struct refiommu_stats *sum, struct refiommu_stats __percpu *stats)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < REFIOMMU_NR_STATS; i++)
			sum->v[i] += READ_ONCE(per_cpu_ptr(stats, cpu)->v[i]);
}

static int truth_show(struct seq_file *m, void *unused)
{
	struct refiommu_stats sum;
	struct refiommu_domain *dom;
	unsigned int i;

	mutex_lock(&refiommu.lock);
	sum = refiommu.retired;
	list_for_each_entry(dom, &refiommu.domains, node)
		stats_add(&sum, dom->stats);
	mutex_unlock(&refiommu.lock);
	stats_add(&sum, &refiommu_unit_stats);

	for (i = 0; i < REFIOMMU_NR_STATS; i++)
		seq_printf(m, "%s %llu\n", stat_names[i], sum.v[i]);
	refbug_show_truth(m, REFBUG_IOMMU);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(truth);

static const char *type_name(unsigned int type)
{
	switch (type) {
	case IOMMU_DOMAIN_DMA:
		return "DMA";
	case IOMMU_DOMAIN_DMA_FQ:
		return "DMA-FQ";
	case IOMMU_DOMAIN_UNMANAGED:
		return "unmanaged";
	default:
		return "other";
	}
}

static int domains_show(struct seq_file *m, void *unused)
{
	struct refiommu_domain *dom;
	unsigned int i;

	mutex_lock(&refiommu.lock);
	list_for_each_entry(dom, &refiommu.domains, node) {
		struct refiommu_stats sum = {};
		unsigned long endpoints = READ_ONCE(dom->endpoints);

		stats_add(&sum, dom->stats);
		seq_printf(m, "domain %u type=%s endpoints=%*pbl", dom->id,
			   type_name(dom->domain.type), REFIOMMU_MAX_ENDPOINTS, &endpoints);
		for (i = 0; i < REFIOMMU_NR_STATS; i++)
			seq_printf(m, " %s=%llu", stat_names[i], sum.v[i]);
		seq_printf(m, " queued=%d\n", READ_ONCE(dom->queued) || READ_ONCE(dom->in_timer));
	}
	mutex_unlock(&refiommu.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(domains);

void refiommu_debugfs_init(void)
{
	dir = debugfs_create_dir("refiommu", NULL);
	debugfs_create_file("truth", 0444, dir, NULL, &truth_fops);
	debugfs_create_file("domains", 0444, dir, NULL, &domains_fops);
	refbug_debugfs_init(dir);
}

void refiommu_debugfs_exit(void)
{
	debugfs_remove(dir);
}
