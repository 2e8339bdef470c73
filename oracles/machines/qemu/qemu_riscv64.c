/* SPDX-License-Identifier: MIT */
/*
 * RISC-V on QEMU: the tested root is vsatp of a guest of the hypervisor extension, or
 * its hgatp, see firmware/walk_riscv64.c. "RV" is the Privileged ISA.
 *
 * The CPU tells page faults, which have one cause each for reads, writes and fetches
 * and no more, from a walk that left memory. It shows where an allowed access leads,
 * unless that is a table on its own way.
 */
#include "qemu_riscv64.h"

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

/* --- what can be asked --- */

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

/*
 * Whether this QEMU takes an entry that the manual makes a page fault under the regime.
 * N in a leaf means something to a hart with Svnapot, and nothing to the regime.
 */
static bool is_taken(const struct wp_qemu *qemu, uint64_t entry)
{
	const bool leaf = (entry & (R | W | X)) != 0;

	if ((entry & RESERVED) != 0 && wp_qemu_shown(qemu, WP_RV_RESERVED_BITS))
		return true;
	if (leaf && (entry & PBMT) == PBMT && wp_qemu_shown(qemu, WP_RV_PBMT_3))
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

	return wp_qemu_shown(qemu, WP_RV_GSTAGE_SIGN) &&
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
	.quirks = wp_rv_quirks,
	.quirk_count = WP_RV_QUIRKS,
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
};
