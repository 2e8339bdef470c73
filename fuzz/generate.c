/* SPDX-License-Identifier: MIT */
/*
 * Random programs by swarm testing: each program first draws what kind of program
 * it is (which operations it has and how often, which few addresses it favours,
 * which leaf sizes, how rude it is), and then its operations. A program that does
 * everything a little is boring; one that maps, copies and refuses frames on three
 * addresses only is not.
 *
 * The generator doesn't know what the operations will do. It gets most of them
 * accepted because it draws the addresses of a map among those that are multiples
 * of the leaf, and the addresses of changes among what is live.
 */
#include "swarm.h"

#define MEAN_OPS 32
#define WARM_UP  3

/* ------------------------------------------------------------------------ swarm */

/* Operations that make sense only together are switched on and off together. */
enum class { ALWAYS, LEAVES, REGIONS, SHARING, BATCHES, REFUSALS, CLASSES };

struct habit {
	uint8_t class; /* enum class */
	uint8_t weight;
};

static const struct habit habits[WP_OPCODES] = {
	[WP_OP_MAP] = {LEAVES, 24},
	[WP_OP_UNMAP] = {LEAVES, 10},
	[WP_OP_PROTECT] = {LEAVES, 8},
	[WP_OP_REMAP] = {LEAVES, 8},
	[WP_OP_QUERY] = {ALWAYS, 4},
	[WP_OP_MAP_REGION] = {REGIONS, 14},
	[WP_OP_MAP_REGION_WITH] = {REGIONS, 8},
	[WP_OP_UNMAP_REGION] = {REGIONS, 8},
	[WP_OP_PROTECT_REGION] = {REGIONS, 8},
	[WP_OP_HARVEST] = {ALWAYS, 6},
	[WP_OP_WALK] = {ALWAYS, 2},
	[WP_OP_COPY_FROM] = {SHARING, 6},
	[WP_OP_GIVE_BACK] = {SHARING, 4},
	[WP_OP_BATCH] = {BATCHES, 5},
	[WP_OP_FLUSH] = {BATCHES, 4},
	[WP_OP_FLUSH_ALL] = {BATCHES, 1},
	[WP_OP_IGNORE] = {BATCHES, 1},
	[WP_OP_REFUSE] = {REFUSALS, 6},
	[WP_OP_ALLOW] = {REFUSALS, 4},
	[WP_OP_RENEW] = {ALWAYS, 1},
	[WP_OP_PROBE] = {ALWAYS, 2},
};

/* How likely a class is in a program, in parts of 256. */
static const unsigned class_chances[CLASSES] = {
	[ALWAYS] = 256, [LEAVES] = 224,  [REGIONS] = 176,
	[SHARING] = 96, [BATCHES] = 128, [REFUSALS] = 96,
};

static bool is_mapping(unsigned opcode)
{
	return opcode == WP_OP_MAP || opcode == WP_OP_MAP_REGION || opcode == WP_OP_MAP_REGION_WITH;
}

/* Where the CPU records nothing, a harvest is refused whatever the tables hold. */
static unsigned usual_weight(const struct wp_swarm *swarm, unsigned opcode)
{
	if (opcode == WP_OP_HARVEST && wp_uses_recorded(swarm->regime) == 0)
		return 1;
	return habits[opcode].weight;
}

static void draw_weights(struct wp_swarm *swarm)
{
	static const uint8_t factors[8] = {0, 1, 2, 2, 4, 4, 4, 16}; /* in quarters */
	bool on[CLASSES];

	for (unsigned i = 0; i < CLASSES; i++)
		on[i] = wp_chance(swarm->random, class_chances[i]) || swarm->random->unswarmed;
	swarm->total = 0;
	for (unsigned i = 0; i < WP_OPCODES; i++) {
		const unsigned drawn = factors[wp_below(swarm->random, 8)];
		const unsigned factor = swarm->random->unswarmed ? 4 : drawn;

		swarm->weights[i] = on[habits[i].class] ? usual_weight(swarm, i) * factor : 0;
		if ((swarm->unasked.opcodes >> i & 1) != 0)
			swarm->weights[i] = 0;
		swarm->total += swarm->weights[i];
	}
	/* Without a way to map there would be nothing to do. */
	if (swarm->weights[WP_OP_MAP] + swarm->weights[WP_OP_MAP_REGION] +
	            swarm->weights[WP_OP_MAP_REGION_WITH] ==
	    0) {
		swarm->weights[WP_OP_MAP] = 4u * habits[WP_OP_MAP].weight;
		swarm->total += swarm->weights[WP_OP_MAP];
	}
}

