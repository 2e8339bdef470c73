/* SPDX-License-Identifier: MIT */
/* Between mutate.c and mutate_operands.c. */
#ifndef WP_MUTATE_PRIVATE_H
#define WP_MUTATE_PRIVATE_H

#include "mutate.h"
#include "swarm.h"

/* A program while it is changed. */
struct wp_mutant {
	struct wp_program *program;
	const struct wp_scope *scope;
	struct wp_random *random;
	struct wp_swarm swarm; /* what new operations are like */
};

/* A mutation returns false, and has changed nothing, where it doesn't apply. */
typedef bool wp_mutate_function(struct wp_mutant *mutant);

/* A random operation that has one of the operands; NULL: there is none. */
struct wp_op *wp_mutant_pick(const struct wp_mutant *mutant, unsigned operands);

wp_mutate_function wp_mutate_live, wp_mutate_boundary, wp_mutate_neighbour, wp_mutate_alias,
	wp_mutate_grow, wp_mutate_shrink, wp_mutate_flags, wp_mutate_table, wp_mutate_detail;

#endif
