/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Sv39, Sv48 and Sv57 (Privileged ISA, "Supervisor-Level ISA"). DEVICE and
 * UNCACHED live in the Svpbmt bits with PT_RISCV_SVPBMT (menvcfg.PBMTE = 1), in
 * the C9xx bits with PT_RISCV_XUANTIE (sxstatus.MAEE = 1), else in the two
 * software bits, which the CPU ignores. What the CPU records of accesses, it does with
 * Svadu (menvcfg.ADUE = 1); leaves start with A and D set, so that it needn't.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (1ull << 0) /* V */
#define ARCH_RIGHTS_OF_LEAF_ALONE
#define ARCH_NEVER_BREAKS
#define ARCH_STORES_REACH_WALKER /* every mapping that is used is followed by a flush */
#include "form.h"

static const struct arch_level arch_levels[] = {
#if PT_LEVELS == 5
	{48, 9, true}, {39, 9, true},
#elif PT_LEVELS == 4
	{39, 9, true},
#endif
	{30, 9, true}, {21, 9, true}, {12, 9, true},
};

#if PT_LEVELS == 5
#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G | PT_512G | PT_256T)
#elif PT_LEVELS == 4
#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G | PT_512G)
#else
#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G)
#endif
#define ARCH_CONFIGURATION (uint64_t)(PT_LEVELS + 5) << 60 /* satp.MODE */

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_FIXED_FRAMES = 1,
	ARCH_RANGE_BITS = 11 + 9 * PT_LEVELS,
	ARCH_PADDR_BITS = 56,
	ARCH_HALVES = 1 << PT_WHOLE,
	/* "Supervisor Memory-Management Fence": V = 0 entries may be cached */
	ARCH_CACHES_INVALID = true,
	/* ... and SFENCE.VMA with an address covers leaf entries only */
	ARCH_FLUSHES_ALL_FOR_TABLE = true,
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_BREAKS_TO_RESIZE = false, /* either size is used until the fence; no conflict */
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = PT_ACCESSED | PT_DIRTY, /* "Svadu" */
};

#include "riscv64_entries.h"
#include "riscv64_types.h"

static inline bool arch_expresses(pt_flags flags)
{
	return (flags & PT_READ) || !(flags & PT_WRITE);
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = riscv_memory_type(flags) | riscv_rights(flags);

	(void)level;
	/* "Svade": where the CPU updates neither, A = 0 and D = 0 would fault */
	bits |= ARCH_ACCESSED | ARCH_DIRTY;
	if (flags & PT_USER)
		bits |= RV_USER;
	if (!(bits & RV_VALID))
		return bits;
	if (!(flags & PT_USER))
		bits |= RV_GLOBAL;
	return bits;
}

static inline bool riscv_is_no_access(arch_entry entry)
{
	const arch_entry type = entry & RV_TYPE;

	return (entry & ~(RV_PPN | RV_TYPE | RV_USER | ARCH_ACCESSED | ARCH_DIRTY)) ==
	               RV_NO_ACCESS &&
	       (type == RV_NORMAL || type == RV_DEVICE || type == RV_UNCACHED);
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	if (arch_leaf_paddr(entry, level) & (arch_span(level) - 1))
		return false;
	if (!(entry & RV_VALID))
		return riscv_is_no_access(entry);
	if (!(entry & RV_RIGHTS) || (entry & (RV_READ | RV_WRITE)) == RV_WRITE)
		return false;
	return riscv_type_is_legal(entry);
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	pt_flags flags = riscv_type_flags(entry) | riscv_rights_flags(entry);

	(void)level;
	(void)rights;
	if (entry & RV_USER)
		flags |= PT_USER;
	return flags;
}

/* V = 0 at every level. */
static inline arch_entry arch_link(uint64_t paddr)
{
	return paddr >> 2;
}

static inline uint64_t arch_link_paddr(arch_entry entry)
{
	return entry << 2;
}

#ifdef PT_TARGET_BUILD
/* This hart, every address space, global entries included; other harts need an SBI call. */
static inline void arch_flush_address(uint64_t vaddr)
{
	__asm__ volatile("sfence.vma %0, zero" : : "r"(vaddr) : "memory");
}

static inline void arch_flush_all(void)
{
	__asm__ volatile("sfence.vma zero, zero" : : : "memory");
}
#endif

#endif
