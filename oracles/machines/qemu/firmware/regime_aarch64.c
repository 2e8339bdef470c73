/* SPDX-License-Identifier: MIT */
/*
 * AArch64: the tested regime's registers, and tables of our own around it. A stage 2
 * that has the window, for reading and writing; a way for each tested EL to our page
 * of stubs.
 */
#include "aarch64.h"

/* D17, by register; D8.3 for entries. */
#define SCR_EL3_NS      ((uint64_t)1 << 0)
#define SCR_EL3_RES1    ((uint64_t)3 << 4)
#define SCR_EL3_HCE     ((uint64_t)1 << 8)
#define SCR_EL3_RW      ((uint64_t)1 << 10)
#define HCR_EL2_VM      ((uint64_t)1 << 0)
#define HCR_EL2_RW      ((uint64_t)1 << 31)
#define SCTLR_EL1_RES1  0x30d00800u /* SPAN among them */
#define SCTLR_EL2_RES1  0x30c50830u
#define SCTLR_M_C_I     0x1005u
#define VTCR_EL2_RES1   ((uint64_t)1 << 31)
#define VTCR_EL2_PS_48  ((uint64_t)5 << 16)
#define VTCR_EL2_CACHED ((uint64_t)0x35 << 8) /* SH0, ORGN0, IRGN0 */
#define VTCR_EL2_SL0_L0 ((uint64_t)2 << 6)
#define VTCR_EL2_T0SZ   16u

#define ENTRY_TABLE ((uint64_t)3)
#define ENTRY_PAGE  ((uint64_t)0x703)  /* AF, inner shareable */
#define S1_NORMAL   ((uint64_t)1 << 2) /* AttrIndx 1 */
#define S1_RES1     ((uint64_t)1 << 6) /* AP[1], where there is one privilege */
#define S1_READONLY ((uint64_t)1 << 7)
#define S1_UXN      ((uint64_t)1 << 54)
#define S2_NORMAL   ((uint64_t)0xf << 2)
#define S2_READ     ((uint64_t)1 << 6)
#define S2_WRITE    ((uint64_t)2 << 6)
#define S2_XN       ((uint64_t)2 << 53)

#define ENTRIES 512u

typedef uint64_t table[ENTRIES];

/* Shifts of the levels. */
enum {
	L0 = 39,
	L1 = 30,
	L2 = 21,
	L3 = 12,
};

/* Fresh memory behind the mailbox: zero. A window of at most 1 GiB. */
struct stage_2 {
	table root, low, window, far_1, far_2, far_3;
	table pages[ENTRIES];
};
#define STAGE_2 ((struct stage_2 *)0x40400000)

/* In far_3: the stubs, and the table by which the half that isn't tested leads there. */
enum {
	FAR_STUBS,
	FAR_TABLE,
	FAR_NOWHERE, /* stays empty */
};
#define NOWHERE_IPA (FAR_NOWHERE * PAGE_SIZE)

/* What the host writes into a root of EL2 leads to the first of these: aarch64.ld. */
static table lent[3] __attribute__((section(".lent"), aligned(PAGE_SIZE)));
static table other_half __attribute__((aligned(PAGE_SIZE)));

uint64_t wp_now[SETTINGS];

static unsigned index_at(uint64_t address, unsigned shift)
{
	return (unsigned)(address >> shift) % ENTRIES;
}

static void build_lent(void)
{
	const uint64_t page = (uint64_t)stubs;

	lent[0][index_at(page, L1)] = (uint64_t)lent[1] | ENTRY_TABLE;
	lent[1][index_at(page, L2)] = (uint64_t)lent[2] | ENTRY_TABLE;
	lent[2][index_at(page, L3)] = page | S1_READONLY | S1_RES1 | S1_NORMAL | ENTRY_PAGE;
}

/* The half that isn't tested has 21 bits (FEAT_TTST): a root at level 3. */
static void build_other_half(uint64_t va, uint64_t ipa)
{
	const uint64_t rights = S1_UXN | S1_READONLY | S1_NORMAL;

	other_half[index_at(va, L3)] = ipa | rights | ENTRY_PAGE;
	other_half[index_at(va + NOWHERE, L3)] = (ipa + NOWHERE_IPA) | rights | ENTRY_PAGE;
}

static void build_stage_2(uint64_t far, uint64_t window, uint64_t size)
{
	struct stage_2 *const stage_2 = STAGE_2;

	stage_2->root[index_at(far, L0)] = (uint64_t)stage_2->far_1 | ENTRY_TABLE;
	stage_2->far_1[index_at(far, L1)] = (uint64_t)stage_2->far_2 | ENTRY_TABLE;
	stage_2->far_2[index_at(far, L2)] = (uint64_t)stage_2->far_3 | ENTRY_TABLE;
	stage_2->far_3[FAR_STUBS] = (uint64_t)stubs | S2_READ | S2_NORMAL | ENTRY_PAGE;
	stage_2->far_3[FAR_TABLE] = (uint64_t)other_half | S2_READ | S2_XN | S2_NORMAL | ENTRY_PAGE;

	stage_2->root[index_at(window, L0)] = (uint64_t)stage_2->low | ENTRY_TABLE;
	stage_2->low[index_at(window, L1)] = (uint64_t)stage_2->window | ENTRY_TABLE;
	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		uint64_t *const pages = stage_2->pages[index_at(at, L2)];

		stage_2->window[index_at(at, L2)] = (uint64_t)pages | ENTRY_TABLE;
		pages[index_at(at, L3)] = (window + at) | S2_READ | S2_WRITE | S2_XN | S2_NORMAL |
		                          ENTRY_PAGE;
	}
}

