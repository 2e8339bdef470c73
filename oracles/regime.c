/* SPDX-License-Identifier: MIT */
#include "regime.h"

#include <string.h>

/* Leaf sizes; pages of 4 KiB, and 512 entries in each table. */
#define OF_4K      12, 9, 9, false
#define UP_TO_1G   (PT_4K | PT_2M | PT_1G), OF_4K
#define UP_TO_512G (PT_4K | PT_2M | PT_1G | PT_512G), OF_4K
#define OF_64K     (PT_64K | PT_512M), 16, 13, 6, false
#define UP_TO_256T (PT_4K | PT_2M | PT_1G | PT_512G | PT_256T), OF_4K

const struct wp_regime wp_regimes[] = {
	{"x86_64", WP_X86_64, 4, 48, 52, PT_WHOLE, false, 0, UP_TO_1G},
	{"x86_64_la57", WP_X86_64, 5, 57, 52, PT_WHOLE, false, 0, UP_TO_1G},
	{"aarch64_low", WP_AARCH64, 4, 48, 48, PT_LOW, false, 0, UP_TO_1G},
	{"aarch64_high", WP_AARCH64, 4, 48, 48, PT_HIGH, false, 0, UP_TO_1G},
	{"aarch64_el2", WP_AARCH64, 4, 48, 48, PT_LOW, true, 0, UP_TO_1G},
	{"riscv64_sv39", WP_RISCV64, 3, 39, 56, PT_WHOLE, false, WP_ATTR_SOFTWARE, UP_TO_1G},
	{"riscv64_sv39_svpbmt", WP_RISCV64, 3, 39, 56, PT_WHOLE, false, WP_ATTR_SVPBMT, UP_TO_1G},
	{"riscv64_sv39_xuantie", WP_RISCV64, 3, 39, 56, PT_WHOLE, false, WP_ATTR_XUANTIE, UP_TO_1G},
	{"riscv64_sv48", WP_RISCV64, 4, 48, 56, PT_WHOLE, false, WP_ATTR_SOFTWARE, UP_TO_512G},
	{"riscv64_sv48_svpbmt", WP_RISCV64, 4, 48, 56, PT_WHOLE, false, WP_ATTR_SVPBMT, UP_TO_512G},
	{"riscv64_sv48_xuantie", WP_RISCV64, 4, 48, 56, PT_WHOLE, false, WP_ATTR_XUANTIE,
         UP_TO_512G},
	{"riscv64_sv57", WP_RISCV64, 5, 57, 56, PT_WHOLE, false, WP_ATTR_SOFTWARE, UP_TO_256T},
	{"riscv64_sv57_svpbmt", WP_RISCV64, 5, 57, 56, PT_WHOLE, false, WP_ATTR_SVPBMT, UP_TO_256T},
	{"riscv64_sv57_xuantie", WP_RISCV64, 5, 57, 56, PT_WHOLE, false, WP_ATTR_XUANTIE,
         UP_TO_256T},
	/* VALEN 48: PGDL and PGDH serve 47 bits each, sign-extended from bit 47. */
	{"loongarch64_low", WP_LOONGARCH64, 4, 48, 48, PT_LOW, false, 0, UP_TO_1G},
	{"loongarch64_high", WP_LOONGARCH64, 4, 48, 48, PT_HIGH, false, 0, UP_TO_1G},
	/* below: not in the first corpora; see wp_scope_regime() */
	{"x86_ept", WP_X86_EPT, 4, 48, 52, PT_LOW, true, 0, PT_4K | PT_2M | PT_1G, 12, 9, 9, true},
	/* hgatp.MODE = 8: a root of 2048 entries, addresses zero-extended from 41 bits. */
	{"riscv64_sv39x4", WP_RISCV64, 3, 41, 56, PT_LOW, true, WP_ATTR_SOFTWARE,
         PT_4K | PT_2M | PT_1G, 12, 9, 11, true},
	/* TCR_EL1.TG0 = 1, TG1 = 3, TxSZ = 16: from level 1, of 64 entries, on. */
	{"aarch64_64k_low", WP_AARCH64, 3, 48, 48, PT_LOW, false, 0, OF_64K},
	{"aarch64_64k_high", WP_AARCH64, 3, 48, 48, PT_HIGH, false, 0, OF_64K},
};
const size_t wp_regime_count = sizeof wp_regimes / sizeof wp_regimes[0];
_Static_assert(sizeof wp_regimes / sizeof wp_regimes[0] <= WP_REGIMES_MAX, "too many regimes");

const struct wp_regime *wp_regime_find(const char *name)
{
	for (size_t i = 0; i < wp_regime_count; i++) {
		if (strcmp(wp_regimes[i].name, name) == 0)
			return &wp_regimes[i];
	}
	return NULL;
}

const char *wp_arch_name(enum wp_arch arch)
{
	static const char *const names[] = {
		[WP_X86_64] = "x86_64",   [WP_AARCH64] = "aarch64",
		[WP_RISCV64] = "riscv64", [WP_LOONGARCH64] = "loongarch64",
		[WP_X86_EPT] = "x86_ept",
	};
	_Static_assert(sizeof names / sizeof names[0] == WP_ARCHS, "What is the new one called?");
	return names[arch];
}

/*
 * The width of one range: two ranges share a root on x86_64 and RISC-V, and two
 * roots share the width on LoongArch; each AArch64 half has all of it, and so has the
 * one range of a guest's physical addresses.
 */
static unsigned range_bits(const struct wp_regime *regime)
{
	const bool whole = regime->arch == WP_AARCH64 || regime->stage_2;

	return whole ? regime->va_bits : regime->va_bits - 1u;
}

size_t wp_regime_ranges(const struct wp_regime *regime, uint64_t first[2], uint64_t last[2])
{
	const uint64_t length = (uint64_t)1 << range_bits(regime);
	size_t count = 0;

	if (regime->half != PT_HIGH) {
		first[count] = 0;
		last[count++] = length - 1;
	}
	if (regime->half != PT_LOW) {
		first[count] = 0 - length;
		last[count++] = UINT64_MAX;
	}
	return count;
}

bool wp_regime_canonical(const struct wp_regime *regime, uint64_t va)
{
	const uint64_t above = va >> range_bits(regime);

	if (above == 0)
		return regime->half != PT_HIGH;
	return above == UINT64_MAX >> range_bits(regime) && regime->half != PT_LOW;
}

uint64_t wp_regime_extend(const struct wp_regime *regime, uint64_t va)
{
	const bool high = regime->half == PT_HIGH ||
	                  (regime->half == PT_WHOLE && (va >> (regime->va_bits - 1) & 1) != 0);

	return high ? va | UINT64_MAX << regime->va_bits : va;
}
