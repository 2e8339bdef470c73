/* SPDX-License-Identifier: MIT */
/*
 * What QEMU's LoongArch gets wrong, each shown by trials: see firmware/loongarch64.h.
 */
#include "qemu_loongarch64.h"

#include <inttypes.h>
#include <stdio.h>

#include "../scratch.h"
#include "firmware/loongarch64.h"

/* LA 7.5.3: TLBELO, and a huge page's entry in memory (LA 5.4.5). */
#define V      ((uint64_t)1 << 0)
#define D      ((uint64_t)1 << 1)
#define G      ((uint64_t)1 << 6)
#define H      ((uint64_t)1 << 6)
#define HUGE_G ((uint64_t)1 << 12)
#define NR     ((uint64_t)1 << 61)
#define NX     ((uint64_t)1 << 62)
#define RPLV   ((uint64_t)1 << 63)
#define RIGHTS (NR | NX | RPLV)

/* A user address that is in no window, and one in the next 16 KiB. */
#define VA       0x123456780000u
#define OTHER_VA 0x123456784000u
#define NO_RAM   ((uint64_t)0x5a << 40)
#define WINDOW   ((uint64_t)KERNEL_WINDOW << 60)

/* The frames of the firmware, whose bytes 0 are 1 to 4; TO_FRAMES is in `how`. */
#define FRAME(number) ((uint64_t)(number) * WP_FRAME_SIZE)
#define TO_FRAMES     WP_LA_TO_FRAMES
#define FRESH         WP_LA_FRESH

/* What comes out of a trial, and where in its outcome. */
enum result {
	CODE,
	BYTE,
	FOUND,
	BADV,
	TLBRELO0,
	TLBRELO1,
	PS,
};
static const struct {
	const char *name;
	unsigned index;
} results[] = {
	[CODE] = {"exception", 0}, [BYTE] = {"byte", 1},         [FOUND] = {"entries found", 2},
	[BADV] = {"BADV", 3},      [TLBRELO0] = {"TLBRELO0", 0}, [TLBRELO1] = {"TLBRELO1", 1},
	[PS] = {"TLBREHI.PS", 2},
};

#define NO_END UINT64_MAX /* in place of a result: QEMU hangs */

