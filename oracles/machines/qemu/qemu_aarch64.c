/* SPDX-License-Identifier: MIT */
/*
 * AArch64 on QEMU: the tested root is TTBR0_EL1, TTBR1_EL1 or TTBR0_EL2, asked from
 * EL3; see firmware/walk_aarch64.c. "D8" and such are chapters of the Arm ARM,
 * DDI 0487.
 *
 * A fault comes with its reason and level, but for a walk that left guest memory at
 * EL1 or EL0, whose level isn't shown. Sizes of leaves aren't, and nG isn't.
 */
#include "qemu_aarch64.h"

#include <stddef.h>

/* setting[] and code[]; firmware/aarch64.h and walk_aarch64.c have them too. */
enum {
	SET_EL2,
	SET_TTBR0,
	SET_TTBR1,
	SET_TCR,
	SET_MAIR,
	SET_STUBS,
	SET_STUBS_IPA,
	SET_WINDOW,
	SET_WINDOW_SIZE,
};
#define CODE_WALK_LEFT 0x100u
#define CODE_ELSEWHERE 0x200u

/* The firmware's page of stubs, and the table that leads to it: firmware/aarch64.ld. */
#define STUBS_PA 0x40280000u
#define LENT_PA  0x40281000u

/*
 * Where the EL1&0 regime sees the stubs and the vectors of EL1: by two pages in the
 * half that isn't tested, which has 21 bits. Stage 2 has two pages for it, the stubs
 * and that half's only table.
 */
#define STUBS_IN_HIGH    0xfffffffffff55000u
#define STUBS_IN_LOW     0x155000u
#define STUBS_LENGTH     0x2000u
#define STUBS_IPA        0xfedec0c00000u
#define STUBS_IPA_LENGTH 0x2000u
#define OTHER_TABLE_IPA  (STUBS_IPA + 0x1000u)

#define MAIR_CONTRACT 0x44ff04u /* device, normal, non-cacheable */

/*
 * D17 "TCR_EL1", "TCR_EL2": 48-bit halves, 48-bit outputs, DS = 0. TG0 and TG1 encode
 * granules differently; the half that isn't tested has pages of 4 KiB.
 */
#define TCR_SIZE_TESTED 16u
#define TCR_SIZE_OTHER  43u
#define TCR_CACHED      0x35u /* SHx, ORGNx, IRGNx, from bit 8 or 24 on */
#define TCR_TG0_64K     ((uint64_t)1 << 14)
#define TCR_TG1_4K      ((uint64_t)2 << 30)
#define TCR_TG1_64K     ((uint64_t)3 << 30)
#define TCR_IPS_48      ((uint64_t)5 << 32)
#define TCR_EL2_PS_48   ((uint64_t)5 << 16)
#define TCR_EL2_RES1    ((uint64_t)1 << 31 | (uint64_t)1 << 23)

/* D8.3 */
#define VALID   ((uint64_t)1)
#define TABLE   ((uint64_t)2)
#define ADDRESS 0x0000fffffffff000u

#define MOST_LEVELS  4u
#define ENTRIES      512u /* of a root of EL2 */
#define ROOT_SHIFT   39u  /* the same */
#define NOTHING_LENT 0

/* qemu->notes */
enum {
	NOTE_STUBS, /* where EL2 sees the stubs; or NOTHING_LENT */
	NOTE_SLOT,  /* the root entry that leads to them... */
	NOTE_ENTRY, /* ...and what it held */
};

static const char *const cpus[] = {"max", NULL};

static int model(const struct wp_regime *regime)
{
	(void)regime;
	return 0;
}

static uint64_t tcr(uint64_t size0, uint64_t size1, uint64_t granules)
{
	return TCR_IPS_48 | granules | (uint64_t)TCR_CACHED << 24 | size1 << 16 |
	       (uint64_t)TCR_CACHED << 8 | size0;
}

static void set(const struct wp_qemu *qemu, uint64_t setting[12])
{
	const bool high = qemu->regime->half == PT_HIGH;
	const bool large = qemu->regime->granule_shift == 16;

	setting[SET_EL2] = qemu->regime->one_privilege;
	setting[SET_MAIR] = MAIR_CONTRACT;
	setting[SET_STUBS_IPA] = STUBS_IPA;
	setting[SET_WINDOW] = qemu->machine.memory->base;
	setting[SET_WINDOW_SIZE] = qemu->machine.memory->size;
	if (qemu->regime->one_privilege) {
		setting[SET_TTBR0] = qemu->root;
		setting[SET_TCR] = TCR_EL2_RES1 | TCR_EL2_PS_48 | (uint64_t)TCR_CACHED << 8 |
		                   TCR_SIZE_TESTED;
		setting[SET_STUBS] = qemu->notes[NOTE_STUBS];
		return;
	}
	setting[SET_TTBR0] = high ? OTHER_TABLE_IPA : qemu->root;
	setting[SET_TTBR1] = high ? qemu->root : OTHER_TABLE_IPA;
	setting[SET_TCR] =
		high ? tcr(TCR_SIZE_OTHER, TCR_SIZE_TESTED, large ? TCR_TG1_64K : TCR_TG1_4K)
		     : tcr(TCR_SIZE_TESTED, TCR_SIZE_OTHER, TCR_TG1_4K | (large ? TCR_TG0_64K : 0));
	setting[SET_STUBS] = high ? STUBS_IN_LOW : STUBS_IN_HIGH;
}

