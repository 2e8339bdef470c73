/* SPDX-License-Identifier: MIT */
/*
 * RISC-V, the tested root in hgatp: vsatp is bare, so that the address of an HLV or HSV is
 * a guest physical one. A read is HLV.HU, a write HSV.H of what is there, and a fetch an
 * SRET into the guest. "RV" is the Privileged ISA, "Hypervisor" Extension.
 *
 * What is denied is a guest-page fault. Nothing stands behind the G-stage that could show
 * where an allowed access goes: one to no memory ends in an access fault, and says no more.
 * One into the window is found there: a word of the window that equals what was read is
 * changed for a moment, and read again through the tables, which the TLB holds by then.
 * A fetch is asked for where it leads to no memory, for nothing would stop what is there.
 * (HLVX.HU, which reads what may be executed, goes through where R is and X is not, in
 * QEMU 7.2.)
 */
#include "gstage_riscv64.h"

#include "access_riscv64.h"
#include "riscv64.h"
#include "stage_riscv64.h"

/* Of the kinds that a G-stage has, numbered as in machine.h. */
enum {
	READ,
	WRITE,
	FETCH,
	KINDS,
};

#define PAGE 4096u

static struct wp_mailbox *mailbox;

static struct access access(unsigned kind, uint64_t va, uint64_t half)
{
	if (kind == WRITE)
		return wp_riscv64_store_half(va, half);
	return kind == FETCH ? wp_riscv64_fetch(va, MSTATUS_SPP) : wp_riscv64_load_half(va);
}

static bool is_denied(struct access made, uint64_t va)
{
	switch ((enum cause)made.cause) {
	case CAUSE_FETCH_GUEST_PAGE:
	case CAUSE_LOAD_GUEST_PAGE:
	case CAUSE_STORE_GUEST_PAGE:
		return true;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
	case CAUSE_ECALL_FROM_U:
		return false;
	default:
		wp_riscv64_panic(made.cause, va, 0, 0);
	}
}

/* The host puts it back if QEMU dies in between. */
static void patch(volatile uint16_t *half, uint16_t value)
{
	mailbox->patched_saved = *half;
	mailbox->patched_pa = (uint64_t)half;
	__atomic_store_n(&mailbox->patched_bytes, 2, __ATOMIC_RELEASE);
	*half = value;
}

static void unpatch(volatile uint16_t *half)
{
	*half = (uint16_t)mailbox->patched_saved;
	__atomic_store_n(&mailbox->patched_bytes, 0, __ATOMIC_RELEASE);
}

/* Whether the access, which reads or wrote `half` there, goes to that place. */
static bool goes_to(volatile uint16_t *place, unsigned kind, uint64_t va, uint16_t half)
{
	const uint16_t other = half ^ 0xffff;
	bool goes;

	if (*place != half)
		return false;
	if (kind == WRITE) {
		patch(place, half);
		access(WRITE, va, other);
		goes = *place == other;
		access(WRITE, va, half); /* wherever it went */
	} else {
		patch(place, other);
		goes = access(kind, va, 0).value == other;
	}
	unpatch(place);
	return goes;
}

/* NULL: not into the window. */
static volatile uint16_t *find_place(unsigned kind, uint64_t va, uint16_t half)
{
	const uint64_t window = mailbox->setting[WP_RISCV64_WINDOW];
	const uint64_t frames = mailbox->setting[WP_RISCV64_WINDOW_FRAMES];

	for (uint64_t i = 0; i < frames; i++) {
		volatile uint16_t *place =
			(volatile uint16_t *)(window + i * PAGE + (va & (PAGE - 1)));

		if (goes_to(place, kind, va, half))
			return place;
	}
	return 0;
}

/* The access went through. All kinds must lead to one place. */
static void locate(struct wp_reply *reply, unsigned kind, uint64_t va, uint16_t half)
{
	const uint8_t bit = (uint8_t)(1u << kind);
	const uint64_t even = va & ~(uint64_t)1;
	volatile uint16_t *place;

	if (reply->located == 0) {
		/* what can be written can be read: "Sv32", the table of R, W and X */
		place = find_place(kind == WRITE ? READ : kind, even, half);
		if (!place)
			return;
		reply->pa = (uint64_t)place | (va & 1);
		if (kind != WRITE) {
			reply->located |= bit;
			return;
		}
	}
	if (goes_to((volatile uint16_t *)(reply->pa & ~(uint64_t)1), kind, even, half)) {
		reply->located |= bit;
	} else {
		reply->allowed &= (uint8_t)~bit;
		reply->code[kind] = WP_RISCV64_LEADS_ASTRAY;
	}
}

static void ask(struct wp_reply *reply, unsigned kind, uint64_t va)
{
	const uint64_t even = va & ~(uint64_t)1;
	struct access made;
	uint64_t half = 0;

	if (kind == WRITE) {
		made = access(READ, even, 0);
		half = made.value;
		if (made.cause != CAUSE_ECALL_FROM_U)
			half = 0;
	}
	made = access(kind, even, half);
	reply->answered |= (uint8_t)(1u << kind);
	if (is_denied(made, va)) {
		reply->code[kind] = (uint32_t)made.cause;
		return;
	}
	reply->allowed |= (uint8_t)(1u << kind);
	if (made.cause == CAUSE_ECALL_FROM_U)
		locate(reply, kind, va, (uint16_t)(kind == WRITE ? half : made.value));
}

void wp_gstage_probe(struct wp_mailbox *in, bool warm, void (*ready)(unsigned kind))
{
	mailbox = in;
	for (uint32_t i = 0; i < mailbox->count; i++)
		mailbox->replies[i] = (struct wp_reply){.level = 0xff};
	/* the switch to the guest is a flush of everything in QEMU: no warm fetches */
	for (unsigned kind = READ; kind < (warm ? FETCH : KINDS); kind++) {
		ready(kind);
		for (uint32_t i = 0; i < mailbox->count; i++) {
			if ((mailbox->questions[i].kinds >> kind & 1) == 0)
				continue;
			walker_at(mailbox, i, kind);
			ask(&mailbox->replies[i], kind, mailbox->questions[i].va);
		}
	}
}
