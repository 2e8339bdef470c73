/* SPDX-License-Identifier: MIT */
/*
 * A worker runs a campaign's programs in a process of its own. All that must
 * outlive it is in shared memory, so that nothing is lost when a program ends it.
 */
#ifndef WP_WORKER_H
#define WP_WORKER_H

#include <stdatomic.h>

#include "campaign.h"
#include "last_words.h"

/* Programs that a worker takes at a time. */
#define WP_CHUNK 32u

/* Different keys that one worker keeps; more are counted only. */
#define WP_WORKER_FINDINGS 32

enum wp_slot_state {
	WP_SLOT_FREE,
	WP_SLOT_SHRINKING, /* the report holds the finding as it was met */
	WP_SLOT_ENDS,      /* it ends the process: whoever comes next shrinks it... */
	WP_SLOT_CONTAINED, /* ...each candidate in a process of its own */
	WP_SLOT_READY,
	WP_SLOT_TOLD, /* the parent has seen it */
};

struct wp_slot {
	_Atomic int state;
	size_t row;
	uint64_t number;
	uint64_t programs; /* that showed this key */
	struct wp_report report;
};

struct wp_worker {
	bool running; /* program `next` of `row`, and `result` is how far it is... */
	bool varied;  /* ...or `variant`, which was made of it */
	struct wp_program variant;
	bool damaged; /* ...and its tables are, in this way */
	struct wp_damage damage;
	size_t row;         /* of the chunk at hand... */
	uint64_t next, end; /* ...and what is left of it */
	struct wp_result result;
	uint64_t time[WP_MAX_ROWS]; /* spent on each row */
	struct wp_stats stats[WP_MAX_ROWS];
	struct wp_stats aside; /* of runs that don't count: shrinking */
	struct wp_slot slots[WP_WORKER_FINDINGS];
	uint64_t unlisted;
	size_t frames_used; /* by the program that ended a copy: these hold what it left */
	char why[200];      /* it could not start */

	/* the parent's */
	int pid; /* 0: it has ended */
	struct wp_words words;
	struct wp_watch watch;
};

struct wp_board {
	_Atomic bool stop;
	_Atomic uint64_t taken[WP_MAX_ROWS]; /* programs given to workers */
	struct wp_worker workers[];
};

/* How a worker's process ends if it could not start; if another shall go on. */
#define WP_WORKER_FAILED 3
#define WP_WORKER_AGAIN  4

/* In the worker's process: until there is nothing left to do. Doesn't return. */
_Noreturn void wp_worker_main(const struct wp_campaign *campaign, struct wp_worker *worker);

#endif
