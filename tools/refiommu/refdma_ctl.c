// SPDX-License-Identifier: GPL-2.0-only
/* The control files of one device, /sys/kernel/debug/refdma/refdma.N/. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "refdma.h"

#define USAGE                                                                                   \
	"start|run [key=value ...], stop, wait, bench [loops=N pairs=N size=BYTES yield=0|1], " \
	"flush-empty, sync-early, page-requests [key=value ...], page-requests-off"

static const char *const workloads[] = {
	[REFDMA_SINGLE] = "single",
	[REFDMA_SG] = "sg",
	[REFDMA_COHERENT] = "coherent",
	[REFDMA_UNMANAGED] = "unmanaged",
};
static const char *const modes[] = { [REFDMA_MODE_DMA] = "dma", [REFDMA_MODE_MAP] = "map" };
static const char *const dirs[] = {
	[DMA_BIDIRECTIONAL] = "bidi",
	[DMA_TO_DEVICE] = "to",
	[DMA_FROM_DEVICE] = "from",
};

static const char *const answers[] = {
	[REFDMA_PRQ_SUCCESS] = "success", [REFDMA_PRQ_INVALID] = "invalid",
	[REFDMA_PRQ_FAILURE] = "failure", [REFDMA_PRQ_NONE] = "none",
	[REFDMA_PRQ_ABORT] = "abort",     [REFDMA_PRQ_UNHANDLED] = "unhandled",
};

/* --- parsing ---------------------------------------------------------------------------------- */

