/* SPDX-License-Identifier: MIT */
/*
 * What differs between the AArch64 regimes: the granule, and the exception level. With
 * PT_GRANULE_64K pages of 64 KiB, with PT_AARCH64_EL2 the one-privilege regime of EL2.
 */
#ifndef PT_AARCH64_REGIMES_H
#define PT_AARCH64_REGIMES_H

/* D8 "Translation granules"; TG0 and TG1 are encoded differently. */
#ifdef PT_GRANULE_64K
static const struct arch_level arch_levels[] = {{42, 6, false}, {29, 13, true}, {16, 13, true}};
#define ARCH_LEAF_SIZES (PT_64K | PT_512M)
#define A64_TG0         1u
#define A64_TG1         3u
#else
static const struct arch_level arch_levels[] = {
	{39, 9, false},
	{30, 9, true},
	{21, 9, true},
	{12, 9, true},
};
#define ARCH_LEAF_SIZES (PT_4K | PT_2M | PT_1G)
#define A64_TG0         0u
#define A64_TG1         2u
#endif

/*
 * MAIR_ELx: 0 Device-nGnRE, 1 Normal write-back, 2 Normal non-cacheable.
 * TCR_EL1: T0SZ = T1SZ = 16, walks inner-shareable write-back, TG0 and TG1, IPS = 48
 * bits; TCR_EL2: T0SZ, TG0, PS and the RES1 bits 31 and 23.
 */
#define A64_HALF_FIELDS (16u | 0x3500u)
#ifdef PT_AARCH64_EL2
#define ARCH_CONFIGURATION                                                                         \
	0x44ff04, A64_HALF_FIELDS | A64_TG0 << 14 | 5u << 16 | 1u << 23 | 1u << 31
#else
#define ARCH_CONFIGURATION                                                                         \
	0x44ff04, A64_HALF_FIELDS | A64_TG0 << 14 | (uint64_t)A64_HALF_FIELDS << 16 |              \
			  (uint64_t)A64_TG1 << 30 | 5ull << 32
#endif

enum {
#ifdef PT_GRANULE_64K
	ARCH_GRANULE_SHIFT = 16,
#else
	ARCH_GRANULE_SHIFT = 12,
#endif
#ifdef PT_AARCH64_EL2
	ARCH_HALVES = 1 << PT_LOW,
	A64_ONE_PRIVILEGE = true,
#else
	ARCH_HALVES = 1 << PT_LOW | 1 << PT_HIGH,
	A64_ONE_PRIVILEGE = false,
#endif
};

#endif
