/* SPDX-License-Identifier: MIT */
/*
 * RISC-V on QEMU: the tested root is vsatp of a guest of the hypervisor extension, or
 * its hgatp, see firmware/walk_riscv64.c. "RV" is the Privileged ISA.
 *
 * The CPU tells page faults, which have one cause each for reads, writes and fetches
 * and no more, from a walk that left memory. It shows where an allowed access leads,
 * unless that is a table on its own way.
 */
#include "qemu.h"

#include <inttypes.h>

#include "../scratch.h"
#include "firmware/riscv64.h"

/* The CPU models: plain, and one with Svnapot too, which no regime makes use of. */
enum {
	MODEL_PLAIN,
	MODEL_SVPBMT,
};
static const char *const cpus[] = {
	[MODEL_PLAIN] = "rv64,h=on,svpbmt=off,svnapot=off",
	[MODEL_SVPBMT] = "rv64,h=on,svpbmt=on,svnapot=on",
	NULL,
};

static int model(const struct wp_regime *regime)
{
	switch (regime->attributes) {
	case WP_ATTR_SOFTWARE:
		return MODEL_PLAIN;
	case WP_ATTR_SVPBMT:
		return MODEL_SVPBMT;
	case WP_ATTR_XUANTIE:
	default:
		return -1;
	}
}

/* RV "vsatp": as satp, Sv39 is 8, Sv48 9, Sv57 10. */
static void set(const struct wp_qemu *qemu, uint64_t setting[12])
{
	const uint64_t mode = qemu->regime->levels + 5u; /* RV "hgatp": Sv39x4 is 8 too */
	const uint64_t atp = mode << 60 | qemu->root >> 12;

	setting[WP_RISCV64_VSATP] = qemu->regime->stage_2 ? 0 : atp;
	setting[WP_RISCV64_HGATP] = qemu->regime->stage_2 ? atp : 0;
	setting[WP_RISCV64_WINDOW] = qemu->machine.memory->base;
	setting[WP_RISCV64_WINDOW_FRAMES] = qemu->machine.memory->size >> WP_FRAME_SHIFT;
}

static void decode(const struct wp_qemu *qemu, const struct wp_probe *probe,
                   const struct wp_reply *reply, struct wp_answer *answer)
{
	(void)qemu;
	(void)probe;
	if (answer->allowed == 0)
		answer->fault = WP_FAULT_UNKNOWN;
	for (unsigned kind = 0; kind < WP_KINDS; kind++) {
		if ((answer->answered >> kind & 1) != 0 &&
		    (reply->code[kind] & WP_RISCV64_OF_THE_WALK) != 0)
			answer->fault = WP_FAULT_BUS;
	}
}

/* --- what this QEMU gets wrong --- */

#define V        ((uint64_t)1 << 0)
#define R        ((uint64_t)1 << 1)
#define W        ((uint64_t)1 << 2)
#define X        ((uint64_t)1 << 3)
#define U        ((uint64_t)1 << 4)
#define A        ((uint64_t)1 << 6)
#define D        ((uint64_t)1 << 7)
#define PPN      ((((uint64_t)1 << 44) - 1) << 10)
#define RESERVED ((uint64_t)0x7f << 54)
#define PBMT     ((uint64_t)3 << 61)
#define N        ((uint64_t)1 << 63)

/* Of the board: below the first there are devices, and from the second on nothing. */
#define RAM_BASE     0x80000000u
#define NOTHING_FROM ((uint64_t)1 << 36)

/* As in `quirks` below. */
enum quirk {
	QUIRK_RESERVED_BITS,
	QUIRK_PBMT_3,
	QUIRK_GSTAGE_SIGN,
};

/*
 * Whether this QEMU takes an entry that the manual makes a page fault under the regime.
 * N in a leaf means something to a hart with Svnapot, and nothing to the regime.
 */
