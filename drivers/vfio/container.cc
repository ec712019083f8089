// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/container.h"

#include "arch/powerpc/platforms/platforms.h"
#include "drivers/vfio/parameters.h"
#include "kcxx/scope_exit.h"
#include "kernel/mm.h"
#include "kernel/trace.h"

namespace tce {

Container::Container(ContainerType type, unsigned int number)
	: m_type(type), m_number(number),
	  m_mappings(__atomic_load_n(&tce_dma_entry_limit, __ATOMIC_RELAXED))
{
}

Result<void> Container::attach(iommu_group *group)
{
	glue_group_id id;

	glue_group_get_id(group, &id);

	Result<void> result = add_group(group, id);

	glue_trace_group_attach(m_number, &id, kcxx::to_errno(result));
	return result;
}

Result<void> Container::add_group(iommu_group *group, const glue_group_id &id)
{
	TableGroup tables = TRY(find_table_group(group));

	if (!tables.has_dynamic_windows() && !tables.has_fixed_window())
		return Errno::Invalid;
	if (find(group) || (m_type == ContainerType::V1 && !m_groups.is_empty()))
		return Errno::Busy;
	if (!m_groups.is_empty() && !m_groups.first()->tables.can_share_tables_with(tables))
		return Errno::NotPermitted;

	Ownership ownership = TRY(Ownership::keep(tables));
	kcxx::Owned<Attachment> attachment =
		TRY(kcxx::make_owned<Attachment>(group, id, tables, kcxx::move(ownership)));

	IovaSpace space;

	if (is_type1(m_type))
		TRY(admit_to_type1(tables, space));
	TRY(tables.claim());
	TRY(set_all_windows(tables));
	if (m_groups.is_empty() && !m_windows[0])
		m_default_window_pending = true;
	m_groups.append(*attachment.release());
	m_space = kcxx::move(space);
	return {};
}

void Container::detach(iommu_group *group)
{
	Attachment *attachment = find(group);

	if (!attachment)
		return;
	m_groups.remove(*attachment);
	kcxx::Owned<Attachment> destroyed(attachment);
	bool was_last = m_groups.is_empty();

	glue_trace_group_detach(m_number, &attachment->id);
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (!m_windows[num])
			continue;
		/* Some platforms cannot empty a table that is no group's window any more. */
		if (was_last)
			retire(*m_windows[num]);
		m_windows[num]->unset_in(attachment->tables, num);
		/* The next group that is attached can have tables of another kind. */
		if (was_last)
			forget_window(m_windows[num]);
	}
	if (is_type1(m_type))
		find_space_that_is_left();
}

Result<void> Container::get_info(const InfoRequest &request)
{
	return request.answer(*TRY(any_group()), m_type == ContainerType::V2);
}

Result<void> Container::enable(const NoArgument &)
{
	if (m_enabled)
		return Errno::Busy;

	Pages window = pages_for(TRY(any_group())->default_window_size());

	if (!window.value())
		return Errno::NotPermitted;
	TRY(claim_by_caller());

	LockedMemory charge = TRY(LockedMemory::charge(m_owner.get(), window));

	TRY(m_pinned.start(m_owner, window));
	m_window_charge = kcxx::move(charge);
	m_enabled = true;
	return {};
}

Result<void> Container::disable(const NoArgument &)
{
	for (Slot &window : m_windows) {
		if (window)
			window->mapper().clear();
	}
	m_pinned.stop();
	m_window_charge = LockedMemory();
	m_enabled = false;
	return {};
}

Result<void> Container::register_memory(const MemoryRequest &request)
{
	Result<void> result = add_memory(request.range);

	glue_trace_register(m_number, request.range.start.value(), request.range.size.value(),
			    kcxx::to_errno(result));
	return result;
}

Result<void> Container::add_memory(UserRange range)
{
	TRY(claim_by_caller());
	TRY(m_memory.add(m_owner, range));
	m_enabled = true;
	return {};
}

Result<void> Container::unregister_memory(const MemoryRequest &request)
{
	Result<void> result = m_owner ? m_memory.remove(request.range)
				      : Result<void>(Errno::NotPermitted);

	glue_trace_unregister(m_number, request.range.start.value(), request.range.size.value(),
			      kcxx::to_errno(result));
	return result;
}

Result<void> Container::map(const MapRequest &request)
{
	const Window &window = *TRY(find_window_for_dma(request.iova));
	const Geometry &geometry = window.table().geometry();

	if (!geometry.page().divides(request.user.value()))
		return Errno::Invalid;

	EntryRange range = TRY(geometry.range(request.iova, request.size));

	if (m_type == ContainerType::V1)
		return map_pinned(window, range, request);
	return window.mapper().map(range, request.user, request.direction);
}

Result<void> Container::map_pinned(const Window &window, EntryRange range,
				   const MapRequest &request)
{
	PinnedPages pages =
		TRY(PinnedPages::pin(m_pinned, request.user, range.count,
				     window.table().geometry().page(), request.direction));

	return window.mapper().map(range, pages, request.direction);
}

Result<void> Container::unmap(const UnmapRequest &request)
{
	const Window &window = *TRY(find_window_for_dma(request.iova));

	return window.mapper().unmap(
		TRY(window.table().geometry().range(request.iova, request.size)));
}

Result<void> Container::create_window(const CreateRequest &request)
{
	const TableGroup *group = TRY(any_group());

	TRY(claim_by_caller());
	TRY(create_pending_default_window());

	unsigned int num = TRY(add_window(*group, request.shape));
	kcxx::ScopeExit rollback([&] { drop_window(num); });

	TRY(request.answer(m_windows[num]->table().geometry().start()));
	rollback.dismiss();
	return {};
}

