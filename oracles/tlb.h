/* SPDX-License-Identifier: MIT */
/*
 * A TLB that never forgets by itself: what a CPU could have cached, as the paper
 * machine saw it, until a flush of the subject's drops it. Whatever is left of a
 * change after its flush is a stale walk (L3).
 */
#ifndef WP_TLB_H
#define WP_TLB_H

#include "finding.h"
#include "machine.h"

#define WP_TLB_SLOTS 64

struct wp_tlb_entry {
	uint64_t va;
	uint64_t first, last; /* what one flush by address must hit */
	uint8_t allowed;
	uint8_t memory_type;
	uint64_t pa;
};

struct wp_tlb {
	const struct wp_regime *regime;
	const struct wp_memory *memory;
	size_t count;
	struct wp_tlb_entry entries[WP_TLB_SLOTS];
	size_t next; /* to be replaced when full */
};

void wp_tlb_reset(struct wp_tlb *tlb, const struct wp_regime *regime,
                  const struct wp_memory *memory);

/* A CPU with `root` loaded accesses `va`, and keeps what its architecture lets it keep. */
void wp_tlb_warm(struct wp_tlb *tlb, uint64_t root, uint64_t va);

/* NULL: everything. */
void wp_tlb_flush(struct wp_tlb *tlb, const uint64_t *va);

/* All that is cached of [first, last] must be what the tables say now. */
void wp_tlb_judge(const struct wp_tlb *tlb, uint64_t root, uint64_t first, uint64_t last,
                  struct wp_finding *finding);

#endif