static bool is_taken(const struct wp_qemu *qemu, uint64_t entry)
{
	const bool leaf = (entry & (R | W | X)) != 0;

	if ((entry & RESERVED) != 0 && wp_qemu_shown(qemu, QUIRK_RESERVED_BITS))
		return true;
	if (leaf && (entry & PBMT) == PBMT && wp_qemu_shown(qemu, QUIRK_PBMT_3))
		return true;
	return leaf && (entry & N) != 0;
}

/*
 * Follows the entries to `va`. What faults either way isn't looked at: an entry that
 * isn't valid, W without R, a pointer with U, A or D or in the last level.
 */
static bool meets_quirk(const struct wp_qemu *qemu, uint64_t va)
{
	uint64_t table = qemu->root;

	for (unsigned level = 0; level < qemu->regime->levels; level++) {
		const uint64_t *entry =
			wp_memory_at(qemu->machine.memory,
		                     table + wp_regime_index(qemu->regime, level, va) * 8, 8);

		if (entry == NULL || (*entry & V) == 0)
			return false;
		if (is_taken(qemu, *entry))
			return true;
		if ((*entry & (R | W | X | U | A | D)) != 0)
			return false;
		table = (*entry & PPN) << 2;
	}
	return false;
}

/*
 * The accesses of a G-stage are real, where they go to memory, and a fault at no memory is
 * the walk's as well as the target's. So there must be no device, a walk must not leave
 * the window, a write must not meet our own memory, which lies below the window, and a
 * fetch must not meet any.
 */
static uint8_t guest_answerable(const struct wp_qemu *qemu, uint64_t va)
{
	const struct wp_regime *regime = qemu->regime;
	uint64_t table = qemu->root;

	for (unsigned level = 0; level < regime->levels; level++) {
		const uint64_t *entry = wp_memory_at(
			qemu->machine.memory, table + wp_regime_index(regime, level, va) * 8, 8);

		if (entry == NULL)
			return 0;
		table = (*entry & PPN) << 2;
		if ((*entry & V) == 0)
			return WP_ALL_KINDS;
		if ((*entry & (R | W | X)) == 0)
			continue;
		table |= va & (wp_regime_span(regime, level) - 1);
		if (table < RAM_BASE)
			return 0;
		if (table < qemu->machine.memory->base)
			return 1u << WP_KERNEL_READ;
		return table >= NOTHING_FROM ? WP_ALL_KINDS
		                             : WP_ALL_KINDS & ~(1u << WP_KERNEL_EXECUTE);
	}
	return WP_ALL_KINDS;
}

/* Whether a check for signed addresses tells another thing than one for 41 bits. */
static bool meets_sign(const struct wp_qemu *qemu, uint64_t va)
{
	const bool is_signed = va >> 40 == 0 || va >> 40 == UINT64_MAX >> 40;

	return wp_qemu_shown(qemu, QUIRK_GSTAGE_SIGN) &&
	       is_signed != wp_regime_canonical(qemu->regime, va);
}

static uint8_t answerable(const struct wp_qemu *qemu, uint64_t va)
{
	if (qemu->regime->stage_2 && !qemu->machine.incautious && meets_sign(qemu, va))
		return 0;
	if (qemu->regime->stage_2 && wp_regime_canonical(qemu->regime, va))
		return guest_answerable(qemu, va);
	if (qemu->machine.incautious || qemu->model == MODEL_PLAIN ||
	    !wp_regime_canonical(qemu->regime, va) || !meets_quirk(qemu, va))
		return WP_ALL_KINDS;
	return 0;
}

/* No RAM, so that it isn't kept by the TLB. */
#define PAGE ((uint64_t)0x55 << 48)

static bool reads_page(const struct wp_scratch *scratch)
{
	uint64_t pa;

	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa) && pa == PAGE;
}

static bool leaf_is_taken(const struct wp_scratch *scratch, uint64_t bits)
{
	wp_scratch_map(scratch, PAGE, PT_READ);
	*wp_scratch_last(scratch) |= bits;
	return reads_page(scratch);
}