Result<void> Container::remove_window(const RemoveRequest &request)
{
	const TableGroup *group = TRY(any_group());

	TRY(claim_by_caller());
	if (m_default_window_pending && request.address >= group->default_window_start() &&
	    request.address - group->default_window_start() < group->default_window_size()) {
		m_default_window_pending = false;
		return {};
	}

	Result<const Slot *> window = find_window(request.address);

	if (window.is_error())
		return Errno::Invalid;
	drop_window(static_cast<unsigned int>(window.value() - m_windows));
	return {};
}

Result<void> Container::hold_groups(HeldGroups &groups) const
{
	if (m_groups.is_empty())
		return Errno::NoDevice;
	for (Attachment &attachment : m_groups) {
		TRY(groups.reserve_one());
		groups.insert(groups.size(), kcxx::Ref<iommu_group>::share(attachment.group));
	}
	return {};
}

Container::Remains Container::close()
{
	for (Slot &window : m_windows) {
		if (window)
			forget_window(window);
	}
	m_pinned.stop();
	m_window_charge = LockedMemory();
	m_closed = true;
	return { kcxx::move(m_memory), kcxx::move(m_owner) };
}

Result<void> Container::claim_by_caller()
{
	if (m_owner)
		return {};
	if (!glue_current_mm())
		return Errno::NotPermitted;
	m_owner = AddressSpace::share(glue_current_mm());
	m_owner_pid = glue_current_pid();
	return {};
}

Result<const TableGroup *> Container::any_group() const
{
	if (m_groups.is_empty())
		return Errno::NoDeviceAddress;
	return &m_groups.first()->tables;
}

Container::Attachment *Container::find(iommu_group *group) const
{
	for (Attachment &attachment : m_groups) {
		if (attachment.group == group)
			return &attachment;
	}
	return nullptr;
}

/* All windows or none. */
Result<void> Container::set_all_windows(const TableGroup &group) const
{
	unsigned int num = 0;
	kcxx::ScopeExit rollback([&] {
		while (num--) {
			if (m_windows[num])
				m_windows[num]->unset_in(group, num);
		}
	});

	for (; num < max_tables; ++num) {
		if (m_windows[num])
			TRY(m_windows[num]->set_in(group, num));
	}
	rollback.dismiss();
	return {};
}

Result<unsigned int> Container::free_slot(const TableGroup &group) const
{
	for (unsigned int num = 0; num < max_tables && num < group.max_windows(); ++num) {
		if (!m_windows[num])
			return num;
	}
	return Errno::NoSpace;
}

Result<const Window *> Container::find_window_for_dma(Ioba address)
{
	if (!m_enabled)
		return Errno::NotPermitted;
	/* The last group may have left: what is mapped now would not be unmapped any more. */
	TRY(any_group());
	TRY(create_pending_default_window());
	return TRY(find_window(address))->get();
}

Result<unsigned int> Container::add_window(const TableGroup &group, const WindowShape &shape)
{
	Result<unsigned int> num = make_window(group, shape);
	unsigned long start =
		num.is_error() ? 0 : m_windows[num.value()]->table().geometry().start().value();

	glue_trace_window_create(m_number, start, shape.size.value(), shape.page_shift,
				 shape.levels, num.is_error() ? num.error().as_kernel() : 0);
	return num;
}

/* A new window in a free slot, set in every group: in all of them or in none. */
Result<unsigned int> Container::make_window(const TableGroup &group,
					    const WindowShape &window_shape)
{
	/* A window that is impossible is refused as such, whether there is room for it or not. */
	TableShape shape = TRY(group.check(window_shape));
	unsigned int num = TRY(free_slot(group));
	Slot window = TRY(Window::create({ m_memory, m_owner.get(), m_gathered, m_pinned }, group,
					 num, shape));
	Attachment *last_set = nullptr;
	kcxx::ScopeExit rollback([&] {
		for (Attachment &attachment : m_groups) {
			if (!last_set)
				return;
			window->unset_in(attachment.tables, num);
			if (&attachment == last_set)
				return;
		}
	});

	for (Attachment &attachment : m_groups) {
		TRY(window->set_in(attachment.tables, num));
		last_set = &attachment;
	}
	rollback.dismiss();
	/* KVM counts mappings in registered regions, of which v1 has none. */
	if (m_type == ContainerType::V2)
		window->table().open_to_kvm(m_owner.get(), m_number);
	m_windows[num] = kcxx::move(window);
	return num;
}

Result<void> Container::create_default_window()
{
	if (is_type1(m_type))
		return create_type1_windows();

	const TableGroup *group = TRY(any_group());

	TRY(add_window(*group, group->default_window()));
	m_default_window_pending = false;
	return {};
}

/* Empties a window for good: also KVM, should it know the table still, puts nothing into it. */
void Container::retire(const Window &window)
{
	window.table().close_to_kvm();
	/* Of type 1 it is known what is mapped; some tables would be searched for it as a whole. */
	if (is_type1(m_type))
		undo_all();
	else
		window.mapper().clear();
	window.table().drain_kvm();
}

void Container::drop_window(unsigned int num)
{
	retire(*m_windows[num]);
	for (Attachment &attachment : m_groups)
		m_windows[num]->unset_in(attachment.tables, num);
	forget_window(m_windows[num]);
}

void Container::forget_window(Slot &window) const
{
	const Geometry &geometry = window->table().geometry();

	glue_trace_window_remove(m_number, geometry.start().value(),
				 geometry.page().bytes(geometry.entries().count).value());
	window = Slot();
}

} /* namespace tce */
