// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/own_tables/kvm_gate.h"

#include <new>

#include "arch/powerpc/own_tables/own_table.h"
#include "kernel/memory.h"
#include "kernel/mm.h"
#include "kernel/sync.h"

namespace tce {

namespace {

/* The kernel's linear mapping, where hypercalls are: real addresses with the top bits set. */
constexpr unsigned long linear_mapping = static_cast<unsigned long>(KERNEL_PAGE_OFFSET);

} /* namespace */

KvmGate::KvmGate(OwnTable &table, const OwnTableBackend &backend)
	: m_table(table), m_backend(backend)
{
	m_lock.init();
}

KvmGate::~KvmGate()
{
	while (Hypercall *hypercall = m_hypercalls) {
		m_hypercalls = hypercall->next;
		glue_free(hypercall);
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

	if (has_displaced())
		flush_with({ m_displaced[0].index, Entries(1) });
}

void KvmGate::drain()
{
	for (;;) {
		flush();
		{
			Guard guard(*this);

			if (!has_hypercalls() && !has_displaced())
				return;
		}
		glue_sleep_a_tick();
	}
}

AtomicBigEndian *KvmGate::view_word(TceIndex index, bool allocate)
{
	static constinit AtomicBigEndian nothing{};

	/* The address is in no region: KVM counts nothing down, and puts back what it was shown. */
	if (!allocate)
		return &nothing;

	Hypercall *hypercall = arm();

	if (!hypercall || m_table.entries().reserve(index, MaySleep::No).is_error())
		return nullptr;
	return &hypercall->address;
}

bool KvmGate::exchange(TceIndex index, unsigned long *hpa, unsigned int *direction)
{
	HostPhys page(*hpa);
	Direction wanted = static_cast<Direction>(*direction);
	Guard guard(*this);
	Hypercall *hypercall = armed_hypercall();

	/* In all that follows KVM has nothing to count down, nor to mark as dirty. */
	*hpa = 0;
	*direction = static_cast<unsigned int>(Direction::None);

	/* KVM puts back what it was shown. */
	if (!hypercall && wanted != Direction::None)
		return false;

	bool is_allowed = serves_caller();

	if (!hypercall && !is_allowed) {
		show(index, hpa, direction);
		return false;
	}

	/* A page that is not aligned to the table's page size is not mapped. */
	unsigned long tce = m_table.geometry().page().divides(page.value())
				    ? encode_tce(page, m_backend.permissions(wanted))
				    : 0;

	bool is_there = is_allowed && replace(index, tce, hypercall);

	if (hypercall) {
		hypercall->index = index;
		hypercall->state = is_there ? Hypercall::State::InEntry : Hypercall::State::Owes;
	}
	return is_allowed;
}

void KvmGate::kill(EntryRange range)
{
	Guard guard(*this);

	if (Hypercall *hypercall = hypercall_of(glue_current_task())) {
		complete(*hypercall);
		hypercall->task = nullptr;
	}
	if (has_displaced() || serves_caller())
		flush_with(range);
}

unsigned long KvmGate::mark_of(Hypercall &hypercall)
{
	return reinterpret_cast<unsigned long>(&hypercall) | mark_bits;
}

void KvmGate::owed_by_hypercall(unsigned long mark, OldEntry taken)
{
	Hypercall *hypercall = reinterpret_cast<Hypercall *>((mark & ~mark_bits) | linear_mapping);

	hypercall->state = Hypercall::State::Owes;
	hypercall->taken = taken;
}

bool KvmGate::serves_caller() const
{
	return m_is_open && glue_current_mm() == m_owner;
}

KvmGate::Hypercall *KvmGate::hypercall_of(const void *task) const
{
	Hypercall *hypercall = m_hypercalls;

	while (hypercall && hypercall->task != task)
		hypercall = hypercall->next;
	return hypercall;
}

KvmGate::Hypercall *KvmGate::armed_hypercall() const
{
	Hypercall *hypercall = hypercall_of(glue_current_task());

	return hypercall && hypercall->state == Hypercall::State::Armed ? hypercall : nullptr;
}

/*
 * The caller's hypercall, its last step completed, ready for the next. nullptr: the table is
 * closed to the caller, or there is no memory.
 */
KvmGate::Hypercall *KvmGate::arm()
{
	Hypercall *spare = nullptr;

	for (;;) {
		{
			Guard guard(*this);

			if (spare)
				add_hypercall(*spare);
			if (!serves_caller())
				return nullptr;
			if (Hypercall *hypercall = find_hypercall()) {
				complete(*hypercall);
				hypercall->arm(glue_current_task());
				return hypercall;
			}
		}

		void *memory = glue_alloc_nowait(sizeof(Hypercall));

		if (!memory)
			return nullptr;
		spare = new (memory) Hypercall{};
	}
}

void KvmGate::Hypercall::arm(const void *of_task)
{
	task = of_task;
	state = State::Armed;
	address.store(0);
	taken = OldEntry();
}

void KvmGate::add_hypercall(Hypercall &hypercall)
{
	hypercall.next = m_hypercalls;
	m_hypercalls = &hypercall;
}

/* The caller's, or one that is nobody's. */
KvmGate::Hypercall *KvmGate::find_hypercall() const
{
	Hypercall *hypercall = hypercall_of(glue_current_task());

	return hypercall ? hypercall : hypercall_of(nullptr);
}

/* Shows KVM the entry, as one that the device can only read: so no page is marked as dirty. */
void KvmGate::show(TceIndex index, unsigned long *hpa, unsigned int *direction) const
{
	AtomicBigEndian *word = m_table.entries().find(index).tce;
	unsigned long tce = word ? word->load() : 0;

	*hpa = decode_page(tce).value();
	if (tce)
		*direction = static_cast<unsigned int>(Direction::ToDevice);
}

/*
 * Puts @tce, which @hypercall has counted, or 0 into an entry, and takes out what was there.
 * Returns whether the entry has what the hypercall has counted.
 */
bool KvmGate::replace(TceIndex index, unsigned long tce, Hypercall *hypercall)
{
	EntryWords words = m_table.entries().find(index);

	/*
	 * Nothing was ever mapped there. KVM asks for the view's word before it maps, which makes
	 * both words.
	 */
	if (!words.view || !words.tce)
		return false;

	OldEntry old(words.tce->load());
	Update outcome = m_backend.put(m_table, index, *words.tce, tce);
	bool is_there = hypercall && tce && outcome == Update::Done;

	if (outcome == Update::Stale)
		return false;
	if (!old.is_empty()) {
		unsigned long backing = words.view->load();

		if (is_mark(backing))
			owed_by_hypercall(backing, old);
		else
			put_off({ index, { old, backing } });
	}
	words.view->store(is_there ? mark_of(*hypercall) : 0);
	if (is_there)
		hypercall->view = words.view;
	return is_there;
}

/* KVM has written the address by now, which it does before its next call. */
void KvmGate::complete(Hypercall &hypercall)
{
	unsigned long address = hypercall.address.load();

	if (hypercall.state == Hypercall::State::InEntry)
		hypercall.view->store(address);
	else if (hypercall.state == Hypercall::State::Owes)
		put_off({ hypercall.index, { hypercall.taken, address } });
	hypercall.state = Hypercall::State::Idle;
}

void KvmGate::put_off(const Displaced &displaced)
{
	if (m_displaced_count.load() == most_displaced)
		flush_with({ displaced.index, Entries(1) });

	unsigned long count = m_displaced_count.load();

	m_displaced[count] = displaced;
	m_displaced_count.store(count + 1);
}

/* Makes the PEs forget @range and all that was put off, and counts that down. */
void KvmGate::flush_with(EntryRange range)
{
	const unsigned long count = m_displaced_count.load();
	TceIndex end = range.end();

	for (unsigned long i = 0; i < count; ++i) {
		TceIndex index = m_displaced[i].index;

		range.first = index < range.first ? index : range.first;
		end = index < end ? end : index + Entries(1);
	}
	m_backend.invalidate(m_table, { range.first, end - range.first });
	for (unsigned long i = 0; i < count; ++i)
		count_down(m_displaced[i]);
	m_displaced_count.store(0);
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

bool KvmGate::has_hypercalls() const
{
	for (Hypercall *hypercall = m_hypercalls; hypercall; hypercall = hypercall->next) {
		if (hypercall->state != Hypercall::State::Idle)
			return true;
	}
	return false;
}

} /* namespace tce */
