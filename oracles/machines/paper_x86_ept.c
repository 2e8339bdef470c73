/* SPDX-License-Identifier: MIT */
/*
 * The EPT walk: a guest-physical address through 4 levels. EPTP bit 6 = 1 (accessed and
 * dirty flags), execute-only translations supported, 1 GiB pages, "mode-based execute
 * control for EPT" 0, so that bit 10 is ignored, sub-page write permissions and supervisor
 * shadow stacks off. Manual: EPT, as paper.h has it.
 */
#include "paper.h"

/* EPT 28.3.2, the tables of entry formats. */
#define R          ((uint64_t)1 << 0)
#define W          ((uint64_t)1 << 1)
#define X          ((uint64_t)1 << 2)
#define RWX        (R | W | X)
#define TYPE_SHIFT 3
#define PAGE       ((uint64_t)1 << 7) /* maps a page, where one can be mapped */
#define WRITE_BACK ((uint64_t)6 << TYPE_SHIFT)

/*
 * EPT 28.3.2: what must be clear, beside 51:M, in an entry that references a table, and in
 * one that maps a page, by height over the lowest level. In the highest entries bit 7 is
 * reserved, as bits 6:3 are: no page is mapped there.
 */
static const uint64_t reserved_in_table[] = {0, 0x78, 0x78, 0xf8, 0xf8};
static const uint64_t reserved_in_page[] = {0, 0x00000000001ff000, 0x000000003ffff000};
#define HIGHEST_PAGE 2

/* EPT 28.3.2: memory types are numbered as MTRRs have them; 2, 3 and 7 are reserved. */
#define RESERVED WP_TYPE_UNKNOWN
static const uint8_t memory_types[8] = {
	WP_TYPE_DEVICE /* UC */,
	WP_TYPE_UNCACHED /* WC */,
	RESERVED,
	RESERVED,
	WP_TYPE_OTHER /* WT */,
	WP_TYPE_OTHER /* WP */,
	WP_TYPE_NORMAL /* WB */,
	RESERVED,
};

static uint8_t memory_type(uint64_t page)
{
	return memory_types[page >> TYPE_SHIFT & 7];
}

/*
 * EPT 28.3.3.1: write without read; a reserved bit, an address that is too wide among them;
 * a reserved memory type. Execute without read isn't, where it is supported.
 */
static bool is_misconfigured(uint64_t entry, bool page, unsigned height, uint64_t too_wide)
{
	const uint64_t reserved = page ? reserved_in_page[height] : reserved_in_table[height];

	if ((entry & (R | W)) == W || (entry & (reserved | too_wide)) != 0)
		return true;
	return page && memory_type(entry) == RESERVED;
}

static size_t walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer, struct wp_step *steps)
{
	const uint64_t address = wp_bits(51, 12);
	const uint64_t too_wide = wp_bits(51, regime->pa_bits);
	unsigned height = regime->levels - 1u, shift = wp_paper_root_shift(regime), level = 0;
	uint64_t table = root & address, common = RWX, entry;
	enum wp_fault fault;

	/* EPT 28.3.2: so many bits of a guest-physical address are translated. */
	if (va >> regime->va_bits != 0) {
		wp_paper_fault(answer, WP_KERNEL_KINDS, 0, WP_FAULT_ADDRESS, 0);
		return 0;
	}
	for (;; level++, height--, shift -= WP_PAPER_INDEX_BITS) {
		const uint64_t *entries = wp_paper_table(memory, table);
		bool page;

		if (entries == NULL) {
			wp_paper_fault(answer, WP_KERNEL_KINDS, 0, WP_FAULT_BUS, level);
			return level;
		}
		entry = wp_paper_step(steps, level, table, entries, wp_paper_index(va, shift));
		/* EPT 28.3.2: not present, whatever the other bits */
		fault = WP_FAULT_NOT_PRESENT;
		if ((entry & RWX) == 0)
			break;
		page = height == 0 || (height <= HIGHEST_PAGE && (entry & PAGE) != 0);
		fault = WP_FAULT_RESERVED;
		if (is_misconfigured(entry, page, height, too_wide))
			break;
		common &= entry;
		fault = WP_FAULT_NONE;
		if (page)
			break;
		table = entry & address;
	}
	if (fault != WP_FAULT_NONE) {
		wp_paper_fault(answer, WP_KERNEL_KINDS, 0, fault, level);
		return level + 1u;
	}
	/* EPT 28.3.3.2: a violation, if any entry used lacks the right of the access */
	*answer = (struct wp_answer){
		.answered = WP_KERNEL_KINDS,
		.allowed = wp_paper_kinds(common & R, common & W, common & X, false, false, false),
		.fault = common == 0 ? WP_FAULT_PERMISSION : WP_FAULT_NONE,
		.level = (uint8_t)level,
		.memory_type = memory_type(entry),
		.pa = (entry & wp_bits(51, shift)) | (va & ~(UINT64_MAX << shift)),
		.size = (uint64_t)1 << shift,
	};
	return level + 1u;
}

const struct wp_paper_arch wp_paper_x86_ept = {
	.walk = walk,
	.manual = "Intel SDM vol. 3C, \"The Extended Page Table Mechanism\"",
	.table = RWX,
	.kernel_writable = WRITE_BACK | R | W,
	.kernel_read_only = WRITE_BACK | R,
};
