// SPDX-License-Identifier: GPL-2.0-only
/* What root can read of the containers in debugfs. */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "drivers/vfio/debugfs.h"

#define FOR_ROOT 0400

static struct dentry *top;

static int state_show(struct seq_file *out, void *unused)
{
	tce_show_container(out->private, out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int driver_show(struct seq_file *out, void *unused)
{
	tce_show_driver(out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(driver);

void glue_debugfs_start(void)
{
	top = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("driver", FOR_ROOT, top, NULL, &driver_fops);
}

void glue_debugfs_stop(void)
{
	debugfs_remove(top);
}

struct dentry *glue_debugfs_add(unsigned int number, void *object)
{
	char name[sizeof("4294967295")];
	struct dentry *directory;

	snprintf(name, sizeof(name), "%u", number);
	directory = debugfs_create_dir(name, top);
	debugfs_create_file("state", FOR_ROOT, directory, object, &state_fops);
	return directory;
}

void glue_debugfs_remove(struct dentry *directory)
{
	debugfs_remove(directory);
}
