/* SPDX-License-Identifier: MIT */
/*
 * LoongArch64, four levels of 4 KiB tables (LoongArch Reference Manual vol. 1,
 * 5.4). Loaded with PWCL and PWCH = arch_configuration[]; the refill handler
 * walks with LDDIR 3, 2, 1 and LDPTE.
 *
 * A directory entry has no presence bit: zero is a pointer to physical address 0.
 * An empty directory slot therefore points to the hole, a frame of the table's
 * own whose every entry is its own address: read as a directory it leads to
 * itself, read as a page entry it has V = 0.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (1ull << 0) /* V */
#define ARCH_RIGHTS_OF_LEAF_ALONE
#define ARCH_NEVER_BREAKS        /* the flush that follows replaces a leaf of the same size */
#define ARCH_STORES_REACH_WALKER /* every mapping that is used is followed by a flush */
#include "form.h"

static const struct arch_level arch_levels[] = {
	{39, 9, false},
	{30, 9, true},
	{21, 9, true},
	{12, 9, true},
};

#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G)

/* 7.5.6, 7.5.7: PWCL and PWCH, base and width of the page table and of directories 1 to 3. */
#define ARCH_CONFIGURATION                                                                         \
	12u | 9u << 5 | 21u << 10 | 9u << 15 | 30u << 20 | 9u << 25, 39u | 9u << 6

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_FIXED_FRAMES = 2,
	ARCH_RANGE_BITS = 47,
	ARCH_PADDR_BITS = 48,
	ARCH_HALVES = 1 << PT_LOW | 1 << PT_HIGH,
	ARCH_CACHES_INVALID = true,         /* 5.4.3: the refill installs V = 0 entries, in pairs */
	ARCH_FLUSHES_ALL_FOR_TABLE = false, /* LDDIR caches no directories */
	/* invalid 4 KiB pairs may be held for any page of the hole that was there */
	ARCH_FLUSHES_ALL_FOR_HUGE = true,
	ARCH_BREAKS_TO_RESIZE = true, /* 5.4.1: two matching entries are undefined behaviour */
	ARCH_HAS_HOLE_FRAME = true,
	ARCH_USES = 0, /* 5.4.3: nothing is updated; D = 0 is a page modification exception */
};

static const arch_entry LA_VALID = 1ull << 0;
static const arch_entry LA_DIRTY = 1ull << 1; /* the right to write */
static const arch_entry ARCH_ACCESSED = 0;
static const arch_entry ARCH_DIRTY = 0;
static const arch_entry LA_PLV = 3ull << 2;
static const arch_entry LA_PLV_USER = 3ull << 2;
static const arch_entry LA_MAT = 3ull << 4;
static const arch_entry LA_MAT_CACHED = 1ull << 4;
static const arch_entry LA_MAT_UNCACHED = 2ull << 4; /* weakly ordered; 0 is strongly ordered */
static const arch_entry LA_HUGE = 1ull << 6;         /* in a directory; G in the last level */
static const arch_entry LA_PRESENT = 1ull << 7;      /* for a hardware walker */
static const arch_entry LA_WRITE = 1ull << 8;        /* for a hardware walker */
static const arch_entry LA_NO_ACCESS = 1ull << 9;    /* software: with V = 0 */
static const arch_entry LA_HUGE_LEVEL = 3ull << 13;  /* LDDIR's own, clear in memory */
static const arch_entry LA_BELOW_ADDRESS = 0xfff;
static const arch_entry LA_ADDRESS = 0x0000fffffffff000;
static const arch_entry LA_NO_READ = 1ull << 61;
static const arch_entry LA_NO_EXECUTE = 1ull << 62;
static const arch_entry LA_ONLY_THIS_PLV = 1ull << 63; /* RPLV */

static inline bool arch_expresses(pt_flags flags)
{
	(void)flags;
	return true;
}

