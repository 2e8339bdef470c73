/* SPDX-License-Identifier: MIT */
/*
 * The AArch64 walk: VMSAv8-64, stage 1, EL1&0 or EL2, granules of 4 KiB and 64 KiB,
 * 48-bit addresses in and out (TxSZ = 16, DS = 0, IPS = 5). HA = HD = 0; PAN, WXN, TBI, HPD, EPD,
 * E0PD off; MAIR 0x44FF04. Bits that are RES0 are ignored, as the manual says.
 */
#include "paper.h"

/* D8 "VMSAv8-64 descriptor formats". */
#define VALID         ((uint64_t)1 << 0)
#define TABLE_OR_PAGE ((uint64_t)1 << 1)
#define BIT_AP1       6 /* EL0 may access */
#define BIT_AP2       7 /* read-only */
#define AF            ((uint64_t)1 << 10)
#define NG            ((uint64_t)1 << 11)
#define BLOCK_NT      ((uint64_t)1 << 16)
#define CONTIGUOUS    ((uint64_t)1 << 52)
#define BIT_PXN       53
#define BIT_UXN       54 /* XN where there is one privilege */
#define BIT_PXNTABLE  59
#define BIT_UXNTABLE  60
#define BIT_APTABLE0  61 /* EL0 may not access */
#define BIT_APTABLE1  62 /* nobody may write */

/*
 * D8 "Translation granules", for 48 bits: what each level resolves, counted from the
 * root, which is level 0 of the manual's with 4 KiB and level 1 with 64 KiB. "Block
 * descriptors": at that level there are none but with DS = 1, or with FEAT_LPA and 64 KiB.
 */
#define FIRST_BLOCK_LEVEL 1
static const struct granule {
	uint8_t shift;      /* of a page */
	uint8_t bits;       /* of index, but for a root that has fewer left */
	uint8_t last_level; /* where pages are */
	uint8_t contiguous; /* entries of a group: "The Contiguous bit" */
} granules[] = {
	{12, 9, 3, 16},
	{16, 13, 2, 32},
};

static const struct granule *granule_of(const struct wp_regime *regime)
{
	return &granules[regime->granule_shift != 12];
}

/*
 * D8 "Memory region attributes", by AttrIndx: MAIR bytes 0x04 (Device-nGnRE),
 * 0xFF (Normal, write-back), 0x44 (Normal, non-cacheable); the rest are 0x00
 * (Device-nGnRnE), for which no flag stands.
 */
static const uint8_t memory_types[] = {
	WP_TYPE_DEVICE, WP_TYPE_NORMAL, WP_TYPE_UNCACHED, WP_TYPE_OTHER,
	WP_TYPE_OTHER,  WP_TYPE_OTHER,  WP_TYPE_OTHER,    WP_TYPE_OTHER,
};

static bool is_device(uint8_t type)
{
	return type == WP_TYPE_DEVICE || type == WP_TYPE_OTHER;
}

/*
 * D8 "Direct permissions" and "Hierarchical permissions": `tables` is the OR of
 * the table descriptors. APTable applies before the implicit PXN of what EL0 can
 * write. Neither EL's execution depends on its right to read.
 */
static uint8_t allowed_el1_el0(uint64_t leaf, uint64_t tables)
{
	const bool read_only = wp_bit(leaf, BIT_AP2) || wp_bit(tables, BIT_APTABLE1);
	const bool el0 = wp_bit(leaf, BIT_AP1) && !wp_bit(tables, BIT_APTABLE0);
	const bool pxn = wp_bit(leaf, BIT_PXN) || wp_bit(tables, BIT_PXNTABLE);
	const bool uxn = wp_bit(leaf, BIT_UXN) || wp_bit(tables, BIT_UXNTABLE);
	const bool el0_writes = el0 && !read_only;

	return wp_paper_kinds(true, !read_only, !pxn && !el0_writes, el0, el0_writes, !uxn);
}

/*
 * The same where there is one privilege: AP[1] is RES1, and PXN, PXNTable and
 * APTable[0] are RES0.
 */
static uint8_t allowed_el2(uint64_t leaf, uint64_t tables)
{
	const bool read_only = wp_bit(leaf, BIT_AP2) || wp_bit(tables, BIT_APTABLE1);
	const bool xn = wp_bit(leaf, BIT_UXN) || wp_bit(tables, BIT_UXNTABLE);

	return wp_paper_kinds(true, !read_only, !xn, false, false, false);
}

/*
 * D8 "The Contiguous bit": so many adjacent entries, all alike, whose outputs follow
 * one another from an aligned address on. Anything else is misprogrammed, and
 * the output may be a mixture.
 */
static bool is_sound_group(const uint64_t *entries, size_t index, unsigned shift, size_t size)
{
	const uint64_t compared = wp_bits(54, 50) | wp_bits(47, shift) | wp_bits(11, 0);
	const uint64_t *group = entries + (index & ~(size - 1));
	const uint64_t first = group[0] & compared;

	if ((first >> shift & (size - 1)) != 0)
		return false;
	for (uint64_t i = 0; i < size; i++) {
		if ((group[i] & compared) != first + (i << shift))
			return false;
	}
	return true;
}

/*
 * D8 "VMSAv8-64 descriptor formats", 64 KiB granule: bits 15:12 are the address's bits
 * 51:48 where FEAT_LPA is implemented, an address too wide for IPS, and RES0 elsewhere.
 */
static bool may_be_wide(const struct granule *granule, uint64_t entry)
{
	return (entry & wp_bits(granule->shift - 1u, 12)) != 0;
}

