/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OwnTable: a TCE table of our own: its entries, the platform's way to get them to the devices, and
 * the gate through which KVM reaches them. It lives as long as the kernel's object (struct
 * iommu_table), which leads to it.
 *
 * Locking: the entries change under the gate's lock.
 */
#pragma once

#include "arch/powerpc/own_tables/entry_blocks.h"
#include "arch/powerpc/glue/own_table.h"
#include "arch/powerpc/own_tables/kvm_gate.h"
#include "arch/powerpc/own_tables/own_table_backend.h"
#include "kcxx/owned.h"

namespace tce {

class OwnTable {
public:
	OwnTable(const Geometry &geometry, const OwnTableBackend &backend)
		: m_backend(backend), m_entries(geometry), m_gate(*this, backend)
	{
	}

	static OwnTable &of(iommu_table *table)
	{
		return *static_cast<OwnTable *>(glue_own_table_object(table));
	}

	const Geometry &geometry() const { return m_entries.geometry(); }
	EntryBlocks &entries() { return m_entries; }
	KvmGate &gate() { return m_gate; }

	/* See Table. */
	Leaf find_leaf(TceIndex index) const { return m_entries.find_leaf(index); }
	Result<Leaf> reserve_leaf(TceIndex index) { return m_entries.reserve_leaf(index); }
	Permissions permissions(Direction direction) const
	{
		return m_backend.permissions(direction);
	}
	Update invalidate(EntryRange range) { return m_backend.update(*this, range); }

	/* When the last reference on the kernel's object is gone. */
	void destroy() { m_backend.destroy(*this); }

private:
	const OwnTableBackend &m_backend;
	EntryBlocks m_entries;
	KvmGate m_gate;
};

/* What KVM and the kernel call for a table of our own. */
extern const glue_own_table_ops own_table_ops;

/*
 * Makes a table of the shape @geometry, whose base is not set yet: an object of T, which is derived
 * from OwnTable, from the complete geometry and @args, and the kernel's, whose only reference is
 * returned. @liobn: 0 on PowerNV. -ENOMEM. May sleep.
 */
template <typename T, typename... Args>
Result<iommu_table *> create_own_table(glue_table_geometry geometry, unsigned long liobn,
				       Bytes allocated_size, Args &&...args)
{
	Levels levels = Levels::of_tces(Geometry(geometry));
	AtomicBigEndian *root = levels.allocate_block(MaySleep::Yes);

	if (!root)
		return Errno::NoMemory;
	geometry.base = root;

	Result<kcxx::Owned<T>> object =
		kcxx::make_owned<T>(Geometry(geometry), kcxx::forward<Args>(args)...);

	if (object.is_error()) {
		levels.free_block(root);
		return object.error();
	}

	OwnTable *own = object.value().get();
	iommu_table *table = glue_own_table_create(&geometry, liobn, allocated_size.value(),
						   &own_table_ops, own);

	if (!table)
		return Errno::NoMemory;
	object.value().release();
	return table;
}

} /* namespace tce */
