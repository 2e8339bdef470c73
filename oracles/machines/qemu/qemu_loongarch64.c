/* SPDX-License-Identifier: MIT */
/*
 * LoongArch on QEMU: the only emulator that has it. What the walker does, and
 * why, is told in firmware/walk_loongarch64.c.
 *
 * A probe is answered from the refill handler that walks by loads, and that of
 * LDDIR and LDPTE must agree; if it doesn't, the answer is made to be wrong.
 * Rights are those of an access, with two exceptions: a fetch that NX or PLV
 * denies isn't made where it would hang QEMU, and a page of the firmware's own
 * memory or of a device is accessed through a TLB entry with its rights that leads
 * to no memory. Addresses in the firmware's direct windows, 0x8... and 0x9..., are
 * no tested table's, and not answered.
 */
#include "qemu.h"

#include <stdio.h>
#include <string.h>

#include "firmware/loongarch64.h"

/* LA 7.5.3: TLBELO, and a huge page's entry in memory (LA 5.4.5). */
#define V      ((uint64_t)1 << 0)
#define D      ((uint64_t)1 << 1)
#define MAT_CC ((uint64_t)1 << 4)
#define G      ((uint64_t)1 << 6)
#define H      ((uint64_t)1 << 6)
#define HUGE_G ((uint64_t)1 << 12)
#define NR     ((uint64_t)1 << 61)
#define NX     ((uint64_t)1 << 62)
#define RPLV   ((uint64_t)1 << 63)

#define VALEN 48

enum quirk {
	DATA_16K,
	FETCH_HANGS,
	LDPTE_RIGHTS,
	LDPTE_1G,
	LDPTE_HUGE_G,
	VA_BIT_47,
	TLBWR_STALE,
	NR_AFTER_STORE,
	G_OF_EVEN,
	BUS_ERROR,
	BUS_BADV,
	WINDOW_16,
};

/* wp_qemu.notes */
#define NOTE_FETCH_HANGS 0

static int model(const struct wp_regime *regime)
{
	return regime->arch == WP_LOONGARCH64 ? 0 : -1;
}

/*
 * QEMU 7.2 and 10.0, and so what lies between them, raise the exception of a denied
 * fetch, read the instruction for it, and raise it again without end. To find that
 * out anew at each start would cost a second and a restart.
 */
static void examine(struct wp_qemu *qemu)
{
	unsigned major = 0, minor = 0;

	sscanf(qemu->processes[qemu->model].version, "%u.%u", &major, &minor);
	qemu->notes[NOTE_FETCH_HANGS] = major < 10 || (major == 10 && minor == 0);
}

/* Address 0 is no table in guest memory: the other half translates nothing. */
static void set(const struct wp_qemu *qemu, uint64_t setting[12])
{
	const struct wp_memory *memory = qemu->machine.memory;
	const bool high = qemu->regime != NULL && qemu->regime->half == PT_HIGH;
	const bool hangs = qemu->notes[NOTE_FETCH_HANGS] != 0 || wp_qemu_shown(qemu, FETCH_HANGS);

	setting[WP_LA_PGDL] = high ? 0 : qemu->root;
	setting[WP_LA_PGDH] = high ? qemu->root : 0;
	setting[WP_LA_WINDOW] = memory->base;
	setting[WP_LA_WINDOW_SIZE] = memory->frames * WP_FRAME_SIZE;
	setting[WP_LA_FLAGS] = hangs ? WP_LA_FETCH_HANGS : 0;
}

/* Bits 63 to `low` are all equal. */
static bool sign_extended(uint64_t va, unsigned low)
{
	return va >> low == 0 || va >> low == UINT64_MAX >> low;
}

static uint8_t answerable(const struct wp_qemu *qemu, uint64_t va)
{
	if (va >> 60 == KERNEL_WINDOW || va >> 60 == USER_WINDOW)
		return 0;
	if (wp_qemu_shown(qemu, VA_BIT_47) && !qemu->machine.incautious &&
	    sign_extended(va, VALEN) && !sign_extended(va, VALEN - 1))
		return 0;
	return WP_ALL_KINDS;
}

/* --- answers --- */