/* --- what can be asked --- */

/* The way that QEMU goes to an address, without judging it. */
struct way {
	unsigned tables; /* read on the way */
	uint64_t table[MOST_LEVELS];
	uint64_t entry_pa[MOST_LEVELS];
	bool left;     /* the last table isn't in the window: its address is `pa` */
	bool leads_on; /* to `pa` */
	bool block_in_root;
	uint64_t pa;
};

static struct way find_way(const struct wp_qemu *qemu, uint64_t va)
{
	const struct wp_regime *regime = qemu->regime;
	const uint64_t address = ADDRESS & ~(wp_regime_page(regime) - 1);
	struct way way = {0};
	uint64_t table = qemu->root & address;

	for (unsigned level = 0; level < regime->levels; level++) {
		const bool last = level + 1u == regime->levels;
		const uint64_t entry_pa = table + wp_regime_index(regime, level, va) * 8;
		const uint64_t *entry = wp_memory_at(qemu->machine.memory, entry_pa, 8);

		way.pa = table;
		way.left = entry == NULL;
		if (way.left)
			return way;
		way.table[way.tables] = table;
		way.entry_pa[way.tables++] = entry_pa;
		table = *entry & address;
		if ((*entry & VALID) == 0)
			return way;
		if (last || (*entry & TABLE) == 0) {
			const uint64_t offset = wp_regime_span(regime, level) - 1;

			way.leads_on = !last || (*entry & TABLE) != 0;
			way.block_in_root = level == 0;
			way.pa = (table & ~offset) | (va & offset);
			return way;
		}
	}
	return way;
}

static bool is_ours(uint64_t ipa)
{
	return ipa - STUBS_IPA < STUBS_IPA_LENGTH;
}

/*
 * EL1&0: stage 2 keeps walks and fetches in the window, but for two pages of ours.
 * EL2: a walk into our own memory, or through a device, is none; above the window
 * there is nothing, and a walk there is aborted.
 */
static uint8_t answerable(const struct wp_qemu *qemu, uint64_t va)
{
	const bool el2 = qemu->regime->one_privilege;
	const uint64_t stubs = qemu->regime->half == PT_HIGH ? STUBS_IN_LOW : STUBS_IN_HIGH;
	struct way way;

	if (!el2 && va - stubs < STUBS_LENGTH)
		return 0;
	if (!wp_regime_canonical(qemu->regime, va))
		return WP_ALL_KINDS;
	way = find_way(qemu, va);
	if (way.block_in_root && !qemu->machine.incautious && wp_qemu_shown(qemu, WP_A64_L0_BLOCK))
		return 0;
	if (el2)
		return way.left && way.pa < qemu->machine.memory->base ? 0 : WP_ALL_KINDS;
	return (way.left || way.leads_on) && is_ours(way.pa) ? 0 : WP_ALL_KINDS;
}

/* --- a root entry of EL2, for its vectors and stubs --- */

/* What a table holds is aligned also where the compiler doesn't align 64 bits (i386). */
typedef uint64_t table_entry __attribute__((aligned(8)));

/* False: each entry is on the way of one of these probes. */
static bool find_slot(const struct wp_qemu *qemu, const struct wp_probe *probes, size_t count,
                      size_t *slot)
{
	bool used[ENTRIES] = {false};

	for (size_t i = 0; i < count; i++) {
		struct way way;

		if (!wp_regime_canonical(qemu->regime, probes[i].va))
			continue;
		way = find_way(qemu, probes[i].va);
		for (unsigned k = 0; k < way.tables; k++) {
			if (way.table[k] == (qemu->root & ADDRESS))
				used[(way.entry_pa[k] - way.table[k]) / 8] = true;
		}
	}
	*slot = ENTRIES - 1;
	while (*slot > 0 && used[*slot])
		--*slot;
	return !used[*slot];
}

static bool prepare(struct wp_qemu *qemu, const struct wp_probe *probes, size_t count)
{
	table_entry *root = wp_memory_at(qemu->machine.memory, qemu->root & ADDRESS, WP_FRAME_SIZE);
	size_t slot;

	qemu->notes[NOTE_STUBS] = NOTHING_LENT;
	if (!qemu->regime->one_privilege || root == NULL)
		return true;
	if (!find_slot(qemu, probes, count, &slot))
		return false;
	qemu->notes[NOTE_STUBS] = (uint64_t)slot << ROOT_SHIFT | STUBS_PA;
	qemu->notes[NOTE_SLOT] = slot;
	qemu->notes[NOTE_ENTRY] = root[slot];
	__atomic_store_n(&root[slot], LENT_PA | TABLE | VALID, __ATOMIC_RELEASE);
	return true;
}

