// SPDX-License-Identifier: GPL-2.0-only
/* What KVM does to a table from a vCPU, with no lock of the driver. */
#include "fake/kvm.h"

namespace fake {

namespace {

unsigned long load_user(const unsigned long *word)
{
	return __builtin_bswap64(__atomic_load_n(word, __ATOMIC_RELAXED));
}

void store_user(unsigned long *word, unsigned long user)
{
	__atomic_store_n(word, __builtin_bswap64(user), __ATOMIC_RELAXED);
}

} /* namespace */

bool KvmCall::step()
{
	mm_struct *old_process = Kernel::current();

	Kernel::set_current(&m_mm);
	Kernel::set_task(this);
	m_next = (this->*m_next.function)();
	Kernel::set_task(nullptr);
	Kernel::set_current(old_process);
	return static_cast<bool>(m_next);
}

bool KvmCall::run()
{
	while (step())
		;
	return m_done;
}

KvmCall::Step KvmCall::ask_for_word()
{
	m_word = m_table.view(m_index, true);
	return Step{ m_word ? &KvmCall::count_up : &KvmCall::kill };
}

KvmCall::Step KvmCall::count_up()
{
	m_region = mm_iommu_lookup(&m_mm, m_user, page_size());
	if (!m_region ||
	    mm_iommu_ua_to_hpa(m_region, m_user,
			       static_cast<unsigned int>(m_table.shape.page_shift), &m_hpa) ||
	    mm_iommu_mapped_inc(m_region))
		return Step{ &KvmCall::kill };
	m_direction = KERNEL_DMA_BIDIRECTIONAL;
	return Step{ &KvmCall::exchange };
}

KvmCall::Step KvmCall::exchange()
{
	if (m_table.exchange(m_index, &m_hpa, &m_direction)) {
		kernel().complain("WARN: the exchange has failed");
		if (m_user)
			mm_iommu_mapped_dec(m_region);
		return Step{ &KvmCall::kill };
	}
	if (m_direction == KERNEL_DMA_BIDIRECTIONAL || m_direction == KERNEL_DMA_FROM_DEVICE)
		kernel().mark_dirty(m_hpa);
	if (m_direction != KERNEL_DMA_NONE)
		return Step{ &KvmCall::count_down };
	m_done = true;
	return Step{ m_user ? &KvmCall::write_word : &KvmCall::kill };
}

/* What was taken out of the entry; KVM goes on whatever comes of it, when it maps. */
KvmCall::Step KvmCall::count_down()
{
	unsigned long *word = m_table.view(m_index, false);
	mm_iommu_table_group_mem_t *region =
		word ? mm_iommu_lookup(&m_mm, load_user(word), page_size()) : nullptr;

	if (region) {
		mm_iommu_mapped_dec(region);
		store_user(word, 0);
	}
	m_done = m_user || !word || region;
	if (!m_done)
		return Step{ &KvmCall::put_back };
	return Step{ m_user ? &KvmCall::write_word : &KvmCall::kill };
}

KvmCall::Step KvmCall::put_back()
{
	m_table.exchange(m_index, &m_hpa, &m_direction);
	return Step{ &KvmCall::kill };
}

KvmCall::Step KvmCall::write_word()
{
	store_user(m_word, m_user);
	return Step{ &KvmCall::kill };
}

KvmCall::Step KvmCall::kill()
{
	iommu_tce_kill(&m_table, m_index, 1);
	return {};
}

bool kvm_put_tce(iommu_table &table, mm_struct &mm, unsigned long index, unsigned long user)
{
	return KvmCall(table, mm, index, user).run();
}

void kvm_clear_tce(iommu_table &table, mm_struct &mm, unsigned long index)
{
	mm_struct *old_process = Kernel::current();
	unsigned long hpa = 0;
	unsigned int direction = KERNEL_DMA_NONE;

	Kernel::set_current(&mm);
	table.exchange(index, &hpa, &direction);
	Kernel::set_current(old_process);
}

} /* namespace fake */