/* The trials that show a quirk, in order: what comes out of each here and by the manual. */
static const struct trial {
	enum wp_la_quirk quirk;
	uint64_t parameters[4];
	struct {
		enum result result;
		uint64_t here, manual;
		uint64_t bits; /* of the result that are looked at; 0: all */
	} end;
} trials[] = {
	{WP_LA_DATA_16K,
         {WP_LA_ACCESS, FRAME(1) | V, VA, TO_FRAMES | FRESH | WP_KERNEL_READ},
         {BYTE, 1, 2, 0}},
	{WP_LA_DENIED_FETCH_HANGS,
         {WP_LA_ACCESS, NO_RAM | V, VA, FRESH | WP_USER_EXECUTE},
         {CODE, NO_END, ECODE_PPI, 0}},
	{WP_LA_LDPTE_RIGHTS,
         {WP_LA_LDPTE, NO_RAM | V | RIGHTS, 0},
         {TLBRELO1, NO_RAM | V, NO_RAM | V | RIGHTS, RIGHTS}},
	{WP_LA_LDDIR_RIGHTS,
         {WP_LA_LDPTE, NO_RAM | V | H | RIGHTS, 1},
         {TLBRELO0, NO_RAM | V, NO_RAM | V | RIGHTS, RIGHTS}},
	{WP_LA_LDPTE_1G, {WP_LA_LDPTE, NO_RAM | V | H, 2}, {PS, 20, 29, 0}},
	{WP_LA_LDPTE_HUGE_G,
         {WP_LA_LDPTE, NO_RAM | V | H | HUGE_G, 1},
         {TLBRELO0, NO_RAM | V | G | HUGE_G, NO_RAM | V | G, HUGE_G}},
	{WP_LA_VA_BIT_47,
         {WP_LA_ACCESS, FRAME(0) | V, (uint64_t)1 << (WP_LA_VALEN - 1),
          TO_FRAMES | FRESH | WP_KERNEL_READ},
         {CODE, ECODE_SYS, ECODE_ADEM, 0}},
	{WP_LA_TLBWR_STALE,
         {WP_LA_ACCESS, FRAME(0) | V, VA, TO_FRAMES | FRESH | WP_KERNEL_READ},
         {CODE, ECODE_SYS, ECODE_SYS, 0}},
	{WP_LA_TLBWR_STALE, {WP_LA_ACCESS, 0, VA, WP_KERNEL_READ}, {CODE, ECODE_SYS, ECODE_PIL, 0}},
	{WP_LA_NR_AFTER_STORE,
         {WP_LA_ACCESS, FRAME(3) | V | D | NR, VA, TO_FRAMES | FRESH | WP_KERNEL_READ},
         {CODE, ECODE_PNR, ECODE_PNR, 0}},
	{WP_LA_NR_AFTER_STORE,
         {WP_LA_ACCESS, FRAME(3) | V | D | NR, VA, TO_FRAMES | FRESH | WP_KERNEL_WRITE},
         {CODE, ECODE_SYS, ECODE_SYS, 0}},
	{WP_LA_NR_AFTER_STORE,
         {WP_LA_ACCESS, 0, VA, WP_LA_HELD | WP_KERNEL_READ},
         {CODE, ECODE_SYS, ECODE_PNR, 0}},
	{WP_LA_G_OF_EVEN,
         {WP_LA_ACCESS, NO_RAM | V | G, VA, FRESH | WP_LA_OTHER_ASID},
         {FOUND, 1, 0, 0}},
	{WP_LA_BUS_ERROR,
         {WP_LA_ACCESS, NO_RAM | V, VA, FRESH | WP_KERNEL_READ},
         {CODE, ECODE_ADEM, ECODE_SYS, 0}},
	{WP_LA_BUS_BADV,
         {WP_LA_ACCESS, 0, OTHER_VA, FRESH | WP_KERNEL_READ},
         {BADV, OTHER_VA, OTHER_VA, 0}},
	{WP_LA_BUS_BADV, {WP_LA_ACCESS, NO_RAM | V, VA, WP_KERNEL_READ}, {BADV, OTHER_VA, VA, 0}},
	{WP_LA_WINDOW_16,
         {WP_LA_ACCESS, 0, WINDOW, WP_LA_HELD | WP_LA_VA_OF_FRAMES | WP_KERNEL_READ},
         {CODE, ECODE_SYS, ECODE_SYS, 0}},
	{WP_LA_WINDOW_16,
         {WP_LA_ACCESS, 0, WINDOW | (uint64_t)1 << WP_LA_VALEN,
          WP_LA_HELD | WP_LA_VA_OF_FRAMES | WP_KERNEL_READ},
         {CODE, ECODE_ADEM, ECODE_SYS, 0}},
};

/* --- telling --- */

/* LA 7.4.6; the rest is told by number. */
static const char *const code_names[] = {
	[ECODE_PIL] = "PIL",   [ECODE_PIS] = "PIS",  [ECODE_PIF] = "PIF", [ECODE_PME] = "PME",
	[ECODE_PNR] = "PNR",   [ECODE_PNX] = "PNX",  [ECODE_PPI] = "PPI", [ECODE_ADEF] = "ADEF",
	[ECODE_ADEM] = "ADEM", [ECODE_SYS] = "none",
};

static const char *value_text(enum result result, uint64_t value, char text[24])
{
	if (value == NO_END)
		return "does not end";
	if (result == CODE && value < sizeof code_names / sizeof code_names[0] &&
	    code_names[value] != NULL)
		return code_names[value];
	snprintf(text, 24,
	         result == BYTE || result == FOUND || result == PS ? "%" PRIu64 : "%#" PRIx64,
	         value);
	return text;
}

static void tell_ldpte(const struct trial *trial)
{
	static const char *const tables[] = {"page table", "directory 1", "directory 2"};

	wp_scratch_note(
		"    LDDIR 3, 2, 1 and LDPTE 0, 1 for %#" PRIx64 ", in whose %s is %#" PRIx64,
		(uint64_t)WP_LA_LDPTE_VA, tables[trial->parameters[2]], trial->parameters[1]);
}

