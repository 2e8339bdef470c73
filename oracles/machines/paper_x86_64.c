/* SPDX-License-Identifier: MIT */
/*
 * The x86_64 walk: 4-level and 5-level paging. CR0.WP = 1, EFER.NXE = 1, CR4.SMEP
 * = 1, CR4.PGE = 1, CR4.SMAP = 0 (or AC = 1), no protection keys, no shadow
 * stacks, 1 GiB pages, an Intel processor.
 */
#include "paper.h"

/* SDM 4.5.4, the tables of entry formats. */
#define P            ((uint64_t)1 << 0)
#define RW           ((uint64_t)1 << 1)
#define US           ((uint64_t)1 << 2)
#define PS           ((uint64_t)1 << 7)
#define XD           ((uint64_t)1 << 63)
#define BIT_PWT      3
#define BIT_PCD      4
#define BIT_PAT_4K   7
#define BIT_G        8
#define BIT_PAT_HUGE 12

/*
 * SDM 4.5.4: what a leaf must have clear at each height over the lowest level,
 * beside 51:M. Address bits below the page's size are reserved, down to the PAT
 * bit. Entries of the two highest levels can't be leaves: PS itself is reserved.
 */
static const uint64_t reserved_in_leaf[] = {
	0,
	0x00000000001fe000, /* 20:13 */
	0x000000003fffe000, /* 29:13 */
	PS,
	PS,
};

/* SDM 4.9.2: 4 * PAT + 2 * PCD + PWT, with the PAT as it is at power-up. */
static const uint8_t memory_types[] = {
	WP_TYPE_NORMAL, WP_TYPE_OTHER, WP_TYPE_UNCACHED, WP_TYPE_DEVICE, /* WB WT UC- UC */
	WP_TYPE_NORMAL, WP_TYPE_OTHER, WP_TYPE_UNCACHED, WP_TYPE_DEVICE,
};

static uint8_t memory_type(uint64_t leaf, unsigned shift)
{
	const bool pat = wp_bit(leaf, shift == 12 ? BIT_PAT_4K : BIT_PAT_HUGE);

	return memory_types[4 * pat + 2 * wp_bit(leaf, BIT_PCD) + wp_bit(leaf, BIT_PWT)];
}

/*
 * SDM 4.6.1: R/W and U/S hold only if every entry has them, XD if any has it.
 * `common` is the AND of all entries, with XD turned around. A present page has
 * no read permission to lack; SMEP keeps the kernel from executing user pages.
 */
static uint8_t allowed_kinds(uint64_t common)
{
	const bool writable = (common & RW) != 0;
	const bool user = (common & US) != 0;
	const bool executable = (common & XD) != 0;

	return wp_paper_kinds(true, writable, executable && !user, user, user && writable,
	                      user && executable);
}

static size_t walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer, struct wp_step *steps)
{
	const uint64_t address = wp_bits(51, 12);
	/* SDM 4.1.4: bits 51:MAXPHYADDR are reserved in every entry. */
	const uint64_t too_wide = wp_bits(51, regime->pa_bits);
	unsigned height = regime->levels - 1u, shift = wp_paper_root_shift(regime), level = 0;
	uint64_t table = root & address, common = UINT64_MAX, entry;
	enum wp_fault fault;

	/* SDM vol. 1, 3.3.7.1 "Canonical addressing": not a page fault. */
	if (!wp_sign_extended(va, regime->va_bits)) {
		wp_paper_fault(answer, WP_ALL_KINDS, 0, WP_FAULT_ADDRESS, 0);
		return 0;
	}
	for (;; level++, height--, shift -= WP_PAPER_INDEX_BITS) {
		const uint64_t *entries = wp_paper_table(memory, table);
		bool leaf;

		if (entries == NULL) {
			wp_paper_fault(answer, WP_ALL_KINDS, 0, WP_FAULT_BUS, level);
			return level;
		}
		entry = wp_paper_step(steps, level, table, entries, wp_paper_index(va, shift));
		/* SDM 4.7: P = 0 first, whatever the other bits; then reserved bits. */
		fault = WP_FAULT_NOT_PRESENT;
		if ((entry & P) == 0)
			break;
		leaf = height == 0 || (entry & PS) != 0;
		fault = WP_FAULT_RESERVED;
		if ((entry & too_wide) != 0 || (leaf && (entry & reserved_in_leaf[height]) != 0))
			break;
		common &= entry ^ XD;
		fault = WP_FAULT_NONE;
		if (leaf)
			break;
		table = entry & address;
	}
	if (fault != WP_FAULT_NONE) {
		wp_paper_fault(answer, WP_ALL_KINDS, 0, fault, level);
		return level + 1u;
	}
	*answer = (struct wp_answer){
		.answered = WP_ALL_KINDS,
		.allowed = allowed_kinds(common),
		.level = (uint8_t)level,
		.memory_type = memory_type(entry, shift),
		.global = wp_bit(entry, BIT_G), /* SDM 4.10.2.4: of the leaf alone */
		.pa = (entry & wp_bits(51, shift)) | (va & ~(UINT64_MAX << shift)),
		.size = (uint64_t)1 << shift,
	};
	return level + 1u;
}

const struct wp_paper_arch wp_paper_x86_64 = {
	.walk = walk,
	.manual = "Intel SDM vol. 3A, \"Paging\"",
	.table = P | RW | US,
	.kernel_writable = P | RW,
	.kernel_read_only = P,
	.user_read_only = P | US,
};
