/* SPDX-License-Identifier: MIT */
/*
 * What one entry means to a CPU, as far as a history of stores needs it: where it
 * leads. Written from the manuals that machines/paper.h names; the walks there say
 * the rest.
 */
#ifndef WP_ENTRY_H
#define WP_ENTRY_H

#include "memory.h"
#include "regime.h"

enum wp_entry_kind {
	WP_ENTRY_INVALID, /* or it may be, as far as is looked at here */
	WP_ENTRY_TABLE,
	WP_ENTRY_LEAF,
};

/* Bits high:low, as manuals write them. */
static inline uint64_t wp_entry_bits(unsigned high, unsigned low)
{
	return UINT64_MAX >> (63 - high) & UINT64_MAX << low;
}

/* SDM 4.5.4: P; PS in an entry that isn't of the lowest level. */
static inline enum wp_entry_kind wp_read_x86_64(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & wp_entry_bits(51, 12);
	if ((entry & 1) == 0)
		return WP_ENTRY_INVALID;
	return last || (entry >> 7 & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

/*
 * D8 "VMSAv8-64 descriptor formats": a page or a table is 0b11, a block 0b01, which the
 * first of four levels, and of the three of the 64 KiB granule, don't have.
 */
static inline enum wp_entry_kind wp_read_aarch64(const struct wp_regime *regime, unsigned level,
                                                 bool last, uint64_t entry, uint64_t *to)
{
	const bool both = (entry & 3) == 3;

	*to = entry & wp_entry_bits(47, regime->granule_shift);
	if ((entry & 1) == 0 || (!both && (last || level == 0)))
		return WP_ENTRY_INVALID;
	return both == last ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

/* RV "Sv39": V; a pointer has none of R, W, X. */
static inline enum wp_entry_kind wp_read_riscv64(bool last, uint64_t entry, uint64_t *to)
{
	*to = (entry & wp_entry_bits(53, 10)) << 2;
	if ((entry & 1) == 0)
		return WP_ENTRY_INVALID;
	if ((entry & 0xe) != 0)
		return WP_ENTRY_LEAF;
	return last ? WP_ENTRY_INVALID : WP_ENTRY_TABLE;
}

/* LA 5.4.5: V; H in a directory, which has nothing to say that it isn't valid. */
static inline enum wp_entry_kind wp_read_loongarch64(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & wp_entry_bits(47, 12);
	if (!last && (entry >> 6 & 1) == 0)
		return WP_ENTRY_TABLE;
	return (entry & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_INVALID;
}

/* SDM 28.3.2: present if any of R, W, X is set; bit 7 in an entry not of the lowest level. */
static inline enum wp_entry_kind wp_read_x86_ept(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & wp_entry_bits(51, 12);
	if ((entry & wp_entry_bits(2, 0)) == 0)
		return WP_ENTRY_INVALID;
	return last || (entry >> 7 & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

/* `to`: the physical address of the table or of the page. `level` 0 is the root's. */
static inline enum wp_entry_kind wp_entry_read(const struct wp_regime *regime, unsigned level,
                                               uint64_t entry, uint64_t *to)
{
	const bool last = level + 1u >= regime->levels;

	switch (regime->arch) {
	case WP_X86_64:
		return wp_read_x86_64(last, entry, to);
	case WP_AARCH64:
		return wp_read_aarch64(regime, level, last, entry, to);
	case WP_RISCV64:
		return wp_read_riscv64(last, entry, to);
	case WP_X86_EPT:
		return wp_read_x86_ept(last, entry, to);
	case WP_LOONGARCH64:
		return wp_read_loongarch64(last, entry, to);
	case WP_ARCHS:
		break;
	}
	*to = 0;
	return WP_ENTRY_INVALID;
}

/* The bits that a CPU writes by itself: accessed and dirty. */
static inline uint64_t wp_entry_written_by_cpu(const struct wp_regime *regime)
{
	if (regime->arch == WP_X86_64) /* SDM 4.8 */
		return wp_entry_bits(6, 5);
	if (regime->arch == WP_X86_EPT) /* SDM 28.3.5 */
		return wp_entry_bits(9, 8);
	if (regime->arch == WP_RISCV64) /* RV "Sv39", A and D */
		return wp_entry_bits(7, 6);
	return 0;
}

/*
 * Whether replacing a valid leaf by another of the same size needs an invalid entry
 * and a flush in between: Arm ARM D8 "Using break-before-make when updating
 * translation table entries". Other architectures don't ask for it.
 */
bool wp_entry_must_break(const struct wp_regime *regime, uint64_t before, uint64_t after);

/* A leaf at every level where the architecture lets one value be that; see memory.h. */
struct wp_poison wp_entry_poison(const struct wp_regime *regime);

#endif
