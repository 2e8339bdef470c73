/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V walk: Sv39, Sv48, Sv57; and Sv39x4, the G-stage of a guest. SUM = 1, MXR = 0, Svadu with ADUE = 1 (A = 0
 * or D = 0 is no fault); no Svnapot, no Svrsw60t59b, no shadow stacks. Svpbmt, or
 * XuanTie's attributes in its place, where the regime has them.
 */
#include "paper.h"

/* RV "Sv39", the figure of the page-table entry. */
#define V             ((uint64_t)1 << 0)
#define R             ((uint64_t)1 << 1)
#define W             ((uint64_t)1 << 2)
#define X             ((uint64_t)1 << 3)
#define U             ((uint64_t)1 << 4)
#define G             ((uint64_t)1 << 5)
#define A             ((uint64_t)1 << 6)
#define D             ((uint64_t)1 << 7)
#define PBMT_SHIFT    61
#define PBMT_RESERVED 3u
/* XuanTie C9xx, sxstatus.MAEE = 1. */
#define BIT_C  62
#define BIT_SO 63

/* What each wp_riscv_attributes must have clear. */
static const struct {
	uint64_t leaf;
	uint64_t pointer;
} reserved[] = {
	/* RV "Sv39": 63 is Svnapot's, 62:61 Svpbmt's, 60:54 nobody's. */
	[WP_ATTR_SOFTWARE] = {0xffc0000000000000, 0xffc0000000000000 | D | A | U},
	/* RV "Svpbmt": in pointers 62:61 stay reserved. */
	[WP_ATTR_SVPBMT] = {0x9fc0000000000000, 0xffc0000000000000 | D | A | U},
	/* XTheadMae: 63:59 are attributes; of pointers it says nothing (see walk()). */
	[WP_ATTR_XUANTIE] = {0x07c0000000000000, 0x07c0000000000000 | D | A | U},
};
#define XUANTIE_ATTRIBUTES 0xf800000000000000u

static uint8_t memory_type(enum wp_riscv_attributes attributes, uint64_t leaf)
{
	/* RV "Svpbmt", the table of encodings: PMA, NC, IO, reserved. */
	static const uint8_t pbmt[] = {WP_TYPE_NORMAL, WP_TYPE_UNCACHED, WP_TYPE_DEVICE,
	                               WP_TYPE_UNKNOWN};

	switch (attributes) {
	case WP_ATTR_SVPBMT:
		return pbmt[leaf >> PBMT_SHIFT & 3];
	case WP_ATTR_XUANTIE:
		if (wp_bit(leaf, BIT_SO))
			return WP_TYPE_DEVICE;
		return wp_bit(leaf, BIT_C) ? WP_TYPE_NORMAL : WP_TYPE_UNCACHED;
	case WP_ATTR_SOFTWARE:
		break;
	}
	return WP_TYPE_NORMAL;
}

/*
 * RV "Virtual Address Translation Process" steps 3 and 5, for a leaf: W without R
 * is reserved, and so is a PPN that isn't aligned to the page.
 */
static bool is_reserved_leaf(enum wp_riscv_attributes attributes, uint64_t leaf, uint64_t pa,
                             unsigned shift)
{
	if ((leaf & reserved[attributes].leaf) != 0 || (leaf & (R | W)) == W)
		return true;
	if (attributes == WP_ATTR_SVPBMT && (leaf >> PBMT_SHIFT & 3) == PBMT_RESERVED)
		return true;
	return (pa & ~(UINT64_MAX << shift)) != 0;
}

/* RV "sstatus": SUM lets S-mode read and write U pages; it never executes them. */
static uint8_t allowed_kinds(uint64_t leaf)
{
	const bool r = (leaf & R) != 0, w = (leaf & W) != 0, x = (leaf & X) != 0;
	const bool u = (leaf & U) != 0;

	return wp_paper_kinds(r, w, x && !u, r && u, w && u, x && u);
}

/*
 * RV "Two-Stage Address Translation": the G-stage takes every access for one of U-mode,
 * so that U must be 1; MXR is the other stage's, and G is ignored.
 */
static uint8_t allowed_to_guest(uint64_t leaf)
{
	const bool u = (leaf & U) != 0;

	return wp_paper_kinds((leaf & R) != 0 && u, (leaf & W) != 0 && u, (leaf & X) != 0 && u,
	                      false, false, false);
}

