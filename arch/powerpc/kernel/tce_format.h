/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TCE (Translation Control Entry) as PHBs read it: a big-endian word with the real address of
 * a page and two permission bits. In an indirect level the same word points to the next level's
 * block and has both bits.
 *
 * Source: arch/powerpc/include/asm/tce.h; IODA2 specification, "TCE definition".
 */
#pragma once

#include "arch/powerpc/kernel/tce_types.h"

namespace tce {

constexpr unsigned long tce_read = 1UL << 0;
constexpr unsigned long tce_write = 1UL << 1;
constexpr unsigned long tce_permissions = tce_read | tce_write;
constexpr unsigned int tce_size_shift = 3;

constexpr unsigned long permissions(Direction direction)
{
	switch (direction) {
	case Direction::ToDevice:
		return tce_read;
	case Direction::FromDevice: /* A PHB that may write also reads. */
	case Direction::Bidirectional:
		return tce_read | tce_write;
	default:
		return 0;
	}
}

/* An entry without permissions is 0: it has no page either. */
constexpr unsigned long encode_tce(HostPhys page, unsigned long permissions)
{
	return permissions ? page.value() | permissions : 0;
}

constexpr Direction decode_direction(unsigned long tce)
{
	switch (tce & tce_permissions) {
	case tce_read:
		return Direction::ToDevice;
	case tce_write:
		return Direction::FromDevice;
	case tce_permissions:
		return Direction::Bidirectional;
	default:
		return Direction::None;
	}
}

constexpr HostPhys decode_page(unsigned long tce)
{
	return HostPhys(tce & ~tce_permissions);
}

/* The TCE that an entry held. */
class OldEntry {
public:
	constexpr OldEntry() = default;
	explicit constexpr OldEntry(unsigned long tce) : m_tce(tce) {}

	constexpr bool is_empty() const { return !m_tce; }
	constexpr bool device_writes() const { return m_tce & tce_write; }
	constexpr HostPhys page() const { return decode_page(m_tce); }

private:
	unsigned long m_tce = 0;
};

/* A link to the next level's block. */
constexpr unsigned long encode_level(HostPhys block)
{
	return block.value() | tce_permissions;
}

} /* namespace tce */
