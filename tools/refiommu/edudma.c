// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for QEMU's edu device that unmaps a buffer while the device is about to write to it. edu
 * (docs/specs/edu.rst in QEMU) moves bytes 100 ms after it was told to, which leaves time to choose
 * what lies between unmap and access: nothing, or an IOTLB flush as well. The buffer stays ours, so
 * that a write that lands does no harm, and is the proof that it did.
 *
 *	echo 96000 >/sys/kernel/debug/edudma/stale	# unmap that many us after the start
 *	cat /sys/kernel/debug/edudma/result
 *
 * Times are CLOCK_MONOTONIC, in ns.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/seq_file.h>

#define EDU_SRC    0x80
#define EDU_DST    0x88
#define EDU_LEN    0x90
#define EDU_CMD    0x98
#define EDU_START  1 /* in EDU_CMD: set until the bytes were moved */
#define EDU_TO_RAM 2
#define EDU_BUFFER 0x40000 /* the device's own memory, as its addresses have it */

#define BYTES   64
#define PATTERN 0x5a
#define DONE_US 10000000

struct edudma {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct dentry *dir;
	struct mutex lock; /* one access at a time */
	u8 *page;
	struct edudma_result {
		u64 iova;
		u64 start, unmap_begin, unmap_end;
		u64 landed; /* when the bytes were first seen in the buffer; 0: never */
		u64 done;   /* when the device was first seen idle again; 0: not in time */
	} last;
};

static void edu_begin(struct edudma *e, u64 iova, bool to_ram)
{
	writeq(to_ram ? EDU_BUFFER : iova, e->regs + EDU_SRC);
	writeq(to_ram ? iova : EDU_BUFFER, e->regs + EDU_DST);
	writeq(BYTES, e->regs + EDU_LEN);
	writeq(EDU_START | (to_ram ? EDU_TO_RAM : 0), e->regs + EDU_CMD);
}

static bool edu_busy(const struct edudma *e)
{
	return readq(e->regs + EDU_CMD) & EDU_START;
}

static int edu_wait(const struct edudma *e)
{
	ktime_t end = ktime_add_us(ktime_get(), DONE_US);

	while (edu_busy(e)) {
		if (ktime_after(ktime_get(), end))
			return -ETIMEDOUT;
		usleep_range(500, 1000);
	}
	return 0;
}

static bool landed(const struct edudma *e)
{
	return READ_ONCE(e->page[0]) == PATTERN && READ_ONCE(e->page[BYTES - 1]) == PATTERN;
}

/* Fills the device's memory from a mapping of its own. */
static int edu_fill(struct edudma *e)
{
	dma_addr_t iova;
	int ret;

	memset(e->page, PATTERN, BYTES);
	iova = dma_map_single(&e->pdev->dev, e->page, BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(&e->pdev->dev, iova))
		return -ENOMEM;
	edu_begin(e, iova, false);
	ret = edu_wait(e);
	dma_unmap_single(&e->pdev->dev, iova, BYTES, DMA_TO_DEVICE);
	return ret;
}

static int edu_stale(struct edudma *e, u64 unmap_us)
{
	struct device *dev = &e->pdev->dev;
	struct edudma_result r = { 0 };
	dma_addr_t iova;
	ktime_t end;
	int ret;

	memset(e->page, 0, BYTES);
	iova = dma_map_single(dev, e->page, BYTES, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, iova))
		return -ENOMEM;
	r.iova = iova;
	/* A good access first: an IOTLB has only what was asked for. */
	edu_begin(e, iova, true);
	ret = edu_wait(e);
	if (!ret && !landed(e))
		ret = -EIO;
	memset(e->page, 0, BYTES);
	if (ret) {
		dma_unmap_single(dev, iova, BYTES, DMA_FROM_DEVICE);
		return ret;
	}

	r.start = ktime_get_ns();
	edu_begin(e, iova, true);
	end = ns_to_ktime(r.start + unmap_us * NSEC_PER_USEC);
	while (ktime_before(ktime_get(), end))
		usleep_range(50, 100);
	r.unmap_begin = ktime_get_ns();
	dma_unmap_single(dev, iova, BYTES, DMA_FROM_DEVICE);
	r.unmap_end = ktime_get_ns();
	/* The buffer first: it may be written before the device says that it is done. */
	end = ktime_add_us(ktime_get(), DONE_US);
	while (!r.done && ktime_before(ktime_get(), end)) {
		bool idle = !edu_busy(e);

		if (!r.landed && landed(e))
			r.landed = ktime_get_ns();
		if (idle)
			r.done = ktime_get_ns();
		else
			usleep_range(50, 100);
	}
	e->last = r;
	return r.done ? 0 : -ETIMEDOUT;
}

static ssize_t stale_write(struct file *file, const char __user *text, size_t len, loff_t *pos)
{
	struct edudma *e = file->private_data;
	u64 unmap_us;
	int ret = kstrtou64_from_user(text, len, 0, &unmap_us);

	if (ret)
		return ret;
	if (unmap_us > DONE_US)
		return -EINVAL;
	mutex_lock(&e->lock);
	ret = edu_stale(e, unmap_us);
	mutex_unlock(&e->lock);
	return ret ?: len;
}

static const struct file_operations stale_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = stale_write,
	.llseek = noop_llseek,
};

static int result_show(struct seq_file *file, void *unused)
{
	struct edudma *e = file->private;

	mutex_lock(&e->lock);
	seq_printf(file,
		   "device %s\niova 0x%llx\nstart %llu\nunmap_begin %llu\nunmap_end %llu\n"
		   "landed %llu\ndone %llu\n",
		   pci_name(e->pdev), e->last.iova, e->last.start, e->last.unmap_begin,
		   e->last.unmap_end, e->last.landed, e->last.done);
	mutex_unlock(&e->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int edudma_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edudma *e = devm_kzalloc(&pdev->dev, sizeof(*e), GFP_KERNEL);
	int ret;

	if (!e)
		return -ENOMEM;
	e->pdev = pdev;
	mutex_init(&e->lock);
	e->page = (u8 *)devm_get_free_pages(&pdev->dev, GFP_KERNEL | __GFP_ZERO, 0);
	if (!e->page)
		return -ENOMEM;
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto disable;
	e->regs = pci_ioremap_bar(pdev, 0);
	if (!e->regs) {
		ret = -ENOMEM;
		goto disable;
	}
	pci_set_master(pdev);
	ret = edu_fill(e);
	if (ret)
		goto unmap;
	e->dir = debugfs_create_dir("edudma", NULL);
	debugfs_create_file("stale", 0200, e->dir, e, &stale_ops);
	debugfs_create_file("result", 0400, e->dir, e, &result_fops);
	pci_set_drvdata(pdev, e);
	return 0;
unmap:
	pci_clear_master(pdev);
	iounmap(e->regs);
disable:
	pci_disable_device(pdev);
	return ret;
}

static void edudma_remove(struct pci_dev *pdev)
{
	struct edudma *e = pci_get_drvdata(pdev);

	debugfs_remove_recursive(e->dir);
	pci_clear_master(pdev);
	iounmap(e->regs);
	pci_disable_device(pdev);
}

static const struct pci_device_id edudma_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
MODULE_DEVICE_TABLE(pci, edudma_ids);

static struct pci_driver edudma_driver = {
	.name = "edudma",
	.id_table = edudma_ids,
	.probe = edudma_probe,
	.remove = edudma_remove,
};
module_pci_driver(edudma_driver);

MODULE_DESCRIPTION("DMA of QEMU's edu after its buffer was unmapped");
MODULE_LICENSE("GPL");
