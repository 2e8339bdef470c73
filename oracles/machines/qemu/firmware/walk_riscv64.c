/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V part of the walker: the tested root is a guest's, in vsatp. From M-mode,
 * HLV.B and HSV.B read and write through it as VS- and VU-mode do, and an SRET into
 * them fetches. "RV" is the Privileged ISA, chapter "Hypervisor" Extension.
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
 *
 * A tested G-stage stands in its place: see gstage_riscv64.c.
 *
 * With WP_PROBE_WARM the G-stage maps the whole window, so that the TLB can keep what
 * leads into it; such accesses are real, and don't show an address.
 */
#include "gstage_riscv64.h"
#include "riscv64.h"
#include "stage_riscv64.h"

/* RV "Trap Cause Codes". */
enum cause {
	CAUSE_ECALL_FROM_U = 8, /* here: the access went through */
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
	CAUSE_FETCH_GUEST_PAGE = 20,
	CAUSE_LOAD_GUEST_PAGE = 21,
	CAUSE_STORE_GUEST_PAGE = 23,
};

#define MSTATUS_MPP  ((uint64_t)3 << 11)
#define MSTATUS_SPP  ((uint64_t)1 << 8)
#define MSTATUS_MPV  ((uint64_t)1 << 39)
#define HSTATUS_SPVP ((uint64_t)1 << 8)
#define HSTATUS_HU   ((uint64_t)1 << 9)
#define XLEN_64      ((uint64_t)2 << 32) /* hstatus.VSXL, vsstatus.UXL */
#define SSTATUS_SUM  ((uint64_t)1 << 18)
#define ENVCFG_ADUE  ((uint64_t)1 << 61)
#define ENVCFG_PBMTE ((uint64_t)1 << 62)

/* RV "Transformed Instruction or Pseudoinstruction": an entry is read, or updated. */
#define TINST_READS_ENTRY   0x3000u
#define TINST_UPDATES_ENTRY 0x3020u

static uint64_t vsatp, hgatp;

/*
 * For U-mode our own code where it is: satp may not be bare, or QEMU 7.2 makes access
 * faults of the page faults of HLV and HSV.
 */
#define SATP_SV39 ((uint64_t)8 << 60)
#define OWN_GIB   2u
#define OWN_LEAF  ((uint64_t)OWN_GIB << 28 | 0x5b) /* V, R, X, U, A */
static uint64_t own_root[512] __attribute__((aligned(4096)));

/* What an access function returns. */
struct access {
	uint64_t cause;
	uint64_t byte;
};

struct access wp_riscv64_load(uint64_t va);
struct access wp_riscv64_store(uint64_t va, uint64_t byte);
struct access wp_riscv64_user_load(uint64_t va);
struct access wp_riscv64_user_store(uint64_t va, uint64_t byte);
struct access wp_riscv64_fetch(uint64_t va, uint64_t spp);
void wp_riscv64_forget_guest(void);
void wp_riscv64_set_menvcfg(uint64_t value);
void wp_riscv64_set_henvcfg(uint64_t value);

/* --- accesses --- */

/* Kinds are numbered as in machine.h. */
#define KERNEL_READ 0u
#define USER_READ   3u

enum operation {
	LOAD,
	STORE,
	FETCH,
};

static enum operation operation_of(unsigned kind)
{
	return (enum operation)(kind % 3);
}

static bool is_user(unsigned kind)
{
	return kind >= USER_READ;
}

/*
 * The user's loads and stores are made in U-mode, although the privilege that counts
 * is SPVP in either mode: QEMU 7.2 keeps a TLB for each mode, not for each SPVP.
 */