/* Of an invalid page, the handler knows more than the CPU. */
static enum wp_fault no_page(const struct wp_qemu *qemu, uint64_t va, uint8_t end)
{
	if (!wp_regime_canonical(qemu->regime, va))
		return WP_FAULT_ADDRESS; /* the other half */
	switch (end) {
	case WALK_LEAF:
		return WP_FAULT_NOT_PRESENT;
	case WALK_LEFT:
		return WP_FAULT_BUS;
	case WALK_RESERVED:
		return WP_FAULT_RESERVED;
	default:
		return WP_FAULT_UNKNOWN;
	}
}

static enum wp_fault fault_of(const struct wp_qemu *qemu, uint64_t va, const struct wp_reply *reply,
                              uint32_t code)
{
	switch (code) {
	case ECODE_PIL:
	case ECODE_PIS:
	case ECODE_PIF:
		return no_page(qemu, va, reply->spare[0]);
	case ECODE_PME:
	case ECODE_PNR:
	case ECODE_PNX:
	case ECODE_PPI:
		return WP_FAULT_PERMISSION;
	case ECODE_ADEF:
	case ECODE_ADEM:
		return WP_FAULT_ADDRESS;
	default:
		return WP_FAULT_UNKNOWN;
	}
}

/* LA 5.3: SUC, CC, WUC, reserved. */
static const uint8_t memory_types[] = {WP_TYPE_DEVICE, WP_TYPE_NORMAL, WP_TYPE_UNCACHED,
                                       WP_TYPE_OTHER};

static void decode_page(const struct wp_reply *reply, struct wp_answer *answer)
{
	answer->pa = reply->pa;
	answer->memory_type = memory_types[reply->raw >> 4 & 3];
	answer->global = (reply->raw & G) != 0;
	answer->size = (uint64_t)1 << reply->size_log2;
}

static void decode(const struct wp_qemu *qemu, const struct wp_probe *probe,
                   const struct wp_reply *reply, struct wp_answer *answer)
{
	const uint8_t denied = answer->answered & (uint8_t)~answer->allowed;

	answer->level = reply->level;
	for (uint32_t kind = 0; kind < WP_KINDS; kind++) {
		enum wp_fault fault;

		if (reply->code[kind] == CODE_FORMS_DIFFER) {
			answer->allowed = denied;
			answer->fault = WP_FAULT_UNKNOWN;
			return;
		}
		if ((denied >> kind & 1) == 0)
			continue;
		fault = fault_of(qemu, probe->va, reply, reply->code[kind]);
		if (fault != WP_FAULT_PERMISSION || answer->allowed == 0)
			answer->fault = (uint8_t)fault;
	}
	if (answer->fault == WP_FAULT_ADDRESS)
		answer->level = 0;
	if (reply->located != 0 && answer->fault <= WP_FAULT_PERMISSION)
		decode_page(reply, answer);
}

/* --- quirks --- */

/* A user address that is in no window. */
#define TRIAL_VA 0x123456780000u
#define NO_RAM   ((uint64_t)0x5a << 40)

struct pair {
	uint64_t even, odd, ps;
};

static bool walk_by_instructions(struct wp_machine *machine, uint64_t entry, uint64_t level,
                                 struct pair *pair)
{
	uint64_t outcome[8];

	if (!wp_qemu_trial(wp_qemu_of(machine), WP_LA_LDPTE, (const uint64_t[]){entry, level, 0},
	                   outcome))
		return false;
	*pair = (struct pair){outcome[0], outcome[1], outcome[2]};
	return true;
}

struct outcome {
	uint64_t code, byte, found, badv;
};

/* `lo` as in TLBELO, see WP_LA_ACCESS. */
static struct outcome try_access(struct wp_machine *machine, uint64_t lo, uint64_t va, uint64_t how)
{
	uint64_t outcome[8] = {UINT64_MAX};

	wp_qemu_trial(wp_qemu_of(machine), WP_LA_ACCESS, (const uint64_t[]){lo, va, how}, outcome);
	return (struct outcome){outcome[0], outcome[1], outcome[2], outcome[3]};
}

