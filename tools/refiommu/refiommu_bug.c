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
	bool has_when; /* takes when= and delay_us= */

	/* The setting; next 0 = off, U64_MAX = always. */
	u64 next, skip;
	u32 one_in;
	u64 endpoints;
	struct refbug_arg arg;

	u64 injected;
};

static DEFINE_SPINLOCK(lock); /* settings and counts */

static struct bug bugs[REFBUG_NR] = {
	[REFBUG_FLUSH_DROP] = {
		"flush-drop", REFBUG_IOMMU, "a flush returns without invalidating the IOTLB",
	},
	[REFBUG_USE_AFTER_UNMAP] = {
		"use-after-unmap", REFBUG_DEVICE, "the device uses an IOVA after its unmap", true,
	},
	[REFBUG_LEAK] = {
		"leak", REFBUG_DEVICE, "the driver forgets to unmap",
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
};

unsigned long refbug_armed;
EXPORT_SYMBOL_GPL(refbug_armed);

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
	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		ret = bug_word(&set, word);
		if (ret) {
			pr_err("bugs: %s: cannot use '%s'; it takes off, always, next=N, skip=N, one_in=N, endpoints=LIST%s\n",
			       bug->name, word,
			       bug->has_when ? ", when=inside|delay|after, delay_us=N" : "");
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
