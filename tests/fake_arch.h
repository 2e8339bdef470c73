/* SPDX-License-Identifier: MIT */
/*
 * An architecture that doesn't exist, for the tests of the library: it differs
 * from the real ones in whatever the library must not assume. The root has 2048
 * slots and fills several frames, no two levels have as many index bits, the last
 * level's tables fill a part of a frame, a leaf can be anywhere, the root included,
 * and a leaf's bits lie elsewhere in each level, so that a mix-up of levels makes
 * the entry malformed.
 *
 * With PT_FAKE_NARROW entries have 32 bits, empty slots lead to a hole frame, and
 * the CPU remembers invalid entries; without it, pointers outlive a flush by address.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#ifdef PT_FAKE_NARROW
#define ARCH_ENTRY uint32_t
#endif
#define ARCH_RIGHTS_OF_LEAF_ALONE
#define ARCH_LINKS_ARE_ADDRESSES
#include "../arch/form.h"

static const struct arch_level arch_levels[] = {
	{29, 11, true},
	{20, 9, true},
	{12, 8, true},
};

#define ARCH_LEAF_SIZES    (PT_4K | (uint64_t)1 << 20 | (uint64_t)1 << 29)
#define ARCH_CONFIGURATION 0x5afe

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_RANGE_BITS = 40,
	ARCH_HALVES = 1 << PT_LOW | 1 << PT_HIGH,
	ARCH_BREAKS_TO_RESIZE = true,
#ifdef PT_FAKE_NARROW
	ARCH_PADDR_BITS = 32,
	ARCH_FIXED_FRAMES = 2 + 1,
	ARCH_CACHES_INVALID = true,
	ARCH_FLUSHES_ALL_FOR_TABLE = false,
	ARCH_FLUSHES_ALL_FOR_HUGE = true,
	ARCH_HAS_HOLE_FRAME = true,
	ARCH_USES = 0,
#else
	ARCH_PADDR_BITS = 44,
	ARCH_FIXED_FRAMES = 4,
	ARCH_CACHES_INVALID = false,
	ARCH_FLUSHES_ALL_FOR_TABLE = true,
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = PT_ACCESSED | PT_DIRTY,
#endif
};

/* Over the address, where there is room for them. */
#ifdef PT_FAKE_NARROW
static const arch_entry ARCH_ACCESSED = 0;
static const arch_entry ARCH_DIRTY = 0;
#else
static const arch_entry ARCH_ACCESSED = 1ull << 62;
static const arch_entry ARCH_DIRTY = 1ull << 63;
#endif

/* Below the address: a table's mark, or eight bits of a leaf, two higher in each level. */
static const arch_entry FAKE_BELOW_ADDRESS = 0xfff;
static const arch_entry FAKE_ADDRESS = (arch_entry)0x0000fffffffff000;
static const arch_entry FAKE_TABLE = 0xc00;
static const arch_entry FAKE_LEAF = 1u << 6;
static const arch_entry FAKE_VALID = 1u << 7;
static const arch_entry FAKE_RIGHTS = PT_READ | PT_WRITE | PT_EXECUTE;

static inline bool arch_expresses(pt_flags flags)
{
	return (flags & PT_READ) || !(flags & PT_WRITE);
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	const arch_entry valid = flags & FAKE_RIGHTS ? FAKE_VALID : 0;

	return (arch_entry)((flags | FAKE_LEAF | valid) << 2 * level);
}

static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return (arch_entry)paddr | bits;
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return (arch_entry)paddr | FAKE_TABLE;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && (entry & FAKE_BELOW_ADDRESS) == FAKE_TABLE;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & FAKE_ADDRESS;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	(void)level;
	return entry & FAKE_ADDRESS;
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	(void)rights;
	return (pt_flags)(entry >> 2 * level) & PT_FLAGS_ALL;
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	const pt_flags flags = arch_leaf_flags(entry, level, 0);

	return (entry & FAKE_BELOW_ADDRESS) == arch_leaf_bits(flags, level) &&
	       (arch_leaf_paddr(entry, level) & (arch_span(level) - 1)) == 0;
}

/* The place of the bits tells the level. */
static inline bool arch_is_valid(arch_entry entry)
{
	const arch_entry bits = entry & FAKE_BELOW_ADDRESS;

	for (unsigned level = 0; level < ARCH_LEVELS; level++) {
		const pt_flags flags = arch_leaf_flags(bits, level, 0);

		if ((flags & FAKE_RIGHTS) && bits == arch_leaf_bits(flags, level))
			return true;
	}
	return false;
}

/* A new address. */
static inline bool arch_must_break(arch_entry before, arch_entry after)
{
	return arch_is_valid(before) && arch_is_valid(after) &&
	       ((before ^ after) & FAKE_ADDRESS) != 0;
}

#endif
