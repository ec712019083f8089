/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM does to a table from a vCPU, with no lock of the driver, in steps that others can come
 * between. */
#pragma once

#include "fake/kernel.h"

namespace fake {

/* A hypercall H_PUT_TCE: maps the entry @index to @user; without @user unmaps it. */
class KvmCall {
public:
	KvmCall(iommu_table &table, mm_struct &mm, unsigned long index, unsigned long user)
		: m_table(table), m_mm(mm), m_index(index),
		  m_user(user), m_next{ user ? &KvmCall::ask_for_word : &KvmCall::exchange }
	{
	}

	/* Does the next step; false after the last one. */
	bool step();
	/* All steps; false: the call is left to user space. */
	bool run();

private:
	struct Step {
		Step (KvmCall::*function)() = nullptr;

		explicit operator bool() const { return function; }
	};

	Step ask_for_word();
	Step count_up();
	Step exchange();
	Step count_down();
	Step put_back();
	Step write_word();
	Step kill();
	unsigned long page_size() const { return 1UL << m_table.shape.page_shift; }

	iommu_table &m_table;
	mm_struct &m_mm;
	unsigned long m_index;
	unsigned long m_user;
	Step m_next;
	unsigned long *m_word = nullptr;
	mm_iommu_table_group_mem_t *m_region = nullptr;
	unsigned long m_hpa = 0;
	unsigned int m_direction = KERNEL_DMA_NONE;
	bool m_done = false;
};

bool kvm_put_tce(iommu_table &table, mm_struct &mm, unsigned long index, unsigned long user);

/* What KVM does with an entry after an error: takes out what there is, and does not tell. */
void kvm_clear_tce(iommu_table &table, mm_struct &mm, unsigned long index);

} /* namespace fake */