static void restore(struct wp_qemu *qemu)
{
	table_entry *root = wp_memory_at(qemu->machine.memory, qemu->root & ADDRESS, WP_FRAME_SIZE);

	if (qemu->notes[NOTE_STUBS] == NOTHING_LENT)
		return;
	__atomic_store_n(&root[qemu->notes[NOTE_SLOT]], qemu->notes[NOTE_ENTRY], __ATOMIC_RELEASE);
	qemu->notes[NOTE_STUBS] = NOTHING_LENT;
}

/* --- answers --- */

struct reason {
	enum wp_fault fault;
	uint8_t level;
};

/* D17 "ISS encoding for an exception from a Data Abort": DFSC; PAR_EL1.FST is the same. */
static struct reason reason_of(const struct wp_qemu *qemu, uint64_t va, uint32_t code)
{
	static const uint8_t faults[] = {
		WP_FAULT_ADDRESS_SIZE, WP_FAULT_NOT_PRESENT, WP_FAULT_ACCESS_FLAG,
		WP_FAULT_PERMISSION,   WP_FAULT_UNKNOWN,     WP_FAULT_BUS,
	};
	const size_t kind = code >> 2;
	/* of the manual's, which is 0 for the root of four levels */
	const uint8_t first_level = MOST_LEVELS - qemu->regime->levels;
	const uint8_t level = (code & 3) < first_level ? 0 : (uint8_t)((code & 3) - first_level);

	/* The other half has a root of ours, and between the halves there is none. */
	if (!wp_regime_canonical(qemu->regime, va))
		return (struct reason){WP_FAULT_ADDRESS, 0};
	if (code == CODE_WALK_LEFT)
		return (struct reason){WP_FAULT_BUS, 0xff};
	if (kind >= sizeof faults || faults[kind] == WP_FAULT_UNKNOWN)
		return (struct reason){WP_FAULT_UNKNOWN, 0xff};
	return (struct reason){faults[kind], level};
}

/* D8 "Memory region attributes", D17 "PAR_EL1": what isn't cacheable is outer shareable. */
static enum wp_memory_type type_of(const struct wp_qemu *qemu, uint64_t par)
{
	const bool shares_as_told = !wp_qemu_shown(qemu, WP_A64_PAR_SHAREABILITY) ||
	                            qemu->machine.incautious;
	const uint64_t attributes = par >> 56, shareability = wp_a64_shareability(par);
	const bool outer = !shares_as_told || shareability == WP_A64_OUTER_SHAREABLE;

	if ((par & 1) != 0)
		return WP_TYPE_UNKNOWN;
	if (attributes == 0xff && shareability == WP_A64_INNER_SHAREABLE)
		return WP_TYPE_NORMAL;
	if (attributes == 0x04 && outer)
		return WP_TYPE_DEVICE;
	if (attributes == 0x44 && outer)
		return WP_TYPE_UNCACHED;
	return WP_TYPE_OTHER;
}

/* A right that the leaf lacks is a reason only if it has none of those asked for. */
static void decode(const struct wp_qemu *qemu, const struct wp_probe *probe,
                   const struct wp_reply *reply, struct wp_answer *answer)
{
	const uint8_t denied = answer->answered & (uint8_t)~answer->allowed;

	answer->memory_type = (uint8_t)type_of(qemu, reply->raw);
	for (unsigned kind = 0; kind < WP_KINDS; kind++) {
		struct reason reason;

		if ((denied >> kind & 1) == 0 || reply->code[kind] == CODE_ELSEWHERE)
			continue;
		reason = reason_of(qemu, probe->va, reply->code[kind]);
		if (reason.fault == WP_FAULT_PERMISSION && answer->allowed != 0)
			continue;
		if (answer->fault == WP_FAULT_NONE || answer->fault == WP_FAULT_PERMISSION) {
			answer->fault = (uint8_t)reason.fault;
			answer->level = reason.level;
		}
	}
}

/* No highmem: no device lies above the window, and nothing else does. */
const struct wp_qemu_arch wp_qemu_aarch64 = {
	.program = "qemu-system-aarch64",
	.package = "qemu-system-arm",
	.board = "virt,virtualization=on,secure=on,highmem=off",
	.cpus = cpus,
	.option = "-kernel",
	.ram_size = (uint64_t)2 << 30,
	.keeps_tlb = true,
	.firmware = &wp_firmware_aarch64,
	.quirks = wp_a64_quirks,
	.quirk_count = WP_A64_QUIRKS,
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
	.prepare = prepare,
	.restore = restore,
};
