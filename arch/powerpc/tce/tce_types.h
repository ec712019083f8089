/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The units of TCE tables. *last* is inclusive, *end* is exclusive.
 */
#pragma once

#include "generated/kernel_layout.h"
#include "kcxx/checked.h"
#include "kcxx/units.h"

namespace tce {

using kcxx::Errno;
using kcxx::Error;
using kcxx::Result;

using Bytes = kcxx::Count<struct BytesTag>;
/* Pages of the kernel, KERNEL_PAGE_SHIFT; what locked memory is counted in. */
using Pages = kcxx::Count<struct PagesTag>;
/* Entries of a TCE table, each for one IOMMU page. */
using Entries = kcxx::Count<struct EntriesTag>;

/* An address in the user's process. */
using UserAddr = kcxx::Position<struct UserAddrTag, Bytes>;
/* An address in the machine's memory. */
using HostPhys = kcxx::Position<struct HostPhysTag, Bytes>;
/* An I/O bus address: what the device puts on the bus, the UAPI's iova. */
using Ioba = kcxx::Position<struct IobaTag, Bytes>;
/* An entry's number counted from bus address 0, as struct iommu_table's operations want it. */
using TceIndex = kcxx::Position<struct TceIndexTag, Entries>;
/* An entry's number counted from the first of its table. */
using Place = kcxx::Position<struct PlaceTag, Entries>;

/* The size of an IOMMU page or of a window: 1 << value bytes, below 64. */
class PageShift {
public:
	constexpr explicit PageShift(unsigned int value) : m_value(value) {}

	constexpr unsigned int value() const { return m_value; }
	constexpr Bytes size() const { return Bytes(kcxx::power_of_two(m_value)); }
	/* Of pages of this size: what they map, and the whole ones that bytes have. */
	constexpr Bytes bytes(Entries entries) const
	{
		return Bytes(kcxx::multiplied(entries.value(), m_value));
	}
	constexpr Entries entries(Bytes bytes) const
	{
		return Entries(kcxx::divided(bytes.value(), m_value));
	}
	/* The entry of an address, and the address of an entry. */
	constexpr TceIndex index(Ioba address) const
	{
		return TceIndex(kcxx::divided(address.value(), m_value));
	}
	constexpr Ioba address(TceIndex index) const
	{
		return Ioba(kcxx::multiplied(index.value(), m_value));
	}
	constexpr bool divides(unsigned long address_or_size) const
	{
		return !(address_or_size & (size().value() - 1));
	}
	constexpr auto operator<=>(const PageShift &) const = default;

private:
	unsigned int m_value;
};

constexpr PageShift kernel_page{ KERNEL_PAGE_SHIFT };

/* Whole pages that hold @bytes. */
constexpr Pages pages_for(Bytes bytes)
{
	return Pages(kcxx::divide_round_up(bytes.value(), kernel_page.size().value()));
}

/* What the device may do to a page; the values are those of enum dma_data_direction. */
enum class Direction : unsigned int {
	Bidirectional = KERNEL_DMA_BIDIRECTIONAL,
	ToDevice = KERNEL_DMA_TO_DEVICE,
	FromDevice = KERNEL_DMA_FROM_DEVICE,
	None = KERNEL_DMA_NONE,
};

constexpr Entries least(Entries a, Entries b)
{
	return a < b ? a : b;
}

constexpr Entries least(Entries a, Entries b, Entries c)
{
	return least(least(a, b), c);
}

/* A window that a user asks for. */
struct WindowShape {
	unsigned int page_shift;
	Bytes size;
	unsigned int levels;
};

/* Successive entries of one table. */
struct EntryRange {
	TceIndex first;
	Entries count;

	constexpr TceIndex end() const { return first + count; }
};

} /* namespace tce */
