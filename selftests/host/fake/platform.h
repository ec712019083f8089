/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine's PEs and the TCE tables: those of the kernel's own platform code, which behave as
 * on PowerNV, and the driver's own.
 */
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arch/powerpc/glue/iommu.h"
#include "arch/powerpc/glue/own_table.h"
#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "arch/powerpc/glue/bus.h"
#include "arch/powerpc/platforms/pseries/glue/device_tree.h"
#include "generated/kernel_layout.h"

namespace fake {

/* The TCE of a mapped entry. */
struct Tce {
	unsigned long hpa;
	unsigned int direction;
	bool operator==(const Tce &) const = default;
};

using Tces = std::map<unsigned long, Tce>;

} /* namespace fake */

struct iommu_table {
	explicit iommu_table(const glue_table_geometry &shape);
	virtual ~iommu_table() = default;

	/* All mapped entries by number, as the PHB reads them. */
	virtual fake::Tces entries() = 0;
	virtual int exchange(unsigned long index, unsigned long *hpa, unsigned int *direction) = 0;
	/* The view's word, as it is in memory. */
	virtual unsigned long *view(unsigned long index, bool allocate) = 0;
	/* Makes all linked PEs forget the entries. */
	virtual void kill(unsigned long index, unsigned long pages) = 0;
	/* At the last reference. */
	virtual void free() {}

	/* What the view has for an entry, in native order. */
	virtual unsigned long user_address(unsigned long index);
	/* There is a word of the view for an entry. */
	virtual bool has_view(unsigned long index) { return view(index, false); }
	/* False, with a complaint, for an entry that the table does not have. */
	bool has_entry(unsigned long index) const;
	unsigned long place(unsigned long index) const { return index - shape.offset; }
	/* How many entries one block of the lowest level has. */
	unsigned long leaf_size() const
	{
		return shape.indirect_levels ? shape.level_size : shape.size;
	}

	const glue_table_geometry shape;
	/* By which a hypervisor knows it. */
	unsigned long liobn = 0;
	long references = 1;
	/* What the driver keeps with a table of its own. */
	const glue_own_table_ops *ops = nullptr;
	void *object = nullptr;
	/* A PHB could not be made to forget the table: it must stay for ever. */
	bool must_stay = false;
	std::recursive_mutex mutex;
	/* Of the kernel's own: the groups on the table's list. */
	std::vector<iommu_table_group *> groups;
};

/* A PE. */
struct iommu_table_group {
	glue_table_group_limits limits = {};
	/* Its devices are behind a PowerNV PHB. */
	bool has_pe = true;
	glue_pe pe = {};
	std::array<iommu_table *, KERNEL_MAX_TABLES> tables = {};
	/* Of a partition: the window that the firmware has made. */
	std::optional<glue_firmware_window> firmware_window;
	/* What the PHB reads, which the kernel's own idea can differ from. */
	std::array<iommu_table *, KERNEL_MAX_TABLES> hardware = {};
	/* What the PHB has read, and goes on using until it is told to forget it. */
	std::array<fake::Tces, KERNEL_MAX_TABLES> cached = {};

	/* The second window leads to all of the memory; the PHB goes by that until it forgets it.
	 */
	bool bypass = false;
	bool uses_bypass = false;

	/* The windows are left alone when a device joins the PE. */
	bool is_kept = false;

	/* Of what the PHB has cached: it may be told from any CPU. */
	std::recursive_mutex mutex;
	/* How often the PHB was told to forget something. */
	unsigned long invalidations = 0;

	/* The PHB forgets, and reads again, @count entries of @table from @first on. */
	void invalidate(iommu_table &table, unsigned long first, unsigned long count);
	/* The same for all entries of all tables. */
	void invalidate_all();
	/* Tables of which the PHB may use old entries. */
	bool uses_old_entries();
};

/* What EEH knows of a group's PE. */
struct eeh_pe {
	bool mmio_frozen = false;
	bool dma_frozen = false;
	bool in_reset = false;
	unsigned long calls = 0;
	/* The function without its prefix, and its numbers in decimal. */
	std::string last_call;
};

struct iommu_group {
	iommu_table_group *data = nullptr;
	/* 1 when nobody but the VFIO core has one. */
	std::atomic<long> references = 1;
	bool has_pe = true;
	eeh_pe pe = {};
	std::vector<glue_bus_range> mmio;
};

namespace fake {

/* A table of the kernel's own platform code. */
class KernelTable final : public iommu_table {
public:
	explicit KernelTable(const glue_table_geometry &shape);

	Tces entries() override;
	int exchange(unsigned long index, unsigned long *hpa, unsigned int *direction) override;
	unsigned long *view(unsigned long index, bool allocate) override;
	void kill(unsigned long index, unsigned long pages) override;

private:
	unsigned long leaf_of(unsigned long index) const { return place(index) / leaf_size(); }

	Tces m_entries;
	std::set<unsigned long> m_leaves;
	std::map<unsigned long, std::unique_ptr<unsigned long[]>> m_view;
};

/* A table of the driver's own. */
class OwnTable : public iommu_table {
public:
	using iommu_table::iommu_table;

	int exchange(unsigned long index, unsigned long *hpa, unsigned int *direction) override;
	unsigned long *view(unsigned long index, bool allocate) override;
	void kill(unsigned long index, unsigned long pages) override;
	void free() override;
	unsigned long user_address(unsigned long index) override;
	bool has_view(unsigned long index) override;
};

/* In blocks of memory that the PHB reads itself. */
class DriverTable final : public OwnTable {
public:
	using OwnTable::OwnTable;

	Tces entries() override;

private:
	void read(const unsigned long *block, unsigned long level, unsigned long place, Tces &tces);
};

/* The TCEs of a partition's windows, which only calls can change. */
struct Hypervisor {
	/* The machine is a partition. */
	bool is_there = false;
	/* What the firmware says of multi-TCE calls, and whether there are any. */
	bool says_multi_tce = true;
	bool has_multi_tce = true;
	/* By LIOBN and number of the entry. */
	std::map<unsigned long, std::map<unsigned long, unsigned long>> tces;
	unsigned long puts = 0;
	unsigned long indirects = 0;
	unsigned long stuffs = 0;

	unsigned long calls() const { return puts + indirects + stuffs; }
};

/* Of a window that the hypervisor has. */
class PartitionTable final : public OwnTable {
public:
	using OwnTable::OwnTable;

	Tces entries() override;
};

/* The LIOBN of a dynamic window in slot 0 of the first group. */
constexpr unsigned long dynamic_liobn = 0x8000;

/* The kernel's own code removes a dynamic window. */
long unset_partition_window(iommu_table_group &group, unsigned int num);

} /* namespace fake */
