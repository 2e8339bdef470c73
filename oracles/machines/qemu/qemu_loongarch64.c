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
#include "qemu_loongarch64.h"

#include <stdio.h>

#include "firmware/loongarch64.h"

#define G ((uint64_t)1 << 6) /* LA 7.5.3 TLBELO */

static int model(const struct wp_regime *regime)
{
	return regime->arch == WP_LOONGARCH64 ? 0 : -1;
}

/*
 * QEMU 7.2 and 10.0, and so what lies between them, raise the exception of a denied
 * fetch, read the instruction for it, and raise it again without end; from 10.0.9 on of
 * one that PLV denies alone. To find that out anew at each start would cost a second and
 * a restart.
 */
static void examine(struct wp_qemu *qemu)
{
	unsigned major = 0, minor = 0;

	sscanf(qemu->processes[qemu->model].version, "%u.%u", &major, &minor);
	qemu->notes[WP_LA_NOTE_FETCH_HANGS] = major < 10 || (major == 10 && minor == 0);
}

/* Address 0 is no table in guest memory: the other half translates nothing. */
static void set(const struct wp_qemu *qemu, uint64_t setting[12])
{
	const struct wp_memory *memory = qemu->machine.memory;
	const bool high = qemu->regime != NULL && qemu->regime->half == PT_HIGH;
	const bool hangs = qemu->notes[WP_LA_NOTE_FETCH_HANGS] != 0 ||
	                   wp_qemu_shown(qemu, WP_LA_DENIED_FETCH_HANGS);

	setting[WP_LA_PGDL] = high ? 0 : qemu->root;
	setting[WP_LA_PGDH] = high ? qemu->root : 0;
	setting[WP_LA_WINDOW] = memory->base;
	setting[WP_LA_WINDOW_SIZE] = memory->size;
	setting[WP_LA_FLAGS] = (hangs ? WP_LA_FETCH_HANGS : 0) |
	                       (memory->zeros_at_0 ? WP_LA_ZEROS_AT_0 : 0);
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
	if (wp_qemu_shown(qemu, WP_LA_VA_BIT_47) && !qemu->machine.incautious &&
	    sign_extended(va, WP_LA_VALEN) && !sign_extended(va, WP_LA_VALEN - 1))
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
	.quirks = wp_la_quirks,
	.quirk_count = WP_LA_QUIRKS,
	.model = model,
	.set = set,
	.answerable = answerable,
	.decode = decode,
	.examine = examine,
};
