/* SPDX-License-Identifier: MIT */
/* What kind of program the generator is making, or a mutator changing. */
#ifndef WP_SWARM_H
#define WP_SWARM_H

#include "operands.h"

#define WP_POOL 4

/* What kind of program it is. Chances are in parts of 256. */
struct wp_swarm {
	const struct wp_regime *regime;
	struct wp_random *random;
	struct wp_unasked unasked;
	unsigned weights[WP_OPCODES];
	unsigned total;                /* of the weights */
	unsigned leaves[WP_UNIT_BYTE]; /* weight of each leaf size; 0: not this regime's */
	unsigned leaf_total;
	uint8_t vas[WP_POOL]; /* the hot addresses that it favours */
	uint8_t pas[WP_POOL];
	unsigned spread;      /* how far offsets go */
	unsigned other_table; /* chance of table 1 */
	unsigned rude_flags;  /* chance that an operand is wrong on purpose */
	unsigned rude_addresses, rude_lengths;
	unsigned growing; /* chance that a map continues what is live */
	unsigned huge;    /* chance of allow_huge */
	unsigned tables;  /* chance that a region of pages is about as long as a table, or more */
	unsigned plain_flags; /* chance of the favourite flags */
	uint8_t favourite_flags;
};

static inline unsigned wp_below(struct wp_random *random, unsigned bound)
{
	return (unsigned)wp_random_below(random, bound);
}

/* True `parts` times of 256. */
static inline bool wp_chance(struct wp_random *random, unsigned parts)
{
	return wp_below(random, 256) < parts;
}

/* Whether the profile of the subject that the program is for leaves that out. */
static inline bool wp_leaves_out(const struct wp_swarm *swarm, enum wp_deviation deviation)
{
	return wp_deviates(swarm->unasked.profile, deviation);
}

/* 0 half of the time, 1 a quarter of it, and so on, to `most` at most. */
static inline unsigned wp_small(struct wp_random *random, unsigned most)
{
	const unsigned zeros = (unsigned)__builtin_ctzll(wp_random_next(random) | 1ull << 63);

	return zeros < most ? zeros : most;
}

/* Flags that the regime can express, nearly always. */
uint8_t wp_draw_expressible(const struct wp_swarm *swarm);

/* `unasked` may be NULL. */
void wp_draw_swarm(struct wp_swarm *swarm, const struct wp_regime *regime,
                   const struct wp_unasked *unasked, struct wp_random *random);
uint8_t wp_draw_opcode(const struct wp_swarm *swarm);

/* Fills in all operands of `op`, whose opcode is set and which is zero otherwise. */
void wp_draw_operands(const struct wp_swarm *swarm, struct wp_op *op);

#endif
