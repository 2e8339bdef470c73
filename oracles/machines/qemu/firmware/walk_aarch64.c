/* SPDX-License-Identifier: MIT */
/*
 * AArch64: the tested tables are asked from EL3, whose own MMU is off.
 *
 * Reads and writes by AT instructions, which show in PAR_EL1 where an access would
 * lead, with its memory type, or why it would fault. They touch nothing.
 *
 * EL1 and EL0 fetch for real, under a stage 2 of our own that lets walks read their
 * tables in the window, and nothing be executed: a fetch that the tested tables
 * allow ends in an abort to EL2, which shows the address that it was led to. One that
 * they deny goes to EL1's vector in the other half, which stage 2 lacks as well; the
 * fault is still in EL1's registers then.
 *
 * EL2 has no stage 2. It fetches for real with PSTATE.IL set: instead of executing
 * what it fetched it takes an Illegal Execution state exception (D1 "Prioritization
 * of Synchronous exceptions": after an Instruction Abort). Its vectors are in the
 * tested half, so the host lends us a root entry (qemu_aarch64.c).
 *
 * In QEMU an AT neither fills the TLB nor looks into it. WP_PROBE_WARM reads and
 * writes for real (access_aarch64.c), under the same stage 2. A fetch of EL1 or EL0
 * can't be kept by the TLB, for none goes through: it walks anew each time.
 */
#include "aarch64.h"

/* reply->code, otherwise a fault status: see qemu_aarch64.c. */
#define CODE_WALK_LEFT 0x100u /* stage 2 has no such table */
#define CODE_ELSEWHERE 0x200u /* it leads to another place than the first kind */

#define VECTOR_SAME_EL  0x200u
#define VECTOR_LOWER_EL 0x400u

/* --- answers --- */

static void allow(struct wp_reply *reply, unsigned kind, bool located, uint64_t pa)
{
	const uint8_t bit = (uint8_t)(1u << kind);

	if (located && reply->located != 0 && reply->pa != pa) {
		reply->code[kind] = CODE_ELSEWHERE;
		return;
	}
	reply->allowed |= bit;
	if (!located)
		return;
	reply->located |= bit;
	reply->pa = pa;
}

static void deny(struct wp_reply *reply, unsigned kind, uint64_t esr)
{
	reply->code[kind] = (uint32_t)(esr & ESR_FSC);
}

_Noreturn static void unexpected(void)
{
	wp_aarch64_panic(read_register(esr_el2), read_register(elr_el2), read_register(far_el2),
	                 read_register(spsr_el2));
}

/* --- translations --- */

uint64_t wp_translate(unsigned kind, uint64_t va)
{
	if (wp_now[SET_EL2])
		return wp_is_write(kind) ? wp_at_s1e2w(va) : wp_at_s1e2r(va);
	if (wp_is_user(kind))
		return wp_is_write(kind) ? wp_at_s1e0w(va) : wp_at_s1e0r(va);
	return wp_is_write(kind) ? wp_at_s1e1w(va) : wp_at_s1e1r(va);
}

static void ask_translation(struct wp_reply *reply, unsigned kind, uint64_t va)
{
	const uint64_t par = wp_translate(kind, va);

	if ((par & PAR_F) == 0) {
		reply->raw = par;
		allow(reply, kind, true, (par & OUTPUT_ADDRESS) | va % PAGE_SIZE);
	} else if ((par & PAR_STAGE_2) != 0) {
		reply->code[kind] = CODE_WALK_LEFT;
	} else {
		deny(reply, kind, par >> 1);
	}
}

/* --- EL1 and EL0 --- */

/* QEMU fills in HPFAR_EL2 for permission faults too, which the manual leaves open. */
static void sort_out_stage_2(struct wp_reply *reply, unsigned kind, uint64_t va, uint64_t esr)
{
	const uint64_t page = read_register(hpfar_el2) << 8 & OUTPUT_ADDRESS;

	if ((esr & ESR_S1PTW) != 0)
		reply->code[kind] = CODE_WALK_LEFT;
	else
		allow(reply, kind, true, page | va % PAGE_SIZE);
}

/* An access from EL1 or EL0 to `address` ended in EL2's vector, directly or by EL1's. */
static void sort_out(struct wp_reply *reply, unsigned kind, uint64_t va, uint64_t address,
                     uint64_t vector)
{
	const uint64_t esr = read_register(esr_el2), far = read_register(far_el2);
	const enum exception_class at_el1 = wp_class_of(read_register(esr_el1));

	if ((wp_class_of(esr) == EC_FETCH_LOWER_EL || wp_class_of(esr) == EC_DATA_LOWER_EL) &&
	    far == address) {
		sort_out_stage_2(reply, kind, va, esr);
		return;
	}
	if (wp_class_of(esr) != EC_FETCH_LOWER_EL || far != wp_now[SET_STUBS] + NOWHERE + vector ||
	    read_register(far_el1) != address)
		unexpected();
	if (at_el1 != EC_FETCH_LOWER_EL && at_el1 != EC_FETCH_SAME_EL && at_el1 != EC_DATA_SAME_EL)
		unexpected();
	deny(reply, kind, read_register(esr_el1));
}

static void fetch_el1(struct wp_reply *reply, unsigned kind, uint64_t va)
{
	const uint64_t pc = va & ~(uint64_t)3;
	const bool user = wp_is_user(kind);

	if (wp_went_through(wp_enter(user ? PSTATE_EL0T : PSTATE_EL1H, pc, 0)))
		unexpected();
	sort_out(reply, kind, va, pc, user ? VECTOR_LOWER_EL : VECTOR_SAME_EL);
}