static inline arch_entry loongarch_memory_type(pt_flags flags)
{
	if (flags & PT_DEVICE)
		return 0;
	return flags & PT_UNCACHED ? LA_MAT_UNCACHED : LA_MAT_CACHED;
}

/*
 * G is never set: an entry of the TLB is global only if both pages of the pair
 * are (5.4.2), and an empty neighbour isn't.
 */
static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = loongarch_memory_type(flags) | (level < ARCH_LAST_LEVEL ? LA_HUGE : 0);

	if (flags & PT_USER)
		bits |= LA_PLV_USER;
	if (!(flags & PT_READ))
		bits |= LA_NO_READ;
	if (!(flags & PT_EXECUTE))
		bits |= LA_NO_EXECUTE;
	if (!(flags & (PT_READ | PT_WRITE | PT_EXECUTE)))
		return bits | LA_NO_ACCESS;
	if (flags & PT_WRITE)
		bits |= LA_DIRTY | LA_WRITE;
	return bits | LA_PRESENT | LA_VALID;
}

static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return paddr | bits;
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && (entry & LA_BELOW_ADDRESS) == 0;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & LA_ADDRESS;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	return entry & LA_ADDRESS & ~(arch_span(level) - 1);
}

/* 5.4.4: whether PLV0 or PLV3 may do anything at all through it. */
static inline bool loongarch_allows_anything(arch_entry entry)
{
	const arch_entry plv = entry & LA_PLV;

	if ((entry & LA_ONLY_THIS_PLV) && plv != 0 && plv != LA_PLV_USER)
		return false;
	return (entry & LA_DIRTY) || !(entry & LA_NO_READ) || !(entry & LA_NO_EXECUTE);
}

/*
 * 5.4.5: the address of a huge page starts at its size, and the CPU ignores the
 * bits below; but LDPTE makes two halves of it (4.2.5), by way of bits 14:13, and
 * what becomes of those, and of the bit that tells the halves apart, isn't said.
 */
static inline bool loongarch_huge_is_sound(arch_entry entry, unsigned level)
{
	return level == ARCH_LAST_LEVEL || !(entry & (LA_HUGE_LEVEL | arch_span(level) >> 1));
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	const arch_entry huge = level < ARCH_LAST_LEVEL ? LA_HUGE : 0;
	const arch_entry no_access = LA_NO_ACCESS | LA_NO_READ | LA_NO_EXECUTE | huge;

	if (!arch_levels[level].leaf || (entry & huge) != huge)
		return false;
	if (entry & LA_VALID)
		return loongarch_huge_is_sound(entry, level) && loongarch_allows_anything(entry);
	return (entry & ~(LA_ADDRESS | LA_MAT | LA_PLV)) == no_access &&
	       !(entry & LA_ADDRESS & (arch_span(level) - 1)) && (entry & LA_MAT) != LA_MAT &&
	       ((entry & LA_PLV) == 0 || (entry & LA_PLV) == LA_PLV_USER);
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	pt_flags flags = 0;

	(void)level;
	(void)rights;
	if ((entry & LA_MAT) == 0)
		flags |= PT_DEVICE;
	if ((entry & LA_MAT) == LA_MAT_UNCACHED)
		flags |= PT_UNCACHED;
	if ((entry & LA_PLV) == LA_PLV_USER)
		flags |= PT_USER;
	if (!(entry & LA_VALID))
		return flags;
	if (!(entry & LA_NO_READ))
		flags |= PT_READ;
	if (entry & LA_DIRTY)
		flags |= PT_WRITE;
	if (!(entry & LA_NO_EXECUTE))
		flags |= PT_EXECUTE;
	return flags;
}

/* H without V: a huge page that isn't valid, or a page entry that isn't. */
static inline arch_entry arch_link(uint64_t paddr)
{
	return paddr | LA_HUGE;
}

static inline uint64_t arch_link_paddr(arch_entry entry)
{
	return entry & LA_ADDRESS;
}

#ifdef PT_TARGET_BUILD
#include "loongarch64_tlb.h"
#endif

#endif
