/* SPDX-License-Identifier: MIT */
/* Mutations of one operand of one operation: see mutate.c. */
#include "mutate_private.h"

#include <string.h>

struct wp_op *wp_mutant_pick(const struct wp_mutant *mutant, unsigned operands)
{
	struct wp_program *program = mutant->program;
	size_t first;

	if (program->count == 0)
		return NULL;
	first = wp_random_index(mutant->random, program->count);
	for (size_t i = 0; i < program->count; i++) {
		struct wp_op *op = &program->ops[(first + i) % program->count];

		if (wp_opcode_shapes[op->opcode].operands & operands)
			return op;
	}
	return NULL;
}

/* -------------------------------------------------------------------- addresses */

/* An address of some operation; virtual ones are the more interesting. */
static struct wp_address *pick_address(const struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, WP_ARG_VA | WP_ARG_PA);

	if (op == NULL)
		return NULL;
	if ((wp_opcode_shapes[op->opcode].operands & WP_ARG_PA) && wp_chance(mutant->random, 96))
		return &op->pa;
	return &op->va;
}

/* An address that isn't moved has one form only. */
static void move_to(struct wp_address *address, int offset, unsigned unit)
{
	address->offset = (int8_t)offset;
	address->unit = (uint8_t)(offset != 0 ? unit : 0);
}

static bool same_address(const struct wp_address *a, const struct wp_address *b)
{
	return a->base == b->base && a->index == b->index && a->offset == b->offset &&
	       a->unit == b->unit && a->value == b->value;
}

bool wp_mutate_live(struct wp_mutant *mutant)
{
	struct wp_address *address = pick_address(mutant);
	struct wp_address live = {.base = WP_BASE_LIVE};

	if (address == NULL)
		return false;
	if (wp_chance(mutant->random, 80))
		live.base = WP_BASE_LIVE_END;
	live.index = (uint8_t)wp_small(mutant->random, 15);
	if (same_address(address, &live))
		live.index++;
	*address = live;
	return true;
}

static uint64_t page_of(const struct wp_mutant *mutant)
{
	return wp_regime_page(mutant->program->regime);
}

/* A unit of the regime's: a page, or what an entry of a higher level maps. */
static unsigned draw_unit(const struct wp_mutant *mutant)
{
	return wp_below(mutant->random, wp_root_unit(mutant->program->regime) + 1);
}

/* Just before or behind a multiple of a power of two, the widths of addresses among them. */
static void draw_power(const struct wp_mutant *mutant, struct wp_address *address)
{
	const uint64_t power = (uint64_t)1 << (12 + wp_below(mutant->random, 52));

	*address = (struct wp_address){.base = WP_BASE_RAW};
	address->value = power - (wp_chance(mutant->random, 128) ? page_of(mutant) : 0);
}

bool wp_mutate_boundary(struct wp_mutant *mutant)
{
	static const int8_t odd[] = {-1, 1, -8, 8};
	struct wp_address *address = pick_address(mutant);
	struct wp_address before;

	if (address == NULL)
		return false;
	before = *address;
	switch (wp_below(mutant->random, 4)) {
	case 0: /* of the address space */
		*address = (struct wp_address){.base = WP_BASE_EDGE};
		address->index = (uint8_t)wp_below(mutant->random, WP_SPOTS);
		break;
	case 1: /* of a page */
		if (address->base == WP_BASE_RAW)
			*address = (struct wp_address){.base = WP_BASE_LIVE};
		move_to(address, odd[wp_below(mutant->random, 4)], WP_UNIT_BYTE);
		break;
	case 2: /* of a table, as hot addresses are multiples of those */
		*address = (struct wp_address){.base = WP_BASE_HOT};
		address->index = (uint8_t)wp_below(mutant->random, WP_SPOTS);
		move_to(address, -1, draw_unit(mutant));
		break;
	default:
		draw_power(mutant, address);
	}
	if (same_address(address, &before)) {
		*address = (struct wp_address){.base = WP_BASE_EDGE, .index = before.index};
		address->index ^= before.base == WP_BASE_EDGE;
	}
	return true;
}

bool wp_mutate_neighbour(struct wp_mutant *mutant)
{
	struct wp_address *address = pick_address(mutant);
	const int step = wp_chance(mutant->random, 160) ? 1 : -1;
	unsigned unit;

	if (address == NULL)
		return false;
	unit = wp_chance(mutant->random, 160) ? WP_UNIT_4K : draw_unit(mutant);
	if (address->base == WP_BASE_RAW) {
		address->value += (uint64_t)(int64_t)step *
		                  wp_unit_bytes(mutant->program->regime, unit);
		return true;
	}
	if (address->offset == 0 || wp_chance(mutant->random, 64))
		move_to(address, address->unit == unit ? address->offset + step : step, unit);
	else
		move_to(address, address->offset + step, address->unit);
	return true;
}

bool wp_mutate_alias(struct wp_mutant *mutant)
{
	const unsigned kind = wp_chance(mutant->random, 170) ? WP_ARG_VA : WP_ARG_PA;
	struct wp_op *from = wp_mutant_pick(mutant, kind);
	struct wp_op *to = wp_mutant_pick(mutant, kind);
	struct wp_address *address;
	const struct wp_address *other;

	if (from == NULL || to == NULL)
		return false;
	address = kind == WP_ARG_VA ? &to->va : &to->pa;
	other = kind == WP_ARG_VA ? &from->va : &from->pa;
	/* a physical address may also be the virtual one's namesake: it extends the same run */
	if (kind == WP_ARG_PA && (from == to || wp_chance(mutant->random, 64)))
		other = &to->va;
	if (same_address(address, other))
		return false;
	*address = *other;
	return true;
}

/* ------------------------------------------------------------------------ sizes */