static void access_el1(struct wp_reply *reply, unsigned kind, uint64_t va)
{
	const uint64_t address = va & ~(uint64_t)7;
	uint64_t pa = 0;

	if (wp_went_through(wp_access(kind, address)))
		allow(reply, kind, wp_find_target(kind, va, &pa), pa);
	else
		sort_out(reply, kind, va, address, VECTOR_SAME_EL);
}

/* --- EL2 --- */

/*
 * Where EL2 may really access: the window, and what lies above it, which is nothing.
 * Below it are devices, and we.
 */
static bool is_touchable(uint64_t par)
{
	return (par & PAR_F) != 0 || (par & OUTPUT_ADDRESS) >= wp_now[SET_WINDOW];
}

/* Instead of it there was an Illegal Execution state exception, or no memory. */
static bool was_fetched(uint64_t esr, uint64_t pc)
{
	if (wp_class_of(esr) == EC_ILLEGAL_STATE)
		return read_register(elr_el2) == pc;
	return wp_class_of(esr) == EC_FETCH_SAME_EL && (esr & ESR_FSC) == FSC_EXTERNAL;
}

static bool fetch_el2(uint64_t pc, uint64_t *esr)
{
	if (wp_went_through(wp_enter(PSTATE_EL2H | PSTATE_IL, pc, 0)))
		unexpected();
	*esr = read_register(esr_el2);
	if (was_fetched(*esr, pc))
		return true;
	if (wp_class_of(*esr) != EC_FETCH_SAME_EL || read_register(far_el2) != pc)
		unexpected();
	return false;
}

static bool access_el2(unsigned kind, uint64_t address, uint64_t *esr)
{
	const bool done = wp_went_through(wp_access(kind, address));

	*esr = read_register(esr_el2);
	if (done)
		return true;
	if (wp_class_of(*esr) != EC_DATA_SAME_EL || read_register(far_el2) != address)
		unexpected();
	return (*esr & ESR_FSC) == FSC_EXTERNAL;
}

/* Neither a fetch nor an access shows where it leads: AT does, unless the TLB is warm. */
static void ask_el2(struct wp_reply *reply, unsigned kind, uint64_t va, bool warm)
{
	const uint64_t par = wp_translate(0, va);
	uint64_t pa = (par & OUTPUT_ADDRESS) | va % PAGE_SIZE;
	uint64_t esr;
	bool allowed;

	if (wp_now[SET_STUBS] == 0 || !is_touchable(par)) {
		reply->answered &= (uint8_t)~(1u << kind);
		return;
	}
	allowed = wp_is_fetch(kind) ? fetch_el2(va & ~(uint64_t)3, &esr)
	                            : access_el2(kind, va & ~(uint64_t)7, &esr);
	if (!allowed)
		deny(reply, kind, esr);
	else if (warm)
		allow(reply, kind, wp_find_target(kind, va, &pa), pa);
	else
		allow(reply, kind, (par & PAR_F) == 0, pa);
}

/* --- for the common part --- */

static void ask_one(struct wp_reply *reply, unsigned kind, uint64_t va, bool warm)
{
	if (!warm && !wp_is_fetch(kind))
		ask_translation(reply, kind, va);
	else if (wp_now[SET_EL2])
		ask_el2(reply, kind, va, warm);
	else if (wp_is_fetch(kind))
		fetch_el1(reply, kind, va);
	else
		access_el1(reply, kind, va);
}

/* A TLB may hold what one kind needs, and not what another does. */
static void ask(struct wp_reply *reply, unsigned kind, uint64_t va, bool warm)
{
	ask_one(reply, kind, va, warm);
	if (warm && reply->code[kind] == CODE_ELSEWHERE)
		reply->answered &= (uint8_t)~(1u << kind);
}

void walker_probe(struct wp_mailbox *mailbox)
{
	const bool warm = (mailbox->flags & WP_PROBE_WARM) != 0;

	wp_regime_configure(mailbox);
	if (warm)
		wp_regime_forget_stubs();
	else
		wp_regime_flush();
	for (uint32_t i = 0; i < mailbox->count; i++) {
		const struct wp_question *question = &mailbox->questions[i];
		struct wp_reply *reply = &mailbox->replies[i];

		*reply = (struct wp_reply){
			.raw = PAR_F,
			.answered = (uint8_t)question->kinds,
			.level = 0xff,
		};
		for (unsigned kind = 0; kind < WP_MAILBOX_KINDS; kind++) {
			if ((question->kinds >> kind & 1) == 0)
				continue;
			walker_at(mailbox, i, kind);
			ask(reply, kind, question->va, warm);
		}
		if (reply->located != 0)
			wp_note_target(question->va, reply->pa);
	}
	wp_regime_forget_stubs();
}

void walker_flush_all(struct wp_mailbox *mailbox)
{
	wp_regime_configure(mailbox);
	wp_regime_flush_shared();
}

void walker_flush_address(struct wp_mailbox *mailbox, uint64_t va)
{
	wp_regime_configure(mailbox);
	wp_regime_flush_address(va);
}

void walker_trial(struct wp_mailbox *mailbox)
{
	(void)mailbox;
}

struct wp_mailbox *walker_mailbox(void)
{
	return (struct wp_mailbox *)(0x40000000u + WP_MAILBOX_OFFSET);
}

void walker_start(struct wp_mailbox *mailbox)
{
	(void)mailbox;
	wp_regime_start();
}

void wp_aarch64_panic(uint64_t esr, uint64_t pc, uint64_t address, uint64_t pstate)
{
	struct wp_mailbox *mailbox = walker_mailbox();

	mailbox->panic[1] = pc;
	mailbox->panic[2] = address;
	mailbox->panic[3] = pstate;
	/* an ESR may be 0 */
	__atomic_store_n(&mailbox->panic[0], esr | (uint64_t)1 << 63, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("wfi");
}
