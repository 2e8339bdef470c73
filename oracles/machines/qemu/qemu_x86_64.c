/* SPDX-License-Identifier: MIT */
/*
 * x86_64 on QEMU: the tested root is the CR3 of an SVM guest of the walker's. What
 * QEMU emulates is an AMD processor with an Intel one's five levels; the formats of
 * the tables are the same.
 *
 * An instruction that reads or writes must itself be mapped by the tested tables.
 * For the time of a batch one entry of the root that no probe of the batch walks
 * through leads to tables of the walker's.
 */
#include "qemu.h"

#include <inttypes.h>

#include "../quirks_shared.h"
#include "../scratch.h"
#include "firmware/x86_64.h"

#define P       ((uint64_t)1 << 0)
#define RW      ((uint64_t)1 << 1)
#define US      ((uint64_t)1 << 2)
#define A       ((uint64_t)1 << 5)
#define D       ((uint64_t)1 << 6)
#define PS      ((uint64_t)1 << 7)
#define ADDRESS 0x000ffffffffff000u

#define ENTRIES 512u

#define EXECUTES (1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE)

/* wp_qemu.notes */
enum {
	NOTE_LENT, /* 1 + index of the root's entry; 0: none */
	NOTE_SAVED,
	NOTE_LAST_BYTE_HANGS, /* this version is known to */
};

#define QUIRK_LAST_BYTE 2 /* of `quirks` */

/* To find that out anew at each start would cost a hang. */
static void examine(struct wp_qemu *qemu)
{
	unsigned major = 0;

	sscanf(qemu->processes[qemu->model].version, "%u", &major);
	qemu->notes[NOTE_LAST_BYTE_HANGS] = major < 8;
}

static int model(const struct wp_regime *regime)
{
	(void)regime;
	return 0;
}

/* --- the walks of a batch, without judging them --- */

/*
 * Calls `meet` for every entry that a CPU may read on the way to `va`, and returns
 * where the walk ended: a leaf, or the entry of a table outside of the window; 0
 * for a hole.
 */
static uint64_t follow(const struct wp_qemu *qemu, uint64_t va,
                       void (*meet)(void *context, uint64_t entry_pa), void *context)
{
	const struct wp_regime *regime = qemu->regime;
	uint64_t table = qemu->root & ADDRESS;

	for (unsigned level = 0; level < regime->levels; level++) {
		const uint64_t span = wp_regime_span(regime, level);
		const uint64_t entry_pa = table + va / span % ENTRIES * 8;
		const uint64_t *entry = wp_memory_at(qemu->machine.memory, entry_pa, 8);

		if (entry == NULL)
			return entry_pa;
		if (meet != NULL)
			meet(context, entry_pa);
		if ((*entry & P) == 0)
			return 0;
		if (level + 1 == regime->levels || (*entry & PS) != 0)
			return (*entry & ADDRESS & ~(span - 1)) | (va & (span - 1));
		table = *entry & ADDRESS;
	}
	return 0;
}

/* The stub is no memory to the tested tables: what leads into it isn't asked. */
static uint8_t answerable(const struct wp_qemu *qemu, uint64_t va)
{
	if (!wp_regime_canonical(qemu->regime, va))
		return WP_ALL_KINDS;
	if (follow(qemu, va, NULL, NULL) - WP_X86_64_STUB_PA <
	    WP_X86_64_STUB_FRAMES * WP_FRAME_SIZE)
		return 0;
	if (wp_memory_at(qemu->machine.memory, qemu->root & ADDRESS, WP_FRAME_SIZE) == NULL)
		return 0; /* no entry to lend */
	if (va == UINT64_MAX && !qemu->machine.incautious && wp_qemu_shown(qemu, QUIRK_LAST_BYTE))
		return WP_ALL_KINDS & ~EXECUTES;
	return WP_ALL_KINDS;
}

/* --- the lent entry --- */

struct used {
	uint64_t root;
	bool entry[ENTRIES];
};

static void mark(void *context, uint64_t entry_pa)
{
	struct used *used = context;

	if (entry_pa - used->root < WP_FRAME_SIZE)
		used->entry[(entry_pa - used->root) / 8] = true;
}

