/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V part of the walker: the tested root is a guest's, in vsatp. From M-mode,
 * HLV.B and HSV.B read and write through it as VS- and VU-mode do, and an SRET into
 * them fetches: see access_riscv64.c. "RV" is the Privileged ISA, chapter "Hypervisor"
 * Extension.
 *
 * A tested G-stage stands in its place: see gstage_riscv64.c.
 *
 * With WP_PROBE_WARM the G-stage maps the whole window, so that the TLB can keep what
 * leads into it; such accesses are real, and don't show an address.
 */
#include "access_riscv64.h"
#include "gstage_riscv64.h"
#include "riscv64.h"
#include "stage_riscv64.h"

#define MSTATUS_MPP  ((uint64_t)3 << 11)
#define MSTATUS_MPV  ((uint64_t)1 << 39)
#define HSTATUS_SPVP ((uint64_t)1 << 8)
#define HSTATUS_HU   ((uint64_t)1 << 9)
#define XLEN_64      ((uint64_t)2 << 32) /* hstatus.VSXL, vsstatus.UXL */
#define SSTATUS_SUM  ((uint64_t)1 << 18)
#define ENVCFG_ADUE  ((uint64_t)1 << 61)
#define ENVCFG_PBMTE ((uint64_t)1 << 62)

static uint64_t vsatp, hgatp;

/*
 * For U-mode our own code where it is: satp may not be bare, or QEMU 7.2 makes access
 * faults of the page faults of HLV and HSV.
 */
#define SATP_SV39 ((uint64_t)8 << 60)
#define OWN_GIB   2u
#define OWN_LEAF  ((uint64_t)OWN_GIB << 28 | 0x5b) /* V, R, X, U, A */
static uint64_t own_root[512] __attribute__((aligned(4096)));

void wp_riscv64_forget_guest(void);
void wp_riscv64_set_menvcfg(uint64_t value);
void wp_riscv64_set_henvcfg(uint64_t value);

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
	const uint64_t hstatus = XLEN_64 | HSTATUS_HU | (wp_is_user(kind) ? 0 : HSTATUS_SPVP);

	__asm__ volatile("csrw hstatus, %0" ::"r"(hstatus));
	if (!wp_is_fetch(kind) && previous_mode() != 0)
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
		if (warm && wp_is_fetch(kind))
			continue;
		prepare(kind);
		for (uint32_t i = 0; i < mailbox->count; i++) {
			if ((mailbox->questions[i].kinds >> kind & 1) == 0)
				continue;
			walker_at(mailbox, i, kind);
			wp_access(&mailbox->replies[i], kind, mailbox->questions[i].va);
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
	prepare((how & WP_RISCV64_AS_USER) != 0 ? WP_USER_READ : WP_KERNEL_READ);
	if (bare)
		set_satp(0);
	made = wp_riscv64_load(mailbox->parameter[0]);
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
