// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/report.h"

#include "drivers/vfio/container.h"
#include "drivers/vfio/shared_container.h"
#include "kernel/sync.h"

namespace tce {

namespace {

constinit unsigned long late_calls = 0;

/* After how many entries others are given way. */
constexpr Entries longest_look{ 512 };

/* Calls @visit(backing) for each entry that is mapped. */
template <typename Visit> void for_each_mapped(const Table &table, Visit visit)
{
	EntryRange all = table.geometry().entries();

	for (TceIndex at = all.first; at < all.end();) {
		Leaf leaf = table.find(at);
		bool is_hole = leaf.kind() == Leaf::Kind::Hole;
		Entries count = is_hole ? leaf.count() : least(leaf.count(), longest_look);

		for (unsigned long i = 0; !is_hole && i < count.value(); ++i) {
			Backing backing(leaf.view()[i].load());

			if (!backing.is_nothing())
				visit(backing);
		}
		at += count;
		glue_cond_resched();
	}
}

/* Counts entries in the regions that they are of, the next of which is mostly the last one's. */
class RegionCounter {
public:
	explicit RegionCounter(const MemoryRegistry &memory) : m_memory(memory)
	{
		memory.for_each([](Region &region) { region.mapped_entries = 0; });
	}

	void count(Backing backing)
	{
		if (backing.is_pinned())
			return;
		if (!m_last || !m_last->range().contains(backing.user()))
			m_last = m_memory.find(backing.user());
		if (m_last)
			++m_last->mapped_entries;
	}

private:
	const MemoryRegistry &m_memory;
	Region *m_last = nullptr;
};

unsigned long bytes_of(const LockedMemory &charge)
{
	return kcxx::multiplied(charge.pages().value(), kernel_page.value());
}

void show_window(seq_file *out, unsigned int num, const Window &window, RegionCounter &regions)
{
	const Geometry &geometry = window.table().geometry();
	Bytes size = geometry.page().bytes(geometry.entries().count);
	unsigned long mapped = 0;

	for_each_mapped(window.table(), [&](Backing backing) {
		++mapped;
		regions.count(backing);
	});
	seq_printf(out, "window=%u start=0x%lx size=0x%lx page=0x%lx levels=%u mapped=%lu", num,
		   geometry.start().value(), size.value(), geometry.page().size().value(),
		   geometry.indirect_levels() + 1, mapped);
	/* Nothing tells how much memory a table of the kernel's takes. */
	if (window.table().is_own()) {
		TableMemory memory = window.table().memory();

		seq_printf(out, " tce_bytes=%lu view_bytes=%lu", memory.tces.value(),
			   memory.view.value());
	}
	seq_printf(out, " charged=%lu\n", bytes_of(window.charge()));
}

void show_region(seq_file *out, const Region &region)
{
	seq_printf(out, "region=0x%lx size=0x%lx mapped=%lu\n", region.range().start.value(),
		   region.range().size.value(), region.mapped_entries);
}

} /* namespace */

kcxx::Error late_call()
{
	__atomic_fetch_add(&late_calls, 1, __ATOMIC_RELAXED);
	return Errno::NoDevice;
}

AddressSpace Container::report(seq_file *out) const
{
	RegionCounter regions(m_memory);

	static constexpr const char *names[] = { "v1", "v2", "type1", "type1v2" };

	seq_printf(out,
		   "container=%u type=%s pid=%d enabled=%d default_window_pending=%d charged=%lu\n",
		   m_number, names[static_cast<unsigned int>(m_type)], m_owner_pid, m_enabled,
		   m_default_window_pending, bytes_of(m_window_charge));
	for (const Attachment &attachment : m_groups)
		seq_printf(out, "group=%d phb=%d pe=%d\n", attachment.id.group, attachment.id.phb,
			   attachment.id.pe);
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (m_windows[num])
			show_window(out, num, *m_windows[num], regions);
	}
	m_memory.for_each([out](const Region &region) { show_region(out, region); });
	if (is_type1(m_type))
		seq_printf(out, "mappings=%lu available=%u\n", m_mappings.size(),
			   m_mappings.available());
	return m_owner ? AddressSpace::share(m_owner.get()) : AddressSpace();
}

} /* namespace tce */

extern "C" void tce_show_container(void *object, seq_file *out)
{
	tce::SharedContainer &container = *static_cast<tce::SharedContainer *>(object);
	tce::AddressSpace owner =
		container.state().with([out](tce::Container &state) { return state.report(out); });

	seq_printf(out, "orphans=%lu\n", owner ? tce::count_orphans(owner.get()) : 0);
}

extern "C" void tce_show_driver(seq_file *out)
{
	seq_printf(out, "late_calls=%lu orphans=%lu\n",
		   __atomic_load_n(&tce::late_calls, __ATOMIC_RELAXED),
		   tce::count_orphans(nullptr));
}
