/* SPDX-License-Identifier: MIT */
/*
 * The form that a backend fills in; the library is compiled once for each, so that every
 * answer is a constant. README.md walks through it, template.h is one with blanks;
 * `scripts/check-backend HEADER` tells what a header has wrong.
 *
 * Before it includes this file, a backend ticks what holds, and is given the functions
 * named; what it doesn't tick it writes itself:
 *
 *   ARCH_VALID_BITS            the CPU translates through a leaf in which one of these bits
 *                              is set, and through no other: arch_is_valid
 *   ARCH_RIGHTS_OF_LEAF_ALONE  tables take no rights away: arch_rights_below,
 *                              arch_rights_are_whole
 *   ARCH_NEVER_BREAKS          no leaf need be invalid before it becomes another of its
 *                              size: arch_must_break
 *   ARCH_LINKS_ARE_ADDRESSES   a bare address faults at every level: arch_link,
 *                              arch_link_paddr
 *   ARCH_STORES_REACH_WALKER   in order, without an instruction; or every change is flushed
 *                              anyway (ARCH_CACHES_INVALID): arch_publish
 *
 * Then it defines
 *
 *   arch_levels[]              shift, index bits and whether a leaf exists, from the root;
 *                              at least 8 entries a table, at most PT_ROOT_SLOTS_MAX in
 *                              the root; from the first level with leaves on, all have
 *   ARCH_RANGE_BITS            bits of one canonical range of addresses
 *   ARCH_PADDR_BITS
 *   ARCH_HALVES                1 << PT_WHOLE: a root serves two ranges, from 0 up and from the
 *                              end down; 1 << PT_LOW, 1 << PT_HIGH: one, the other, or each a
 *                              root; addresses that are not sign-extended are PT_LOW alone.
 *                              These three cost flushes where they needn't be true, no more:
 *   ARCH_CACHES_INVALID        the CPU may remember that an entry was invalid
 *   ARCH_FLUSHES_ALL_FOR_TABLE a flush by address doesn't reach table entries
 *   ARCH_FLUSHES_ALL_FOR_HUGE  a new huge leaf may meet smaller remembered entries
 *   ARCH_BREAKS_TO_RESIZE      a leaf that changes size must be invalid in between, and
 *                              a pending flush must come before a new leaf; wherever
 *                              arch_must_break() can be true, and nowhere else but where the
 *                              manual demands it: all of the leaf faults meanwhile
 *   ARCH_HAS_HOLE_FRAME        empty directory slots lead to a frame of their own
 *   arch_expresses(flags)      DEVICE with UNCACHED and unknown bits are ruled out before
 *   arch_leaf_bits(flags, level), arch_leaf(paddr, bits), arch_table(paddr)
 *   arch_is_table, arch_is_leaf; what is neither, nor empty, is malformed
 *   arch_table_paddr, arch_leaf_paddr
 *   arch_leaf_flags            of memory types that no flag names, cacheable ones are normal,
 *                              device ones DEVICE
 *   arch_is_valid(leaf)        the CPU may translate through it
 *   arch_rights_below(rights, table)  rights that a table entry leaves
 *   arch_rights_are_whole(rights)     nothing was taken away
 *   ARCH_USES                  PT_ACCESSED, PT_DIRTY: what the CPU records in leaves by itself;
 *                              leaves are made without, on RISC-V with both (see pt.h, L8)
 *   ARCH_ACCESSED, ARCH_DIRTY  where it does; 0: it doesn't. A no-access leaf has them too
 *   arch_must_break(before, after)    break-before-make for leaves of one size
 *   arch_link, arch_link_paddr an entry that faults at every level and holds an address
 *   ARCH_CONFIGURATION         what to load beside the root, up to two words with a comma
 *                              (see struct pt_backend); no check reads them
 *   ARCH_LEAF_SIZES            the OR of all leaf sizes; ARCH_GRANULE_SHIFT
 *   ARCH_FIXED_FRAMES          of a table without a mapping; a frame is a granule
 *   arch_flush_address, arch_flush_all, arch_publish (stores to tables reach the
 *                              CPU's walker)   with PT_TARGET_BUILD only; where there is no
 *                              flush by address, the first is the second
 */
#ifndef PT_FORM_H
#define PT_FORM_H

#include <walkproof/pt.h>

#ifndef ARCH_ENTRY /* an unsigned type of the entry's size, where that isn't 8 bytes */
#define ARCH_ENTRY uint64_t
#endif
/* Aligned as in a table, where a compiler asks less (i386): else it can't load it in one piece. */
typedef ARCH_ENTRY arch_entry __attribute__((aligned(sizeof(ARCH_ENTRY))));
typedef uint64_t arch_rights; /* all ones: nothing taken away yet */

struct arch_level {
	uint8_t shift; /* lowest address bit that this level resolves */
	uint8_t bits;  /* of index */
	bool leaf;     /* a leaf can be here */
};

enum {
	ARCH_LEVELS = PT_LEVELS,
	ARCH_LAST_LEVEL = PT_LEVELS - 1,
};

/* What one entry of `level` maps, in bytes. */
static inline uint64_t arch_span(unsigned level);

#ifdef ARCH_VALID_BITS
static inline bool arch_is_valid(arch_entry leaf)
{
	return (leaf & (ARCH_VALID_BITS)) != 0;
}
#endif

#ifdef ARCH_RIGHTS_OF_LEAF_ALONE
static inline arch_rights arch_rights_below(arch_rights rights, arch_entry table)
{
	(void)table;
	return rights;
}

static inline bool arch_rights_are_whole(arch_rights rights)
{
	(void)rights;
	return true;
}
#endif

#ifdef ARCH_NEVER_BREAKS
static inline bool arch_must_break(arch_entry before, arch_entry after)
{
	(void)before;
	(void)after;
	return false;
}
#endif

#ifdef ARCH_LINKS_ARE_ADDRESSES
static inline arch_entry arch_link(uint64_t paddr)
{
	return (arch_entry)paddr;
}

static inline uint64_t arch_link_paddr(arch_entry entry)
{
	return entry;
}
#endif

#if defined(PT_TARGET_BUILD) && defined(ARCH_STORES_REACH_WALKER)
static inline void arch_publish(void)
{
}
#endif

#endif
