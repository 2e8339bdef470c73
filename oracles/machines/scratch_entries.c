/* SPDX-License-Identifier: MIT */
/*
 * Entries for tables built by hand, from the manuals: a table that takes no right
 * away, and a leaf that has just the rights of its flags.
 */
#include "scratch.h"

#define BIT(number) ((uint64_t)1 << (number))

/* SDM vol. 3, 4.5.4: P, R/W, U/S, A, D, PS, XD. */
static uint64_t x86_64_table(uint64_t pa)
{
	return pa | BIT(0) | BIT(1) | BIT(2) | BIT(5);
}

static uint64_t x86_64_leaf(const struct wp_regime *regime, unsigned level, uint64_t pa,
                            pt_flags flags)
{
	uint64_t entry = pa | BIT(0) | BIT(5) | BIT(6);

	if (level + 1 != regime->levels)
		entry |= BIT(7);
	if (flags & PT_WRITE)
		entry |= BIT(1);
	if (flags & PT_USER)
		entry |= BIT(2);
	if (!(flags & PT_EXECUTE))
		entry |= BIT(63);
	return entry;
}

/* Arm ARM D8.3: valid, table or page, AttrIndx 1, AP, inner shareable, AF, PXN, UXN. */
static uint64_t aarch64_table(uint64_t pa)
{
	return pa | BIT(0) | BIT(1);
}

/* EXECUTE is for the page's own privilege; the other one never executes there. */
static uint64_t aarch64_leaf(const struct wp_regime *regime, unsigned level, uint64_t pa,
                             pt_flags flags)
{
	const uint64_t pxn = BIT(53), uxn = BIT(54);
	const bool user = (flags & PT_USER) != 0, execute = (flags & PT_EXECUTE) != 0;
	uint64_t entry = pa | BIT(0) | BIT(2) | BIT(8) | BIT(9) | BIT(10);

	if (level + 1 == regime->levels)
		entry |= BIT(1);
	if (!(flags & PT_WRITE))
		entry |= BIT(7);
	if (regime->one_privilege) /* AP[1] is RES1 there, and UXN is XN */
		return entry | BIT(6) | (execute ? 0 : uxn);
	if (user)
		entry |= BIT(6);
	if (!user || !execute)
		entry |= uxn;
	if (user || !execute)
		entry |= pxn;
	return entry;
}

/* Privileged ISA, "Sv39": V, R, W, X, U, A, D. */
static uint64_t riscv64_table(uint64_t pa)
{
	return pa >> 2 | BIT(0);
}

static uint64_t riscv64_leaf(const struct wp_regime *regime, unsigned level, uint64_t pa,
                             pt_flags flags)
{
	uint64_t entry = pa >> 2 | BIT(0) | BIT(6) | BIT(7);

	(void)level; /* leaves are alike at every level */
	if (flags & PT_READ)
		entry |= BIT(1);
	if (flags & PT_WRITE)
		entry |= BIT(2);
	if (flags & PT_EXECUTE)
		entry |= BIT(3);
	if ((flags & PT_USER) || regime->stage_2) /* "Two-Stage Address Translation" */
		entry |= BIT(4);
	return entry;
}

/* LA 5.4.5: V, D, PLV, MAT = CC, H at directories, NR, NX. A directory has no flags. */
static uint64_t loongarch64_table(uint64_t pa)
{
	return pa;
}

static uint64_t loongarch64_leaf(const struct wp_regime *regime, unsigned level, uint64_t pa,
                                 pt_flags flags)
{
	uint64_t entry = pa | BIT(0) | BIT(4);

	if (level + 1 != regime->levels)
		entry |= BIT(6);
	if (flags & PT_WRITE)
		entry |= BIT(1);
	if (flags & PT_USER)
		entry |= BIT(2) | BIT(3);
	if (!(flags & PT_READ))
		entry |= BIT(61);
	if (!(flags & PT_EXECUTE))
		entry |= BIT(62);
	return entry;
}

/* SDM vol. 3C, 28.3.2: R, W, X, memory type 5:3 (6: write-back), bit 7 over the last level. */
static uint64_t x86_ept_table(uint64_t pa)
{
	return pa | BIT(0) | BIT(1) | BIT(2);
}

static uint64_t x86_ept_leaf(const struct wp_regime *regime, unsigned level, uint64_t pa,
                             pt_flags flags)
{
	uint64_t entry = pa | BIT(4) | BIT(5);

	if (level + 1 != regime->levels)
		entry |= BIT(7);
	if (flags & PT_READ)
		entry |= BIT(0);
	if (flags & PT_WRITE)
		entry |= BIT(1);
	if (flags & PT_EXECUTE)
		entry |= BIT(2);
	return entry;
}

static const struct {
	uint64_t (*table)(uint64_t pa);
	uint64_t (*leaf)(const struct wp_regime *regime, unsigned level, uint64_t pa,
	                 pt_flags flags);
} encodings[] = {
	[WP_X86_64] = {x86_64_table, x86_64_leaf},
	[WP_AARCH64] = {aarch64_table, aarch64_leaf},
	[WP_RISCV64] = {riscv64_table, riscv64_leaf},
	[WP_LOONGARCH64] = {loongarch64_table, loongarch64_leaf},
	[WP_X86_EPT] = {x86_ept_table, x86_ept_leaf},
};
_Static_assert(sizeof encodings / sizeof encodings[0] == WP_ARCHS,
               "What is a table, and a leaf, of the new one?");

uint64_t wp_scratch_table_entry(const struct wp_scratch *scratch, uint64_t pa)
{
	return encodings[scratch->regime->arch].table(pa);
}

uint64_t wp_scratch_leaf_entry(const struct wp_scratch *scratch, unsigned level, uint64_t pa,
                               pt_flags flags)
{
	return encodings[scratch->regime->arch].leaf(scratch->regime, level, pa, flags);
}
