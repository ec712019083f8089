// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor under MAP_DMA and UNMAP_DMA: a device that takes the same ioctls and does only what
 * no driver can avoid. Per page that is
 *
 *   map:   find the page in its region, count it there, exchange the TCE, store the user's address;
 *   unmap: exchange the TCE, mark the page dirty, uncount it, clear the user's address;
 *
 * and per call it reads the argument and has the firmware invalidate one TCE of the window that the
 * container has, which is the least that an invalidation can be. The TCEs are memory of this module
 * that no PHB reads. There is no lock, no check of anything and no way back from an error: this is
 * to be measured, not used.
 *
 * For type 1 the floor is to pin pages in one call, and to unpin them in one.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include <asm/iommu.h>
#include <asm/mmu_context.h>
#include <asm/tce.h>

#include "tce_floor.h"

/* The emulated device whose window is invalidated. */
#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

struct floor {
	struct mm_struct *mm;
	struct mm_iommu_table_group_mem_t *region;
	struct iommu_table *window;
	unsigned long page_shift;
	unsigned long entries;
	u64 *tces;		/* big-endian */
	__be64 *view;
	struct page **pages;	/* pinned */
	unsigned long pinned;
};

static const u64 both_bits = (__force u64)cpu_to_be64(TCE_PCI_READ | TCE_PCI_WRITE);

/* Through memory, which takes three instructions. The compiler would take nine, in registers. */
static u64 swapped(u64 value)
{
	asm("" : "+m"(value));
	return swab64p(&value);
}

static struct iommu_table *window_of(struct pci_dev *device)
{
	struct iommu_group *group = iommu_group_get(&device->dev);
	struct iommu_table_group *tables = group ? iommu_group_get_iommudata(group) : NULL;
	struct iommu_table *window = tables ? tables->tables[0] : NULL;

	iommu_group_put(group);
	return window ? iommu_tce_table_get(window) : NULL;
}

/* The first window of a device that is in a container. */
static struct iommu_table *find_window(void)
{
	struct iommu_table *window = NULL;
	struct pci_dev *device = NULL;

	while (!window && (device = pci_get_device(EDU_VENDOR, EDU_DEVICE, device)))
		window = window_of(device);
	pci_dev_put(device);
	return window;
}

static long set_up(struct floor *floor, const void __user *user)
{
	struct tce_floor_setup arg;

	if (floor->mm)
		return -EBUSY;
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	floor->mm = current->mm;
	mmgrab(floor->mm);
	floor->page_shift = arg.page_shift;
	floor->entries = arg.size >> arg.page_shift;
	floor->tces = kvcalloc(floor->entries, sizeof(*floor->tces), GFP_KERNEL);
	floor->view = kvcalloc(floor->entries, sizeof(*floor->view), GFP_KERNEL);
	floor->window = find_window();
	floor->region = mm_iommu_get(floor->mm, arg.vaddr, arg.size >> PAGE_SHIFT);
	if (!floor->tces || !floor->view || !floor->window || !floor->region)
		return -EINVAL;
	return 0;
}

static bool is_inside(const struct floor *floor, u64 first, u64 count)
{
	return floor->region && first <= floor->entries && count <= floor->entries - first;
}

static void invalidate(const struct floor *floor)
{
	iommu_tce_kill(floor->window, floor->window->it_offset, 1);
}

static long map(struct floor *floor, const void __user *user)
{
	struct vfio_iommu_type1_dma_map arg;
	struct mm_iommu_table_group_mem_t *const region = floor->region;
	const unsigned int page_shift = floor->page_shift;
	const unsigned long page_size = 1UL << page_shift;
	unsigned long first, count, ua, hpa;
	__be64 *view;
	u64 *tce;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	first = arg.iova >> page_shift;
	count = arg.size >> page_shift;
	ua = arg.vaddr;
	if (!is_inside(floor, first, count))
		return -EINVAL;
	tce = floor->tces + first;
	view = floor->view + first;
	for (; count; --count, ++tce, ++view, ua += page_size) {
		if (mm_iommu_ua_to_hpa(region, ua, page_shift, &hpa) ||
		    mm_iommu_mapped_inc(region))
			return -EINVAL;
		xchg_relaxed(tce, swapped(hpa) | both_bits);
		*view = cpu_to_be64(ua);
	}
	invalidate(floor);
	return 0;
}

static long unmap(struct floor *floor, const void __user *user)
{
	struct vfio_iommu_type1_dma_unmap arg;
	struct mm_iommu_table_group_mem_t *const region = floor->region;
	const unsigned int page_shift = floor->page_shift;
	unsigned long first, count;
	__be64 *view;
	u64 *tce;

	if (copy_from_user(&arg, user, offsetofend(typeof(arg), size)))
		return -EFAULT;
	first = arg.iova >> page_shift;
	count = arg.size >> page_shift;
	if (!is_inside(floor, first, count))
		return -EINVAL;
	tce = floor->tces + first;
	view = floor->view + first;
	for (; count; --count, ++tce, ++view) {
		u64 old = xchg_relaxed(tce, 0);

		if (!(old & both_bits))
			continue;
		SetPageDirty(pfn_to_page(swapped(old) >> PAGE_SHIFT));
		mm_iommu_mapped_dec(region);
		*view = 0;
	}
	invalidate(floor);
	return 0;
}

static long pin(struct floor *floor, const void __user *user)
{
	struct tce_floor_pin arg;
	unsigned long count, done = 0;

	if (floor->pinned)
		return -EBUSY;
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	count = arg.size >> PAGE_SHIFT;
	if (!floor->pages)
		floor->pages = kvcalloc(count, sizeof(*floor->pages), GFP_KERNEL);
	if (!floor->pages)
		return -ENOMEM;
	while (done < count) {
		long pinned = pin_user_pages_fast(arg.vaddr + (done << PAGE_SHIFT), count - done,
						  FOLL_LONGTERM | FOLL_WRITE, floor->pages + done);

		if (pinned <= 0)
			break;
		done += pinned;
	}
	floor->pinned = done;
	return done == count ? 0 : -EFAULT;
}

static long unpin(struct floor *floor)
{
	unpin_user_pages_dirty_lock(floor->pages, floor->pinned, true);
	floor->pinned = 0;
	return 0;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct floor *floor = file->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return map(floor, user);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap(floor, user);
	case TCE_FLOOR_SETUP:
		return set_up(floor, user);
	case TCE_FLOOR_PIN:
		return pin(floor, user);
	case TCE_FLOOR_UNPIN:
		return unpin(floor);
	default:
		return -ENOTTY;
	}
}

static int floor_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct floor), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;

	if (floor->pinned)
		unpin(floor);
	kvfree(floor->pages);
	if (floor->window)
		iommu_tce_table_put(floor->window);
	if (floor->region && mm_iommu_put(floor->mm, floor->region))
		pr_warn("tce_floor: pages are still mapped\n");
	if (floor->mm)
		mmdrop(floor->mm);
	kvfree(floor->tces);
	kvfree(floor->view);
	kfree(floor);
	return 0;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
};

static struct miscdevice floor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tce_floor",
	.fops = &floor_fops,
};

module_misc_device(floor_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The least that mapping and unmapping for DMA can cost");
