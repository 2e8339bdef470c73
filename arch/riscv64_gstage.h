/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Sv39x4, the G-stage of a guest: its physical addresses of 41 bits, zero-extended,
 * to ours (Privileged ISA, "Hypervisor Extension", "Guest Physical Address Translation").
 * It is Sv39 but for a root of four frames, aligned to its size and indexed by 11 bits,
 * and for privileges: all accesses of a guest are checked as if they were a user's. So
 * every leaf has U set, and PT_USER, which would tell two kinds of access apart, is
 * PT_BAD_FLAGS. DEVICE and UNCACHED live in the software bits. The rest is as in riscv64.h.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#define ARCH_VALID_BITS (1ull << 0) /* V */
#define ARCH_RIGHTS_OF_LEAF_ALONE
#define ARCH_NEVER_BREAKS
#define ARCH_STORES_REACH_WALKER /* every mapping that is used is followed by a flush */
#include "form.h"

static const struct arch_level arch_levels[] = {{30, 11, true}, {21, 9, true}, {12, 9, true}};

#define ARCH_LEAF_SIZES    (PT_4K | PT_2M | PT_1G)
#define ARCH_CONFIGURATION 8ull << 60 /* hgatp.MODE */

enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_FIXED_FRAMES = 4,
	ARCH_RANGE_BITS = 41,
	ARCH_PADDR_BITS = 56,
	ARCH_HALVES = 1 << PT_LOW,
	ARCH_CACHES_INVALID = true, /* HFENCE.GVMA orders as SFENCE.VMA does, for the G-stage */
	ARCH_FLUSHES_ALL_FOR_TABLE = true,
	ARCH_FLUSHES_ALL_FOR_HUGE = false,
	ARCH_BREAKS_TO_RESIZE = false,
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_USES = PT_ACCESSED | PT_DIRTY,
};

static const arch_entry RV_VALID = 1ull << 0;
static const arch_entry RV_READ = 1ull << 1;
static const arch_entry RV_WRITE = 1ull << 2;
static const arch_entry RV_EXECUTE = 1ull << 3;
static const arch_entry RV_USER = 1ull << 4;
static const arch_entry RV_GLOBAL = 1ull << 5; /* clear, and ignored by the CPU */
static const arch_entry ARCH_ACCESSED = 1ull << 6;
static const arch_entry ARCH_DIRTY = 1ull << 7;
static const arch_entry RV_DEVICE = 1ull << 8; /* software bits */
static const arch_entry RV_UNCACHED = 2ull << 8;
static const arch_entry RV_SOFTWARE = 3ull << 8;
static const arch_entry RV_PPN = 0x003ffffffffffc00;
static const arch_entry RV_ABOVE_PPN = 0xffc0000000000000;
/* With V = 0, where every bit is free: W without R, as nothing with V = 1 has. */
static const arch_entry RV_NO_ACCESS = 1ull << 2;
static const arch_entry RV_RIGHTS = 7ull << 1;

static inline bool arch_expresses(pt_flags flags)
{
	return !(flags & PT_USER) && ((flags & PT_READ) || !(flags & PT_WRITE));
}

static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = RV_USER | ARCH_ACCESSED | ARCH_DIRTY; /* A, D: "Svade" */

	(void)level;
	if (flags & PT_DEVICE)
		bits |= RV_DEVICE;
	if (flags & PT_UNCACHED)
		bits |= RV_UNCACHED;
	if (!(flags & (PT_READ | PT_WRITE | PT_EXECUTE)))
		return bits | RV_NO_ACCESS;
	if (flags & PT_READ)
		bits |= RV_READ;
	if (flags & PT_WRITE)
		bits |= RV_WRITE;
	if (flags & PT_EXECUTE)
		bits |= RV_EXECUTE;
	return bits | RV_VALID;
}

static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return paddr >> 2 | bits;
}

static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr >> 2 | RV_VALID;
}

/* "Sv39": U, A, D and the bits above the PPN are reserved in a pointer. */
static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && (entry & ~(RV_PPN | RV_SOFTWARE | RV_GLOBAL)) == RV_VALID;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return (entry & RV_PPN) << 2;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	(void)level;
	return (entry & RV_PPN) << 2;
}

/* A leaf without U faults on every access. */
static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	const arch_entry varies = RV_PPN | RV_SOFTWARE | ARCH_ACCESSED | ARCH_DIRTY;

	if (arch_leaf_paddr(entry, level) & (arch_span(level) - 1))
		return false;
	if (!(entry & RV_VALID))
		return (entry & ~varies) == (RV_NO_ACCESS | RV_USER) &&
		       (entry & RV_SOFTWARE) != RV_SOFTWARE;
	if (!(entry & RV_USER) || (entry & RV_ABOVE_PPN))
		return false;
	return (entry & RV_RIGHTS) && (entry & (RV_READ | RV_WRITE)) != RV_WRITE;
}

static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	pt_flags flags = 0;

	(void)level;
	(void)rights;
	if ((entry & RV_SOFTWARE) == RV_DEVICE)
		flags |= PT_DEVICE;
	if ((entry & RV_SOFTWARE) == RV_UNCACHED)
		flags |= PT_UNCACHED;
	if (!(entry & RV_VALID))
		return flags;
	if (entry & RV_READ)
		flags |= PT_READ;
	if (entry & RV_WRITE)
		flags |= PT_WRITE;
	if (entry & RV_EXECUTE)
		flags |= PT_EXECUTE;
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
/* This hart, every VMID: HFENCE.GVMA takes a guest physical address shifted right by 2. */
static inline void arch_flush_address(uint64_t vaddr)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, x0" : : "r"(vaddr >> 2) : "memory");
}

static inline void arch_flush_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");
}
#endif

#endif