/* The kinds for which the manual leaves the outcome of this leaf free. */
static uint8_t open_kinds(const struct granule *granule, const uint64_t *entries, size_t index,
                          unsigned shift, uint8_t type, uint8_t allowed)
{
	const uint64_t leaf = entries[index];
	const uint8_t execute = 1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE;

	/* D8, nT: where FEAT_BBM has it, the entry may fault; elsewhere it is RES0. */
	if (shift != granule->shift && (leaf & BLOCK_NT) != 0)
		return WP_ALL_KINDS;
	if ((leaf & CONTIGUOUS) != 0 && !is_sound_group(entries, index, shift, granule->contiguous))
		return WP_ALL_KINDS;
	/* B2 "Device memory": a fetch faults, or is one from Normal non-cacheable memory. */
	return is_device(type) ? allowed & execute : 0;
}

/* What a level resolves; the bits above the 48 are no part of a root's index. */
static size_t index_of(const struct granule *granule, uint64_t va, unsigned shift)
{
	return (size_t)((va & wp_bits(47, 0)) >> shift) & (((size_t)1 << granule->bits) - 1);
}

/* `open`: what the tables on the way leave free. */
static void answer_leaf(const struct wp_regime *regime, const uint64_t *entries, uint64_t va,
                        unsigned level, unsigned shift, uint64_t tables, uint8_t open,
                        struct wp_answer *answer)
{
	const uint8_t answered = regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS;
	const struct granule *const granule = granule_of(regime);
	const size_t index = index_of(granule, va, shift);
	const uint64_t leaf = entries[index];
	const uint64_t output = leaf & wp_bits(47, shift);
	const uint8_t type = memory_types[leaf >> 2 & 7];
	uint8_t allowed;

	/* D8 "Prioritization of synchronous aborts": size, then access flag, then rights. */
	if (may_be_wide(granule, leaf))
		open = WP_ALL_KINDS;
	if (output >> regime->pa_bits != 0) {
		wp_paper_fault(answer, answered, open, WP_FAULT_ADDRESS_SIZE, level);
		return;
	}
	if ((leaf & AF) == 0) {
		wp_paper_fault(answer, answered, open, WP_FAULT_ACCESS_FLAG, level);
		return;
	}
	allowed = regime->one_privilege ? allowed_el2(leaf, tables) : allowed_el1_el0(leaf, tables);
	*answer = (struct wp_answer){
		.answered = answered,
		.allowed = allowed,
		.open = (open | open_kinds(granule, entries, index, shift, type, allowed)) &
	                answered,
		.level = (uint8_t)level,
		.memory_type = type,
		.global = !regime->one_privilege && (leaf & NG) == 0,
		.pa = output | (va & ~(UINT64_MAX << shift)),
		.size = (uint64_t)1 << shift,
	};
}

/* D8, the VA ranges of TTBR0 and TTBR1, without tags: the upper bits all equal bit 55. */
static bool in_half(const struct wp_regime *regime, uint64_t va)
{
	const uint64_t above = va >> regime->va_bits;

	return above == (regime->half == PT_HIGH ? UINT64_MAX >> regime->va_bits : 0);
}

static size_t walk(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t root,
                   uint64_t va, struct wp_answer *answer, struct wp_step *steps)
{
	const uint8_t answered = regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS;
	const struct granule *const granule = granule_of(regime);
	const uint64_t address = wp_bits(47, granule->shift);
	const size_t table_size = (size_t)1 << granule->shift;
	unsigned shift = granule->shift + (unsigned)granule->bits * granule->last_level, level = 0;
	uint64_t table = root & address, tables = 0;
	uint8_t open = 0;

	if (!in_half(regime, va)) {
		wp_paper_fault(answer, answered, 0, WP_FAULT_ADDRESS, 0);
		return 0;
	}
	for (;; level++, shift -= granule->bits) {
		const uint64_t *entries;
		uint64_t entry;

		entries = wp_memory_at(memory, table, table_size);
		if (entries == NULL) {
			wp_paper_fault(answer, answered, open, WP_FAULT_BUS, level);
			return level;
		}
		entry = wp_paper_step(steps, level, table, entries, index_of(granule, va, shift));
		if ((entry & VALID) == 0)
			break;
		/* A page at the last level, a block at the others. */
		if (((entry & TABLE_OR_PAGE) != 0) == (level == granule->last_level)) {
			if (level < FIRST_BLOCK_LEVEL)
				break;
			answer_leaf(regime, entries, va, level, shift, tables, open, answer);
			return level + 1u;
		}
		/* Reserved at the last level, which the manual calls invalid too. */
		if (level == granule->last_level)
			break;
		tables |= entry;
		table = entry & address;
		if (may_be_wide(granule, entry))
			open = WP_ALL_KINDS;
		if (table >> regime->pa_bits != 0) {
			wp_paper_fault(answer, answered, open, WP_FAULT_ADDRESS_SIZE, level);
			return level + 1u;
		}
	}
	wp_paper_fault(answer, answered, open, WP_FAULT_NOT_PRESENT, level);
	return level + 1u;
}

#define PAGE      (VALID | TABLE_OR_PAGE | AF | NG | (uint64_t)1 << 2)
#define PRIVATE   ((uint64_t)1 << BIT_UXN)
#define READ_ONLY ((uint64_t)1 << BIT_AP2)

const struct wp_paper_arch wp_paper_aarch64 = {
	.walk = walk,
	.manual = "Arm ARM DDI 0487, D8",
	.table = VALID | TABLE_OR_PAGE,
	.kernel_writable = PAGE | PRIVATE,
	.kernel_read_only = PAGE | PRIVATE | READ_ONLY,
	.user_read_only = PAGE | READ_ONLY | (uint64_t)1 << BIT_AP1,
};