/* One of four frames, whose bytes 0 are 1 to 4; 0: there is no QEMU. */
static uint64_t frame(struct wp_machine *machine, unsigned number)
{
	const struct wp_qemu *qemu = wp_qemu_of(machine);

	try_access(machine, V, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_READ);
	if (qemu->processes[0].mailbox == NULL)
		return 0;
	return qemu->processes[0].mailbox->found[WP_LA_FRAMES] + number * WP_FRAME_SIZE;
}

static bool data_16k(struct wp_machine *machine)
{
	const uint64_t second = frame(machine, 1) | V;

	return try_access(machine, second, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_READ).byte == 1;
}

static bool fetch_hangs(struct wp_machine *machine)
{
	const struct wp_qemu *qemu = wp_qemu_of(machine);
	const struct outcome denied = qemu->notes[NOTE_FETCH_HANGS] != 0
	                                      ? (struct outcome){.code = UINT64_MAX}
	                                      : try_access(machine, NO_RAM | V | NX, TRIAL_VA,
	                                                   WP_LA_FRESH | WP_KERNEL_EXECUTE);

	return denied.code == UINT64_MAX && qemu->processes[0].version[0] != '\0';
}

static bool ldpte_loses_rights(struct wp_machine *machine)
{
	struct pair pair;

	return walk_by_instructions(machine, NO_RAM | V | NR | NX | RPLV, 0, &pair) &&
	       ((pair.even | pair.odd) & (NR | NX | RPLV)) == 0;
}

static bool ldpte_takes_1g_for_2m(struct wp_machine *machine)
{
	struct pair pair;

	return walk_by_instructions(machine, NO_RAM | V | H, 2, &pair) && pair.ps == 20;
}

static bool ldpte_leaves_g(struct wp_machine *machine)
{
	struct pair pair;

	return walk_by_instructions(machine, NO_RAM | V | H | HUGE_G, 1, &pair) &&
	       (pair.even & HUGE_G) != 0;
}

/* 2^47 isn't the sign extension of any 48 bits. */
static bool ignores_bit_47(struct wp_machine *machine)
{
	const uint64_t va = (uint64_t)1 << (VALEN - 1);

	return try_access(machine, frame(machine, 0) | V, va, WP_LA_FRESH | WP_KERNEL_READ).code ==
	       ECODE_SYS;
}

/* The second entry, of a frame 16 KiB off the first one, replaces it. */
static bool tlbwr_leaves_stale(struct wp_machine *machine)
{
	const uint64_t before = frame(machine, 0) | V;

	return try_access(machine, before, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_READ).byte == 1 &&
	       try_access(machine, NO_RAM | V, TRIAL_VA, WP_KERNEL_READ).code == ECODE_SYS;
}

static bool reads_after_store(struct wp_machine *machine)
{
	const uint64_t unreadable = frame(machine, 3) | V | D | NR;

	return try_access(machine, unreadable, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_READ).code ==
	               ECODE_PNR &&
	       try_access(machine, unreadable, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_WRITE).code ==
	               ECODE_SYS &&
	       try_access(machine, unreadable, TRIAL_VA, WP_LA_HELD | WP_KERNEL_READ).code ==
	               ECODE_SYS;
}

static bool global_by_even_page(struct wp_machine *machine)
{
	return try_access(machine, NO_RAM | V | G, TRIAL_VA, WP_LA_FRESH | WP_LA_OTHER_ASID)
	               .found != 0;
}

static bool bus_error_is_address_error(struct wp_machine *machine)
{
	return try_access(machine, NO_RAM | V, TRIAL_VA, WP_LA_FRESH | WP_KERNEL_READ).code ==
	       ECODE_ADEM;
}

static bool bus_error_leaves_badv(struct wp_machine *machine)
{
	const uint64_t invalid = TRIAL_VA + 2 * WP_FRAME_SIZE;

	return try_access(machine, 0, invalid, WP_LA_FRESH | WP_KERNEL_READ).badv == invalid &&
	       try_access(machine, NO_RAM | V, TRIAL_VA, WP_KERNEL_READ).badv == invalid;
}

