/* SPDX-License-Identifier: MIT */
/* LoongArch: the CPU's TLB, and the one that QEMU has behind it. */
#include "walk_loongarch64.h"

static uint64_t asid = OUR_ASID; /* at the moment */

void set_asid(uint64_t value)
{
	asid = value;
	csr_write(CSR_ASID, value);
}

/* LA 4.2.4 TLBSRCH, TLBRD: the entry that translates `va`. */
bool find_entry(uint64_t va, struct tlb_entry *entry)
{
	uint64_t index;

	csr_write(CSR_TLBEHI, va & bits(47, 13));
	__asm__ volatile("tlbsrch" ::: "memory");
	index = csr_read(CSR_TLBIDX);
	entry->hit = (index & TLBIDX_NE) == 0;
	if (!entry->hit)
		return false;
	__asm__ volatile("tlbrd" ::: "memory");
	csr_write(CSR_ASID, asid);
	entry->index = index & bits(11, 0);
	entry->pair.lo[0] = csr_read(CSR_TLBELO0);
	entry->pair.lo[1] = csr_read(CSR_TLBELO1);
	entry->pair.ps = csr_read(CSR_TLBIDX) >> 24 & 0x3f;
	entry->half = entry->pair.lo[va >> entry->pair.ps & 1];
	entry->pa = (entry->half & bits(47, 12) & ~(uint64_t)0 << entry->pair.ps) |
	            (va & ~(~(uint64_t)0 << entry->pair.ps));
	return true;
}

void write_entry(uint64_t va, uint64_t index, const struct tlb_pair *pair)
{
	csr_write(CSR_TLBEHI, va & bits(47, 13));
	csr_write(CSR_TLBELO0, pair->lo[0]);
	csr_write(CSR_TLBELO1, pair->lo[1]);
	csr_write(CSR_TLBIDX, index | pair->ps << 24);
	__asm__ volatile("tlbwr" ::: "memory");
}

void drop_entry(uint64_t index)
{
	csr_write(CSR_TLBIDX, index | TLBIDX_NE);
	__asm__ volatile("tlbwr" ::: "memory");
}

/* Which 16 KiB units may be in QEMU's own TLB: those, by a hash, noted in this round. */
#define UNITS 1024
static uint64_t rounds[UNITS], unit_round = 1;

/*
 * A new address space drops QEMU's own TLB, and no entry of the CPU's. If there is
 * none to keep, it may stay that.
 */
void forget_units(bool warm)
{
	set_asid(asid == OUR_ASID ? OTHER_ASID : OUR_ASID);
	if (warm)
		set_asid(OUR_ASID);
	unit_round++;
}

static uint64_t *round_of(uint64_t va)
{
	return &rounds[(va >> 14 ^ va >> 24 ^ va >> 34) % UNITS];
}

bool is_noted(uint64_t va)
{
	return *round_of(va) == unit_round;
}

void note_unit(uint64_t va, bool warm)
{
	if (is_noted(va))
		forget_units(warm);
	*round_of(va) = unit_round;
}

void empty_tlb(void)
{
	__asm__ volatile("invtlb 0, $zero, $zero" ::: "memory");
	unit_round++;
	refill.next_mtlb = 0;
}
