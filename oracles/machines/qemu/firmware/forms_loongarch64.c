/* SPDX-License-Identifier: MIT */
/* LoongArch: whether both forms of the refill handler say the same. */
#include "walk_loongarch64.h"

/* Whether the manual, and this QEMU, give the instructions one outcome for this walk. */
static bool is_comparable(void)
{
	const uint64_t half = (uint64_t)1 << refill.pair.ps;

	if (refill.compared == 0)
		return false;
	if (refill.pair.ps == PTE_SHIFT)
		return true;
	return (refill.entry & (bits(14, 13) | half)) == 0 &&
	       ((refill.entry & ENTRY_HUGE_G) == 0 || cpu.ldpte_moves_g) &&
	       (refill.pair.ps == DIR1_SHIFT - 1 || cpu.ldpte_sizes_1g);
}

/* LDPTE reads the entry of a page, and LDDIR that of a huge one. */
static bool keeps_rights(const struct tlb_pair *pair)
{
	return pair->ps == PTE_SHIFT ? cpu.ldpte_keeps_rights : cpu.lddir_keeps_rights;
}

/* Bits of an address below the page, or that TLBELO doesn't have, aside. */
static bool pairs_agree(const struct tlb_pair *a, const struct tlb_pair *b)
{
	const uint64_t rights = keeps_rights(a) ? bits(63, 61) : 0;
	const uint64_t compared = bits(6, 0) | (bits(47, 0) & ~(uint64_t)0 << a->ps) | rights;

	return a->ps == b->ps && ((a->lo[0] ^ b->lo[0]) & compared) == 0 &&
	       ((a->lo[1] ^ b->lo[1]) & compared) == 0;
}

/* One in 16 pages, for it costs another walk. */
static bool is_chosen(uint64_t va)
{
	return (va >> PTE_SHIFT) * 0x9e3779b97f4a7c15u >> 60 == 0;
}

/*
 * The same access, with the handler that kernels have. `entry` is replaced by what
 * that one's TLBFILL has put into the TLB.
 */
static bool instructions_agree(const struct access *access, uint64_t va, uint64_t code,
                               struct tlb_entry *entry)
{
	const struct tlb_pair before = entry->pair;
	const bool same_rights = (before.lo[0] | before.lo[1]) >> 61 == 0 || keeps_rights(&before);
	uint64_t other;

	drop_entry(entry->index);
	forget_units(false);
	refill.count = 0;
	csr_write(CSR_TLBRELO0, 0); /* what the other handler left there */
	csr_write(CSR_TLBRELO1, 0);
	csr_write(CSR_TLBREHI, 0);
	csr_write(CSR_TLBRENTRY, (uint64_t)refill_by_instructions & bits(47, 0));
	other = access->function(va, 0).code;
	csr_write(CSR_TLBRENTRY, (uint64_t)refill_by_loads & bits(47, 0));
	note_unit(va, false);
	cpu.filled++;
	return refill.count == 1 && find_entry(va, entry) && pairs_agree(&before, &entry->pair) &&
	       (other == code || !same_rights);
}

bool forms_agree(const struct access *access, uint64_t va, uint64_t code, bool warm,
                 struct tlb_entry *entry)
{
	if (refill.count == 0 || !is_comparable())
		return true;
	cpu.compared++;
	if (!pairs_agree(&refill.pair, &refill.other))
		return false;
	if (warm || refill.decoy != 0 || !entry->hit || !is_chosen(va))
		return true;
	return instructions_agree(access, va, code, entry);
}
