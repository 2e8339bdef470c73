/* SPDX-License-Identifier: MIT */
/*
 * LoongArch: experiments on the CPU itself, for the walker as it starts and for the
 * host's quirks. They need no guest memory.
 */
#include "walk_loongarch64.h"

#define LEVELS     4
#define LEVEL_BITS 9

static uint64_t tables[LEVELS][512] __attribute__((aligned(4096)));
static uint8_t frames[4][4096] __attribute__((aligned(16384)));

static uint64_t physical_of(const void *at)
{
	return (uint64_t)at & bits(47, 0);
}

/* What LDDIR and LDPTE make of `entry` in the table of `level`; 0: the page table. */
static void walk_by_instructions(uint64_t entry, unsigned level, struct tlb_pair *pair)
{
	uint64_t at = physical_of(tables[LEVELS - 1]), mode = CRMD_DA;

	for (unsigned n = 0; n < LEVELS; n++) {
		const uint64_t slot = (uint64_t)WP_LA_LDPTE_VA >> (PTE_SHIFT + LEVEL_BITS * n) &
		                      511;

		tables[n][slot] = n == level ? entry : n == 0 ? 0 : physical_of(tables[n - 1]);
	}
	csr_write(CSR_TLBRBADV, WP_LA_LDPTE_VA);
	__asm__ volatile("csrxchg %1, %2, %3\n\t" /* direct-address mode, as in a handler */
	                 "lddir %0, %0, 3\n\t"
	                 "lddir %0, %0, 2\n\t"
	                 "lddir %0, %0, 1\n\t"
	                 "ldpte %0, 0\n\t"
	                 "ldpte %0, 1\n\t"
	                 "csrxchg %1, %2, %3"
	                 : "+r"(at), "+r"(mode)
	                 : "r"((uint64_t)CRMD_DA | CRMD_PG), "i"(CSR_CRMD)
	                 : "memory");
	pair->lo[0] = csr_read(CSR_TLBRELO0);
	pair->lo[1] = csr_read(CSR_TLBRELO1);
	pair->ps = csr_read(CSR_TLBREHI) & bits(5, 0);
}

/* As loongarch64.h has it. Nothing else is mapped while a trial runs. */
static void try_access(uint64_t lo, uint64_t va, uint64_t how, uint64_t outcome[8])
{
	struct tlb_pair pair = {{lo, lo & ~TLBELO_G}, PTE_SHIFT};
	struct outcome made = {0};
	struct tlb_entry entry;

	if ((how & WP_LA_TO_FRAMES) != 0) {
		pair.lo[0] += physical_of(frames);
		pair.lo[1] += physical_of(frames);
	}
	if ((how & WP_LA_VA_OF_FRAMES) != 0)
		va += physical_of(frames);
	cpu.tried = true;
	if ((how & WP_LA_FRESH) != 0) {
		empty_tlb();
		for (uint8_t i = 0; i < 4; i++)
			frames[i][0] = (uint8_t)(i + 1);
	}
	if ((how & WP_LA_HELD) == 0)
		write_entry(va, va >> (PTE_SHIFT + 1) & (STLB_SETS - 1), &pair);
	if ((how & WP_LA_OTHER_ASID) != 0)
		set_asid(OTHER_ASID);
	else
		made = accesses[how % 8].function(va, 0);
	outcome[0] = made.code;
	outcome[1] = made.byte;
	outcome[3] = csr_read(CSR_BADV);
	outcome[2] = find_entry(va, &entry);
	set_asid(OUR_ASID);
}

void walker_trial(struct wp_mailbox *mailbox)
{
	const uint64_t *parameter = mailbox->parameter;
	struct tlb_pair pair;

	switch (parameter[0]) {
	case WP_LA_LDPTE:
		walk_by_instructions(parameter[1], (unsigned)parameter[2], &pair);
		mailbox->outcome[0] = pair.lo[0];
		mailbox->outcome[1] = pair.lo[1];
		mailbox->outcome[2] = pair.ps;
		break;
	case WP_LA_ACCESS:
		try_access(parameter[1], parameter[2], parameter[3], mailbox->outcome);
		break;
	default:
		break;
	}
}

/* LA 7.4.15 PRCFG3: type 2 is an STLB and an MTLB; entries, ways less 1, log2 of sets. */
#define PRCFG3_EXPECTED (2u | (MTLB_SIZE - 1u) << 4 | (STLB_WAYS - 1u) << 12 | 8u << 20)

bool examine_cpu(void)
{
	const uint64_t leaf = TLBELO_V, huge = TLBELO_V | 1u << 6, rights = bits(63, 61);
	struct tlb_pair pair;
	uint64_t outcome[8];

	walk_by_instructions(leaf | rights, 0, &pair);
	cpu.ldpte_keeps_rights = ((pair.lo[0] | pair.lo[1]) & rights) == rights;
	walk_by_instructions(huge | rights, 1, &pair);
	cpu.lddir_keeps_rights = (pair.lo[0] & pair.lo[1] & rights) == rights;
	walk_by_instructions(huge | ENTRY_HUGE_G, 1, &pair);
	cpu.ldpte_moves_g = pair.lo[0] == (TLBELO_V | TLBELO_G);
	walk_by_instructions(huge, 2, &pair);
	cpu.ldpte_sizes_1g = pair.ps == DIR2_SHIFT - 1;

	/* the first page of a unit, and the second frame of one */
	try_access(sizeof frames[0] | TLBELO_V, 0, WP_LA_FRESH | WP_LA_TO_FRAMES, outcome);
	cpu.unit = outcome[1] == frames[1][0] ? 4096 : 16384;
	empty_tlb();
	return csr_read(CSR_PRCFG3) == PRCFG3_EXPECTED;
}
