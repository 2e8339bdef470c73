/* SPDX-License-Identifier: MIT */
/* Any program at all, and when two are the same: for the tests of programs. */
#ifndef PROGRAM_FIXTURE_H
#define PROGRAM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/operands.h"

static inline struct wp_address any_address(struct wp_random *random)
{
	struct wp_address address = {.base = (uint8_t)wp_random_below(random, WP_BASES)};

	if (address.base == WP_BASE_RAW) {
		address.value = wp_random_next(random) >> wp_random_below(random, 64);
		return address;
	}
	address.index = (uint8_t)wp_random_next(random);
	address.offset = (int8_t)wp_random_next(random);
	if (address.offset != 0)
		address.unit = (uint8_t)wp_random_below(random, WP_UNITS);
	return address;
}

/* Of any bit length, so that small ones are as common as large ones. */
static inline uint16_t any_count(struct wp_random *random)
{
	return (uint16_t)(wp_random_next(random) >> (48 + wp_random_below(random, 16)));
}

static inline struct wp_length any_length(struct wp_random *random)
{
	struct wp_length length = {.unit = (uint8_t)wp_random_below(random, WP_UNITS + 1)};

	if (length.unit == WP_UNITS)
		length.value = wp_random_next(random) >> wp_random_below(random, 64);
	else
		length.count = any_count(random);
	return length;
}

/* Not what the generator makes, but everything that there can be. */
static inline struct wp_op any_op(struct wp_random *random)
{
	const uint8_t opcode = (uint8_t)wp_random_below(random, WP_OPCODES);
	const unsigned operands = wp_opcode_shapes[opcode].operands;
	struct wp_op op;

	memset(&op, 0, sizeof op);
	op.opcode = opcode;
	if (operands & WP_ARG_TABLE)
		op.table = wp_random_next(random) & 1;
	if (operands & WP_ARG_VA)
		op.va = any_address(random);
	if (operands & WP_ARG_PA)
		op.pa = any_address(random);
	if (operands & (WP_ARG_LEAF | WP_ARG_LENGTH))
		op.length = any_length(random);
	if (operands & WP_ARG_FLAGS)
		op.flags = (uint8_t)wp_random_next(random);
	if (operands & WP_ARG_USES)
		op.uses = (uint8_t)(wp_random_next(random) &
		                    (wp_random_next(random) & 1 ? 3 : 255));
	if (operands & WP_ARG_SOURCE)
		op.source = (uint8_t)wp_random_below(random, WP_SOURCES);
	if (operands & WP_ARG_HUGE)
		op.allow_huge = wp_random_next(random) & 1;
	if (operands & WP_ARG_ONCE)
		op.once = wp_random_next(random) & 1;
	if (operands & (WP_ARG_GRANTS | WP_ARG_LIMIT))
		op.count = any_count(random);
	return op;
}

static inline void any_program(struct wp_program *program, struct wp_random *random)
{
	memset(program, 0, sizeof *program);
	program->regime = &wp_regimes[wp_random_below(random, wp_regime_count)];
	program->count = wp_random_below(random, 8) == 0 ? WP_PROGRAM_MAX_OPS
	                                                 : wp_random_below(random, 24);
	for (size_t i = 0; i < program->count; i++)
		program->ops[i] = any_op(random);
}

static inline void assert_same_address(const struct wp_address *a, const struct wp_address *b)
{
	assert_int_equal(a->base, b->base);
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->unit, b->unit);
	assert_int_equal(a->value, b->value);
}

/* Stricter than wp_program_equal(): fields that don't count must be zero in both. */
static inline void assert_same(const struct wp_program *a, const struct wp_program *b)
{
	assert_ptr_equal(a->regime, b->regime);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct wp_op *x = &a->ops[i], *y = &b->ops[i];

		assert_int_equal(x->opcode, y->opcode);
		assert_int_equal(x->table, y->table);
		assert_same_address(&x->va, &y->va);
		assert_same_address(&x->pa, &y->pa);
		assert_int_equal(x->length.unit, y->length.unit);
		assert_int_equal(x->length.count, y->length.count);
		assert_int_equal(x->length.value, y->length.value);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->uses, y->uses);
		assert_int_equal(x->allow_huge, y->allow_huge);
		assert_int_equal(x->once, y->once);
		assert_int_equal(x->source, y->source);
		assert_int_equal(x->count, y->count);
	}
	assert_true(wp_program_equal(a, b));
}

#endif
