/* SPDX-License-Identifier: MIT */
/*
 * Mutations of whole operations, and which mutations a program gets. Those of operands
 * are in mutate_operands.c.
 */
#include "mutate_private.h"

#include <string.h>

#include "program_edit.h"

/* ------------------------------------------------------------------- stretches */

struct stretch {
	size_t first;
	size_t count;
};

/* Mostly short. The program is not empty. */
static struct stretch draw_stretch(const struct wp_mutant *mutant, const struct wp_program *program)
{
	struct stretch stretch;
	size_t most;

	stretch.first = wp_random_index(mutant->random, program->count);
	most = program->count - stretch.first;
	stretch.count = 1 + wp_small(mutant->random, 7);
	if (wp_chance(mutant->random, 24))
		stretch.count = 1 + wp_random_index(mutant->random, most);
	if (stretch.count > most)
		stretch.count = most;
	return stretch;
}

/* As many operations as there is room for, in front of the one at `at`; returns how many. */
static size_t insert_ops(struct wp_program *program, size_t at, const struct wp_op *ops,
                         size_t count)
{
	const size_t room = WP_PROGRAM_MAX_OPS - program->count;

	if (count > room)
		count = room;
	memmove(&program->ops[at + count], &program->ops[at], (program->count - at) * sizeof *ops);
	memcpy(&program->ops[at], ops, count * sizeof *ops);
	program->count += count;
	return count;
}

static size_t draw_place(const struct wp_mutant *mutant)
{
	return wp_random_index(mutant->random, mutant->program->count + 1);
}

/* ------------------------------------------------------------- whole operations */

static bool mutate_insert(struct wp_mutant *mutant)
{
	struct wp_op op = {.opcode = wp_draw_opcode(&mutant->swarm)};

	wp_draw_operands(&mutant->swarm, &op);
	return insert_ops(mutant->program, draw_place(mutant), &op, 1) > 0;
}

static bool mutate_delete(struct wp_mutant *mutant)
{
	struct stretch stretch;

	if (mutant->program->count == 0)
		return false;
	stretch = draw_stretch(mutant, mutant->program);
	wp_program_remove(mutant->program, stretch.first, stretch.count);
	return true;
}

static bool mutate_duplicate(struct wp_mutant *mutant)
{
	struct wp_op ops[WP_PROGRAM_MAX_OPS];
	struct stretch stretch;
	size_t at;

	if (mutant->program->count == 0)
		return false;
	stretch = draw_stretch(mutant, mutant->program);
	memcpy(ops, &mutant->program->ops[stretch.first], stretch.count * sizeof ops[0]);
	at = wp_chance(mutant->random, 128) ? stretch.first + stretch.count : draw_place(mutant);
	return insert_ops(mutant->program, at, ops, stretch.count) > 0;
}

static bool mutate_move(struct wp_mutant *mutant)
{
	struct wp_program *program = mutant->program;
	struct wp_op ops[WP_PROGRAM_MAX_OPS];
	struct stretch stretch;
	size_t at;

	if (program->count < 2)
		return false;
	stretch = draw_stretch(mutant, program);
	if (stretch.count == program->count)
		stretch.count--;
	memcpy(ops, &program->ops[stretch.first], stretch.count * sizeof ops[0]);
	wp_program_remove(program, stretch.first, stretch.count);
	at = draw_place(mutant);
	if (at == stretch.first) /* that would be where it was */
		at = at > 0 ? at - 1 : 1;
	insert_ops(program, at, ops, stretch.count);
	return true;
}

/* In place of a stretch, or in between. */
static bool mutate_splice(struct wp_mutant *mutant)
{
	struct wp_program *program = mutant->program;
	const struct wp_scope one = {{program->regime}, 1};
	struct wp_program fresh;
	struct stretch from, over = {0};

	wp_program_generate(&fresh, &one, mutant->random);
	from = draw_stretch(mutant, &fresh);
	if (program->count > 0)
		over = draw_stretch(mutant, program);
	if (wp_chance(mutant->random, 128) || program->count == WP_PROGRAM_MAX_OPS)
		wp_program_remove(program, over.first, over.count);
	return insert_ops(program, over.first, &fresh.ops[from.first], from.count) > 0;
}

/* Those of its operands that the other has too; the rest is drawn. */
static bool mutate_retype(struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, ~0u);
	struct wp_op drawn = {0};
	unsigned shared, lengths;

	if (op == NULL)
		return false;
	drawn.opcode = wp_draw_opcode(&mutant->swarm);
	if (drawn.opcode == op->opcode)
		drawn.opcode = (uint8_t)((op->opcode + 1) % WP_OPCODES);
	wp_draw_operands(&mutant->swarm, &drawn);
	shared = wp_opcode_shapes[drawn.opcode].operands & wp_opcode_shapes[op->opcode].operands;
	lengths = shared & (WP_ARG_LEAF | WP_ARG_LENGTH);
	if (shared & WP_ARG_TABLE)
		drawn.table = op->table;
	if (shared & WP_ARG_VA)
		drawn.va = op->va;
	if (shared & WP_ARG_PA)
		drawn.pa = op->pa;
	if (lengths)
		drawn.length = op->length;
	if (shared & WP_ARG_FLAGS)
		drawn.flags = op->flags;
	if (shared & WP_ARG_USES)
		drawn.uses = op->uses;
	*op = drawn;
	return true;
}