static void tell_access(const struct trial *trial)
{
	const uint64_t lo = trial->parameters[1], va = trial->parameters[2];
	const uint64_t how = trial->parameters[3];
	const char *const frames = (how & WP_LA_TO_FRAMES) != 0 ? "frames + " : "";

	if ((how & (WP_LA_TO_FRAMES | WP_LA_VA_OF_FRAMES)) != 0)
		wp_scratch_note("    frames: four in 16 KiB, whose first bytes are 1 to 4");
	if ((how & WP_LA_FRESH) != 0)
		wp_scratch_note("    INVTLB 0");
	if ((how & WP_LA_HELD) == 0)
		wp_scratch_note("    TLBWR at %#" PRIx64 ": PS 12, TLBELO0 %s%#" PRIx64
		                ", TLBELO1 %s%#" PRIx64,
		                va, frames, lo, frames, lo & ~G);
	if ((how & WP_LA_OTHER_ASID) != 0)
		wp_scratch_note("    another ASID, TLBSRCH at %#" PRIx64, va);
	else
		wp_scratch_note("    %s at %s%#" PRIx64, wp_kind_name((enum wp_kind)(how % 8)),
		                (how & WP_LA_VA_OF_FRAMES) != 0 ? "frames + " : "", va);
}

static void tell_outcome(const struct trial *trial, uint64_t value)
{
	char here[24], manual[24];

	wp_scratch_note("      %s: qemu %s, the manual %s", results[trial->end.result].name,
	                value_text(trial->end.result, value, here),
	                value_text(trial->end.result, trial->end.manual, manual));
}

/* --- showing --- */

/* One that is known to hang isn't made again: it would cost a second and a restart. */
static uint64_t value_of(struct wp_qemu *qemu, const struct trial *trial)
{
	uint64_t outcome[8];

	if (trial->end.here == NO_END && qemu->notes[WP_LA_NOTE_FETCH_HANGS] != 0) {
		wp_scratch_note("    (not made: versions up to 10.0 are known to hang)");
		return NO_END;
	}
	if (!wp_qemu_trial(qemu, trial->parameters, outcome))
		return NO_END;
	return outcome[results[trial->end.result].index];
}

static bool is_as_here(const struct trial *trial, uint64_t value)
{
	if (value == NO_END || trial->end.bits == 0)
		return value == trial->end.here;
	return ((value ^ trial->end.here) & trial->end.bits) == 0;
}

static bool shows(struct wp_machine *machine, enum wp_la_quirk quirk)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
		const struct trial *trial = &trials[i];
		uint64_t value;

		if (trial->quirk != quirk)
			continue;
		(trial->parameters[0] == WP_LA_LDPTE ? tell_ldpte : tell_access)(trial);
		value = value_of(qemu, trial);
		tell_outcome(trial, value);
		if (!is_as_here(trial, value))
			return false;
	}
	return qemu->processes[0].version[0] != '\0';
}

static bool data_16k(struct wp_machine *machine)
{
	return shows(machine, WP_LA_DATA_16K);
}

static bool fetch_hangs(struct wp_machine *machine)
{
	return shows(machine, WP_LA_DENIED_FETCH_HANGS);
}

static bool ldpte_loses_rights(struct wp_machine *machine)
{
	return shows(machine, WP_LA_LDPTE_RIGHTS);
}

static bool lddir_loses_rights(struct wp_machine *machine)
{
	return shows(machine, WP_LA_LDDIR_RIGHTS);
}

static bool ldpte_takes_1g_for_2m(struct wp_machine *machine)
{
	return shows(machine, WP_LA_LDPTE_1G);
}

static bool ldpte_leaves_g(struct wp_machine *machine)
{
	return shows(machine, WP_LA_LDPTE_HUGE_G);
}

static bool ignores_bit_47(struct wp_machine *machine)
{
	return shows(machine, WP_LA_VA_BIT_47);
}

static bool tlbwr_leaves_stale(struct wp_machine *machine)
{
	return shows(machine, WP_LA_TLBWR_STALE);
}

static bool reads_after_store(struct wp_machine *machine)
{
	return shows(machine, WP_LA_NR_AFTER_STORE);
}

static bool global_by_even_page(struct wp_machine *machine)
{
	return shows(machine, WP_LA_G_OF_EVEN);
}

