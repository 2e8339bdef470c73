/* SPDX-License-Identifier: MIT */
#include "entry.h"

/*
 * A new output address, memory type, cacheability or shareability, or a non-global
 * entry that becomes global.
 */
bool wp_entry_must_break(const struct wp_regime *regime, uint64_t before, uint64_t after)
{
	const uint64_t fixed = wp_entry_bits(47, 12) | wp_entry_bits(9, 8) | wp_entry_bits(4, 2),
		       ng = wp_entry_bits(11, 11);

	if (regime->arch != WP_AARCH64)
		return false;
	return ((before ^ after) & fixed) != 0 ||
	       (!regime->one_privilege && (before & ~after & ng) != 0);
}

/* One value can't be a page and a block on AArch64: above the last level it leads nowhere. */
struct wp_poison wp_entry_poison(const struct wp_regime *regime)
{
	static const struct wp_poison poisons[] = {
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
	_Static_assert(sizeof poisons / sizeof poisons[0] == WP_ARCHS,
	               "Which leaf, at any level, leads to the tell-tale on the new one?");

	struct wp_poison poison = poisons[regime->arch];

	if (regime->arch == WP_RISCV64 && regime->stage_2)
		poison.entry |= 1 << 4; /* U: the G-stage takes every access for a user's */
	return poison;
}
