/* SPDX-License-Identifier: MIT */
/*
 * L5: a second view of guest memory, which can only be read. query() and walk() are
 * given a platform whose direct map is that view, so that a store of theirs faults
 * at once, whatever it stores and whether or not it goes through the hook; and no
 * page's protection ever has to be changed.
 */
#ifndef WP_READING_H
#define WP_READING_H

#include <walkproof/pt.h>

#include "memory.h"

struct wp_reading {
	const struct wp_memory *memory;
	uint8_t *view;               /* NULL: none */
	struct pt_platform platform; /* as the one it was opened with, but for direct_base */
};

/* False: errno tells why. `memory` outlives it. */
bool wp_reading_open(struct wp_reading *reading, const struct wp_memory *memory,
                     const struct pt_platform *platform);
void wp_reading_close(struct wp_reading *reading);

enum wp_watched {
	WP_WATCHED_FINE,
	WP_WATCHED_STORE, /* to the view: `address` is the guest physical address */
	WP_WATCHED_CRASH, /* any other access that faults: `address` is the host's */
	WP_WATCHED_LEFT,  /* wp_reading_leave() */
};

/*
 * Runs work(context), and ends it at the first store to the view or, with `crashes`,
 * at any access that faults. Without, the latter ends the process as ever. Not to be
 * nested.
 */
enum wp_watched wp_reading_watch(const struct wp_reading *reading, bool crashes,
                                 void (*work)(void *context), void *context, uint64_t *address);

/* Ends the work at hand from below it, however deep. */
_Noreturn void wp_reading_leave(void);

#endif
