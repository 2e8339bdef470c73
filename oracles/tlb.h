/* SPDX-License-Identifier: MIT */
/*
 * A TLB that never forgets by itself: what a CPU could have cached, as the paper
 * machine saw it, until a flush of the subject's drops it: translations, that there
 * was none where the architecture lets a CPU remember that, and pointers to tables.
 * Whatever is left of a change after its flush is a stale walk (L3).
 */
#ifndef WP_TLB_H
#define WP_TLB_H

#include "finding.h"
#include "machine.h"
#include "trace.h"

#define WP_TLB_SLOTS    64
#define WP_TLB_POINTERS 32

struct wp_tlb_entry {
	uint64_t va;
	uint64_t first, last; /* what one flush by address must hit */
	uint8_t allowed;
	uint8_t memory_type;
	uint8_t level;
	uint64_t pa;
	uint64_t entry_pa, entry; /* the entry that decided */
};

/* Of the caches of paging structures: that an entry leads to a table. */
struct wp_tlb_pointer {
	uint64_t first, last;
	uint64_t entry_pa, entry;
	uint64_t table;
	uint8_t level; /* of the entry */
};

struct wp_tlb {
	const struct wp_regime *regime;
	const struct wp_memory *memory;
	size_t count;
	struct wp_tlb_entry entries[WP_TLB_SLOTS];
	size_t next; /* to be replaced when full */
	size_t pointer_count, pointer_next;
	struct wp_tlb_pointer pointers[WP_TLB_POINTERS];
};

void wp_tlb_reset(struct wp_tlb *tlb, const struct wp_regime *regime,
                  const struct wp_memory *memory);

/* A CPU with `root` loaded accesses `va`, and keeps what its architecture lets it keep. */
void wp_tlb_warm(struct wp_tlb *tlb, uint64_t root, uint64_t va);

/* NULL: everything. False: nothing of it was cached. */
bool wp_tlb_flush(struct wp_tlb *tlb, const uint64_t *va);

/*
 * All that is cached of [first, last] must be what the tables say now. `trace`, which
 * may be NULL, names the store that made it stale.
 */
void wp_tlb_judge(const struct wp_tlb *tlb, uint64_t root, uint64_t first, uint64_t last,
                  const struct wp_trace *trace, struct wp_finding *finding);

#endif
