/* SPDX-License-Identifier: MIT */
#include "entry.h"

/* Bits high:low, as manuals write them. */
static uint64_t bits(unsigned high, unsigned low)
{
	return UINT64_MAX >> (63 - high) & UINT64_MAX << low;
}

/* SDM 4.5.4: P; PS in an entry that isn't of the lowest level. */
static enum wp_entry_kind read_x86_64(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & bits(51, 12);
	if ((entry & 1) == 0)
		return WP_ENTRY_INVALID;
	return last || (entry >> 7 & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

/* D8 "VMSAv8-64 descriptor formats": a page or a table is 0b11, a block 0b01. */
static enum wp_entry_kind read_aarch64(unsigned level, bool last, uint64_t entry, uint64_t *to)
{
	const bool both = (entry & 3) == 3;

	*to = entry & bits(47, 12);
	if ((entry & 1) == 0 || (!both && (last || level == 0)))
		return WP_ENTRY_INVALID;
	return both == last ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

/* RV "Sv39": V; a pointer has none of R, W, X. */
static enum wp_entry_kind read_riscv64(bool last, uint64_t entry, uint64_t *to)
{
	*to = (entry & bits(53, 10)) << 2;
	if ((entry & 1) == 0)
		return WP_ENTRY_INVALID;
	if ((entry & 0xe) != 0)
		return WP_ENTRY_LEAF;
	return last ? WP_ENTRY_INVALID : WP_ENTRY_TABLE;
}

/* LA 5.4.5: V; H in a directory, which has nothing to say that it isn't valid. */
static enum wp_entry_kind read_loongarch64(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & bits(47, 12);
	if (!last && (entry >> 6 & 1) == 0)
		return WP_ENTRY_TABLE;
	return (entry & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_INVALID;
}

/* SDM 28.3.2: present if any of R, W, X is set; bit 7 in an entry not of the lowest level. */
static enum wp_entry_kind read_x86_ept(bool last, uint64_t entry, uint64_t *to)
{
	*to = entry & bits(51, 12);
	if ((entry & bits(2, 0)) == 0)
		return WP_ENTRY_INVALID;
	return last || (entry >> 7 & 1) != 0 ? WP_ENTRY_LEAF : WP_ENTRY_TABLE;
}

enum wp_entry_kind wp_entry_read(const struct wp_regime *regime, unsigned level, uint64_t entry,
                                 uint64_t *to)
{
	const bool last = level + 1u >= regime->levels;

	switch (regime->arch) {
	case WP_X86_64:
		return read_x86_64(last, entry, to);
	case WP_AARCH64:
		return read_aarch64(level, last, entry, to);
	case WP_RISCV64:
		return read_riscv64(last, entry, to);
	case WP_X86_EPT:
		return read_x86_ept(last, entry, to);
	default:
		return read_loongarch64(last, entry, to);
	}
}

uint64_t wp_entry_written_by_cpu(const struct wp_regime *regime)
{
	if (regime->arch == WP_X86_64) /* SDM 4.8 */
		return bits(6, 5);
	if (regime->arch == WP_X86_EPT) /* SDM 28.3.5 */
		return bits(9, 8);
	if (regime->arch == WP_RISCV64) /* RV "Sv39", A and D */
		return bits(7, 6);
	return 0;
}

/*
 * A new output address, memory type, cacheability or shareability, or a non-global
 * entry that becomes global.
 */
bool wp_entry_must_break(const struct wp_regime *regime, uint64_t before, uint64_t after)
{
	const uint64_t fixed = bits(47, 12) | bits(9, 8) | bits(4, 2), ng = bits(11, 11);

	if (regime->arch != WP_AARCH64)
		return false;
	return ((before ^ after) & fixed) != 0 ||
	       (!regime->one_privilege && (before & ~after & ng) != 0);
}

/* One value can't be a page and a block on AArch64: above the last level it leads nowhere. */
struct wp_poison wp_entry_poison(const struct wp_regime *regime)
{
	static const struct wp_poison poisons[WP_ARCHS] = {
		/* P, R/W, U/S, PS (in the last level PAT, which changes nothing here) */
		[WP_X86_64] = {WP_TELLTALE | 0x87, WP_TELLTALE_SHIFT},
		/* a page: AF, Normal memory */
		[WP_AARCH64] = {WP_TELLTALE | 1 << 10 | 1 << 2 | 3, WP_TELLTALE_SHIFT},
		/* V, R, W, X, A, D */
		[WP_RISCV64] = {WP_TELLTALE >> 2 | 0xcf, WP_TELLTALE_SHIFT - 2},
		/* V, D, coherent cached, H (in the last level G) */
		[WP_LOONGARCH64] = {WP_TELLTALE | 1 << 6 | 1 << 4 | 3, WP_TELLTALE_SHIFT},
		/* R, W, X, write-back, bit 7 (ignored in the last level) */
		[WP_X86_EPT] = {WP_TELLTALE | 1 << 7 | 6 << 3 | 7, WP_TELLTALE_SHIFT},
	};

	return poisons[regime->arch];
}