/* Points the last free entry of the root at the walker's tables. */
static bool prepare(struct wp_qemu *qemu, const struct wp_probe *probes, size_t count)
{
	/* the last of as many tables as there are levels below the root */
	const unsigned table = WP_X86_64_STUB_PAGES + qemu->regime->levels - 2u;
	struct used used = {.root = qemu->root & ADDRESS};
	uint64_t *root = wp_memory_at(qemu->machine.memory, used.root, WP_FRAME_SIZE);
	unsigned slot = ENTRIES;

	qemu->notes[NOTE_LENT] = 0;
	if (root == NULL)
		return true;
	for (size_t i = 0; i < count; i++)
		follow(qemu, probes[i].va, mark, &used);
	while (slot > 0 && used.entry[slot - 1])
		slot--;
	if (slot == 0)
		return false;
	qemu->notes[NOTE_LENT] = slot--;
	qemu->notes[NOTE_SAVED] = root[slot];
	root[slot] = (WP_X86_64_STUB_PA + table * WP_FRAME_SIZE) | P | RW | US | A;
	return true;
}

static void restore(struct wp_qemu *qemu)
{
	uint64_t *root = wp_memory_at(qemu->machine.memory, qemu->root & ADDRESS, WP_FRAME_SIZE);

	if (qemu->notes[NOTE_LENT] != 0)
		root[qemu->notes[NOTE_LENT] - 1] = qemu->notes[NOTE_SAVED];
	qemu->notes[NOTE_LENT] = 0;
}

/* Where the lent entry begins, as a canonical address. */
static uint64_t stub_address(const struct wp_qemu *qemu)
{
	const unsigned unused = 64u - qemu->regime->va_bits;
	const uint64_t slot = qemu->notes[NOTE_LENT] - 1;

	if (qemu->notes[NOTE_LENT] == 0)
		return 0;
	return (uint64_t)((int64_t)(slot * wp_regime_span(qemu->regime, 0) << unused) >> unused);
}

static void set(const struct wp_qemu *qemu, uint64_t setting[12])
{
	setting[WP_X86_64_CR3] = qemu->root;
	setting[WP_X86_64_LA57] = qemu->regime->levels == 5;
	setting[WP_X86_64_STUB] = stub_address(qemu);
	setting[WP_X86_64_WINDOW] = qemu->machine.memory->base;
	setting[WP_X86_64_WINDOW_SIZE] = qemu->machine.memory->frames;
}

/* --- answers --- */

/* SDM vol. 3, 4.7 */
#define ERROR_P    1u
#define ERROR_W    2u
#define ERROR_U    4u
#define ERROR_RSVD 8u
#define ERROR_I    16u

/* One that x86_64 doesn't have: whatever it is compared with differs. */
#define CONTRADICTION WP_FAULT_ADDRESS_SIZE

static unsigned error_of_kind(enum wp_kind kind)
{
	static const unsigned errors[WP_KINDS] = {
		[WP_KERNEL_WRITE] = ERROR_W,
		[WP_KERNEL_EXECUTE] = ERROR_I,
		[WP_USER_READ] = ERROR_U,
		[WP_USER_WRITE] = ERROR_U | ERROR_W,
		[WP_USER_EXECUTE] = ERROR_U | ERROR_I,
	};

	return errors[kind];
}

/* P is not looked at beside RSVD (x86-rsvd-without-p). */
static enum wp_fault page_fault(enum wp_kind kind, unsigned error)
{
	if ((error & ~(ERROR_P | ERROR_RSVD)) != error_of_kind(kind))
		return CONTRADICTION;
	if ((error & ERROR_RSVD) != 0)
		return WP_FAULT_RESERVED;
	return (error & ERROR_P) != 0 ? WP_FAULT_PERMISSION : WP_FAULT_NOT_PRESENT;
}

static enum wp_fault fault_of(enum wp_kind kind, uint32_t code)
{
	const unsigned error = code & ((1u << WP_X86_64_EXIT_SHIFT) - 1);

	switch (code >> WP_X86_64_EXIT_SHIFT) {
	case WP_X86_64_EXIT_GP:
		return error == 0 ? WP_FAULT_ADDRESS : CONTRADICTION;
	case WP_X86_64_EXIT_PF:
		return page_fault(kind, error);
	case WP_X86_64_EXIT_NPF:
		return WP_FAULT_BUS;
	default:
		return CONTRADICTION;
	}
}