static struct access access(unsigned kind, uint64_t va, uint64_t byte)
{
	switch (operation_of(kind)) {
	case LOAD:
		return is_user(kind) ? wp_riscv64_user_load(va) : wp_riscv64_load(va);
	case STORE:
		return is_user(kind) ? wp_riscv64_user_store(va, byte) : wp_riscv64_store(va, byte);
	case FETCH:
	default:
		return wp_riscv64_fetch(va, is_user(kind) ? 0 : MSTATUS_SPP);
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
			return (struct outcome){.byte = done.byte};
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

/* --- for the common part --- */

static uint64_t previous_mode(void)
{
	uint64_t mstatus;

	__asm__ volatile("csrr %0, mstatus" : "=r"(mstatus));
	return mstatus & (MSTATUS_MPV | MSTATUS_MPP);
}

/*
 * Ready for accesses of a kind: in SPVP the privilege of loads and stores, and in
 * mstatus what an MRET to U-mode needs; QEMU flushes its TLB if that changes. A fetch
 * puts there what it needs.
 */
static void prepare(unsigned kind)
{
	const uint64_t hstatus = XLEN_64 | HSTATUS_HU | (is_user(kind) ? 0 : HSTATUS_SPVP);

	__asm__ volatile("csrw hstatus, %0" ::"r"(hstatus));
	if (operation_of(kind) != FETCH && previous_mode() != 0)
		wp_riscv64_forget_guest();
}

static void obey_setting(const struct wp_mailbox *mailbox)
{
	wp_stage_set_window(mailbox->setting[WP_RISCV64_WINDOW],
	                    mailbox->setting[WP_RISCV64_WINDOW_FRAMES]);
	if (vsatp != mailbox->setting[WP_RISCV64_VSATP]) {
		vsatp = mailbox->setting[WP_RISCV64_VSATP];
		__asm__ volatile("csrw vsatp, %0" ::"r"(vsatp));
		wp_fence_all();
	}
	if (hgatp != mailbox->setting[WP_RISCV64_HGATP]) {
		hgatp = mailbox->setting[WP_RISCV64_HGATP];
		wp_stage_replace(hgatp);
		wp_fence_all();
	}
}

struct wp_mailbox *walker_mailbox(void)
{
	return (struct wp_mailbox *)(0x80000000u + WP_MAILBOX_OFFSET);
}

static void set_satp(uint64_t value)
{
	__asm__ volatile("csrw satp, %0\n\t"
	                 "sfence.vma" ::"r"(value)
	                 : "memory");
}

/* The guest has what the machine has: see "menvcfg" and "henvcfg". */
static void set_envcfg(uint64_t value)
{
	wp_riscv64_set_menvcfg(value);
	wp_riscv64_set_henvcfg(value);
}

void walker_start(struct wp_mailbox *mailbox)
{
	(void)mailbox;
	/* one PMP entry for all addresses: U-, VS- and VU-mode may do anything */
	__asm__ volatile("csrw pmpaddr0, %0\n\t"
	                 "csrw pmpcfg0, %1\n\t"
	                 "csrw vsstatus, %2\n\t"
	                 "csrw medeleg, zero\n\t"
	                 "csrw mie, zero" ::"r"(UINT64_MAX),
	                 "r"((uint64_t)0x1f), "r"(XLEN_64 | SSTATUS_SUM));
	own_root[OWN_GIB] = OWN_LEAF;
	set_satp(SATP_SV39 | (uint64_t)own_root >> 12);
	set_envcfg(ENVCFG_ADUE | ENVCFG_PBMTE);
	__asm__ volatile("csrw mstatus, zero");
}

/*
 * Kinds by privilege. A warm fetch isn't answered: the switch to the guest is a flush
 * of everything in QEMU, and no fetch is ever kept, for none is let through.
 */
void walker_probe(struct wp_mailbox *mailbox)
{
	const bool warm = (mailbox->flags & WP_PROBE_WARM) != 0;

	obey_setting(mailbox);
	if (hgatp == 0)
		wp_stage_use(warm);
	if (!warm)
		wp_fence_all();
	if (hgatp != 0) {
		wp_gstage_probe(mailbox, warm, prepare);
		return;
	}
	for (uint32_t i = 0; i < mailbox->count; i++)
		mailbox->replies[i] = (struct wp_reply){.level = 0xff};
	for (unsigned kind = 0; kind < WP_MAILBOX_KINDS; kind++) {
		if (warm && operation_of(kind) == FETCH)
			continue;
		prepare(kind);
		for (uint32_t i = 0; i < mailbox->count; i++) {
			if ((mailbox->questions[i].kinds >> kind & 1) == 0)
				continue;
			walker_at(mailbox, i, kind);
			note(&mailbox->replies[i], kind, ask(kind, mailbox->questions[i].va));
		}
	}
}

void walker_flush_all(struct wp_mailbox *mailbox)
{
	obey_setting(mailbox);
	wp_fence_all();
}

/*
 * RV "Hypervisor Memory-Management Fence": of a G-stage, by its address shifted right by
 * two; or what an SFENCE.VMA of the guest is, from here.
 */
void walker_flush_address(struct wp_mailbox *mailbox, uint64_t va)
{
	obey_setting(mailbox);
	if (hgatp != 0) {
		__asm__ volatile("hfence.gvma %0, zero" ::"r"(va >> 2) : "memory");
		return;
	}
	__asm__ volatile("hfence.vvma %0, zero" ::"r"(va) : "memory");
}

static uint64_t mpv_after_set(void)
{
	uint64_t mpv;

	__asm__ volatile("csrs mstatus, %0" ::"r"(MSTATUS_MPV));
	mpv = previous_mode() & MSTATUS_MPV;
	wp_riscv64_forget_guest();
	return mpv != 0;
}

/*
 * As riscv64.h has it. What isn't asked for isn't touched: a trial goes on with the TLB
 * of the one before. M-mode doesn't look at satp.
 */
static void try_load(struct wp_mailbox *mailbox)
{
	const uint64_t how = mailbox->parameter[1];
	const bool without_adue = (how & WP_RISCV64_WITHOUT_ADUE) != 0;
	const bool bare = (how & WP_RISCV64_BARE_SATP) != 0;
	struct access made;

	obey_setting(mailbox);
	wp_stage_use(true);
	if (without_adue)
		set_envcfg(ENVCFG_PBMTE);
	if ((how & WP_RISCV64_FENCE) != 0)
		wp_fence_all();
	prepare((how & WP_RISCV64_AS_USER) != 0 ? USER_READ : KERNEL_READ);
	if (bare)
		set_satp(0);
	made = access(KERNEL_READ, mailbox->parameter[0], 0);
	if (bare)
		set_satp(SATP_SV39 | (uint64_t)own_root >> 12);
	if (without_adue)
		set_envcfg(ENVCFG_ADUE | ENVCFG_PBMTE);
	mailbox->outcome[0] = made.cause == CAUSE_ECALL_FROM_U ? 0 : made.cause;
}

void walker_trial(struct wp_mailbox *mailbox)
{
	if ((mailbox->parameter[1] & WP_RISCV64_SET_MPV) != 0)
		mailbox->outcome[0] = mpv_after_set();
	else
		try_load(mailbox);
}

void wp_riscv64_panic(uint64_t cause, uint64_t pc, uint64_t value, uint64_t value2)
{
	struct wp_mailbox *mailbox = walker_mailbox();

	mailbox->panic[1] = pc;
	mailbox->panic[2] = value;
	mailbox->panic[3] = value2;
	__atomic_store_n(&mailbox->panic[0], 1 + cause, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("wfi");
}