static bool windows_are_16_bits(struct wp_machine *machine)
{
	const uint64_t window = (uint64_t)KERNEL_WINDOW << 60, other = (uint64_t)1 << VALEN;
	const uint64_t pa = frame(machine, 0);

	return try_access(machine, V, window | pa, WP_KERNEL_READ).code == ECODE_SYS &&
	       try_access(machine, V, window | other | pa, WP_KERNEL_READ).code == ECODE_ADEM;
}

static const struct wp_quirk quirks[] = {
	[DATA_16K] = {"la-data-16k",
                      "an access goes to the frame of its own number within 16 KiB of the right "
                      "one, and what a page allows its neighbours do: the address is taken from "
                      "TLBRD, and pages that share 16 KiB are flushed in between",
                      "LA 5.4.4: PA = PPN and offset", data_16k},
	[FETCH_HANGS] = {"la-fetch-hangs",
                         "a fetch that NX or PLV denies hangs QEMU: it isn't made, and denied by "
                         "what TLBRD shows",
                         "LA 5.4.4: PNX, PPI", fetch_hangs},
	[LDPTE_RIGHTS] = {"la-ldpte-rights",
                          "LDPTE loses NR, NX and RPLV: they come from the handler by loads alone",
                          "LA 4.2.5 LDPTE", ldpte_loses_rights},
	[LDPTE_1G] = {"la-ldpte-1g",
                      "LDPTE takes a page of 1 GiB for one of 2 MiB: it comes from the handler by "
                      "loads alone",
                      "LA 4.2.5 LDPTE", ldpte_takes_1g_for_2m},
	[LDPTE_HUGE_G] = {"la-ldpte-huge-g",
                          "LDPTE copies a huge page's G from bit 12, and leaves bit 12 set in the "
                          "address: it comes from the handler by loads alone",
                          "LA 4.2.5 LDPTE, 5.4.5", ldpte_leaves_g},
	[VA_BIT_47] = {"la-va-bit-47",
                       "an address whose bit 47 differs from bits 63 to 48, all equal, is "
                       "translated; a probe of one is not answered",
                       "LA 5.2: an address error", ignores_bit_47},
	[TLBWR_STALE] = {"la-tlbwr-stale",
                         "what TLBWR or TLBFILL has replaced is still used until a flush or a new "
                         "ASID: one is set before an address of the same 16 KiB is accessed again",
                         "LA 4.2.4 TLBWR", tlbwr_leaves_stale},
	[NR_AFTER_STORE] = {"la-nr-after-store",
                            "after a store to a page with NR a load goes through until a flush: "
                            "loads are made first",
                            "LA 5.4.4: PNR", reads_after_store},
	[G_OF_EVEN] = {"la-g-of-even",
                       "an entry is global if its even page is; there is one address space here",
                       "LA 5.4.2: if both are", global_by_even_page},
	[BUS_ERROR] = {"la-bus-error",
                       "an access to where no memory is ends as an address error (ADEF, ADEM), "
                       "although its address is fine: taken for one that is allowed",
                       "LA 7.4.6: ADEF, ADEM are of the address", bus_error_is_address_error},
	[BUS_BADV] = {"la-bus-badv",
                      "such an error leaves BADV as it was: nothing here is taken from BADV",
                      "LA 7.4.8 BADV: the address, for ADE", bus_error_leaves_badv},
	[WINDOW_16] =
		{"la-window-16",
                 "a direct window is told by bits 63 to 48 of the address, not by 63 to 60; no "
                 "address in the firmware's windows is answered",
                 "LA 5.2.1: bits 63 to 60", windows_are_16_bits},
};

static const char *const cpus[] = {"la464", NULL};

const struct wp_qemu_arch wp_qemu_loongarch64 = {
	.program = "qemu-system-loongarch64",
	.package = "qemu-system-misc",
	.board = "virt",
	.cpus = cpus,
	.option = "-kernel",
	.ram_size = (uint64_t)1 << 30,
	.window_is_dimm = true,
	.keeps_tlb = true,
	.firmware = &wp_firmware_loongarch64,
	.quirks = quirks,
	.quirk_count = sizeof quirks / sizeof quirks[0],
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
	.examine = examine,
};
