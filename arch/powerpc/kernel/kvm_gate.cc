// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/kvm_gate.h"

#include <new>

#include "arch/powerpc/kernel/own_table.h"
#include "glue/memory.h"
#include "glue/mm.h"
#include "glue/sync.h"

namespace tce {

namespace {

/* The kernel's linear mapping, which all visitors are in: real addresses with the top bits set. */
constexpr unsigned long linear_mapping = static_cast<unsigned long>(KERNEL_PAGE_OFFSET);

} /* namespace */

KvmGate::KvmGate(OwnTable &table, const OwnTableBackend &backend)
	: m_table(table), m_backend(backend)
{
	m_lock.init();
}

KvmGate::~KvmGate()
{
	while (Visitor *visitor = m_visitors) {
		m_visitors = visitor->next;
		glue_free(visitor);
	}
}

void KvmGate::open(mm_struct *owner, unsigned int container)
{
	Guard guard(*this);

	m_container = container;
	m_owner = owner;
	m_is_open = true;
}

void KvmGate::close()
{
	Guard guard(*this);

	m_is_open = false;
}

void KvmGate::flush_all()
{
	Guard guard(*this);

	if (m_displaced_count)
		flush_with({ m_displaced[0].index, Entries(1) });
}

void KvmGate::drain()
{
	for (;;) {
		flush();
		{
			Guard guard(*this);

			if (!is_visited() && !m_displaced_count)
				return;
		}
		glue_sleep_a_tick();
	}
}

AtomicBigEndian *KvmGate::view_word(TceIndex index, bool allocate)
{
	static constinit AtomicBigEndian nothing{};

	/* An address that is in no region: what KVM was shown of a closed table stays. */
	if (!allocate)
		return &nothing;

	Visitor *visitor = arm();

	if (!visitor || m_table.entries().reserve(index, MaySleep::No).is_error())
		return nullptr;
	return &visitor->address;
}

bool KvmGate::exchange(TceIndex index, unsigned long *hpa, unsigned int *direction)
{
	HostPhys page(*hpa);
	Direction wanted = static_cast<Direction>(*direction);
	Guard guard(*this);
	Visitor *visitor = armed_visitor();

	/* In all that follows KVM has nothing to count down, nor to mark as dirty. */
	*hpa = 0;
	*direction = static_cast<unsigned int>(Direction::None);

	/* KVM puts back what it was shown. */
	if (!visitor && wanted != Direction::None)
		return false;

	bool is_allowed = serves_caller();

	if (!visitor && !is_allowed) {
		show(index, hpa, direction);
		return false;
	}

	/* A page that does not fit maps nothing. */
	unsigned long tce = m_table.geometry().page().divides(page.value())
				    ? encode_tce(page, m_backend.permissions(wanted))
				    : 0;

	bool is_there = is_allowed && replace(index, tce, visitor);

	if (visitor) {
		visitor->index = index;
		visitor->state = is_there ? Visitor::State::InEntry : Visitor::State::Owes;
	}
	return is_allowed;
}

void KvmGate::kill(EntryRange range)
{
	Guard guard(*this);

	if (Visitor *visitor = visitor_of(glue_current_task())) {
		settle(*visitor);
		visitor->task = nullptr;
	}
	if (m_displaced_count || serves_caller())
		flush_with(range);
}

unsigned long KvmGate::mark_of(Visitor &visitor)
{
	return reinterpret_cast<unsigned long>(&visitor) | mark_bits;
}

void KvmGate::owed_by_visitor(unsigned long mark, OldEntry taken)
{
	Visitor *visitor = reinterpret_cast<Visitor *>((mark & ~mark_bits) | linear_mapping);

	visitor->state = Visitor::State::Owes;
	visitor->taken = taken;
}

bool KvmGate::serves_caller() const
{
	return m_is_open && glue_current_mm() == m_owner;
}

KvmGate::Visitor *KvmGate::visitor_of(const void *task) const
{
	Visitor *visitor = m_visitors;

	while (visitor && visitor->task != task)
		visitor = visitor->next;
	return visitor;
}

KvmGate::Visitor *KvmGate::armed_visitor() const
{
	Visitor *visitor = visitor_of(glue_current_task());

	return visitor && visitor->state == Visitor::State::Armed ? visitor : nullptr;
}

/*
 * The caller's visitor, with its last step settled, ready for the next. nullptr: the table is
 * closed to the caller, or there is no memory.
 */
KvmGate::Visitor *KvmGate::arm()
{
	Visitor *spare = nullptr;

	for (;;) {
		{
			Guard guard(*this);

			if (spare)
				add_visitor(*spare);
			if (!serves_caller())
				return nullptr;
			if (Visitor *visitor = find_visitor()) {
				settle(*visitor);
				visitor->arm(glue_current_task());
				return visitor;
			}
		}

		void *memory = glue_alloc_nowait(sizeof(Visitor));

		if (!memory)
			return nullptr;
		spare = new (memory) Visitor{};
	}
}

void KvmGate::Visitor::arm(const void *of_task)
{
	task = of_task;
	state = State::Armed;
	address.store(0);
	taken = OldEntry();
}

void KvmGate::add_visitor(Visitor &visitor)
{
	visitor.next = m_visitors;
	m_visitors = &visitor;
}

/* The caller's, or one that is nobody's. */
KvmGate::Visitor *KvmGate::find_visitor() const
{
	Visitor *visitor = visitor_of(glue_current_task());

	return visitor ? visitor : visitor_of(nullptr);
}

/* Tells what is in an entry, and that it was not written to: the device can only read it. */
void KvmGate::show(TceIndex index, unsigned long *hpa, unsigned int *direction) const
{
	AtomicBigEndian *word = m_table.entries().find(index).tce;
	unsigned long tce = word ? word->load() : 0;

	*hpa = decode_page(tce).value();
	if (tce)
		*direction = static_cast<unsigned int>(Direction::ToDevice);
}

/*
 * Puts @tce, which @visitor has counted, or 0 into an entry, and takes out what was there. False if
 * the entry has not got what the visitor has counted.
 */
bool KvmGate::replace(TceIndex index, unsigned long tce, Visitor *visitor)
{
	EntryWords words = m_table.entries().find(index);

	/* Nothing was ever mapped there; whoever was to map something has asked for the words. */
	if (!words.view || !words.tce)
		return false;

	OldEntry old(words.tce->load());
	Reach reach = m_backend.put(m_table, index, *words.tce, tce);
	bool is_there = visitor && tce && reach == Reach::Current;

	if (reach == Reach::Unknown)
		return false;
	if (!old.is_empty()) {
		unsigned long backing = words.view->load();

		if (is_mark(backing))
			owed_by_visitor(backing, old);
		else
			put_off({ index, { old, backing } });
	}
	words.view->store(is_there ? mark_of(*visitor) : 0);
	if (is_there)
		visitor->view = words.view;
	return is_there;
}

/* KVM has written the address by now, which it does before its next call. */
void KvmGate::settle(Visitor &visitor)
{
	unsigned long address = visitor.address.load();

	if (visitor.state == Visitor::State::InEntry)
		visitor.view->store(address);
	else if (visitor.state == Visitor::State::Owes)
		put_off({ visitor.index, { visitor.taken, address } });
	visitor.state = Visitor::State::Idle;
}

void KvmGate::put_off(const Displaced &displaced)
{
	if (m_displaced_count == most_displaced)
		flush_with({ displaced.index, Entries(1) });
	m_displaced[m_displaced_count] = displaced;
	set_displaced_count(m_displaced_count + 1);
}

/* Makes the PEs forget @range and all that was put off, and counts that down. */
void KvmGate::flush_with(EntryRange range)
{
	TceIndex end = range.end();

	for (unsigned long i = 0; i < m_displaced_count; ++i) {
		TceIndex index = m_displaced[i].index;

		range.first = index < range.first ? index : range.first;
		end = index < end ? end : index + Entries(1);
	}
	m_backend.invalidate(m_table, { range.first, end - range.first });
	for (unsigned long i = 0; i < m_displaced_count; ++i)
		count_down(m_displaced[i]);
	set_displaced_count(0);
}

/* The page is marked first: once it is counted down, its region can be released. */
void KvmGate::count_down(const Displaced &displaced) const
{
	glue_rcu_read_lock();

	mm_iommu_table_group_mem_t *region = mm_iommu_lookup(
		m_owner, displaced.entry.backing, m_table.geometry().page().size().value());

	if (region) {
		mark_pages_dirty(&displaced.entry, 1);
		mm_iommu_mapped_dec(region);
	}
	glue_rcu_read_unlock();
}

bool KvmGate::is_visited() const
{
	for (Visitor *visitor = m_visitors; visitor; visitor = visitor->next) {
		if (visitor->state != Visitor::State::Idle)
			return true;
	}
	return false;
}

} /* namespace tce */
