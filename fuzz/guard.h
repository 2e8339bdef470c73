/* SPDX-License-Identifier: MIT */
/*
 * L5 for subjects that can't be given a second view of memory: around query() and walk()
 * the frames in use are made read-only. A store is noted, and goes through.
 */
#ifndef WP_GUARD_H
#define WP_GUARD_H

#include "memory.h"

/* From now on, until the next such call; NULL: no guard. */
void wp_guard_over(const struct wp_memory *memory);

void wp_guard_begin(void);
/* Whether there was a store since the begin. */
bool wp_guard_end(void);

#endif
