/* SPDX-License-Identifier: MIT */
/*
 * The paper machine, inside: one walk for each architecture, written from its
 * manual alone. Nothing here may come from, or look at, lib/ or arch/: an oracle
 * must not share what it judges.
 *
 * Manuals, as cited: "SDM": Intel 64 SDM vol. 3A, chapter "Paging" (4, in newer
 * editions 5). "D8": Arm ARM DDI 0487, chapter D8, by heading. "RV": RISC-V
 * Privileged ISA, "Supervisor-Level ISA" and the Sv* extensions, by heading.
 * "LA": LoongArch Reference Manual vol. 1. "EPT": Intel 64 SDM vol. 3C, 28.3 and 28.4
 * (29.3 and 29.4 in newer editions).
 */
#ifndef WP_PAPER_H
#define WP_PAPER_H

#include "../machine.h"

/*
 * Fills in `answer` for all kinds that the regime has, and, unless it is NULL,
 * `steps`; returns the number of entries read. Writes nothing else: accessed and
 * dirty bits stay as they are.
 */
typedef size_t wp_paper_walker(const struct wp_regime *regime, const struct wp_memory *memory,
                               uint64_t root, uint64_t va, struct wp_answer *answer,
                               struct wp_step *steps);

/* What the self-test needs to build tables by hand, and the walk that it tests. */
struct wp_paper_arch {
	wp_paper_walker *walk;
	const char *manual;
	uint64_t table;           /* an entry that leads to a table, but for its address */
	uint64_t kernel_writable; /* a 4 KiB leaf, but for its address */
	uint64_t kernel_read_only;
	uint64_t user_read_only;
	uint64_t stage_2;      /* what a leaf of a stage 2 has beside */
	uint8_t address_shift; /* of a physical address, to the right */
};

extern const struct wp_paper_arch wp_paper_x86_64;
extern const struct wp_paper_arch wp_paper_aarch64;
extern const struct wp_paper_arch wp_paper_riscv64;
extern const struct wp_paper_arch wp_paper_loongarch64;
extern const struct wp_paper_arch wp_paper_x86_ept;

/*
 * Where nothing else is said, 512 entries of 8 bytes are indexed by 9 bits, the lowest
 * level from bit 12 on.
 */
#define WP_PAPER_ENTRIES    512u
#define WP_PAPER_INDEX_BITS 9u

static inline unsigned wp_paper_root_shift(const struct wp_regime *regime)
{
	return 12 + WP_PAPER_INDEX_BITS * (regime->levels - 1u);
}

/* A mask of bits high:low, as manuals write them; nothing if low is over high. */
static inline uint64_t wp_bits(unsigned high, unsigned low)
{
	return UINT64_MAX >> (63 - high) & UINT64_MAX << low;
}

static inline bool wp_bit(uint64_t value, unsigned bit)
{
	return (value >> bit & 1) != 0;
}

/* Bits 63 to width - 1 are all equal. */
static inline bool wp_sign_extended(uint64_t va, unsigned width)
{
	return (va + ((uint64_t)1 << (width - 1))) >> width == 0;
}

/* The entries of the table at `table`; NULL: it isn't in guest memory. */
static inline const uint64_t *wp_paper_table(const struct wp_memory *memory, uint64_t table)
{
	return wp_memory_at(memory, table, WP_PAPER_ENTRIES * sizeof(uint64_t));
}

static inline size_t wp_paper_index(uint64_t va, unsigned shift)
{
	return (size_t)(va >> shift) % WP_PAPER_ENTRIES;
}

static inline uint64_t wp_paper_step(struct wp_step *steps, unsigned level, uint64_t table,
                                     const uint64_t *entries, size_t index)
{
	if (steps != NULL)
		steps[level] = (struct wp_step){level, table + index * 8, entries[index]};
	return entries[index];
}

static inline uint8_t wp_paper_kinds(bool kr, bool kw, bool kx, bool ur, bool uw, bool ux)
{
	return (uint8_t)(kr << WP_KERNEL_READ | kw << WP_KERNEL_WRITE | kx << WP_KERNEL_EXECUTE |
	                 ur << WP_USER_READ | uw << WP_USER_WRITE | ux << WP_USER_EXECUTE);
}

/* A walk that ends without a leaf. */
static inline void wp_paper_fault(struct wp_answer *answer, uint8_t answered, uint8_t open,
                                  enum wp_fault fault, unsigned level)
{
	*answer = (struct wp_answer){
		.answered = answered,
		.open = open & answered,
		.fault = (uint8_t)fault,
		.level = (uint8_t)level,
	};
}

#endif
