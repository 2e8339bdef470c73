/* SPDX-License-Identifier: MIT */
/*
 * A backend with blanks: copy it to arch/NAME.h, and put NEW_ and new_ into the terms of
 * your manual. Each assertion stops the compiler with a question; answer it in the
 * lines below, with the section of the manual beside what isn't obvious, and take it out.
 * What stands there now is an example that compiles, and the answer of no real CPU. With
 * the last question FILLED_IN goes.
 */
#ifndef PT_ARCH_H
#define PT_ARCH_H

#ifdef PT_TEMPLATE_FILLED_IN /* a test compiles it so */
enum { FILLED_IN = 1 };
#else
enum { FILLED_IN = 0 };
#endif

_Static_assert(FILLED_IN, "Which of these hold? form.h says what each is; take out what doesn't.");
#define ARCH_VALID_BITS (1ull << 0)
#define ARCH_RIGHTS_OF_LEAF_ALONE
#define ARCH_NEVER_BREAKS
#define ARCH_LINKS_ARE_ADDRESSES
#define ARCH_STORES_REACH_WALKER
#include "form.h"

_Static_assert(FILLED_IN, "Which address bits does each level resolve, and where can a leaf be?");
static const struct arch_level arch_levels[] = {
	{39, 9, false},
	{30, 9, true},
	{21, 9, true},
	{12, 9, true},
};

_Static_assert(FILLED_IN, "Which leaf sizes are there, and what is loaded beside the root?");
#define ARCH_LEAF_SIZES    (PT_4K | PT_2M | PT_1G)
#define ARCH_CONFIGURATION 0

_Static_assert(FILLED_IN,
               "How wide are addresses? 47, PT_WHOLE: two ranges, sign-extended; 48, PT_LOW: one.");
enum {
	ARCH_GRANULE_SHIFT = 12,
	ARCH_RANGE_BITS = 47,
	ARCH_PADDR_BITS = 52,
	ARCH_HALVES = 1 << PT_WHOLE,
};

_Static_assert(FILLED_IN, "What does the TLB remember, and what does a flush by address reach?");
enum {
	ARCH_CACHES_INVALID = true,
	ARCH_FLUSHES_ALL_FOR_TABLE = true,
	ARCH_FLUSHES_ALL_FOR_HUGE = true,
	ARCH_BREAKS_TO_RESIZE = true, /* the others are safe to be true, this one isn't */
};

_Static_assert(FILLED_IN,
               "Does an entry of zeros fault at every level? If not, see loongarch64.h.");
enum {
	ARCH_HAS_HOLE_FRAME = false,
	ARCH_FIXED_FRAMES = 1, /* the root's, and the hole's */
};

_Static_assert(FILLED_IN, "Does the CPU itself set accessed and dirty bits in leaves? Which?");
enum { ARCH_USES = 0 };
static const arch_entry ARCH_ACCESSED = 0;
static const arch_entry ARCH_DIRTY = 0;

_Static_assert(FILLED_IN, "Which bit says what in an entry?");
static const arch_entry NEW_VALID = 1ull << 0;
static const arch_entry NEW_LEAF = 1ull << 1;
static const arch_entry NEW_READ = 1ull << 2;
static const arch_entry NEW_WRITE = 1ull << 3;
static const arch_entry NEW_EXECUTE = 1ull << 4;
static const arch_entry NEW_USER = 1ull << 5;
static const arch_entry NEW_DEVICE = 1ull << 6;
static const arch_entry NEW_UNCACHED = 1ull << 7;
static const arch_entry NEW_NO_ACCESS = 1ull << 8; /* software: not valid, a no-access leaf */
static const arch_entry NEW_ADDRESS = 0x000ffffffffff000;

_Static_assert(FILLED_IN,
               "Which READ, WRITE, EXECUTE and USER can no entry say? They are refused.");
static inline bool arch_expresses(pt_flags flags)
{
	return (flags & PT_READ) || !(flags & PT_WRITE);
}

