/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What root can read of the containers in debugfs, below vfio_iommu_spapr_tce/ there. A kernel
 * without debugfs shows nothing, and nothing fails.
 *
 * glue_debugfs_remove() and glue_debugfs_stop() wait for readers, who wait for the locks of
 * containers: they are called with none of these held.
 */
#ifndef GLUE_DEBUGFS_H
#define GLUE_DEBUGFS_H

#include "kernel/types.h"

struct dentry;
struct seq_file;

GLUE_BEGIN

/* At module load and unload. May sleep. */
void glue_debugfs_start(void);
void glue_debugfs_stop(void);

/* A directory for a container, whose @number is no other's. @object is for the reader. May sleep.
 */
struct dentry *glue_debugfs_add(unsigned int number, void *object);
/* After that nobody reads it, nor has @object. May sleep. */
void glue_debugfs_remove(struct dentry *directory);

/* fs/seq_file.c */
void seq_printf(struct seq_file *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Implemented in C++: what is read of a container, and of the driver. Process context. */
void tce_show_container(void *object, struct seq_file *out);
void tce_show_driver(struct seq_file *out);

GLUE_END

#endif
