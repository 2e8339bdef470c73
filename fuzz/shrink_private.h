/* SPDX-License-Identifier: MIT */
/* Between shrink.c, which takes operations away, and shrink_arguments.c. */
#ifndef WP_SHRINK_PRIVATE_H
#define WP_SHRINK_PRIVATE_H

#include "shrink.h"

struct wp_shrinker {
	const struct wp_shrink_judge *judge;
	struct wp_program *best; /* the simplest so far that breaks it in the same way */
	struct wp_result *result;
	size_t runs; /* left */
	struct wp_program candidate;
};

/* The candidate becomes what `best` is. */
void wp_shrinker_start(struct wp_shrinker *shrinker);

/* Keeps the candidate as the best, if it breaks the same law in the same way. */
bool wp_shrinker_keep(struct wp_shrinker *shrinker);

/* One round over every argument of every operation; true: something became simpler. */
bool wp_shrinker_arguments(struct wp_shrinker *shrinker);

/* At last: lengths in words, such as 2M for 0x200000. */
void wp_shrinker_name_lengths(struct wp_shrinker *shrinker);

#endif
