/* SPDX-License-Identifier: MIT */
/* What a runner keeps for L8, accessed and dirty bits: run_accessed.c, run_harvest.c. */
#ifndef WP_RUN_ACCESSED_H
#define WP_RUN_ACCESSED_H

#include "entry.h"
#include "program.h"

struct wp_runner;

/* A leaf that is followed through one operation. */
struct wp_used_leaf {
	uint64_t va, pa;      /* of one byte in it */
	uint64_t first, size; /* of the leaf */
	uint64_t entry;       /* its guest physical address; 0: no CPU can use the leaf */
	bool writable;
	bool accessed, dirty; /* all that was recorded in it */
	bool stored;          /* to, in this operation: what is there now is another's business */
	bool flushed;         /* since a harvest has cleared it */
};

#define WP_USED_LEAVES 5
struct wp_accessed {
	bool on; /* in the operation at hand */
	unsigned table;
	uint64_t salt; /* what is done to which leaf */
	size_t count;
	struct wp_used_leaf leaves[WP_USED_LEAVES];
	uint64_t told_bytes; /* by unmap_region_with() */
};

/* The leaves of a harvest's range, in address order. */
#define WP_HARVESTED_LEAVES 4096u
struct wp_harvest {
	bool on;  /* the operation at hand is one */
	bool cut; /* there are more leaves than this has room for */
	pt_uses uses;
	size_t count, stored_to, told_to; /* how far it came, most likely */
	struct wp_used_leaf leaves[WP_HARVESTED_LEAVES];
};

/* Leaves that were cleared in a batch, and not flushed yet; beyond so many they are forgotten. */
#define WP_UNFLUSHED 1024u
struct wp_unflushed {
	size_t count;
	struct {
		uint64_t first, last;
		unsigned table;
	} at[WP_UNFLUSHED];
};

/* SDM 4.8; RV "Sv39": A is the lower of the two. */
static inline uint64_t wp_accessed_bit(const struct wp_regime *regime)
{
	const uint64_t both = wp_entry_written_by_cpu(regime);

	return both & -both;
}

static inline uint64_t wp_dirty_bit(const struct wp_regime *regime)
{
	return wp_entry_written_by_cpu(regime) & ~wp_accessed_bit(regime);
}

static inline bool wp_has_one_of(bool accessed, bool dirty, pt_uses uses)
{
	return (accessed && (uses & PT_ACCESSED)) || (dirty && (uses & PT_DIRTY));
}

/* --- between run_accessed.c and run_harvest.c --- */

/* What a CPU does to the entry of a leaf that it uses. */
void wp_run_use_leaf(struct wp_runner *runner, struct wp_used_leaf *leaf, bool writes);

/* Where the entry of the leaf at `va` is, and what a CPU has recorded in it; false: no CPU can use it. */
bool wp_run_find_entry(struct wp_runner *runner, unsigned table, struct wp_used_leaf *leaf);

/* "accessed and dirty", "unused". */
const char *wp_uses_text(bool accessed, bool dirty);

/* What `who` tells of the leaf at `va`; what query() does. */
void wp_run_judge_uses(struct wp_runner *runner, const char *who, const struct pt_mapping *told,
                       uint64_t va, bool accessed, bool dirty);
void wp_run_judge_queried_uses(struct wp_runner *runner, unsigned table, uint64_t va, bool accessed,
                               bool dirty);

#endif
