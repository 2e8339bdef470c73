/* SPDX-License-Identifier: MIT */
/*
 * x86 extended page tables: a hypervisor's second stage on Intel processors (Intel SDM
 * vol. 3C, "The Extended Page Table Mechanism", 28.3; 29.3 in newer editions). The
 * addresses that are mapped are guest-physical, and have one privilege. Loaded as
 * EPTP = root | arch_configuration[0]. Asks for execute-only pages (IA32_VMX_EPT_VPID_CAP
 * bit 0), 1 GiB pages (bit 17) and accessed and dirty flags (bit 21); mode-based execute
 * control and EPT-violation #VE are off.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (7ull << 0) /* any of R, W and X */
#define ARCH_NEVER_BREAKS
#define ARCH_LINKS_ARE_ADDRESSES
#define ARCH_STORES_REACH_WALKER /* it snoops them */
#include "form.h"

static const struct arch_level arch_levels[] = {
	{39, 9, false},
	{30, 9, true},
	{21, 9, true},
	{12, 9, true},
};

#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G)
/* EPTP, 25.6.11: the walk reads write-back memory, has so many levels, and sets A and D. */
#define ARCH_CONFIGURATION 6u | (PT_LEVELS - 1u) << 3 | 1u << 6

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_FIXED_FRAMES = 1,
	ARCH_RANGE_BITS = 48, /* nothing is sign-extended */
	ARCH_PADDR_BITS = 52,
	ARCH_HALVES = 1 << PT_LOW,
	ARCH_CACHES_INVALID = false, /* 28.4.2: nothing of entries not present or misconfigured */
	ARCH_FLUSHES_ALL_FOR_TABLE = false, /* 28.4.3.1: INVEPT drops all there is of an EPTP */
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_BREAKS_TO_RESIZE = false,
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = PT_ACCESSED | PT_DIRTY, /* 28.3.5 "Accessed and Dirty Flags for EPT" */
};

/* 28.3.2, the tables of entry formats. */
static const arch_entry EPT_READ = 1ull << 0;
static const arch_entry EPT_WRITE = 1ull << 1;
static const arch_entry EPT_EXECUTE = 1ull << 2;
static const arch_entry EPT_RIGHTS = 7ull << 0; /* all clear: not present */
static const arch_entry EPT_TYPE = 7ull << 3;
static const arch_entry EPT_UC = 0;
static const arch_entry EPT_WC = 1ull << 3;
static const arch_entry EPT_WB = 6ull << 3;
static const arch_entry EPT_HUGE = 1ull << 7;          /* ignored in the last level */
static const arch_entry EPT_NOT_IN_TABLE = 31ull << 3; /* reserved, or it is a page */
static const arch_entry ARCH_ACCESSED = 1ull << 8;
static const arch_entry ARCH_DIRTY = 1ull << 9;
static const arch_entry EPT_NO_ACCESS = 1ull << 11; /* software: not present, a no-access leaf */
static const arch_entry EPT_ADDRESS = 0x000ffffffffff000;

static inline bool arch_expresses(pt_flags flags)
{
	return !(flags & PT_USER) && ((flags & PT_READ) || !(flags & PT_WRITE));
}

/* Ignore-PAT stays clear: as with MTRRs, the guest's own PAT may still weaken a type. */
static inline arch_entry ept_memory_type(pt_flags flags)
{
	if (flags & PT_DEVICE)
		return EPT_UC;
	return flags & PT_UNCACHED ? EPT_WC : EPT_WB;
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = ept_memory_type(flags) | (level < ARCH_LAST_LEVEL ? EPT_HUGE : 0);

	if (flags & PT_READ)
		bits |= EPT_READ;
	if (flags & PT_WRITE)
		bits |= EPT_WRITE;
	if (flags & PT_EXECUTE)
		bits |= EPT_EXECUTE;
	return bits & EPT_RIGHTS ? bits : bits | EPT_NO_ACCESS;
}

/*
 * A no-access leaf keeps its address inverted: an entry that isn't present and names real
 * memory can be read through speculation (L1 terminal fault, CVE-2018-3646).
 */
static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return bits | (arch_is_valid(bits) ? paddr : paddr ^ EPT_ADDRESS);
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr | EPT_RIGHTS;
}

/* 28.3.3.1 "EPT Misconfigurations": write without read, in a table too. */
static inline bool ept_rights_are_legal(arch_entry entry)
{
	return (entry & (EPT_WRITE | EPT_READ)) != EPT_WRITE;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && arch_is_valid(entry) && ept_rights_are_legal(entry) &&
	       !(entry & EPT_NOT_IN_TABLE);
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & EPT_ADDRESS;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	(void)level; /* bits below the page's size are clear in a leaf */
	return (arch_is_valid(entry) ? entry : entry ^ EPT_ADDRESS) & EPT_ADDRESS;
}

/* 28.3.3.1: types 2, 3 and 7 are reserved. */
static inline bool ept_type_is_legal(arch_entry entry)
{
	const arch_entry type = entry >> 3 & 7;

	return type != 2 && type != 3 && type != 7;
}

static inline bool ept_is_no_access(arch_entry entry)
{
	const arch_entry varies = EPT_ADDRESS | EPT_TYPE | EPT_HUGE | ARCH_ACCESSED | ARCH_DIRTY;
	const arch_entry type = entry & EPT_TYPE;

	return (entry & ~varies) == EPT_NO_ACCESS &&
	       (type == EPT_UC || type == EPT_WC || type == EPT_WB);
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	const arch_entry huge = level < ARCH_LAST_LEVEL ? EPT_HUGE : 0;

	if (!arch_levels[level].leaf || (entry & huge) != huge ||
	    (arch_leaf_paddr(entry, level) & (arch_span(level) - 1)))
		return false;
	if (!arch_is_valid(entry))
		return ept_is_no_access(entry);
	return ept_rights_are_legal(entry) && ept_type_is_legal(entry);
}

/* 28.3.3.2 "EPT Violations": an access needs its right in every entry. */
static inline arch_rights arch_rights_below(arch_rights rights, arch_entry table)
{
	return rights & table;
}

static inline bool arch_rights_are_whole(arch_rights rights)
{
	return (rights & EPT_RIGHTS) == EPT_RIGHTS;
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	const arch_entry type = entry & EPT_TYPE, effective = entry & rights;
	pt_flags flags = 0;

	(void)level;
	if (type == EPT_UC)
		flags |= PT_DEVICE;
	if (type == EPT_WC)
		flags |= PT_UNCACHED;
	if (effective & EPT_READ)
		flags |= PT_READ;
	if (effective & EPT_WRITE)
		flags |= PT_WRITE;
	if (effective & EPT_EXECUTE)
		flags |= PT_EXECUTE;
	return flags;
}

#ifdef PT_TARGET_BUILD
/* 28.4.3.1: this processor, all EPTPs (type 2 reads none); others need an IPI. */
static inline void arch_flush_all(void)
{
	const uint64_t all_contexts = 2, descriptor[2] = {0, 0};

	__asm__ volatile("invept %0, %1" : : "m"(descriptor), "r"(all_contexts) : "memory", "cc");
}

/* INVEPT has no form for one address. */
static inline void arch_flush_address(uint64_t vaddr)
{
	(void)vaddr;
	arch_flush_all();
}
#endif

#endif