static bool pointer_is_taken(const struct wp_scratch *scratch, uint64_t bits)
{
	wp_scratch_map(scratch, PAGE, PT_READ);
	*scratch->entry[1] = wp_scratch_table_entry(scratch, scratch->frame[2]) | bits;
	return reads_page(scratch);
}

static bool reserved_bits_show(struct wp_scratch *scratch)
{
	for (unsigned bit = 54; bit <= 60; bit++) {
		if (leaf_is_taken(scratch, (uint64_t)1 << bit) ||
		    pointer_is_taken(scratch, (uint64_t)1 << bit))
			return true;
	}
	return false;
}

static bool reserved_bits(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39_svpbmt", reserved_bits_show);
}

static bool pbmt_3_shows(struct wp_scratch *scratch)
{
	return leaf_is_taken(scratch, PBMT);
}

static bool pbmt_3(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39_svpbmt", pbmt_3_shows);
}

/* RV "Trap Cause Codes"; 0: none. */
#define GOES_THROUGH      0u
#define LOAD_ACCESS_FAULT 5u
#define LOAD_PAGE_FAULT   13u

static const char *cause_name(uint64_t cause)
{
	switch (cause) {
	case GOES_THROUGH:
		return "goes through";
	case LOAD_ACCESS_FAULT:
		return "load access fault";
	case LOAD_PAGE_FAULT:
		return "load page fault";
	default:
		return "ends otherwise";
	}
}

/* One trial, see firmware/riscv64.h; whether it ends as this QEMU's quirk has it. */
static bool load_ends(struct wp_scratch *scratch, uint64_t how, uint64_t here, uint64_t manual)
{
	uint64_t outcome[8];

	wp_scratch_note_tables(scratch);
	if (!wp_qemu_trial(wp_qemu_of(scratch->machine), (const uint64_t[4]){scratch->va, how},
	                   outcome))
		return false;
	wp_scratch_note("      %s%s%shstatus.SPVP = %d, HLV.B at %#" PRIx64 ": qemu %s, the "
	                "manual %s",
	                (how & WP_RISCV64_FENCE) != 0 ? "HFENCE.VVMA, HFENCE.GVMA, " : "",
	                (how & WP_RISCV64_WITHOUT_ADUE) != 0 ? "menvcfg.ADUE = henvcfg.ADUE = 0, "
	                                                     : "",
	                (how & WP_RISCV64_BARE_SATP) != 0 ? "satp = 0, " : "",
	                (how & WP_RISCV64_AS_USER) == 0, scratch->va, cause_name(outcome[0]),
	                cause_name(manual));
	return outcome[0] == here;
}

/* Svadu is asked for where there is a bit to ask with; here it is taken back. */
static bool svadu_shows(struct wp_scratch *scratch)
{
	uint64_t *leaf = wp_scratch_last(scratch);
	bool made;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	*leaf &= ~(A | D);
	made = load_ends(scratch, WP_RISCV64_FENCE | WP_RISCV64_WITHOUT_ADUE, GOES_THROUGH,
	                 LOAD_PAGE_FAULT);
	wp_scratch_note_tables(scratch);
	return made && (*leaf & A) != 0;
}

static bool svadu(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", svadu_shows);
}

/* The second half of a G-stage's root. */
static bool gstage_sign_shows(struct wp_scratch *scratch)
{
	uint64_t pa;

	wp_scratch_map(scratch, PAGE, PT_READ);
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	wp_scratch_move(scratch, 1024 + 43);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool gstage_sign(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39x4", gstage_sign_shows);
}

static bool spvp_shows(struct wp_scratch *scratch)
{
	wp_scratch_map(scratch, scratch->page, PT_READ);
	return load_ends(scratch, WP_RISCV64_FENCE, GOES_THROUGH, GOES_THROUGH) &&
	       load_ends(scratch, WP_RISCV64_AS_USER, GOES_THROUGH, LOAD_PAGE_FAULT);
}

static bool spvp(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", spvp_shows);
}

static bool fence_shows(struct wp_scratch *scratch)
{
	const uint64_t other = scratch->va + PT_1G + 7 * PT_4K;
	struct wp_machine *machine = scratch->machine;
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, PT_READ);
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	*wp_scratch_last(scratch) = 0;
	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	machine->flush(machine, &other);
	wp_scratch_note("    HFENCE.VVMA of %#" PRIx64, other);
	return !wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
}

