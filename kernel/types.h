/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C ABI between the kernel and the C++ code. Each header of the glue, here and in the folders
 * of that name, is included by both sides: by the C glue together with the kernel's headers, so
 * that the compiler checks that the declarations agree, and by the C++ code, which includes no
 * kernel header at all.
 *
 * Plain C types only. Functions without the glue_ prefix are the kernel's own exports.
 */
#ifndef GLUE_TYPES_H
#define GLUE_TYPES_H

#ifdef __cplusplus
#define GLUE_BEGIN extern "C" {
#define GLUE_END }
#else
#define GLUE_BEGIN
#define GLUE_END
#include <linux/types.h>
#endif

struct iommu_group;
struct iommu_table;
struct iommu_table_group;
struct mm_iommu_table_group_mem_t;
struct mm_struct;
struct mutex;
struct spinlock;

#endif
