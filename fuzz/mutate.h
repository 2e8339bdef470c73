/* SPDX-License-Identifier: MIT */
/*
 * Mutations of programs, by operations and not by bytes: what comes out is a program
 * that does something else, and not one whose every later operation has moved. Pure
 * functions of the program and the random numbers.
 */
#ifndef WP_MUTATE_H
#define WP_MUTATE_H

#include "program.h"

enum wp_mutation {
	/* whole operations */
	WP_MUTATE_INSERT,
	WP_MUTATE_DELETE,
	WP_MUTATE_DUPLICATE,
	WP_MUTATE_MOVE,
	WP_MUTATE_SPLICE,  /* a stretch of a freshly generated program */
	WP_MUTATE_RETYPE,  /* another operation on the same operands */
	WP_MUTATE_REDRAW,  /* the same operation on other operands */
	WP_MUTATE_COLLIDE, /* one more operation where there already is one */
	WP_MUTATE_REFUSAL, /* a refusal of frames comes or goes */
	WP_MUTATE_BATCH,   /* a batch comes or goes */
	WP_MUTATE_REGIME,
	/* an operand */
	WP_MUTATE_LIVE,      /* an address: where something is mapped */
	WP_MUTATE_BOUNDARY,  /* where ranges, tables or pages end */
	WP_MUTATE_NEIGHBOUR, /* a page, or a larger leaf, further */
	WP_MUTATE_ALIAS,     /* the address of another operation */
	WP_MUTATE_GROW,      /* a size: across that of the next larger leaf, too */
	WP_MUTATE_SHRINK,
	WP_MUTATE_FLAGS,
	WP_MUTATE_TABLE,
	WP_MUTATE_DETAIL, /* what only some operations have: see mutate_operands.c */
	WP_MUTATIONS,
};

const char *wp_mutation_name(enum wp_mutation kind);

/*
 * A few mutations; which kinds are likely is drawn anew for each program. Returns those
 * that were made, as bits. Operations may hold anything in operands that they don't
 * have; what comes out has zeros there, as decoding does.
 */
uint32_t wp_program_mutate(struct wp_program *program, const struct wp_scope *scope,
                           struct wp_random *random);

/* Just one. False: there is nothing that it applies to; the program is as it was. */
bool wp_program_mutate_once(struct wp_program *program, const struct wp_scope *scope,
                            enum wp_mutation kind, struct wp_random *random);

/* A child of two programs; it runs under the regime of one of them. */
void wp_program_cross(struct wp_program *child, const struct wp_program *a,
                      const struct wp_program *b, struct wp_random *random);

#endif
