/* SPDX-License-Identifier: MIT */
/* A mapper as a first kernel has it: x86_64, four levels, pages of 4 KiB and 2 MiB. */
#include "naive_x86_64.h"

#define PRESENT 0x1ull
#define WRITE   0x2ull
#define USER    0x4ull
#define HUGE    0x80ull
#define NX      (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull

uint64_t new_table(void)
{
	uint64_t pa = page_alloc();

	for (int i = 0; i < 512 && pa != 0; i++)
		phys_to_virt(pa)[i] = 0;
	return pa;
}

/* The entry of `va` at `level` (0 is the last), or the huge page on the way there. */
static uint64_t *walk(uint64_t cr3, uint64_t va, int level, int make)
{
	uint64_t *entry = &phys_to_virt(cr3)[va >> 39 & 511];

	for (int at = 2; at >= level; at--) {
		if (!(*entry & PRESENT)) {
			uint64_t table = make ? new_table() : 0;

			if (table == 0)
				return 0;
			*entry = table | PRESENT | WRITE | USER;
		}
		entry = &phys_to_virt(*entry & ADDRESS)[va >> (12 + 9 * at) & 511];
		if (*entry & HUGE)
			break;
	}
	return entry;
}

int map(uint64_t cr3, uint64_t va, uint64_t pa, int huge, int write, int user, int execute)
{
	uint64_t *entry = walk(cr3, va, huge, 1);

	if (entry == 0 || (*entry & PRESENT))
		return -1;
	*entry = pa | PRESENT | (write ? WRITE : 0) | (user ? USER : 0) | (huge ? HUGE : 0) |
	         (execute ? 0 : NX);
	return 0;
}

/* The entry that maps `va`; 0 if none does. */
uint64_t lookup(uint64_t cr3, uint64_t va)
{
	uint64_t *entry = walk(cr3, va, 0, 0);

	return entry != 0 && (*entry & PRESENT) ? *entry : 0;
}

int unmap(uint64_t cr3, uint64_t va)
{
	if (lookup(cr3, va) == 0)
		return -1;
	*walk(cr3, va, 0, 0) = 0;
	invlpg(va);
	return 0;
}

/* All tables from the one at `pa` down; `level` is 3 for the root. */
void free_tables(uint64_t pa, int level)
{
	for (int i = 0; i < 512 && level > 0; i++) {
		uint64_t entry = phys_to_virt(pa)[i];

		if ((entry & PRESENT) && !(entry & HUGE))
			free_tables(entry & ADDRESS, level - 1);
	}
	page_free(pa);
}
