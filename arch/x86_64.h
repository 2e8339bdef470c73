/* SPDX-License-Identifier: MIT */
/*
 * x86_64, 4-level and 5-level paging (Intel SDM vol. 3, 4.5; AMD APM vol. 2, 5.3).
 * Loaded with CR0.WP, EFER.NXE and CR4.SMEP set.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (1ull << 0) /* P */
#define ARCH_NEVER_BREAKS
#define ARCH_LINKS_ARE_ADDRESSES
#define ARCH_STORES_REACH_WALKER /* it snoops them */
#include "form.h"

static const struct arch_level arch_levels[] = {
#if PT_LEVELS == 5
	{48, 9, false},
#endif
	{39, 9, false}, {30, 9, true}, {21, 9, true}, {12, 9, true},
};

#define ARCH_LEAF_SIZES    (PT_4K | PT_2M | PT_1G)
#define ARCH_CONFIGURATION 0

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_FIXED_FRAMES = 1,
	ARCH_RANGE_BITS = PT_LEVELS == 5 ? 56 : 47,
	ARCH_PADDR_BITS = 52,
	ARCH_HALVES = 1 << PT_WHOLE,
	ARCH_CACHES_INVALID = false,        /* SDM 4.10.2.3: only entries with P = 1 */
	ARCH_FLUSHES_ALL_FOR_TABLE = false, /* SDM 4.10.4.1: INVLPG drops all structure caches */
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_BREAKS_TO_RESIZE = false, /* SDM 4.10.2.3: same frame and rights, new size is fine */
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = PT_ACCESSED | PT_DIRTY, /* SDM 4.8 "Accessed and Dirty Flags" */
};

static const arch_entry X86_PRESENT = 1ull << 0;
static const arch_entry X86_WRITE = 1ull << 1;
static const arch_entry X86_USER = 1ull << 2;
static const arch_entry X86_PWT = 1ull << 3;
static const arch_entry X86_PCD = 1ull << 4;
static const arch_entry ARCH_ACCESSED = 1ull << 5;
static const arch_entry ARCH_DIRTY = 1ull << 6;
static const arch_entry X86_HUGE = 1ull << 7; /* PS; PAT in the last level */
static const arch_entry X86_GLOBAL = 1ull << 8;
static const arch_entry X86_NO_ACCESS = 1ull << 9; /* software: with P = 0, a no-access leaf */
static const arch_entry X86_HUGE_PAT = 1ull << 12;
static const arch_entry X86_ADDRESS = 0x000ffffffffff000;
static const arch_entry X86_NO_EXECUTE = 1ull << 63;

static inline bool arch_expresses(pt_flags flags)
{
	return (flags & PT_READ) != 0 || (flags & (PT_WRITE | PT_EXECUTE)) == 0;
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = level < ARCH_LAST_LEVEL ? X86_HUGE : 0;

	if (flags & PT_USER)
		bits |= X86_USER;
	if (flags & PT_DEVICE)
		bits |= X86_PCD | X86_PWT;
	if (flags & PT_UNCACHED)
		bits |= X86_PCD;
	if (!(flags & PT_READ))
		return bits | X86_NO_ACCESS;
	if (flags & PT_WRITE)
		bits |= X86_WRITE;
	if (!(flags & PT_EXECUTE))
		bits |= X86_NO_EXECUTE;
	if (!(flags & PT_USER))
		bits |= X86_GLOBAL;
	return bits | X86_PRESENT;
}

/*
 * A no-access leaf keeps its address inverted: a P = 0 entry that names real
 * memory can be read through speculation (L1 terminal fault, CVE-2018-3620).
 */
static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return bits | (bits & X86_PRESENT ? paddr : paddr ^ X86_ADDRESS);
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr | X86_USER | X86_WRITE | X86_PRESENT;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && (entry & (X86_PRESENT | X86_HUGE)) == X86_PRESENT;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & X86_ADDRESS;
}

/* SDM 4.5.4: below the address of a huge leaf only PAT (bit 12) may be set. */
static inline uint64_t x86_leaf_address(unsigned level)
{
	return X86_ADDRESS & ~(arch_span(level) - 1);
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	if (!(entry & X86_PRESENT))
		entry ^= X86_ADDRESS;
	return entry & x86_leaf_address(level);
}

static inline bool x86_is_no_access(arch_entry entry, unsigned level)
{
	const arch_entry size = level < ARCH_LAST_LEVEL ? X86_HUGE : 0;
	const arch_entry fixed = ~(X86_ADDRESS | X86_USER | X86_PCD | X86_PWT | ARCH_ACCESSED |
	                           ARCH_DIRTY);

	return (entry & fixed) == (X86_NO_ACCESS | size) &&
	       (entry & (X86_PCD | X86_PWT)) != X86_PWT &&
	       ((entry ^ X86_ADDRESS) & X86_ADDRESS & (arch_span(level) - 1)) == 0;
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	if (!arch_levels[level].leaf)
		return false;
	if (!(entry & X86_PRESENT))
		return x86_is_no_access(entry, level);
	if (level == ARCH_LAST_LEVEL)
		return true;
	return (entry & X86_HUGE) && /* unreached: it would be a table, which is asked first */
	       (entry & X86_ADDRESS & (arch_span(level) - 1) & ~X86_HUGE_PAT) == 0;
}

/* SDM 4.6.1: write and user rights are ANDed over the levels, execute-disable is ORed. */
static inline arch_rights arch_rights_below(arch_rights rights, arch_entry table)
{
	return rights & (table ^ X86_NO_EXECUTE);
}

static inline bool arch_rights_are_whole(arch_rights rights)
{
	const arch_rights all = X86_USER | X86_WRITE | X86_NO_EXECUTE;

	return (rights & all) == all;
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	const arch_entry effective = rights & (entry ^ X86_NO_EXECUTE);
	pt_flags flags = 0;

	(void)level;
	if ((entry & X86_PCD) && (entry & X86_PWT))
		flags |= PT_DEVICE;
	else if (entry & X86_PCD)
		flags |= PT_UNCACHED;
	if (effective & X86_USER)
		flags |= PT_USER;
	if (!(entry & X86_PRESENT))
		return flags;
	if (effective & X86_WRITE)
		flags |= PT_WRITE;
	if (effective & X86_NO_EXECUTE) /* inverted: executable at every level */
		flags |= PT_EXECUTE;
	return flags | PT_READ;
}

#ifdef PT_TARGET_BUILD
/*
 * SDM 4.10.4.1: this processor, the current PCID and global entries, and all
 * paging-structure caches of the current PCID. Other processors need an IPI.
 */
static inline void arch_flush_address(uint64_t vaddr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(vaddr) : "memory");
}

/* SDM 4.10.4.1: a change of CR4.PGE drops everything, global entries included. */
static inline void arch_flush_all(void)
{
	const uint64_t pge = 1ull << 7;
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 ^ pge) : "memory");
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}
#endif

#endif