/* RV "Guest Physical Address Translation": Sv39x4 has zeros above bit 40. */
static bool is_translated(const struct wp_regime *regime, uint64_t va)
{
	return regime->stage_2 ? va >> 41 == 0 : wp_sign_extended(va, regime->va_bits);
}

/*
 * The same: the root is four times as large, aligned to that, and indexed by two bits
 * more. `index` is that of an Sv39 root.
 */
#define ROOT_SIZE (4 * WP_PAPER_ENTRIES * sizeof(uint64_t))
static size_t guest_index(uint64_t va, size_t index)
{
	return index | (size_t)(va >> 39 & 3) * WP_PAPER_ENTRIES;
}

/* Where the root is: hgatp's two lowest bits of PPN are zero. */
static uint64_t root_table(const struct wp_regime *regime, uint64_t root)
{
	return root & wp_bits(55, regime->stage_2 ? 14 : 12);
}

static size_t walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer, struct wp_step *steps)
{
	const enum wp_riscv_attributes attributes = regime->attributes;
	unsigned shift = wp_paper_root_shift(regime), level = 0;
	const uint8_t answered = regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS;
	uint64_t table = root_table(regime, root), entry, pa, all = 0;
	uint8_t open = 0;

	/* RV "Addressing and Memory Protection": bits above the width equal its top bit. */
	if (!is_translated(regime, va)) {
		wp_paper_fault(answer, answered, 0, WP_FAULT_ADDRESS, 0);
		return 0;
	}
	for (;; level++, shift -= WP_PAPER_INDEX_BITS) {
		const bool wide = level == 0 && regime->stage_2;
		const uint64_t *entries = wide ? wp_memory_at(memory, table, ROOT_SIZE)
		                               : wp_paper_table(memory, table);
		size_t index = wp_paper_index(va, shift);

		/* Step 2: an access fault. */
		if (entries == NULL) {
			wp_paper_fault(answer, answered, open, WP_FAULT_BUS, level);
			return level;
		}
		if (wide)
			index = guest_index(va, index);
		entry = wp_paper_step(steps, level, table, entries, index);
		if ((entry & V) == 0) {
			wp_paper_fault(answer, answered, open, WP_FAULT_NOT_PRESENT, level);
			return level + 1u;
		}
		all |= entry;
		pa = (entry & wp_bits(53, 10)) << 2;
		if ((entry & (R | W | X)) != 0)
			break;
		/* Steps 3 and 4: a pointer has no A, D, U, and leads below the last level. */
		if (shift == 12 || (entry & reserved[attributes].pointer) != 0) {
			wp_paper_fault(answer, answered, open, WP_FAULT_RESERVED, level);
			return level + 1u;
		}
		if (attributes == WP_ATTR_XUANTIE && (entry & XUANTIE_ATTRIBUTES) != 0)
			open = WP_ALL_KINDS;
		table = pa;
	}
	if (is_reserved_leaf(attributes, entry, pa, shift)) {
		wp_paper_fault(answer, answered, open, WP_FAULT_RESERVED, level);
		return level + 1u;
	}
	*answer = (struct wp_answer){
		.answered = answered,
		.allowed = regime->stage_2 ? allowed_to_guest(entry) : allowed_kinds(entry),
		.open = open & answered,
		.level = (uint8_t)level,
		.memory_type = memory_type(attributes, entry),
		/* RV "Sv32": G in a pointer is for all below it */
		.global = !regime->stage_2 && (all & G) != 0,
		.pa = pa | (va & ~(UINT64_MAX << shift)),
		.size = (uint64_t)1 << shift,
	};
	if (answer->allowed == 0)
		answer->fault = WP_FAULT_PERMISSION;
	return level + 1u;
}

const struct wp_paper_arch wp_paper_riscv64 = {
	.walk = walk,
	.manual = "RISC-V Privileged ISA, \"Supervisor\"",
	.table = V,
	.kernel_writable = V | R | W | A | D,
	.kernel_read_only = V | R | A,
	.user_read_only = V | R | U | A,
	.stage_2 = U,
	.address_shift = 2,
};
