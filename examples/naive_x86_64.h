/* SPDX-License-Identifier: MIT */
#ifndef NAIVE_X86_64_H
#define NAIVE_X86_64_H

#include <stdint.h>

/* What the kernel has. */
uint64_t page_alloc(void); /* 0: there is none left */
void page_free(uint64_t pa);
uint64_t *phys_to_virt(uint64_t pa);
void invlpg(uint64_t va);

/* The mapper. */
uint64_t new_table(void);
int map(uint64_t cr3, uint64_t va, uint64_t pa, int huge, int write, int user, int execute);
uint64_t lookup(uint64_t cr3, uint64_t va);
int unmap(uint64_t cr3, uint64_t va);
void free_tables(uint64_t pa, int level);

#endif
