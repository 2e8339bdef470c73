/* SPDX-License-Identifier: MIT */
/* What the files of the LoongArch walker share. */
#ifndef WP_WALK_LOONGARCH64_H
#define WP_WALK_LOONGARCH64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loongarch64.h"
#include "walker.h"

struct tlb_pair {
	uint64_t lo[2]; /* even, odd: as in TLBELO */
	uint64_t ps;    /* log2 of the size of each half */
};

/* What the refill handler is told, and tells. */
struct refill {
	uint64_t window, window_size; /* guest memory: nothing else is read */
	uint64_t count;               /* refills since it was set to 0 */
	uint64_t end;                 /* WALK_... */
	uint64_t level;               /* of the entry that ended the walk, 0: the root's */
	uint64_t low_bits;            /* the OR of bits 11:0 of the directory entries */
	struct tlb_pair pair;         /* by loads */
	uint64_t compared;            /* the instructions were asked too... */
	struct tlb_pair other;        /* ...and say this */
	uint64_t decoy;               /* the TLB has a pair that leads elsewhere */
	uint64_t entry;               /* of a huge page, as it is in memory */
	/*
	 * Which way of a set is next makes no difference. Of two entries for an address in
	 * the MTLB the first one counts, so there it starts anew with an empty TLB.
	 */
	uint64_t next_mtlb;
	uint64_t zeros_at_0; /* a walk may go there, and finds nothing */
	uint8_t next_way[STLB_SETS];
};

_Static_assert(offsetof(struct refill, pair) == REFILL_PAIR, "as the handler has it");
_Static_assert(offsetof(struct refill, other) == REFILL_OTHER_PAIR, "as the handler has it");
_Static_assert(offsetof(struct refill, compared) == REFILL_COMPARED, "as the handler has it");
_Static_assert(offsetof(struct refill, decoy) == REFILL_DECOY, "as the handler has it");
_Static_assert(offsetof(struct refill, zeros_at_0) == REFILL_ZEROS_AT_0, "as the handler has it");
_Static_assert(offsetof(struct refill, next_way) == REFILL_NEXT_WAY, "as the handler has it");
_Static_assert(sizeof(struct refill) == REFILL_SIZE, "as the handler has it");

extern struct refill refill;

/* Handlers; TLBRENTRY takes their physical address. */
extern const char refill_by_loads[], refill_by_instructions[];

/* ESTAT.EsubCode and Ecode of the exception that ended it, and the byte loaded. */
struct outcome {
	uint64_t code;
	uint64_t byte;
};

/*
 * An access at PLV0 or PLV3. One that goes through is told by the exception that
 * comes next: SYS; or BRK, if that is the instruction there.
 */
typedef struct outcome access_function(uint64_t va, uint64_t byte);
access_function load_as_kernel, store_as_kernel, fetch_as_kernel;
access_function load_as_user, store_as_user, fetch_as_user;

/* What this CPU does, found out as the walker starts. */
struct cpu {
	uint64_t unit;           /* of QEMU's own TLB */
	bool ldpte_keeps_rights; /* NR, NX, RPLV */
	bool lddir_keeps_rights; /* a huge page's */
	bool ldpte_moves_g;      /* of a huge page */
	bool ldpte_sizes_1g;
	uint64_t compared, filled, differences; /* see WP_LA_COMPARED */
	bool tried;                             /* a trial has left something in the TLB */
};
extern struct cpu cpu;

struct tlb_entry {
	bool hit;
	uint64_t index;
	struct tlb_pair pair;
	uint64_t half; /* the one for the address looked up */
	uint64_t pa;
};

/* TLBELO, LA 7.5.3; and in a huge page's entry in memory, LA 5.4.5. */
#define TLBELO_V     ((uint64_t)1 << 0)
#define TLBELO_G     ((uint64_t)1 << 6)
#define TLBELO_NX    ((uint64_t)1 << 62)
#define TLBELO_RPLV  ((uint64_t)1 << 63)
#define ENTRY_HUGE_G ((uint64_t)1 << 12)
#define TLBIDX_NE    ((uint64_t)1 << 31)
#define OUR_ASID     1
#define OTHER_ASID   2

/* Bits high:low, as the manual writes them. */
static inline uint64_t bits(unsigned high, unsigned low)
{
	return ~(uint64_t)0 >> (63 - high) & ~(uint64_t)0 << low;
}

static inline void *physical(uint64_t pa)
{
	return (void *)((uint64_t)KERNEL_WINDOW << 60 | pa);
}

__attribute__((always_inline)) static inline uint64_t csr_read(const unsigned csr)
{
	uint64_t value;

	__asm__ volatile("csrrd %0, %1" : "=r"(value) : "i"(csr) : "memory");
	return value;
}

__attribute__((always_inline)) static inline void csr_write(const unsigned csr, uint64_t value)
{
	__asm__ volatile("csrwr %0, %1" : "+r"(value) : "i"(csr) : "memory");
}

static inline bool is_valid(const struct tlb_entry *entry)
{
	return entry->hit && (entry->half & TLBELO_V) != 0;
}

struct access {
	access_function *function;
	unsigned plv;
};
extern const struct access accesses[WP_MAILBOX_KINDS]; /* by kind */

/* --- tlb_loongarch64.c --- */

void set_asid(uint64_t value);
bool find_entry(uint64_t va, struct tlb_entry *entry); /* false: there is none */
void write_entry(uint64_t va, uint64_t index, const struct tlb_pair *pair);
void drop_entry(uint64_t index);
void empty_tlb(void);

/*
 * QEMU's own TLB. What is noted may be in it, and is forgotten together. `warm`: the
 * CPU's entries stay in use.
 */
bool is_noted(uint64_t va);
void note_unit(uint64_t va, bool warm);
void forget_units(bool warm);

/* --- forms_loongarch64.c --- */

/* After the access that `entry` was looked up for, which ended with `code`. */
bool forms_agree(const struct access *access, uint64_t va, uint64_t code, bool warm,
                 struct tlb_entry *entry);

/* --- trial_loongarch64.c --- */

/* Fills in what `cpu` has of this one; false: its TLB has another shape. */
bool examine_cpu(void);

#endif