static bool mutate_redraw(struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, ~0u);

	if (op == NULL)
		return false;
	*op = (struct wp_op){.opcode = op->opcode};
	wp_draw_operands(&mutant->swarm, op);
	return true;
}

/* Behind an operation, soon or later, another on its address: twice, or in between. */
static bool mutate_collide(struct wp_mutant *mutant)
{
	struct wp_program *program = mutant->program;
	const struct wp_op *with = wp_mutant_pick(mutant, WP_ARG_VA);
	struct wp_op op = {0};
	size_t behind;

	if (with == NULL)
		return false;
	op.opcode = with->opcode;
	for (unsigned tries = 0; tries < 8 && !wp_chance(mutant->random, 64); tries++) {
		const uint8_t opcode = wp_draw_opcode(&mutant->swarm);

		if (wp_opcode_shapes[opcode].operands & WP_ARG_VA)
			op.opcode = opcode;
	}
	wp_draw_operands(&mutant->swarm, &op);
	op.table = with->table;
	op.va = with->va;
	if (wp_opcode_shapes[op.opcode].operands & wp_opcode_shapes[with->opcode].operands &
	    (WP_ARG_LEAF | WP_ARG_LENGTH))
		op.length = with->length;
	behind = (size_t)(with - program->ops) + 1;
	if (wp_chance(mutant->random, 96))
		behind += wp_random_below(mutant->random, program->count - behind + 1);
	return insert_ops(program, behind, &op, 1) > 0;
}

/* Takes an operation of that kind away; false: there is none. */
static bool remove_one(struct wp_mutant *mutant, unsigned opcode)
{
	struct wp_program *program = mutant->program;
	const size_t first = program->count > 0 ? wp_random_index(mutant->random, program->count)
	                                        : 0;

	for (size_t i = 0; i < program->count; i++) {
		const size_t at = (first + i) % program->count;

		if (program->ops[at].opcode != opcode)
			continue;
		wp_program_remove(program, at, 1);
		return true;
	}
	return false;
}

static bool mutate_refusal(struct wp_mutant *mutant)
{
	struct wp_op op = {.opcode = WP_OP_REFUSE};

	if (wp_chance(mutant->random, 96) &&
	    remove_one(mutant, wp_chance(mutant->random, 192) ? WP_OP_REFUSE : WP_OP_ALLOW))
		return true;
	if (wp_chance(mutant->random, 48))
		op.opcode = WP_OP_ALLOW;
	wp_draw_operands(&mutant->swarm, &op);
	return insert_ops(mutant->program, draw_place(mutant), &op, 1) > 0;
}

/* A batch around a stretch, ended in one of the three ways. */
static bool mutate_batch(struct wp_mutant *mutant)
{
	static const uint8_t ends[4] = {WP_OP_FLUSH, WP_OP_FLUSH, WP_OP_FLUSH_ALL, WP_OP_IGNORE};
	struct wp_op op = {.opcode = WP_OP_BATCH};
	struct stretch around;

	if (wp_chance(mutant->random, 64) && remove_one(mutant, WP_OP_BATCH))
		return true;
	if (mutant->program->count == 0 || mutant->program->count + 2 > WP_PROGRAM_MAX_OPS)
		return false;
	around = draw_stretch(mutant, mutant->program);
	if (wp_opcode_shapes[mutant->program->ops[around.first].opcode].operands & WP_ARG_TABLE)
		op.table = mutant->program->ops[around.first].table;
	insert_ops(mutant->program, around.first, &op, 1);
	op.opcode = ends[wp_below(mutant->random, 4)];
	insert_ops(mutant->program, around.first + 1 + around.count, &op, 1);
	return true;
}

static bool mutate_regime(struct wp_mutant *mutant)
{
	const struct wp_scope *scope = mutant->scope;
	const struct wp_regime *regime;

	if (scope->count < 2)
		return false;
	regime = scope->regimes[wp_random_below(mutant->random, scope->count - 1)];
	if (regime == mutant->program->regime)
		regime = scope->regimes[scope->count - 1];
	mutant->program->regime = regime;
	return true;
}

/* ------------------------------------------------------------------ which, and how many */

