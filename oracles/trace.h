/* SPDX-License-Identifier: MIT */
/*
 * The history of the stores to tables: what the tables were when the operation at hand
 * began, which entry leads to each frame, and the latest stores, to name one by.
 */
#ifndef WP_TRACE_H
#define WP_TRACE_H

#include "entry.h"
#include "finding.h"
#include "machine.h"

#define WP_TRACE_ROOTS 2

struct wp_store {
	uint64_t entry; /* its guest physical address */
	uint64_t before, after;
	uint32_t op;
};
#define WP_TRACE_STORES 1024u /* that can be named; a power of two */

struct wp_trace {
	const struct wp_regime *regime;
	const struct wp_memory *memory;
	uint64_t roots[WP_TRACE_ROOTS]; /* of the tables that a CPU may have loaded; 0: none */

	/*
	 * The window as it was when the operation began. Frames that were not handed
	 * out then are as they were at another time.
	 */
	struct wp_memory old;

	uint64_t *link;          /* by frame: the entry that was last seen to lead there; 0: none */
	bool *forked;            /* by frame: another entry may lead there too */
	uint64_t written_by_cpu; /* the bits of an entry that CPUs write */
	size_t linked;           /* of both: those below may be set */
	uint64_t links;          /* stores of what may lead to a table */
	uint64_t count;          /* stores */
	struct wp_store stores[WP_TRACE_STORES];

	/* changed since the operation began */
	uint32_t *words; /* but for those of fresh frames */
	size_t word_count, word_room;
	uint32_t *fresh; /* frames handed out */
	size_t fresh_count;
	uint32_t *fresh_in; /* by frame: the `commits` during which it was handed out */
	uint32_t commits;   /* never 0 */
};

/* Where an entry stands. */
struct wp_place {
	unsigned level;
	uint64_t first, last; /* addresses that it translates */
	uint64_t root;
	uint64_t top; /* the table that the root's entry leads to; the root, at level 0 */
	bool forked;  /* it may stand elsewhere too */
};

/* False: out of memory. */
bool wp_trace_open(struct wp_trace *trace, const struct wp_memory *memory);
void wp_trace_close(struct wp_trace *trace);

/* A new program. */
void wp_trace_reset(struct wp_trace *trace, const struct wp_regime *regime);

/* From now on the tables as they are count as what they were. */
void wp_trace_commit(struct wp_trace *trace);

/* A frame was handed out. */
void wp_trace_fresh(struct wp_trace *trace, uint64_t frame);

/* Whether it was since the operation began. */
bool wp_trace_is_fresh(const struct wp_trace *trace, uint64_t frame);

/*
 * After the store. False: it isn't one aligned entry of a frame that is handed out, or
 * isn't in memory.
 */
bool wp_trace_store(struct wp_trace *trace, uint64_t entry, uint64_t before, uint64_t after,
                    uint32_t op);

/*
 * Where the entry stands under a root; false: no CPU can reach it, and then only
 * `forked` is set: whether that is certain.
 */
bool wp_trace_place(const struct wp_trace *trace, uint64_t entry, struct wp_place *place);

/* The entry through which a CPU can reach the frame; 0: none. */
uint64_t wp_trace_link(const struct wp_trace *trace, uint64_t frame);

/* The last store to that entry, or NULL, if it is too long ago. */
const struct wp_store *wp_trace_last(const struct wp_trace *trace, uint64_t entry);

/*
 * The first word of a frame that isn't what it was, but for what CPUs write: its
 * address; 0: none. Right after wp_trace_commit(): so what CPUs wrote is taken over.
 */
uint64_t wp_trace_differs(struct wp_trace *trace, uint64_t frame);

#endif