static bool bus_error_is_address_error(struct wp_machine *machine)
{
	return shows(machine, WP_LA_BUS_ERROR);
}

static bool bus_error_leaves_badv(struct wp_machine *machine)
{
	return shows(machine, WP_LA_BUS_BADV);
}

static bool windows_are_16_bits(struct wp_machine *machine)
{
	return shows(machine, WP_LA_WINDOW_16);
}

const struct wp_quirk wp_la_quirks[WP_LA_QUIRKS] = {
	[WP_LA_DATA_16K] =
		{"la-data-16k",
                 "an access goes to the frame of its own number within 16 KiB of the right "
                 "one, and what a page allows its neighbours do: the address is taken from "
                 "TLBRD, and pages that share 16 KiB are flushed in between",
                 "LA 5.4.4: PA = PPN and offset", data_16k},
	[WP_LA_DENIED_FETCH_HANGS] =
		{"la-fetch-hangs",
                 "a fetch that PLV denies, and before QEMU 10.0.9 one that NX does, hangs "
                 "QEMU: neither is made, and both are denied by what TLBRD shows",
                 "LA 5.4.4: PNX, PPI", fetch_hangs},
	[WP_LA_LDPTE_RIGHTS] =
		{"la-ldpte-rights",
                 "LDPTE loses NR, NX and RPLV: they come from the handler by loads alone",
                 "LA 4.2.5 LDPTE", ldpte_loses_rights},
	[WP_LA_LDDIR_RIGHTS] =
		{"la-lddir-rights",
                 "LDDIR loses NR, NX and RPLV of a huge page: they come from the handler by "
                 "loads alone",
                 "LA 4.2.5 LDDIR, 5.4.5", lddir_loses_rights},
	[WP_LA_LDPTE_1G] =
		{"la-ldpte-1g",
                 "LDPTE takes a page of 1 GiB for one of 2 MiB: it comes from the handler by "
                 "loads alone",
                 "LA 4.2.5 LDPTE", ldpte_takes_1g_for_2m},
	[WP_LA_LDPTE_HUGE_G] =
		{"la-ldpte-huge-g",
                 "LDPTE copies a huge page's G from bit 12, and leaves bit 12 set in the "
                 "address: it comes from the handler by loads alone",
                 "LA 4.2.5 LDPTE, 5.4.5", ldpte_leaves_g},
	[WP_LA_VA_BIT_47] = {"la-va-bit-47",
                             "an address whose bit 47 differs from bits 63 to 48, all equal, is "
                             "translated; a probe of one is not answered",
                             "LA 5.2: an address error", ignores_bit_47},
	[WP_LA_TLBWR_STALE] =
		{"la-tlbwr-stale",
                 "what TLBWR or TLBFILL has replaced is still used until a flush or a new "
                 "ASID: one is set before an address of the same 16 KiB is accessed again",
                 "LA 4.2.4 TLBWR", tlbwr_leaves_stale},
	[WP_LA_NR_AFTER_STORE] =
		{"la-nr-after-store",
                 "after a store to a page with NR a load goes through until a flush: "
                 "loads are made first",
                 "LA 5.4.4: PNR", reads_after_store},
	[WP_LA_G_OF_EVEN] =
		{"la-g-of-even",
                 "an entry is global if its even page is; there is one address space here",
                 "LA 5.4.2: if both are", global_by_even_page},
	[WP_LA_BUS_ERROR] =
		{"la-bus-error",
                 "an access to where no memory is ends as an address error (ADEF, ADEM), "
                 "although its address is fine: taken for one that is allowed",
                 "LA 7.4.6: ADEF, ADEM are of the address", bus_error_is_address_error},
	[WP_LA_BUS_BADV] = {"la-bus-badv",
                            "such an error leaves BADV as it was: nothing here is taken from BADV",
                            "LA 7.4.8 BADV: the address, for ADE", bus_error_leaves_badv},
	[WP_LA_WINDOW_16] =
		{"la-window-16",
                 "a direct window is told by bits 63 to 48 of the address, not by 63 to 60; no "
                 "address in the firmware's windows is answered",
                 "LA 5.2.1: bits 63 to 60", windows_are_16_bits},
};