_Static_assert(
	FILLED_IN,
	"Which bits has a leaf of these flags? Without R, W, X it faults, and keeps the rest.");
static inline arch_entry arch_leaf_bits(pt_flags flags, unsigned level)
{
	arch_entry bits = NEW_LEAF;

	(void)level;
	if (flags & PT_DEVICE)
		bits |= NEW_DEVICE;
	if (flags & PT_UNCACHED)
		bits |= NEW_UNCACHED;
	if (flags & PT_USER)
		bits |= NEW_USER;
	if (!(flags & (PT_READ | PT_WRITE | PT_EXECUTE)))
		return bits | NEW_NO_ACCESS;
	if (flags & PT_READ)
		bits |= NEW_READ;
	if (flags & PT_WRITE)
		bits |= NEW_WRITE;
	if (flags & PT_EXECUTE)
		bits |= NEW_EXECUTE;
	return bits | NEW_VALID;
}

_Static_assert(
	FILLED_IN,
	"Where is the address? A CPU may speculate through one that isn't valid: see x86_64.h.");
static inline arch_entry arch_leaf(uint64_t paddr, arch_entry bits)
{
	return paddr | bits;
}

static inline uint64_t arch_leaf_paddr(arch_entry entry, unsigned level)
{
	(void)level;
	return entry & NEW_ADDRESS;
}

_Static_assert(FILLED_IN,
               "What leads to a table? Bits that the CPU holds reserved there must be clear.");
static inline arch_entry arch_table(uint64_t paddr)
{
	return paddr | NEW_VALID;
}

static inline bool arch_is_table(arch_entry entry, unsigned level)
{
	return level < ARCH_LAST_LEVEL && (entry & ~NEW_ADDRESS) == NEW_VALID;
}

static inline uint64_t arch_table_paddr(arch_entry entry)
{
	return entry & NEW_ADDRESS;
}

_Static_assert(
	FILLED_IN,
	"What is a leaf that the CPU translates through? Reserved bits, encodings, alignment.");
static inline bool new_is_legal(arch_entry entry)
{
	return (entry & NEW_READ) || !(entry & NEW_WRITE);
}

_Static_assert(FILLED_IN,
               "And what is a no-access leaf: exactly what arch_leaf_bits() makes, and no more?");
static inline bool new_is_no_access(arch_entry entry)
{
	const arch_entry varies = NEW_ADDRESS | NEW_USER | NEW_DEVICE | NEW_UNCACHED;

	return (entry & ~varies) == (NEW_LEAF | NEW_NO_ACCESS);
}

static inline bool arch_is_leaf(arch_entry entry, unsigned level)
{
	if (!arch_levels[level].leaf || !(entry & NEW_LEAF) ||
	    (arch_leaf_paddr(entry, level) & (arch_span(level) - 1)))
		return false;
	return arch_is_valid(entry) ? new_is_legal(entry) : new_is_no_access(entry);
}

_Static_assert(FILLED_IN, "What does the CPU allow? `rights` is what the tables on the way leave.");
static inline pt_flags arch_leaf_flags(arch_entry entry, unsigned level, arch_rights rights)
{
	pt_flags flags = 0;

	(void)level;
	(void)rights;
	if (entry & NEW_DEVICE)
		flags |= PT_DEVICE;
	else if (entry & NEW_UNCACHED)
		flags |= PT_UNCACHED;
	if (entry & NEW_USER)
		flags |= PT_USER;
	if (entry & NEW_READ)
		flags |= PT_READ;
	if (entry & NEW_WRITE)
		flags |= PT_WRITE;
	if (entry & NEW_EXECUTE)
		flags |= PT_EXECUTE;
	return flags;
}

#ifdef PT_TARGET_BUILD
_Static_assert(
	FILLED_IN,
	"Which instructions flush, how far do they reach, and what orders stores before them?");
static inline void arch_flush_address(uint64_t vaddr)
{
	__asm__ volatile("" : : "r"(vaddr) : "memory");
}

static inline void arch_flush_all(void)
{
	__asm__ volatile("" : : : "memory");
}
#endif

#endif