static bool fence(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", fence_shows);
}

static bool access_fault_shows(struct wp_scratch *scratch)
{
	*wp_scratch_last(scratch) = 0;
	return load_ends(scratch, WP_RISCV64_FENCE | WP_RISCV64_BARE_SATP, LOAD_ACCESS_FAULT,
	                 LOAD_PAGE_FAULT);
}

static bool access_fault(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", access_fault_shows);
}

static bool mpv_shows(struct wp_scratch *scratch)
{
	uint64_t outcome[8];

	if (!wp_qemu_trial(wp_qemu_of(scratch->machine), (const uint64_t[4]){0, WP_RISCV64_SET_MPV},
	                   outcome))
		return false;
	wp_scratch_note("    CSRRS of mstatus, MPV = 1");
	wp_scratch_note("      MPV: qemu %" PRIu64 ", the manual 1", outcome[0]);
	return outcome[0] == 0;
}

static bool mpv(struct wp_machine *machine)
{
	return wp_scratch_shows(machine, "riscv64_sv39", mpv_shows);
}

static const struct wp_quirk quirks[] = {
	{"rv-svpbmt-reserved-bits",
         "with Svpbmt, bits 54 to 60 of an entry are ignored; a probe that meets one gets no "
         "answer",
         "Privileged ISA, \"Sv39\": reserved, page fault", reserved_bits},
	{"rv-pbmt-3", "PBMT = 3 is accepted in a leaf; a probe that meets it gets no answer",
         "Privileged ISA, \"Svpbmt\": reserved, page fault", pbmt_3},
	{"rv-gstage-sign",
         "addresses of a G-stage must be signed: those with bit 40 set fault; a probe of one gets "
         "no answer",
         "Privileged ISA, \"Guest Physical Address Translation\": zeros above bit 40", gstage_sign},
	{"rv-svadu", "the hart sets A and D itself, and can't be made to fault instead (Svade)",
         "Privileged ISA, \"Svadu\": only with menvcfg.ADUE", svadu},
	{"rv-spvp-tlb",
         "what a kernel's HLV has read, a user's may read from the same mode until a flush; the "
         "two are made from different modes",
         "Privileged ISA, \"Hypervisor Virtual-Machine Load and Store Instructions\": SPVP is "
         "the privilege",
         spvp},
	{"rv-hlv-access-fault",
         "a page fault of HLV is told as an access fault if satp is bare; it isn't",
         "Privileged ISA, \"Hypervisor Virtual-Machine Load and Store Instructions\": as in "
         "VS-mode",
         access_fault},
	{"rv-hfence-va-flushes-all",
         "HFENCE.VVMA with an address drops every translation: it can't show a wrong address",
         "Privileged ISA, \"Hypervisor Memory-Management Fence Instructions\": allowed", fence},
	{"rv-mpv-read-only",
         "mstatus.MPV can't be written, so that no MRET enters a guest: an SRET does",
         "Privileged ISA, \"Machine Status (mstatus and mstatush) Registers\": MRET goes by MPV",
         mpv},
};

const struct wp_qemu_arch wp_qemu_riscv64 = {
	.program = "qemu-system-riscv64",
	.package = "qemu-system-misc",
	.board = "virt",
	.cpus = cpus,
	.option = "-kernel",
	.extra = (const char *const[]){"-bios", "none", NULL},
	.ram_size = (uint64_t)1 << 30,
	.core_per_node = true,
	.spoils_end = 2u << 20, /* QEMU 10 puts its device tree at the end of memory */
	.keeps_tlb = true,
	.firmware = &wp_firmware_riscv64,
	.quirks = quirks,
	.quirk_count = sizeof quirks / sizeof quirks[0],
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
};