/* The regime's next leaf size up or down; the same: there is none. */
static unsigned next_leaf(const struct wp_regime *regime, unsigned unit, int step)
{
	for (int i = (int)unit + step; i >= 0 && i < WP_UNIT_BYTE; i += step) {
		if (regime->leaf_sizes & wp_unit_bytes(regime, (unsigned)i))
			return (unsigned)i;
	}
	return unit;
}

/* Now and then a size that no leaf has. */
static void step_leaf(const struct wp_mutant *mutant, struct wp_length *length, int step)
{
	const struct wp_regime *regime = mutant->program->regime;
	unsigned unit = length->unit, next;

	if (unit >= WP_UNIT_BYTE || wp_chance(mutant->random, 12)) {
		unit = draw_unit(mutant);
		*length = (struct wp_length){(uint8_t)unit, (uint16_t)(step > 0 ? 2 : 0), 0};
		return;
	}
	next = next_leaf(regime, unit, step);
	if (next == unit) /* around: from the largest to the smallest */
		next = step > 0 ? (unsigned)WP_UNIT_4K : next_leaf(regime, WP_UNIT_BYTE, -1);
	*length = (struct wp_length){(uint8_t)next, 1, 0};
}

/* About as many as fill an entry of the next level: one less, as many, one more. */
static uint16_t draw_full(const struct wp_mutant *mutant)
{
	return (uint16_t)(511 + wp_below(mutant->random, 3));
}

static void grow_region(const struct wp_mutant *mutant, struct wp_length *length)
{
	const unsigned how = wp_below(mutant->random, 4);

	if (length->unit == WP_UNITS)
		length->value = how & 1 ? length->value * 2 : length->value + page_of(mutant);
	else if (how == 0 && length->unit < wp_root_unit(mutant->program->regime))
		*length = (struct wp_length){(uint8_t)(length->unit + 1), 1, 0};
	else if (how == 1 && length->count < 511)
		length->count = draw_full(mutant);
	else if (how == 2)
		length->count = (uint16_t)(length->count * 2);
	else
		length->count++;
}

static void shrink_region(const struct wp_mutant *mutant, struct wp_length *length)
{
	const unsigned how = wp_below(mutant->random, 4);

	if (length->unit == WP_UNITS) {
		length->value = how & 1 ? length->value / 2 : length->value - page_of(mutant);
	} else if (how == 0 && length->unit > WP_UNIT_4K && length->unit < WP_UNIT_BYTE) {
		length->unit--;
		length->count = draw_full(mutant);
	} else if (how == 1) {
		length->count = 1;
	} else if (how == 2) {
		length->count /= 2;
	} else {
		length->count--;
	}
}

static bool change_length(struct wp_mutant *mutant, int step)
{
	struct wp_op *op = wp_mutant_pick(mutant, WP_ARG_LEAF | WP_ARG_LENGTH);
	struct wp_length before;

	if (op == NULL)
		return false;
	before = op->length;
	if (wp_opcode_shapes[op->opcode].operands & WP_ARG_LEAF)
		step_leaf(mutant, &op->length, step);
	else if (step > 0)
		grow_region(mutant, &op->length);
	else
		shrink_region(mutant, &op->length);
	return op->length.unit != before.unit || op->length.count != before.count ||
	       op->length.value != before.value;
}

bool wp_mutate_grow(struct wp_mutant *mutant)
{
	return change_length(mutant, 1);
}

bool wp_mutate_shrink(struct wp_mutant *mutant)
{
	return change_length(mutant, -1);
}

/* ------------------------------------------------------------------- all others */

bool wp_mutate_flags(struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, WP_ARG_FLAGS);

	if (op == NULL)
		return false;
	/* bits 6 and 7 are flags that there are not */
	op->flags ^=
		(uint8_t)(1u << wp_below(mutant->random, wp_chance(mutant->random, 16) ? 8 : 6));
	return true;
}

bool wp_mutate_table(struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, WP_ARG_TABLE);

	if (op == NULL)
		return false;
	op->table ^= 1;
	return true;
}

/* A count that is one more, one less, or none at all. */
static void step_count(const struct wp_mutant *mutant, struct wp_op *op, uint16_t none)
{
	const unsigned how = wp_below(mutant->random, 4);

	if (how == 0 && op->count != none)
		op->count = none;
	else
		op->count = (uint16_t)(op->count + (how == 1 ? -1 : 1));
}

/* Of map_region: huge; of map_region_with: source, too; of harvest: uses; of refuse, walk: count. */
bool wp_mutate_detail(struct wp_mutant *mutant)
{
	struct wp_op *op = wp_mutant_pick(mutant, WP_ARG_HUGE | WP_ARG_SOURCE | WP_ARG_GRANTS |
	                                                  WP_ARG_ONCE | WP_ARG_LIMIT | WP_ARG_USES);
	unsigned operands;

	if (op == NULL)
		return false;
	operands = wp_opcode_shapes[op->opcode].operands;
	if ((operands & WP_ARG_SOURCE) && wp_chance(mutant->random, 160))
		op->source = (uint8_t)((op->source + 1 + wp_below(mutant->random, WP_SOURCES - 1)) %
		                       WP_SOURCES);
	else if (operands & WP_ARG_USES) /* bit 2 is a use that there isn't */
		op->uses ^= (uint8_t)(1u << wp_small(mutant->random, 2));
	else if (operands & WP_ARG_HUGE)
		op->allow_huge = !op->allow_huge;
	else if ((operands & WP_ARG_ONCE) && wp_chance(mutant->random, 96))
		op->once = !op->once;
	else
		step_count(mutant, op, (operands & WP_ARG_LIMIT) ? WP_NO_LIMIT : 0);
	return true;
}
