// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of bugs. Each is switched on at run time through debugfs, for all or some
 * endpoints, by count or one time in so many, and counted when it happens.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "refiommu_priv.h"

struct bug {
	const char *name;
	enum refbug_side side;
	const char *what;
	bool has_when;       /* takes when= and delay_us= */
	const char *key;     /* of a value of its own; NULL = it has none */
	u64 value, min, max; /* what it is when not given, and the range of it */

	/* The setting; next 0 = off, U64_MAX = always. */
	u64 next, skip;
	u32 one_in;
	u64 endpoints;
	struct refbug_arg arg;

	u64 injected;
};

/* An invalidation is waited for with a CPU spinning: well below what the kernel calls a lock-up. */
#define LATE_MAX_MS 2000

static DEFINE_SPINLOCK(lock); /* settings and counts */

static struct bug bugs[REFBUG_NR] = {
	[REFBUG_FLUSH_DROP] = {
		"flush-drop", REFBUG_IOMMU, "a flush returns without invalidating the IOTLB",
	},
	[REFBUG_FLUSH_SHORT] = {
		"flush-short", REFBUG_IOMMU, "a flush ends one page before what it should cover",
	},
	[REFBUG_FLUSH_WRONG_DOMAIN] = {
		"flush-wrong-domain", REFBUG_IOMMU, "a flush invalidates another domain",
	},
	[REFBUG_FLUSH_EARLY] = {
		"flush-early", REFBUG_IOMMU,
		"a flush returns before its invalidation is submitted", false, "ms", 30, 1, LATE_MAX_MS,
	},
	[REFBUG_QUEUE_FULL] = {
		"queue-full", REFBUG_IOMMU, "the invalidation queue stays full for so long", false,
		"ms", 100, 1, LATE_MAX_MS,
	},
	[REFBUG_INVAL_SLOW] = {
		"inval-slow", REFBUG_IOMMU, "an invalidation takes so much longer", false,
		"ms", 300, 1, LATE_MAX_MS,
	},
	[REFBUG_INVAL_TIMEOUT] = {
		"inval-timeout", REFBUG_IOMMU, "the same, and the driver logs a time-out", false,
		"ms", 100, 1, LATE_MAX_MS,
	},
	[REFBUG_PTE_LOST] = {
		"pte-lost", REFBUG_IOMMU, "a map succeeds, but its entries are not present",
	},
	[REFBUG_SYNC_MAP_SKIP] = {
		"sync-map-skip", REFBUG_IOMMU,
		"iotlb_sync_map leaves cached that the page was absent",
	},
	[REFBUG_PTE_LEFT] = {
		"pte-left", REFBUG_IOMMU, "an unmap succeeds, but leaves its first entry behind",
	},
	[REFBUG_PT_FREE_EARLY] = {
		"pt-free-early", REFBUG_IOMMU, "an unmap frees an empty table before the flush",
	},
	[REFBUG_PT_LEAK] = {
		"pt-leak", REFBUG_IOMMU, "a table is not freed with its domain",
	},
	[REFBUG_FAULT_NO_ADDRESS] = {
		"fault-no-address", REFBUG_IOMMU, "a fault is logged only, without its address",
	},
	[REFBUG_FAULT_NO_DEVICE] = {
		"fault-no-device", REFBUG_IOMMU, "a fault is reported without its device, and not logged",
	},
	[REFBUG_USE_AFTER_UNMAP] = {
		"use-after-unmap", REFBUG_DEVICE, "the device uses an IOVA after its unmap", true,
	},
	[REFBUG_USE_AFTER_DETACH] = {
		"use-after-detach", REFBUG_DEVICE,
		"the device uses a mapping of a domain that it has just lost",
	},
	[REFBUG_PAST_END] = {
		"past-end", REFBUG_DEVICE, "the device goes on behind the end of a mapping", false,
		"bytes", 0, 0, SZ_1M,
	},
	[REFBUG_BEFORE_START] = {
		"before-start", REFBUG_DEVICE, "the device begins before the start of a mapping",
		false, "bytes", 64, 64, SZ_1M,
	},
	[REFBUG_WRONG_ACCESS] = {
		"wrong-access", REFBUG_DEVICE, "the device writes what it may read, or reads what it may write",
	},
	[REFBUG_TRUNCATE] = {
		"truncate", REFBUG_DEVICE, "the device uses the lower bits of an IOVA only", false,
		"bits", 32, 13, 63,
	},
	[REFBUG_OTHER_DEVICE] = {
		"other-device", REFBUG_DEVICE, "the device uses an IOVA of another device's domain",
		false, "peer", 0, 0, REFIOMMU_MAX_ENDPOINTS - 1,
	},
	[REFBUG_STRAY] = {
		"stray", REFBUG_DEVICE, "the device uses an IOVA that nobody gave it", false,
		"iova", 0, 0, U64_MAX,
	},
	[REFBUG_LEAK] = {
		"leak", REFBUG_DEVICE, "the driver forgets to unmap",
	},
	[REFBUG_UNMAP_SIZE] = {
		"unmap-size", REFBUG_DEVICE, "the driver unmaps only half of a mapping",
	},
	[REFBUG_DOUBLE_UNMAP] = {
		"double-unmap", REFBUG_DEVICE, "the driver unmaps twice",
	},
	[REFBUG_IOVA_REUSE] = {
		"iova-reuse", REFBUG_DEVICE, "the driver maps an IOVA again before it has synced its unmap",
	},
	[REFBUG_MAP_OVER] = {
		"map-over", REFBUG_DEVICE, "the driver maps what it has mapped already",
	},
	[REFBUG_DETACH_FULL] = {
		"detach-full", REFBUG_DEVICE, "the driver frees a domain with a mapping in it",
	},
	[REFBUG_SPURIOUS_COMPLETION] = {
		"spurious-completion", REFBUG_DEVICE,
		"the device says that it is done, and goes on after the unmap",
	},
	[REFBUG_HANG] = {
		"hang", REFBUG_DEVICE, "a queue stops without a fault",
	},
	[REFBUG_HANG_AFTER_FAULT] = {
		"hang-after-fault", REFBUG_DEVICE, "a queue stops after a fault",
	},
};

