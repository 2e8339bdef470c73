/* SPDX-License-Identifier: MIT */
/*
 * AArch64 stage 1, 48-bit addresses (Arm ARM DDI 0487, D8), with the 4 KiB granule or,
 * with PT_GRANULE_64K, the 64 KiB one; for the EL1&0 regime or, with PT_AARCH64_EL2, the
 * EL2 regime. Loaded with MAIR_ELx = arch_configuration[0] and the TCR_ELx fields of [1];
 * HA = HD = 0, and no FEAT_LPA in use: physical addresses have 48 bits.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (1ull << 0)
#define ARCH_LINKS_ARE_ADDRESSES
#include "form.h"

#include "aarch64_regimes.h"

enum {
	ARCH_FIXED_FRAMES = 1,
	ARCH_RANGE_BITS = 48,
	ARCH_PADDR_BITS = 48,
	ARCH_CACHES_INVALID = false,        /* D8 "Translation Lookaside Buffers" */
	ARCH_FLUSHES_ALL_FOR_TABLE = false, /* TLBI VAAE1IS reaches all levels */
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_BREAKS_TO_RESIZE = true, /* D8 "Using break-before-make" */
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = 0, /* HA = HD = 0: AF is set from the start, or an access would fault */
};

static const arch_entry A64_VALID = 1ull << 0;
static const arch_entry A64_TABLE_OR_PAGE = 1ull << 1;
static const arch_entry A64_ATTR_NORMAL = 1ull << 2; /* AttrIndx 1 */
static const arch_entry A64_ATTR_UNCACHED = 2ull << 2;
static const arch_entry A64_ATTR = 7ull << 2;
static const arch_entry A64_USER = 1ull << 6;      /* AP[1]; RES1 in one-privilege regimes */
static const arch_entry A64_READ_ONLY = 1ull << 7; /* AP[2] */
static const arch_entry A64_INNER_SHAREABLE = 3ull << 8;
static const arch_entry A64_OUTER_SHAREABLE = 2ull << 8;
static const arch_entry A64_SHAREABILITY = 3ull << 8;
static const arch_entry A64_ACCESSED = 1ull << 10;
static const arch_entry A64_NOT_GLOBAL = 1ull << 11;
static const arch_entry A64_ADDRESS = (1ull << 48) - (1ull << ARCH_GRANULE_SHIFT);
static const arch_entry ARCH_ACCESSED = 0;
static const arch_entry ARCH_DIRTY = 0;
static const arch_entry A64_PXN = 1ull << 53;
static const arch_entry A64_UXN = 1ull << 54;       /* XN in one-privilege regimes */
static const arch_entry A64_NO_ACCESS = 1ull << 55; /* software: with bit 0 clear */
#include "aarch64_rights.h"

static inline bool arch_expresses(pt_flags flags)
{
	if (A64_ONE_PRIVILEGE && (flags & PT_USER))
		return false;
	return (flags & PT_READ) != 0 || (flags & (PT_WRITE | PT_EXECUTE)) == 0;
}

/* Device memory and non-cacheable memory act as outer shareable whatever SH says (D8). */
static inline arch_entry a64_memory_type(pt_flags flags)
{
	if (flags & PT_DEVICE)
		return A64_OUTER_SHAREABLE;
	if (flags & PT_UNCACHED)
		return A64_ATTR_UNCACHED | A64_OUTER_SHAREABLE;
	return A64_ATTR_NORMAL | A64_INNER_SHAREABLE;
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	const arch_entry type = level == ARCH_LAST_LEVEL ? A64_TABLE_OR_PAGE : 0;
	arch_entry bits = a64_memory_type(flags);

	if (A64_ONE_PRIVILEGE || (flags & PT_USER))
		bits |= A64_USER;
	if (!(flags & PT_READ))
		return bits | A64_NO_ACCESS;
	if (!(flags & PT_WRITE))
		bits |= A64_READ_ONLY;
	if (!A64_ONE_PRIVILEGE && (flags & PT_USER))
		bits |= A64_NOT_GLOBAL;
	return bits | a64_execute_bits(flags) | A64_ACCESSED | type | A64_VALID;
}

static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return paddr | bits;
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr | A64_TABLE_OR_PAGE | A64_VALID;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL &&
	       (entry & (A64_TABLE_OR_PAGE | A64_VALID)) == (A64_TABLE_OR_PAGE | A64_VALID);
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & A64_ADDRESS;
}

/* D8 "VMSAv8-64 descriptor formats": address bits below a block's size are RES0 and ignored. */
static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	return entry & A64_ADDRESS & ~(arch_span(level) - 1);
}

static inline bool a64_is_no_access(arch_entry entry, unsigned level)
{
	const arch_entry fixed = ~(A64_ADDRESS | A64_ATTR | A64_SHAREABILITY | A64_USER);
	const arch_entry type = entry & (A64_ATTR | A64_SHAREABILITY);

	return (entry & fixed) == A64_NO_ACCESS && (!A64_ONE_PRIVILEGE || (entry & A64_USER)) &&
	       (type == a64_memory_type(0) || type == a64_memory_type(PT_DEVICE) ||
	        type == a64_memory_type(PT_UNCACHED)) &&
	       (entry & A64_ADDRESS & (arch_span(level) - 1)) == 0;
}

/* D8: a block is 01 above the last level, a page is 11 there; AF = 0 faults with HA = 0. */
static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	const arch_entry page = level == ARCH_LAST_LEVEL ? A64_TABLE_OR_PAGE : 0;

	if (!arch_levels[level].leaf)
		return false;
	if (!(entry & A64_VALID))
		return a64_is_no_access(entry, level);
	return (entry & A64_TABLE_OR_PAGE) == page && (entry & A64_ACCESSED);
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	pt_flags flags = 0;

	(void)level;
	if ((entry & A64_ATTR) == A64_ATTR_UNCACHED)
		flags |= PT_UNCACHED;
	else if ((entry & A64_ATTR) != A64_ATTR_NORMAL)
		flags |= PT_DEVICE; /* MAIR bytes 0 and 3 to 7 are device memory */
	if (!A64_ONE_PRIVILEGE && (entry & A64_USER) && (rights & A64_AP_TABLE_NO_USER))
		flags |= PT_USER;
	if (!(entry & A64_VALID))
		return flags;
	flags |= PT_READ;
	if (!(entry & A64_READ_ONLY) && (rights & A64_AP_TABLE_NO_WRITE))
		flags |= PT_WRITE;
	if (a64_executable(entry, flags, rights))
		flags |= PT_EXECUTE;
	return flags;
}

/*
 * D8 "Using break-before-make": a new output address, a new memory type or
 * shareability, or a non-global entry that becomes global.
 */
static inline bool arch_must_break(arch_entry before, arch_entry after)
{
	const arch_entry fixed = A64_ADDRESS | A64_ATTR | A64_SHAREABILITY;

	if (!arch_is_valid(before) || !arch_is_valid(after))
		return false;
	return ((before ^ after) & fixed) || (before & ~after & A64_NOT_GLOBAL);
}

#ifdef PT_TARGET_BUILD
#include "aarch64_tlb.h"
#endif

#endif