static void draw_leaves(struct wp_swarm *swarm)
{
	static const uint8_t usual[WP_UNIT_BYTE] = {8, 5, 3, 2, 2};
	static const uint8_t factors[4] = {0, 1, 1, 4};
	uint64_t sizes = swarm->regime->leaf_sizes;

	if (wp_leaves_out(swarm, WP_ASSUMES_SIZES))
		sizes &= wp_profile_leaf_sizes(swarm->unasked.profile, swarm->regime);
	swarm->leaf_total = 0;
	for (unsigned i = 0; i < WP_UNIT_BYTE; i++) {
		const unsigned factor = factors[wp_below(swarm->random, 4)];

		swarm->leaves[i] = 0;
		if (sizes & wp_unit_bytes(swarm->regime, i))
			swarm->leaves[i] = usual[i] * factor;
		swarm->leaf_total += swarm->leaves[i];
	}
	if (swarm->leaf_total == 0)
		swarm->leaf_total = swarm->leaves[WP_UNIT_4K] = 1;
}

/* Of what is wrong on purpose most would be left out for a subject that assumes it right. */
static void draw_rudeness(struct wp_swarm *swarm, unsigned rude)
{
	const bool aligned = wp_leaves_out(swarm, WP_ASSUMES_ALIGNED);

	swarm->rude_flags = wp_leaves_out(swarm, WP_APPROXIMATES_FLAGS) ? 0 : rude;
	swarm->rude_addresses = aligned && wp_leaves_out(swarm, WP_TRUNCATES_ADDRESSES) ? 0 : rude;
	swarm->rude_lengths = aligned && wp_leaves_out(swarm, WP_ASSUMES_SIZES) ? 0 : rude;
}

void wp_draw_swarm(struct wp_swarm *swarm, const struct wp_regime *regime,
                   const struct wp_unasked *unasked, struct wp_random *random)
{
	static const uint8_t spreads[4] = {3, 12, 40, 127};
	static const uint8_t rudenesses[4] = {0, 3, 8, 24};
	static const uint8_t others[4] = {0, 32, 128, 128};

	swarm->regime = regime;
	swarm->random = random;
	swarm->unasked = unasked != NULL ? *unasked : (struct wp_unasked){0};
	draw_weights(swarm);
	draw_leaves(swarm);
	for (unsigned i = 0; i < WP_POOL; i++) {
		swarm->vas[i] = (uint8_t)wp_below(random, WP_SPOTS);
		swarm->pas[i] = (uint8_t)wp_below(random, WP_SPOTS);
	}
	/* The first hot address often: its root slot has most of the others. */
	if (wp_chance(random, 128))
		swarm->vas[0] = 0;
	swarm->spread = spreads[wp_below(random, 4)];
	draw_rudeness(swarm, rudenesses[wp_below(random, 4)]);
	swarm->other_table = others[wp_below(random, 4)];
	if (swarm->weights[WP_OP_COPY_FROM] > 0)
		swarm->other_table = 128;
	/* such regions cost what a hundred other operations do */
	swarm->tables = wp_chance(random, 32) ? 48 : 2;
	swarm->growing = wp_below(random, 192);
	swarm->huge = wp_chance(random, 64) ? 0 : 192;
	swarm->plain_flags = wp_below(random, 256);
	swarm->favourite_flags = wp_draw_expressible(swarm);
}

/* ---------------------------------------------------------------------- program */

uint8_t wp_draw_opcode(const struct wp_swarm *swarm)
{
	unsigned at = wp_below(swarm->random, swarm->total);
	uint8_t opcode = 0;

	while (at >= swarm->weights[opcode])
		at -= swarm->weights[opcode++];
	return opcode;
}

void wp_program_generate(struct wp_program *program, const struct wp_scope *scope,
                         struct wp_random *random)
{
	wp_program_generate_for(program, scope, NULL, random);
}

void wp_program_generate_for(struct wp_program *program, const struct wp_scope *scope,
                             const struct wp_unasked *unasked, struct wp_random *random)
{
	struct wp_swarm swarm;

	program->regime = scope->count > 0 ? scope->regimes[wp_random_below(random, scope->count)]
	                                   : wp_regimes;
	program->count = 0;
	wp_draw_swarm(&swarm, program->regime, unasked, random);
	do {
		struct wp_op *op = &program->ops[program->count];

		*op = (struct wp_op){0};
		/* The first few only map: the others need something to work on. */
		op->opcode = wp_draw_opcode(&swarm);
		for (unsigned tries = 0; tries < 8 && program->count < WARM_UP; tries++) {
			if (is_mapping(op->opcode))
				break;
			op->opcode = wp_draw_opcode(&swarm);
		}
		wp_draw_operands(&swarm, op);
		program->count++;
	} while (program->count < WP_PROGRAM_MAX_OPS && wp_below(random, MEAN_OPS) != 0);
}