/* All denied kinds have one reason, unless it is permission and another kind is allowed. */
static void decode(const struct wp_qemu *qemu, const struct wp_probe *probe,
                   const struct wp_reply *reply, struct wp_answer *answer)
{
	const unsigned denied = answer->answered & ~(unsigned)answer->allowed;
	enum wp_fault fault = WP_FAULT_NONE;

	(void)qemu;
	(void)probe;
	for (unsigned kind = 0; kind < WP_KINDS; kind++) {
		enum wp_fault other;

		if ((denied >> kind & 1) == 0)
			continue;
		other = fault_of((enum wp_kind)kind, reply->code[kind]);
		fault = fault == WP_FAULT_NONE || fault == other ? other : CONTRADICTION;
	}
	if (fault == WP_FAULT_PERMISSION && answer->allowed != 0)
		fault = WP_FAULT_NONE;
	answer->fault = (uint8_t)fault;
	/* a denied access doesn't show where the leaf leads */
	answer->pa_unknown |= fault == WP_FAULT_PERMISSION;
}

/* --- quirks --- */

#define RESERVED_IN_A_2M_LEAF ((uint64_t)1 << 13)

static bool reserved_without_p_shows(struct wp_scratch *scratch)
{
	const struct wp_qemu *qemu = wp_qemu_of(scratch->machine);
	uint32_t code;
	uint64_t pa;

	*scratch->entry[2] = wp_scratch_leaf_entry(scratch, 2, (uint64_t)7 << 21, PT_READ) |
	                     RESERVED_IN_A_2M_LEAF;
	if (wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	code = qemu->processes[qemu->model].mailbox->replies[0].code[WP_KERNEL_READ];
	wp_scratch_note("      error code %#" PRIx32 ", the manual %#x",
	                code & ((1u << WP_X86_64_EXIT_SHIFT) - 1), ERROR_RSVD | ERROR_P);
	return code == (WP_X86_64_EXIT_PF << WP_X86_64_EXIT_SHIFT | ERROR_RSVD);
}

static bool reserved_without_p(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", reserved_without_p_shows);
}

/* Versions that are known to hang aren't made to. */
static bool hangs_on(struct wp_machine *machine, const struct wp_probe *probe)
{
	const uint64_t before = machine->hangs;
	struct wp_answer answer;

	if (wp_qemu_of(machine)->notes[NOTE_LAST_BYTE_HANGS] != 0) {
		wp_scratch_note("    (not made: versions up to 7.2 are known to hang)");
		return true;
	}
	machine->probe(machine, probe, &answer, 1);
	return machine->hangs != before;
}

/* The last page of the address space is mapped, to be executed. */
static bool last_byte_hangs_shows(struct wp_scratch *scratch)
{
	const struct wp_probe probe = {UINT64_MAX, 1u << WP_KERNEL_EXECUTE};
	bool hangs;

	for (unsigned level = 0; level < scratch->regime->levels; level++) {
		uint64_t *table = wp_memory_at(scratch->machine->memory, scratch->frame[level],
		                               WP_FRAME_SIZE);

		if (level + 1 < scratch->regime->levels)
			table[ENTRIES - 1] = wp_scratch_table_entry(scratch,
			                                            scratch->frame[level + 1]);
		else
			table[ENTRIES - 1] = wp_scratch_leaf_entry(scratch, level, scratch->page,
			                                           PT_READ | PT_EXECUTE);
	}
	hangs = hangs_on(scratch->machine, &probe);
	wp_scratch_note(
		"      kernel execute at %#" PRIx64 ": qemu %s, the manual goes to %#" PRIx64,
		probe.va, hangs ? "hangs" : "doesn't hang", scratch->page + (WP_FRAME_SIZE - 1));
	return hangs;
}

static bool last_byte_hangs(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "x86_64", last_byte_hangs_shows);
}

static const struct wp_quirk quirks[] = {
	{"x86-rsvd-without-p",
         "the error code of a reserved bit has P = 0; P is not compared for these",
         "SDM vol. 3, 4.7: RSVD is set only if P is", reserved_without_p},
	{"x86-1g-accessed",
         "a 1 GiB leaf gets its A bit although the access is denied; a 2 MiB leaf doesn't",
         "SDM vol. 3, 4.8", wp_quirk_1g_accessed},
	{"x86-last-byte",
         "to execute the last byte of the address space hangs QEMU if it is allowed; not asked",
         "SDM vol. 3, 4.6: an access like any other", last_byte_hangs},
};

static const char *const cpus[] = {"max,phys-bits=52", NULL};

const struct wp_qemu_arch wp_qemu_x86_64 = {
	.program = "qemu-system-x86_64",
	.package = "qemu-system-x86",
	.board = "pc",
	.cpus = cpus,
	.option = "-bios",
	.ram_size = 0xc0000000,
	.firmware = &wp_firmware_x86_64,
	.quirks = quirks,
	.quirk_count = sizeof quirks / sizeof quirks[0],
	.examine = examine,
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
	.prepare = prepare,
	.restore = restore,
};