static const struct {
	const char *name;
	uint8_t weight;
	wp_mutate_function *apply;
} mutations[WP_MUTATIONS] = {
	[WP_MUTATE_INSERT] = {"insert", 10, mutate_insert},
	[WP_MUTATE_DELETE] = {"delete", 8, mutate_delete},
	[WP_MUTATE_DUPLICATE] = {"duplicate", 5, mutate_duplicate},
	[WP_MUTATE_MOVE] = {"move", 5, mutate_move},
	[WP_MUTATE_SPLICE] = {"splice", 5, mutate_splice},
	[WP_MUTATE_RETYPE] = {"retype", 5, mutate_retype},
	[WP_MUTATE_REDRAW] = {"redraw", 5, mutate_redraw},
	[WP_MUTATE_COLLIDE] = {"collide", 10, mutate_collide},
	[WP_MUTATE_REFUSAL] = {"refusal", 5, mutate_refusal},
	[WP_MUTATE_BATCH] = {"batch", 4, mutate_batch},
	[WP_MUTATE_REGIME] = {"regime", 2, mutate_regime},
	[WP_MUTATE_LIVE] = {"live", 7, wp_mutate_live},
	[WP_MUTATE_BOUNDARY] = {"boundary", 5, wp_mutate_boundary},
	[WP_MUTATE_NEIGHBOUR] = {"neighbour", 7, wp_mutate_neighbour},
	[WP_MUTATE_ALIAS] = {"alias", 7, wp_mutate_alias},
	[WP_MUTATE_GROW] = {"grow", 7, wp_mutate_grow},
	[WP_MUTATE_SHRINK] = {"shrink", 6, wp_mutate_shrink},
	[WP_MUTATE_FLAGS] = {"flags", 6, wp_mutate_flags},
	[WP_MUTATE_TABLE] = {"table", 4, wp_mutate_table},
	[WP_MUTATE_DETAIL] = {"detail", 4, wp_mutate_detail},
};

const char *wp_mutation_name(enum wp_mutation kind)
{
	return mutations[kind].name;
}

static void settle_all(struct wp_program *program)
{
	for (size_t i = 0; i < program->count; i++)
		wp_op_settle(&program->ops[i]);
}

static bool mutate_once(struct wp_mutant *mutant, enum wp_mutation kind)
{
	if (mutant->swarm.regime != mutant->program->regime)
		wp_draw_swarm(&mutant->swarm, mutant->program->regime, NULL, mutant->random);
	return mutations[kind].apply(mutant);
}

bool wp_program_mutate_once(struct wp_program *program, const struct wp_scope *scope,
                            enum wp_mutation kind, struct wp_random *random)
{
	struct wp_mutant mutant = {.program = program, .scope = scope, .random = random};
	const bool applies = mutate_once(&mutant, kind);

	settle_all(program);
	return applies;
}

/* Some kinds are off, others are common; deleting is always possible. */
static unsigned draw_kinds(struct wp_random *random, unsigned weights[WP_MUTATIONS])
{
	static const uint8_t factors[8] = {0, 0, 1, 1, 2, 2, 4, 8};
	unsigned total = 0;

	for (unsigned i = 0; i < WP_MUTATIONS; i++) {
		const unsigned factor = factors[wp_below(random, 8)];

		weights[i] = mutations[i].weight * (random->unswarmed ? 1 : factor);
		total += weights[i];
	}
	if (total == 0)
		total = weights[WP_MUTATE_INSERT] = 1;
	return total;
}

uint32_t wp_program_mutate(struct wp_program *program, const struct wp_scope *scope,
                           struct wp_random *random)
{
	struct wp_mutant mutant = {.program = program, .scope = scope, .random = random};
	unsigned weights[WP_MUTATIONS];
	const unsigned total = draw_kinds(random, weights);
	unsigned left = 1 + wp_small(random, 5);
	uint32_t made = 0;

	/* a kind that doesn't apply is a turn lost; the limit is for programs of nothing */
	for (unsigned turns = 0; turns < 16 && left > 0; turns++) {
		unsigned at = wp_below(random, total), kind = 0;

		while (at >= weights[kind])
			at -= weights[kind++];
		if (!mutate_once(&mutant, (enum wp_mutation)kind))
			continue;
		made |= 1u << kind;
		left--;
	}
	settle_all(program);
	return made;
}

/* -------------------------------------------------------------------- cross-over */

/* The head of one and the tail of the other, or one with a stretch of the other in it. */
void wp_program_cross(struct wp_program *child, const struct wp_program *a,
                      const struct wp_program *b, struct wp_random *random)
{
	struct wp_mutant mutant = {.program = child, .random = random};
	struct stretch from = {0};
	const size_t at = wp_random_index(random, a->count + 1);

	*child = *a;
	if (wp_chance(random, 48))
		child->regime = b->regime;
	if (b->count > 0)
		from = draw_stretch(&mutant, b);
	if (wp_chance(random, 128)) {
		child->count = at;
		from.count = b->count - from.first;
	}
	insert_ops(child, at, &b->ops[from.first], from.count);
	settle_all(child);
}