static void synchronise(void)
{
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

void wp_regime_start(void)
{
	build_lent();
	write_register(scr_el3, SCR_EL3_RW | SCR_EL3_HCE | SCR_EL3_RES1 | SCR_EL3_NS);
	write_register(vttbr_el2, STAGE_2->root);
	write_register(vtcr_el2, VTCR_EL2_RES1 | VTCR_EL2_PS_48 | VTCR_EL2_CACHED |
	                                 VTCR_EL2_SL0_L0 | VTCR_EL2_T0SZ);
	write_register(hcr_el2, HCR_EL2_RW | HCR_EL2_VM);
	write_register(sctlr_el1, SCTLR_EL1_RES1 | SCTLR_M_C_I);
	synchronise();
	__asm__ volatile("tlbi alle1" ::: "memory");
	synchronise();
}

static bool changes(const struct wp_mailbox *mailbox, unsigned which)
{
	const bool differs = wp_now[which] != mailbox->setting[which];

	wp_now[which] = mailbox->setting[which];
	return differs;
}

/* The other half is for our stubs, and EL2 for our vectors, without its MMU. */
static void configure_el1(const struct wp_mailbox *mailbox, bool all)
{
	if (changes(mailbox, SET_TTBR0) || all)
		write_register(ttbr0_el1, wp_now[SET_TTBR0]);
	if (changes(mailbox, SET_TTBR1) || all)
		write_register(ttbr1_el1, wp_now[SET_TTBR1]);
	if (changes(mailbox, SET_TCR) || all)
		write_register(tcr_el1, wp_now[SET_TCR]);
	if (changes(mailbox, SET_MAIR) || all)
		write_register(mair_el1, wp_now[SET_MAIR]);
	if (changes(mailbox, SET_STUBS) || all) {
		build_other_half(wp_now[SET_STUBS], wp_now[SET_STUBS_IPA]);
		write_register(vbar_el1, wp_now[SET_STUBS] + NOWHERE);
	}
	if (all) {
		write_register(sctlr_el2, SCTLR_EL2_RES1);
		write_register(vbar_el2, (uint64_t)stubs);
	}
}

static void configure_el2(const struct wp_mailbox *mailbox, bool all)
{
	if (changes(mailbox, SET_TTBR0) || all)
		write_register(ttbr0_el2, wp_now[SET_TTBR0]);
	if (changes(mailbox, SET_TCR) || all)
		write_register(tcr_el2, wp_now[SET_TCR]);
	if (changes(mailbox, SET_MAIR) || all)
		write_register(mair_el2, wp_now[SET_MAIR]);
	if (changes(mailbox, SET_STUBS) || all)
		write_register(vbar_el2, wp_now[SET_STUBS]);
	if (all)
		write_register(sctlr_el2, SCTLR_EL2_RES1 | SCTLR_M_C_I);
}

/* Writes what changes alone: some of these registers cost QEMU a flush. */
void wp_regime_configure(const struct wp_mailbox *mailbox)
{
	const bool first = changes(mailbox, SET_WINDOW_SIZE);
	const bool all = changes(mailbox, SET_EL2) || first;

	if (first) {
		wp_now[SET_WINDOW] = mailbox->setting[SET_WINDOW];
		wp_now[SET_STUBS_IPA] = mailbox->setting[SET_STUBS_IPA];
		build_stage_2(wp_now[SET_STUBS_IPA], wp_now[SET_WINDOW], wp_now[SET_WINDOW_SIZE]);
	}
	if (wp_now[SET_EL2])
		configure_el2(mailbox, all);
	else
		configure_el1(mailbox, all);
	synchronise();
}

/* The only core needs no broadcast, which costs QEMU more. */
void wp_regime_flush(void)
{
	if (wp_now[SET_EL2])
		__asm__ volatile("tlbi alle2" ::: "memory");
	else
		__asm__ volatile("tlbi vmalle1" ::: "memory");
	synchronise();
}

/* As a kernel of several cores does. */
void wp_regime_flush_shared(void)
{
	if (wp_now[SET_EL2])
		__asm__ volatile("tlbi alle2is" ::: "memory");
	else
		__asm__ volatile("tlbi vmalle1is" ::: "memory");
	synchronise();
}

/* The operand is VA[55:12]; ASID and TTL are zero. */
void wp_regime_flush_address(uint64_t va)
{
	const uint64_t operand = va << 8 >> 20;

	if (wp_now[SET_EL2])
		__asm__ volatile("tlbi vae2is, %0" ::"r"(operand) : "memory");
	else
		__asm__ volatile("tlbi vaae1is, %0" ::"r"(operand) : "memory");
	synchronise();
}

void wp_regime_forget_stubs(void)
{
	if (!wp_now[SET_EL2] || wp_now[SET_STUBS] == 0)
		return;
	__asm__ volatile("tlbi vae2, %0" ::"r"(wp_now[SET_STUBS] >> 12) : "memory");
	synchronise();
}
