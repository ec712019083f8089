// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container of type 1. The user knows no windows: he is told which bus addresses can be mapped,
 * and the windows behind these are chosen here, as large as they can be, with pages of the kernel's
 * size.
 *
 * On PowerNV one window of many levels has addresses from 0 to beyond the highest user address: the
 * memory that it takes is for what is mapped. In a partition there is the default window, of which
 * the hypervisor has the table, and where there can be one, a dynamic one with room for all memory.
 */
#include "arch/powerpc/glue/bus.h"
#include "drivers/vfio/container.h"
#include "kcxx/scope_exit.h"
#include "kernel/mm.h"
#include "kernel/sync.h"

namespace tce {

namespace {

/* Of the window on PowerNV (log2): user addresses end below 2^47 by default. */
constexpr unsigned int most_address_bits = 48;
constexpr unsigned int least_address_bits = 32;

/*
 * Devices reach the first 4 GiB up to the 32-bit MMIO window and the addresses of MSI, which end
 * there. The default window has the size of what is below.
 */
constexpr Ioba end_of_32_bits{ kcxx::power_of_two(32) };

/* With as many levels as it can have, so that its blocks are small. */
Result<WindowShape> widest_window(const TableGroup &group)
{
	for (unsigned int bits = most_address_bits; bits >= least_address_bits; --bits) {
		for (unsigned int levels = group.max_levels(); levels; --levels) {
			WindowShape shape = { .page_shift = kernel_page.value(),
					      .size = Bytes(kcxx::power_of_two(bits)),
					      .levels = levels };

			if (!group.check(shape).is_error())
				return shape;
		}
	}
	return Errno::Invalid;
}

/* Of a partition, with room for all memory. */
WindowShape dynamic_window(const TableGroup &group)
{
	unsigned long pages = glue_total_ram_pages();
	bool has_kernel_pages = group.page_sizes() & kernel_page.size().value();

	return { .page_shift = has_kernel_pages ? kernel_page.value()
						: group.default_window().page_shift,
		 .size = kernel_page.bytes(
			 Entries(2 * kcxx::power_of_two(kcxx::log2_floor(pages)))),
		 .levels = 1 };
}

IovaRange range_of(const Geometry &geometry)
{
	Bytes size = geometry.page().bytes(geometry.entries().count);

	return { geometry.start(), Ioba(geometry.start().value() + (size.value() - 1)) };
}

Result<EntryRange> entries_of(const Window &window, const IovaRange &range)
{
	return window.table().geometry().range(range.first, range.size());
}

/* How many have part of the memory. */
Pages kernel_pages(UserAddr user, Bytes size)
{
	return pages_for(Bytes(user.value() & (kernel_page.size().value() - 1)) + size);
}

/* What the PHB of @group does not take for memory. */
Result<void> exclude_holes(IovaSpace &space, const TableGroup &group)
{
	const Ioba end = group.default_window_start() + group.default_window_size();
	glue_bus_range mmio[GLUE_MOST_MMIO_WINDOWS];
	const unsigned int count = glue_mmio_windows(group.group(), mmio);

	for (unsigned int i = 0; i < count; ++i)
		TRY(space.exclude({ Ioba(mmio[i].first), Ioba(mmio[i].last) }));
	return end < end_of_32_bits ? space.exclude({ end, Ioba(end_of_32_bits.value() - 1) })
				    : Result<void>();
}

} /* namespace */

Result<void> Container::get_type1_info(const Type1InfoRequest &request)
{
	TRY(any_group());
	TRY(create_pending_default_window());
	return request.answer(type1_page(), m_mappings.available(), m_space);
}

Result<void> Container::map_type1(const Type1MapRequest &request)
{
	const IovaRange &range = request.range;

	TRY(any_group());
	TRY(create_pending_default_window());
	if (!type1_page().divides(range.first.value() | range.size().value() |
				  request.user.value()))
		return Errno::Invalid;
	if (m_mappings.find(range))
		return Errno::Exists;
	if (!m_mappings.available())
		return Errno::NoSpace;
	if (!m_space.contains(range))
		return Errno::Invalid;
	if (!glue_current_mm())
		return Errno::NotPermitted;
	return add_mapping(request);
}

Result<void> Container::add_mapping(const Type1MapRequest &request)
{
	const Window &window = **TRY(find_window(request.range.first));
	EntryRange entries = TRY(entries_of(window, request.range));
	LockedMemory charge = TRY(LockedMemory::charge(
		glue_current_mm(), kernel_pages(request.user, request.range.size())));
	kcxx::Owned<DmaMapping> mapping =
		TRY(kcxx::make_owned<DmaMapping>(request.range, kcxx::move(charge)));
	PinnedStream pages(m_pinned, request.user, entries.count, type1_page(), request.direction);

	TRY(window.mapper().map(entries, pages, request.direction));
	m_mappings.insert(kcxx::move(mapping));
	return {};
}

/*
 * In v1 of type 1 a mapping is undone as a whole when the range has its beginning; the first that
 * has not ends it. In v2 there is none such.
 */
Result<void> Container::unmap_type1(const Type1UnmapRequest &request)
{
	const IovaRange &range = request.range;

	if (!request.all && (!type1_page().divides(range.first.value() | range.size().value()) ||
			     (m_type == ContainerType::Type1v2 && cuts_mapping(range))))
		return Errno::Invalid;

	Bytes unmapped;
	Result<void> result;

	for (;;) {
		DmaMapping *mapping = m_mappings.find(range);

		if (!mapping || mapping->range().first < range.first)
			break;
		unmapped += mapping->range().size();
		if (undo(*mapping).is_error())
			result = Errno::Io;
		glue_cond_resched();
	}
	TRY(request.answer(unmapped));
	return result;
}

/* Takes it out of the table, and gives its pages and its charge back. */
Result<void> Container::undo(DmaMapping &mapping)
{
	const Window &window = **TRY(find_window(mapping.range().first));
	Result<void> result = window.mapper().unmap(TRY(entries_of(window, mapping.range())));

	m_mappings.remove(mapping);
	return result;
}

void Container::undo_all()
{
	while (DmaMapping *mapping = m_mappings.find(every_iova)) {
		/* What the hypervisor refuses to empty stays pinned. */
		kcxx::ignore(undo(*mapping));
		glue_cond_resched();
	}
}

/* A mapping has addresses in @range, and others. */
bool Container::cuts_mapping(const IovaRange &range) const
{
	const DmaMapping *first = m_mappings.find({ range.first, range.first });
	const DmaMapping *last = m_mappings.find({ range.last, range.last });

	return (first && first->range().first != range.first) ||
	       (last && last->range().last != range.last);
}

/* All windows have pages of one size; without a window nothing is mapped. */
PageShift Container::type1_page() const
{
	for (const Slot &window : m_windows) {
		if (window)
			return window->table().geometry().page();
	}
	return kernel_page;
}

Result<void> Container::create_type1_windows()
{
	kcxx::ScopeExit rollback([&] {
		for (unsigned int num = 0; num < max_tables; ++num) {
			if (m_windows[num])
				drop_window(num);
		}
	});

	TRY(add_type1_windows(*TRY(any_group())));

	IovaSpace space;

	TRY(find_space(space, nullptr));
	m_space = kcxx::move(space);
	m_default_window_pending = false;
	rollback.dismiss();
	return {};
}

Result<void> Container::add_type1_windows(const TableGroup &group)
{
	if (group.tables_in_memory()) {
		TRY(add_window(group, TRY(widest_window(group))));
		return {};
	}

	const WindowShape standard = group.default_window();
	const WindowShape dynamic = dynamic_window(group);
	/* All pages have one size: of two windows with different ones only the large one is of use.
	 */
	const bool has_both = dynamic.page_shift == standard.page_shift;

	if (has_both)
		TRY(add_window(group, standard));
	if (group.has_fixed_window() || !add_window(group, dynamic).is_error() || has_both)
		return {};
	TRY(add_window(group, standard));
	return {};
}

/* What the windows have for the groups, and for one that is @joining them; @space is empty. */
Result<void> Container::find_space(IovaSpace &space, const TableGroup *joining) const
{
	for (const Slot &window : m_windows) {
		if (window)
			TRY(space.add(range_of(window->table().geometry())));
	}
	for (const Attachment &attachment : m_groups)
		TRY(exclude_holes(space, attachment.tables));
	return joining ? exclude_holes(space, *joining) : Result<void>();
}

/*
 * Before it joins: what is mapped must be no address of its PHB's own. @space: what there is when
 * it has joined.
 */
Result<void> Container::admit_to_type1(const TableGroup &group, IovaSpace &space) const
{
	if (m_groups.is_empty() || m_default_window_pending)
		return {};
	TRY(find_space(space, &group));
	for (IovaRange left = every_iova; const DmaMapping *mapping = m_mappings.find(left);) {
		if (!space.contains(mapping->range()))
			return Errno::Invalid;
		left.first = mapping->range().last + Bytes(1);
	}
	return {};
}

/* When a group has left. Without memory for it the addresses of its PHB stay where they are. */
void Container::find_space_that_is_left()
{
	IovaSpace space;

	if (!find_space(space, nullptr).is_error())
		m_space = kcxx::move(space);
}

} /* namespace tce */