static const char *const when_names[] = {
	[REFBUG_WHEN_INSIDE] = "inside",
	[REFBUG_WHEN_DELAY] = "delay",
	[REFBUG_WHEN_AFTER] = "after",
	[REFBUG_WHEN_FLUSH] = "flush",
};

unsigned long refbug_armed;
EXPORT_SYMBOL_GPL(refbug_armed);

bool refbug_pending(enum refbug id, u64 endpoints, struct refbug_arg *arg)
{
	struct bug *bug = &bugs[id];
	unsigned long flags;
	bool pending;

	if (!(READ_ONCE(refbug_armed) & BIT(id)))
		return false;
	spin_lock_irqsave(&lock, flags);
	pending = bug->next && bug->endpoints & endpoints;
	*arg = bug->arg;
	spin_unlock_irqrestore(&lock, flags);
	return pending;
}
EXPORT_SYMBOL_GPL(refbug_pending);

bool refbug_fire_armed(enum refbug id, u64 endpoints, struct refbug_arg *arg)
{
	struct bug *bug = &bugs[id];
	unsigned long flags;
	bool fire = false;

	spin_lock_irqsave(&lock, flags);
	if (!bug->next || !(bug->endpoints & endpoints))
		goto out;
	if (bug->skip) {
		bug->skip--;
		goto out;
	}
	if (bug->one_in > 1 && get_random_u32() % bug->one_in)
		goto out;
	if (bug->next != U64_MAX && !--bug->next)
		refbug_armed &= ~BIT(id);
	bug->injected++;
	if (arg)
		*arg = bug->arg;
	fire = true;
out:
	spin_unlock_irqrestore(&lock, flags);
	return fire;
}
EXPORT_SYMBOL_GPL(refbug_fire_armed);

void refbug_show_truth(struct seq_file *m, enum refbug_side side)
{
	const char *c;
	int i;

	for (i = 0; i < REFBUG_NR; i++) {
		if (bugs[i].side != side)
			continue;
		seq_puts(m, "injected_");
		for (c = bugs[i].name; *c; c++)
			seq_putc(m, *c == '-' ? '_' : *c);
		seq_printf(m, " %llu\n", READ_ONCE(bugs[i].injected));
	}
}
EXPORT_SYMBOL_GPL(refbug_show_truth);

/* --- the control file ------------------------------------------------------------------------- */

