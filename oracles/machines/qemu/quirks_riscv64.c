/* SPDX-License-Identifier: MIT */
/* What QEMU's RISC-V gets wrong, each shown by a table or a trial: see firmware/riscv64.h. */
#include "qemu_riscv64.h"

#include <inttypes.h>

#include "../scratch.h"
#include "firmware/riscv64.h"

/* RV "Sv32", "Svpbmt": of a leaf. */
#define A    ((uint64_t)1 << 6)
#define D    ((uint64_t)1 << 7)
#define PBMT ((uint64_t)3 << 61)

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
	if (!wp_scratch_is_kept(scratch))
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

const struct wp_quirk wp_rv_quirks[WP_RV_QUIRKS] = {
	[WP_RV_RESERVED_BITS] = {"rv-svpbmt-reserved-bits",
                                 "with Svpbmt, bits 54 to 60 of an entry are ignored; a probe that "
                                 "meets one gets no answer",
                                 "Privileged ISA, \"Sv39\": reserved, page fault", reserved_bits},
	[WP_RV_PBMT_3] = {"rv-pbmt-3",
                          "PBMT = 3 is accepted in a leaf; a probe that meets it gets no answer",
                          "Privileged ISA, \"Svpbmt\": reserved, page fault", pbmt_3},
	[WP_RV_GSTAGE_SIGN] =
		{"rv-gstage-sign",
                 "addresses of a G-stage must be signed: those with bit 40 set fault; a probe of "
                 "one gets no answer",
                 "Privileged ISA, \"Guest Physical Address Translation\": zeros above bit 40",
                 gstage_sign},
	[WP_RV_SVADU] = {"rv-svadu",
                         "the hart sets A and D itself, and can't be made to fault instead (Svade)",
                         "Privileged ISA, \"Svadu\": only with menvcfg.ADUE", svadu},
	[WP_RV_SPVP_TLB] = {"rv-spvp-tlb",
                            "what a kernel's HLV has read, a user's may read from the same mode "
                            "until a flush; the two are made from different modes",
                            "Privileged ISA, \"Hypervisor Virtual-Machine Load and Store "
                            "Instructions\": SPVP is the privilege",
                            spvp},
	[WP_RV_HLV_ACCESS_FAULT] =
		{"rv-hlv-access-fault",
                 "a page fault of HLV is told as an access fault if satp is bare; it isn't",
                 "Privileged ISA, \"Hypervisor Virtual-Machine Load and Store Instructions\": as "
                 "in VS-mode",
                 access_fault},
	[WP_RV_HFENCE_VA_FLUSHES_ALL] =
		{"rv-hfence-va-flushes-all",
                 "HFENCE.VVMA with an address drops every translation: it can't show a wrong "
                 "address",
                 "Privileged ISA, \"Hypervisor Memory-Management Fence Instructions\": allowed",
                 fence},
	[WP_RV_MPV_READ_ONLY] =
		{"rv-mpv-read-only",
                 "mstatus.MPV can't be written, so that no MRET enters a guest: an SRET does",
                 "Privileged ISA, \"Machine Status (mstatus and mstatush) Registers\": MRET goes "
                 "by MPV",
                 mpv},
};
