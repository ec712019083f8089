/* SPDX-License-Identifier: GPL-2.0-only */
/* The layout of the fake kernel, in place of what a kernel's build generates. */
#pragma once

/* 12, or 16 for a kernel with pages of 64 KiB. */
#ifndef KERNEL_PAGE_SHIFT
#define KERNEL_PAGE_SHIFT 12
#endif

/* A block's address is its real address. */
#define KERNEL_PAGE_OFFSET 0
/* The largest block is 16 MiB in both. */
#define KERNEL_MAX_PAGE_ORDER (24 - KERNEL_PAGE_SHIFT)
#define KERNEL_MUTEX_SIZE 64
#define KERNEL_MUTEX_ALIGN 8
#define KERNEL_SPINLOCK_SIZE 64
#define KERNEL_SPINLOCK_ALIGN 8
#define KERNEL_MAX_TABLES 2
#define KERNEL_CHECKS 1
#define KERNEL_DMA_BIDIRECTIONAL 0
#define KERNEL_DMA_TO_DEVICE 1
#define KERNEL_DMA_FROM_DEVICE 2
#define KERNEL_DMA_NONE 3
#define KERNEL_H_FUNCTION -2
#define KERNEL_SIZEOF_INFO 32
#define KERNEL_SIZEOF_DMA_MAP 32
#define KERNEL_SIZEOF_DMA_UNMAP 24
#define KERNEL_SIZEOF_REGISTER 24
#define KERNEL_SIZEOF_CREATE 40
#define KERNEL_SIZEOF_REMOVE 16
#define KERNEL_SIZEOF_EEH_PE_OP 40
#define KERNEL_SIZEOF_TYPE1_INFO 24