static int parse_uint(const char *value, u64 min, u64 max, unsigned int *out)
{
	u64 n;

	if (kstrtou64(value, 0, &n) || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

/* One size with a K or M, in whole 64 bytes. */
static int parse_size(const char *value, char **end, size_t *out)
{
	unsigned long long n = memparse(value, end);

	if (*end == value || n < 64 || n > REFDMA_MAX_SIZE || n % 64)
		return -EINVAL;
	*out = n;
	return 0;
}

static int parse_sizes(const char *value, struct refdma_cfg *cfg)
{
	char *end;
	int ret = parse_size(value, &end, &cfg->size_min);

	cfg->size_max = cfg->size_min;
	if (!ret && *end == '-')
		ret = parse_size(end + 1, &end, &cfg->size_max);
	return ret ?: *end || cfg->size_max < cfg->size_min ? -EINVAL : 0;
}

static int parse_name(const char *const *names, size_t n, const char *value)
{
	return match_string(names, n, value);
}

/* A key of a run; value is what follows its '='. */
static int parse_key(struct refdma_cfg *cfg, const char *key, const char *value)
{
	int n;

	if (!strcmp(key, "workload")) {
		n = parse_name(workloads, ARRAY_SIZE(workloads), value);
		cfg->workload = n;
		return min(n, 0);
	}
	if (!strcmp(key, "mode")) {
		n = parse_name(modes, ARRAY_SIZE(modes), value);
		cfg->mode = n;
		return min(n, 0);
	}
	if (!strcmp(key, "dir")) {
		n = parse_name(dirs, ARRAY_SIZE(dirs), value);
		cfg->dir = n;
		return min(n, 0);
	}
	if (!strcmp(key, "threads"))
		return parse_uint(value, 1, REFDMA_MAX_THREADS, &cfg->threads);
	if (!strcmp(key, "depth"))
		return parse_uint(value, 1, REFDMA_MAX_DEPTH, &cfg->depth);
	if (!strcmp(key, "nents"))
		return parse_uint(value, 1, REFDMA_MAX_NENTS, &cfg->nents);
	if (!strcmp(key, "hold_us"))
		return parse_uint(value, 0, USEC_PER_SEC, &cfg->hold_us);
	if (!strcmp(key, "sync_every"))
		return parse_uint(value, 1, REFDMA_MAX_DEPTH, &cfg->sync_every);
	if (!strcmp(key, "rate"))
		return kstrtou64(value, 0, &cfg->rate);
	if (!strcmp(key, "ops"))
		return kstrtou64(value, 0, &cfg->ops);
	if (!strcmp(key, "size"))
		return parse_sizes(value, cfg);
	return -EINVAL;
}

/* Cuts 'key=value' off *text; returns NULL at its end, and an ERR_PTR if there is no '='. */
static char *next_pair(char **text, char **value)
{
	char *word;

	do {
		word = strsep(text, " \t\n");
	} while (word && !*word);
	if (!word)
		return NULL;
	*value = strchr(word, '=');
	if (!*value)
		return ERR_PTR(-EINVAL);
	*(*value)++ = '\0';
	return word;
}

/* --- commands --------------------------------------------------------------------------------- */

static int refuse(struct refdma_dev *rd, const char *key, const char *value)
{
	dev_err(rd->dev, "control: cannot use '%s=%s'; see README.md for keys and ranges\n", key,
		value);
	return -EINVAL;
}

/* Why a run did not start, where the number that the writer gets says too little. */
static int explain(struct refdma_dev *rd, int ret)
{
	switch (ret) {
	case -EBUSY:
		dev_err(rd->dev, "control: a run is under way; 'stop' or 'wait' first\n");
		break;
	case -E2BIG:
		dev_err(rd->dev, "control: threads x depth x nents x size is limited to %lu MiB\n",
			(unsigned long)REFDMA_MAX_POOL >> 20);
		break;
	case -EINVAL:
		dev_err(rd->dev,
			"control: no domain of its own for this device; unmanaged needs a group of one\n");
		break;
	}
	return ret;
}

static int command_start(struct refdma_dev *rd, char *text)
{
	struct refdma_cfg cfg = {
		.dir = DMA_FROM_DEVICE,
		.threads = 1,
		.depth = 8,
		.nents = 4,
		.sync_every = 1,
		.size_min = SZ_4K,
		.size_max = SZ_4K,
	};
	char *key, *value;

	while ((key = next_pair(&text, &value))) {
		if (IS_ERR(key))
			return PTR_ERR(key);
		if (parse_key(&cfg, key, value))
			return refuse(rd, key, value);
	}
	return explain(rd, refdma_start(rd, &cfg));
}

static int command_bench(struct refdma_dev *rd, char *text)
{
	unsigned int loops = 5, pairs = 20000, yield = 0;
	size_t size = SZ_4K;
	char *key, *value, *end;
	int ret;

	while ((key = next_pair(&text, &value))) {
		if (IS_ERR(key))
			return PTR_ERR(key);
		ret = -EINVAL;
		if (!strcmp(key, "loops"))
			ret = parse_uint(value, 1, 1000, &loops);
		else if (!strcmp(key, "pairs"))
			ret = parse_uint(value, 1, 10000000, &pairs);
		else if (!strcmp(key, "size"))
			ret = parse_size(value, &end, &size);
		else if (!strcmp(key, "yield"))
			ret = parse_uint(value, 0, 1, &yield);
		if (ret)
			return refuse(rd, key, value);
	}
	mutex_lock(&rd->bench_lock);
	ret = READ_ONCE(rd->dead) ? -ENODEV : refdma_bench(rd, loops, pairs, size, yield);
	mutex_unlock(&rd->bench_lock);
	return ret;
}

static int parse_prq_key(struct refdma_prq_cfg *cfg, const char *key, const char *value)
{
	int n;

	if (!strcmp(key, "answer")) {
		n = parse_name(answers, ARRAY_SIZE(answers), value);
		cfg->answer = n;
		return min(n, 0);
	}
	if (!strcmp(key, "iova"))
		return kstrtou64(value, 0, &cfg->iova);
	if (!strcmp(key, "groups"))
		return parse_uint(value, 1, 64, &cfg->groups);
	if (!strcmp(key, "pages"))
		return parse_uint(value, 1, 64, &cfg->pages);
	if (!strcmp(key, "prgi"))
		return parse_uint(value, 0, U16_MAX, &cfg->prgi);
	if (!strcmp(key, "perm"))
		return parse_uint(value, 0, 15, &cfg->perm);
	if (!strcmp(key, "delay_us"))
		return parse_uint(value, 0, 10 * USEC_PER_SEC, &cfg->delay_us);
	if (!strcmp(key, "wait"))
		return parse_uint(value, 0, 1, &cfg->wait);
	if (!strcmp(key, "pasid")) {
		cfg->has_pasid = true;
		return parse_uint(value, 1, 0xfffff, &cfg->pasid);
	}
	return -EINVAL;
}

static int command_page_requests(struct refdma_dev *rd, char *text)
{
	struct refdma_prq_cfg cfg = {
		.iova = SZ_4G,
		.groups = 1,
		.pages = 1,
		.perm = IOMMU_FAULT_PERM_READ,
		.wait = 1,
	};
	char *key, *value;
	int ret;

	while ((key = next_pair(&text, &value))) {
		if (IS_ERR(key))
			return PTR_ERR(key);
		if (parse_prq_key(&cfg, key, value))
			return refuse(rd, key, value);
	}
	mutex_lock(&rd->bench_lock);
	ret = READ_ONCE(rd->dead) ? -ENODEV : refdma_prq_run(rd, &cfg);
	mutex_unlock(&rd->bench_lock);
	if (ret == -EBUSY)
		dev_err(rd->dev,
			"control: there is a handler of page requests already; 'page-requests-off' first\n");
	if (ret == -EOPNOTSUPP)
		dev_err(rd->dev,
			"control: on this kernel page requests take a PASID to be answered\n");
	if (ret == -EINVAL)
		dev_err(rd->dev, "control: no such PASID; load refdma with pasid_bits\n");
	return ret;
}

static int command(struct refdma_dev *rd, char *text)
{
	char *verb = strsep(&text, " \t\n");
	int ret;

	if (!strcmp(verb, "start"))
		return command_start(rd, text);
	if (!strcmp(verb, "run")) {
		ret = command_start(rd, text);
		if (ret)
			return ret;
		ret = refdma_wait(rd);
		if (ret)
			refdma_stop(rd);
		return ret;
	}
	if (!strcmp(verb, "stop"))
		refdma_stop(rd);
	if (!strcmp(verb, "stop") || !strcmp(verb, "wait"))
		return refdma_wait(rd);
	if (!strcmp(verb, "bench"))
		return command_bench(rd, text);
	if (!strcmp(verb, "flush-empty") || !strcmp(verb, "sync-early")) {
		mutex_lock(&rd->bench_lock);
		ret = READ_ONCE(rd->dead) ? -ENODEV : refdma_unused_domain(rd, *verb == 'f');
		mutex_unlock(&rd->bench_lock);
		return ret;
	}
	if (!strcmp(verb, "page-requests"))
		return command_page_requests(rd, text);
	if (!strcmp(verb, "page-requests-off")) {
		mutex_lock(&rd->bench_lock);
		refdma_prq_off(rd);
		mutex_unlock(&rd->bench_lock);
		return 0;
	}
	dev_err(rd->dev, "control: unknown command '%s'; there are: " USAGE "\n", verb);
	return -EINVAL;
}

/* --- files ------------------------------------------------------------------------------------ */

static int control_show(struct seq_file *m, void *unused)
{
	seq_puts(m, USAGE "\n");
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct refdma_dev *rd = ((struct seq_file *)file->private_data)->private;
	char *text;
	int ret;

	if (size > PAGE_SIZE)
		return -E2BIG;
	text = memdup_user_nul(from, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = command(rd, text);
	kfree(text);
	return ret ?: size;
}

static int control_open(struct inode *inode, struct file *file)
{
	return single_open(file, control_show, inode->i_private);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = seq_read,
	.write = control_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int status_show(struct seq_file *m, void *unused)
{
	struct refdma_dev *rd = m->private;
	const struct refdma_cfg *cfg;

	mutex_lock(&rd->lock);
	if (!rd->run) {
		seq_puts(m, "idle\n");
	} else {
		cfg = &rd->run->cfg;
		seq_printf(
			m,
			"%s workload=%s mode=%s dir=%s threads=%u depth=%u nents=%u sync_every=%u rate=%llu ops=%llu size=%zu-%zu\n",
			READ_ONCE(rd->stop) ? "stopping" : "running", workloads[cfg->workload],
			modes[cfg->mode], dirs[cfg->dir], cfg->threads, cfg->depth, cfg->nents,
			cfg->sync_every, cfg->rate, cfg->ops, cfg->size_min, cfg->size_max);
	}
	mutex_unlock(&rd->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

static int truth_show(struct seq_file *m, void *unused)
{
	struct refdma_stats sum = {};
	unsigned int i;

	refdma_stats_sum(m->private, &sum);
	for (i = 0; i < REFDMA_NR_STATS; i++)
		seq_printf(m, "%s %llu\n", refdma_stat_names[i], sum.v[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(truth);

static int bench_show(struct seq_file *m, void *unused)
{
	struct refdma_dev *rd = m->private;
	unsigned int i;

	mutex_lock(&rd->bench_lock);
	for (i = 0; rd->bench_ns && i < rd->bench_loops; i++)
		seq_printf(m, "loop %u pairs %u ns %llu\n", i, rd->bench_pairs, rd->bench_ns[i]);
	mutex_unlock(&rd->bench_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bench);

void refdma_ctl_add(struct refdma_dev *rd, struct dentry *parent)
{
	rd->dir = debugfs_create_dir(dev_name(rd->dev), parent);
	debugfs_create_file("control", 0600, rd->dir, rd, &control_fops);
	debugfs_create_file("status", 0444, rd->dir, rd, &status_fops);
	debugfs_create_file("truth", 0444, rd->dir, rd, &truth_fops);
	debugfs_create_file("bench", 0444, rd->dir, rd, &bench_fops);
}

void refdma_ctl_remove(struct refdma_dev *rd)
{
	debugfs_remove(rd->dir);
}
