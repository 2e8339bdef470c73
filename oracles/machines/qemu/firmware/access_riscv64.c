/* SPDX-License-Identifier: MIT */
/*
 * One access through the tested vsatp, and where it is led. "RV" is the Privileged ISA,
 * chapter "Hypervisor" Extension.
 *
 * What such an access leads to is a guest physical address, translated once more by
 * a G-stage of our own. That starts empty: every access that the tested tables allow
 * ends in a guest-page fault, in which the CPU shows where it was led, and nothing is
 * touched there. A guest-page fault of the walk itself tells which entry it wants to
 * read: if it is in the window, its frame is let in, and the access is made again.
 *
 * What is a table of one walk may be the target of another: an access that succeeds
 * is made again with nothing let in. If it still does, it leads to a table on its own
 * way, and which one remains unseen.
 */
#include "access_riscv64.h"
#include "riscv64.h"
#include "stage_riscv64.h"

/* RV "Transformed Instruction or Pseudoinstruction": an entry is read, or updated. */
#define TINST_READS_ENTRY   0x3000u
#define TINST_UPDATES_ENTRY 0x3020u

enum operation {
	LOAD,
	STORE,
	FETCH,
};

static enum operation operation_of(unsigned kind)
{
	return (enum operation)(kind % 3);
}

/*
 * The user's loads and stores are made in U-mode, although the privilege that counts
 * is SPVP in either mode: QEMU 7.2 keeps a TLB for each mode, not for each SPVP.
 */
static struct access access(unsigned kind, uint64_t va, uint64_t byte)
{
	switch (operation_of(kind)) {
	case LOAD:
		return wp_is_user(kind) ? wp_riscv64_user_load(va) : wp_riscv64_load(va);
	case STORE:
		return wp_is_user(kind) ? wp_riscv64_user_store(va, byte)
		                        : wp_riscv64_store(va, byte);
	case FETCH:
	default:
		return wp_riscv64_fetch(va, wp_is_user(kind) ? 0 : MSTATUS_SPP);
	}
}

struct outcome {
	uint32_t code; /* 0: allowed */
	bool located;
	uint64_t pa; /* or, of a walk that faulted, the entry's */
	uint64_t byte;
};

static uint64_t guest_address(void)
{
	uint64_t value;

	__asm__ volatile("csrr %0, mtval2" : "=r"(value));
	return value << 2; /* RV "mtval2": the two low bits are the virtual address's */
}

static uint64_t transformed_instruction(void)
{
	uint64_t value;

	__asm__ volatile("csrr %0, mtinst" : "=r"(value));
	return value;
}

static struct outcome guest_page_fault(uint64_t cause, uint64_t va, bool *again)
{
	const uint64_t pa = guest_address(), tinst = transformed_instruction();

	if (tinst != TINST_READS_ENTRY && tinst != TINST_UPDATES_ENTRY)
		return (struct outcome){.located = true, .pa = pa | (va & 3)};
	*again = wp_stage_let_in(pa, tinst == TINST_UPDATES_ENTRY);
	return (struct outcome){.code = WP_RISCV64_OF_THE_WALK | (uint32_t)cause, .pa = pa};
}

/* One access, as often as it takes to let in the tables on its way. */
static struct outcome attempt(unsigned kind, uint64_t va, uint64_t byte)
{
	struct outcome outcome;
	bool again;

	do {
		const struct access done = access(kind, va, byte);

		again = false;
		switch ((enum cause)done.cause) {
		case CAUSE_ECALL_FROM_U:
			return (struct outcome){.byte = done.value};
		case CAUSE_FETCH_PAGE:
		case CAUSE_LOAD_PAGE:
		case CAUSE_STORE_PAGE:
			return (struct outcome){.code = (uint32_t)done.cause};
		case CAUSE_FETCH_GUEST_PAGE:
		case CAUSE_LOAD_GUEST_PAGE:
		case CAUSE_STORE_GUEST_PAGE:
			outcome = guest_page_fault(done.cause, va, &again);
			break;
		default:
			wp_riscv64_panic(done.cause, va, kind, 0);
		}
	} while (again);
	return outcome;
}

/* A store writes the byte that is there: where one may go through, it is read first. */
static struct outcome attempt_harmless(unsigned kind, uint64_t va)
{
	uint64_t byte = 0;

	if (operation_of(kind) == STORE && wp_stage_may_write()) {
		const struct outcome read = attempt(kind - STORE, va, 0);

		/* nothing is writable and not readable: "Sv32", the table of R, W and X */
		if (read.code != 0)
			return read;
		byte = read.byte;
	}
	return attempt(kind, va, byte);
}

static struct outcome ask(unsigned kind, uint64_t va)
{
	const struct outcome first = attempt_harmless(kind, va);

	if (first.code != 0 || first.located || wp_stage_is_whole())
		return first;
	wp_stage_clear();
	return attempt_harmless(kind, va);
}

/* Where kinds are led apart, the reply has room for the first one's address. */
static void note(struct wp_reply *reply, unsigned kind, struct outcome outcome)
{
	const uint8_t bit = (uint8_t)(1u << kind);

	reply->answered |= bit;
	if (outcome.code != 0) {
		reply->code[kind] = outcome.code;
		if ((outcome.code & WP_RISCV64_OF_THE_WALK) != 0)
			reply->raw = outcome.pa;
		return;
	}
	if (outcome.located && reply->located != 0 && reply->pa != outcome.pa) {
		reply->code[kind] = WP_RISCV64_LEADS_ASTRAY;
		return;
	}
	reply->allowed |= bit;
	if (outcome.located) {
		reply->located |= bit;
		reply->pa = outcome.pa;
	}
}

void wp_access(struct wp_reply *reply, unsigned kind, uint64_t va)
{
	note(reply, kind, ask(kind, va));
}
