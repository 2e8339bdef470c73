/* SPDX-License-Identifier: MIT */
/* What a runner keeps for the checks that look at every store: run_stores.c, run_break.c. */
#ifndef WP_RUN_WATCH_H
#define WP_RUN_WATCH_H

#include "program.h"
#include "trace.h"

/* A valid leaf, or a table, that was made invalid and not yet flushed. */
struct wp_broken {
	uint64_t first, last;
	unsigned level;
	uint64_t entry; /* what it was */
	uint64_t frame; /* the table; 0: it was a leaf */
	uint64_t root;  /* that it was under */
};
#define WP_BROKEN 1024u /* a power of two; the oldest are forgotten */

/* The first walk of an operation that answered neither as before nor as after it. */
struct wp_suspect {
	bool found;
	bool inside; /* the operation's range */
	unsigned table;
	uint64_t va;
	uint32_t number; /* of the store */
	struct wp_store store;
	struct wp_answer now, old;
};

struct wp_store_watch {
	bool on; /* stores are traced in this program */
	struct wp_trace trace;

	/* of the operation at hand */
	uint64_t first, last;      /* what it may change; first > last: nothing */
	uint64_t straddling[2][2]; /* leaves that its ends may cut: first and last byte */
	uint32_t stores;
	struct wp_suspect suspect;
	uint64_t page_table;       /* the last level's table that was stored to last; 0: another */
	struct wp_place page_slot; /* where its first entry stands */
	uint64_t loose_table;      /* the last one stored to that no CPU could reach; 0: none */
	uint64_t links;            /* the trace's, when it was asked for these */

	uint32_t broken_count;
	struct wp_broken broken[WP_BROKEN];
};

#endif