static int bugs_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < REFBUG_NR; i++) {
		struct bug bug;

		spin_lock_irq(&lock);
		bug = bugs[i];
		spin_unlock_irq(&lock);

		seq_printf(m, "%s ", bug.name);
		if (!bug.next)
			seq_puts(m, "off");
		else if (bug.next == U64_MAX)
			seq_puts(m, "always");
		else
			seq_printf(m, "next=%llu", bug.next);
		if (bug.next) {
			seq_printf(m, " skip=%llu one_in=%u", bug.skip, bug.one_in);
			if (bug.endpoints != U64_MAX)
				seq_printf(m, " endpoints=%*pbl", REFIOMMU_MAX_ENDPOINTS,
					   (unsigned long *)&bug.endpoints);
			if (bug.has_when)
				seq_printf(m, " when=%s delay_us=%u", when_names[bug.arg.when],
					   bug.arg.delay_us);
			if (bug.key)
				seq_printf(m, bug.arg.value < SZ_4K ? " %s=%llu" : " %s=0x%llx",
					   bug.key, bug.arg.value);
		}
		seq_printf(m, " injected=%llu # %s\n", bug.injected, bug.what);
	}
	return 0;
}

static int bug_word(struct bug *bug, char *word)
{
	char *value = strchr(word, '=');
	int when;

	if (!strcmp(word, "off") || !strcmp(word, "always")) {
		bug->next = word[1] == 'f' ? 0 : U64_MAX;
		return 0;
	}
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "next"))
		return kstrtou64(value, 0, &bug->next);
	if (!strcmp(word, "skip"))
		return kstrtou64(value, 0, &bug->skip);
	if (!strcmp(word, "one_in"))
		return kstrtou32(value, 0, &bug->one_in);
	if (!strcmp(word, "endpoints")) {
		DECLARE_BITMAP(mask, REFIOMMU_MAX_ENDPOINTS);
		int ret = bitmap_parselist(value, mask, REFIOMMU_MAX_ENDPOINTS);

		if (!ret)
			bitmap_to_arr64(&bug->endpoints, mask, REFIOMMU_MAX_ENDPOINTS);
		return ret;
	}
	if (bug->key && !strcmp(word, bug->key)) {
		if (kstrtou64(value, 0, &bug->arg.value))
			return -EINVAL;
		return bug->arg.value < bug->min || bug->arg.value > bug->max ? -ERANGE : 0;
	}
	if (bug->has_when && !strcmp(word, "delay_us"))
		return kstrtou32(value, 0, &bug->arg.delay_us);
	if (bug->has_when && !strcmp(word, "when")) {
		when = match_string(when_names, ARRAY_SIZE(when_names), value);
		if (when < 0)
			return when;
		bug->arg.when = when;
		return 0;
	}
	return -EINVAL;
}

static int bug_set(char *text)
{
	struct bug set = { .one_in = 1, .endpoints = U64_MAX };
	char *word = strsep(&text, " \t\n");
	struct bug *bug;
	int ret, id;

	for (id = 0; id < REFBUG_NR && strcmp(bugs[id].name, word); id++)
		;
	if (id == REFBUG_NR) {
		pr_err("bugs: there is no bug '%s'; read the file for the names\n", word);
		return -EINVAL;
	}
	bug = &bugs[id];
	set.has_when = bug->has_when;
	set.key = bug->key;
	set.min = bug->min;
	set.max = bug->max;
	set.arg.value = bug->value;
	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		ret = bug_word(&set, word);
		if (ret) {
			pr_err("bugs: %s: cannot use '%s'; it takes off, always, next=N, skip=N, one_in=N, endpoints=LIST%s\n",
			       bug->name, word,
			       bug->has_when ? ", when=inside|delay|after|flush, delay_us=N" : "");
			if (bug->key)
				pr_err("bugs: %s: and %s=N, from %llu to %llu\n", bug->name,
				       bug->key, bug->min, bug->max);
			return ret;
		}
	}

	spin_lock_irq(&lock);
	bug->next = set.next;
	bug->skip = set.skip;
	bug->one_in = set.one_in;
	bug->endpoints = set.endpoints;
	bug->arg = set.arg;
	if (bug->next)
		refbug_armed |= BIT(id);
	else
		refbug_armed &= ~BIT(id);
	spin_unlock_irq(&lock);
	return 0;
}

static ssize_t bugs_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char *text, *line, *rest;
	int ret = 0;

	if (size > PAGE_SIZE)
		return -E2BIG;
	text = memdup_user_nul(from, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rest = text;
	while (!ret && (line = strsep(&rest, "\n;")))
		if (*skip_spaces(line))
			ret = bug_set(skip_spaces(line));
	kfree(text);
	return ret ?: size;
}

static int bugs_open(struct inode *inode, struct file *file)
{
	return single_open(file, bugs_show, NULL);
}

static const struct file_operations bugs_fops = {
	.owner = THIS_MODULE,
	.open = bugs_open,
	.read = seq_read,
	.write = bugs_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void refbug_debugfs_init(struct dentry *dir)
{
	debugfs_create_file("bugs", 0600, dir, NULL, &bugs_fops);
}
