/* SPDX-License-Identifier: MIT */
/*
 * The LoongArch64 walk: what LDDIR 3, 2, 1, LDPTE 0, 1 and TLBFILL put into the
 * TLB, and what the TLB then does. VALEN = PALEN = 48; Dir3, Dir2, Dir1 and PT
 * from bits 39, 30, 21 and 12, 9 bits each; kernel at PLV0, user at PLV3; MISC.DWPL
 * off. Directories have no presence bit, and reserved bits never fault.
 */
#include "paper.h"

/* LA 5.4.5, the figures of the page-table entries. */
#define V           ((uint64_t)1 << 0)
#define BIT_D       1
#define PLV_SHIFT   2
#define MAT_SHIFT   4
#define H           ((uint64_t)1 << 6) /* in a directory */
#define BIT_G       6                  /* in a page entry */
#define BIT_G_HUGE  12
#define LEVEL_FIELD ((uint64_t)3 << 13)
#define BIT_NR      61
#define BIT_NX      62
#define BIT_RPLV    63

#define LEVELS 4
#define VALEN  48
#define PALEN  48

/* LA 5.3: SUC, CC, WUC, reserved. */
static const uint8_t memory_types[] = {WP_TYPE_DEVICE, WP_TYPE_NORMAL, WP_TYPE_UNCACHED,
                                       WP_TYPE_OTHER};

/* LA 5.4.3: RPLV = 0: a privilege as high or higher than PLV; RPLV = 1: just PLV. */
static bool is_privileged(uint64_t leaf, unsigned current)
{
	const unsigned plv = leaf >> PLV_SHIFT & 3;

	return wp_bit(leaf, BIT_RPLV) ? current == plv : current <= plv;
}

/* LA 5.4.4. A store asks D alone, a load NR, a fetch NX. */
static uint8_t allowed_kinds(uint64_t leaf)
{
	const bool kernel = is_privileged(leaf, 0), user = is_privileged(leaf, 3);
	const bool r = !wp_bit(leaf, BIT_NR), w = wp_bit(leaf, BIT_D), x = !wp_bit(leaf, BIT_NX);

	return wp_paper_kinds(kernel && r, kernel && w, kernel && x, user && r, user && w,
	                      user && x);
}

/*
 * LA 4.2.5 LDPTE: a huge entry fills the pair with two halves. The level field in
 * bits 14:13 must be clear in memory, and the manual doesn't say whether the odd
 * half's address is a sum or an OR, which differ if the half's bit is set.
 */
static bool is_unspecified_huge(uint64_t leaf, unsigned shift)
{
	return (leaf & (LEVEL_FIELD | (uint64_t)1 << (shift - 1))) != 0;
}

static void answer_leaf(const struct wp_regime *regime, uint64_t leaf, uint64_t va, unsigned level,
                        unsigned shift, uint8_t open, struct wp_answer *answer)
{
	const bool huge = shift != 12;
	const uint64_t offset = va & ~(UINT64_MAX << shift);
	const uint8_t allowed = allowed_kinds(leaf);

	/* LA 5.4.4: a page-invalid exception. */
	if ((leaf & V) == 0) {
		wp_paper_fault(answer, WP_ALL_KINDS, open, WP_FAULT_NOT_PRESENT, level);
		return;
	}
	if (huge && is_unspecified_huge(leaf, shift))
		open = WP_ALL_KINDS;
	/*
	 * LA 2.1 "Memory address space" confines applications to the lower half, by an
	 * address exception; LA 5.2 knows no such check.
	 */
	if (regime->half == PT_HIGH)
		open |= allowed & WP_USER_KINDS;
	*answer = (struct wp_answer){
		.answered = WP_ALL_KINDS,
		.allowed = allowed,
		.open = open,
		.fault = allowed != 0 ? WP_FAULT_NONE : WP_FAULT_PERMISSION,
		.level = (uint8_t)level,
		.memory_type = memory_types[leaf >> MAT_SHIFT & 3],
		.global = wp_bit(leaf, huge ? BIT_G_HUGE : BIT_G),
		/* Bits below the page, or below the half of a huge one, don't exist. */
		.pa = (leaf & wp_bits(PALEN - 1, huge ? shift - 1 : shift)) + offset,
		.size = (uint64_t)1 << shift,
	};
}

/* LA 5.2: VA[63:VALEN] all equal VA[VALEN-1], which also chooses PGDL or PGDH. */
static bool in_half(const struct wp_regime *regime, uint64_t va)
{
	return wp_sign_extended(va, VALEN) && wp_bit(va, VALEN - 1) == (regime->half == PT_HIGH);
}

static size_t walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer, struct wp_step *steps)
{
	const uint64_t address = wp_bits(PALEN - 1, 12), low = wp_bits(11, 0);
	unsigned shift = 12 + WP_PAPER_INDEX_BITS * (LEVELS - 1), level = 0;
	uint64_t table = root & address, entry;
	uint8_t open = 0;

	if (!in_half(regime, va)) {
		wp_paper_fault(answer, WP_ALL_KINDS, 0, WP_FAULT_ADDRESS, 0);
		return 0;
	}
	for (;; level++, shift -= WP_PAPER_INDEX_BITS) {
		const uint64_t *entries = wp_paper_table(memory, table);

		/* Physical address 0 is where an empty slot leads: anything may lie there. */
		if (entries == NULL && table == 0 && memory->zeros_at_0) {
			wp_paper_fault(answer, WP_ALL_KINDS, 0, WP_FAULT_NOT_PRESENT, level);
			return level;
		}
		if (entries == NULL) {
			open = table == 0 ? WP_ALL_KINDS : open;
			wp_paper_fault(answer, WP_ALL_KINDS, open, WP_FAULT_BUS, level);
			return level;
		}
		entry = wp_paper_step(steps, level, table, entries, wp_paper_index(va, shift));
		/* LA 4.2.5 LDDIR: H is looked at first, whatever the other bits. */
		if (shift == 12 || (entry & H) != 0)
			break;
		if ((entry & low) != 0)
			open = WP_ALL_KINDS;
		table = entry & address;
	}
	/* Of a huge entry in Dir3 the manual doesn't say what size it would have. */
	if (level == 0)
		wp_paper_fault(answer, WP_ALL_KINDS, WP_ALL_KINDS, WP_FAULT_RESERVED, level);
	else
		answer_leaf(regime, entry, va, level, shift, open, answer);
	return level + 1u;
}

#define PAGE (V | (uint64_t)1 << MAT_SHIFT)
#define USER ((uint64_t)3 << PLV_SHIFT)

const struct wp_paper_arch wp_paper_loongarch64 = {
	.walk = walk,
	.manual = "LoongArch Reference Manual vol. 1, ch. 5",
	.table = 0,
	.kernel_writable = PAGE | (uint64_t)1 << BIT_D,
	.kernel_read_only = PAGE,
	.user_read_only = PAGE | USER,
};
