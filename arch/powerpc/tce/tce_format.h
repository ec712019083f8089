/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TCE (Translation Control Entry) as PHBs read it: a big-endian word with the real address of
 * a page and two permission bits. In an indirect level the same word points to the next level's
 * block and has both bits.
 *
 * Source: arch/powerpc/include/asm/tce.h; IODA2 specification, "TCE definition".
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"

namespace tce {

constexpr unsigned int tce_size_shift = 3;

/* What a PE may do with the page: the lowest two bits. */
enum class Permissions : unsigned long {
	None = 0,
	Read = kcxx::power_of_two(0),
	Write = kcxx::power_of_two(1),
	ReadWrite = Read | Write,
};

constexpr unsigned long bits(Permissions permissions)
{
	return static_cast<unsigned long>(permissions);
}

constexpr Permissions permissions(Direction direction)
{
	switch (direction) {
	case Direction::ToDevice:
		return Permissions::Read;
	case Direction::FromDevice: /* A PHB that may write also reads. */
	case Direction::Bidirectional:
		return Permissions::ReadWrite;
	default:
		return Permissions::None;
	}
}

/* An entry without permissions is 0: it has no page either. */
constexpr unsigned long encode_tce(HostPhys page, Permissions permissions)
{
	return permissions == Permissions::None ? 0 : page.value() | bits(permissions);
}

constexpr Direction decode_direction(unsigned long tce)
{
	switch (static_cast<Permissions>(tce & bits(Permissions::ReadWrite))) {
	case Permissions::Read:
		return Direction::ToDevice;
	case Permissions::Write:
		return Direction::FromDevice;
	case Permissions::ReadWrite:
		return Direction::Bidirectional;
	default:
		return Direction::None;
	}
}

constexpr HostPhys decode_page(unsigned long tce)
{
	return HostPhys(tce & ~bits(Permissions::ReadWrite));
}

/* The TCE that an entry held. */
class OldEntry {
public:
	constexpr OldEntry() = default;
	explicit constexpr OldEntry(unsigned long tce) : m_tce(tce) {}

	constexpr bool is_empty() const { return !m_tce; }
	constexpr bool device_writes() const { return m_tce & bits(Permissions::Write); }
	constexpr HostPhys page() const { return decode_page(m_tce); }
	/* What one with the same permissions has for memory that is @distance further on. */
	constexpr OldEntry moved(Bytes distance) const
	{
		return OldEntry(m_tce + distance.value());
	}
	constexpr bool operator==(const OldEntry &) const = default;

private:
	unsigned long m_tce = 0;
};

/* A link to the next level's block. */
constexpr unsigned long encode_level(HostPhys block)
{
	return block.value() | bits(Permissions::ReadWrite);
}

} /* namespace tce */
