/* SPDX-License-Identifier: MIT */
/* What each kind of mutation promises to have changed, and nothing else: for test_mutate.c. */
#ifndef MUTATE_PROMISES_H
#define MUTATE_PROMISES_H

#include "program_fixture.h"

#include "../fuzz/mutate.h"

static inline bool same_op(const struct wp_op *a, const struct wp_op *b)
{
	const struct wp_program x = {wp_regimes, 1, {*a}}, y = {wp_regimes, 1, {*b}};

	return wp_program_equal(&x, &y);
}

static inline bool same_address(const struct wp_address *a, const struct wp_address *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* Whether all of `part` is in `whole`, in this order. */
static inline bool is_part(const struct wp_program *part, const struct wp_program *whole)
{
	size_t at = 0;

	for (size_t i = 0; i < whole->count && at < part->count; i++)
		at += same_op(&whole->ops[i], &part->ops[at]);
	return at == part->count;
}

static inline size_t times(const struct wp_program *program, const struct wp_op *op)
{
	size_t count = 0;

	for (size_t i = 0; i < program->count; i++)
		count += same_op(&program->ops[i], op);
	return count;
}

static inline size_t times_opcode(const struct wp_program *program, unsigned opcode)
{
	size_t count = 0;

	for (size_t i = 0; i < program->count; i++)
		count += program->ops[i].opcode == opcode;
	return count;
}

/* The one operation that differs; `count`: none, or not just one. */
static inline size_t changed_op(const struct wp_program *before, const struct wp_program *after)
{
	size_t changed = before->count, many = 0;

	if (before->count != after->count)
		return before->count;
	for (size_t i = 0; i < before->count; i++) {
		if (same_op(&before->ops[i], &after->ops[i]))
			continue;
		changed = i;
		many++;
	}
	return many == 1 ? changed : before->count;
}

static inline bool has_inserted(const struct wp_program *before, const struct wp_program *after)
{
	return after->count == before->count + 1 && is_part(before, after);
}

static inline bool has_deleted(const struct wp_program *before, const struct wp_program *after)
{
	return after->count < before->count && is_part(after, before);
}

static inline bool has_duplicated(const struct wp_program *before, const struct wp_program *after)
{
	if (after->count <= before->count || !is_part(before, after))
		return false;
	for (size_t i = 0; i < after->count; i++) {
		if (times(before, &after->ops[i]) == 0)
			return false;
	}
	return true;
}

static inline bool has_moved(const struct wp_program *before, const struct wp_program *after)
{
	if (after->count != before->count || wp_program_equal(before, after))
		return false;
	for (size_t i = 0; i < after->count; i++) {
		if (times(before, &after->ops[i]) != times(after, &after->ops[i]))
			return false;
	}
	return true;
}

static inline bool has_spliced(const struct wp_program *before, const struct wp_program *after)
{
	size_t foreign = 0, own = 0;

	for (size_t i = 0; i < after->count; i++) {
		const bool known = times(before, &after->ops[i]) > 0;

		foreign += !known;
		own += known;
	}
	return foreign > 0 && own > 0;
}

static inline bool has_retyped(const struct wp_program *before, const struct wp_program *after)
{
	const size_t at = changed_op(before, after);

	return at < before->count && before->ops[at].opcode != after->ops[at].opcode;
}

static inline bool has_redrawn(const struct wp_program *before, const struct wp_program *after)
{
	const size_t at = changed_op(before, after);

	return at < before->count && before->ops[at].opcode == after->ops[at].opcode;
}

/* The new one is behind one on the same table and address. */
static inline bool has_collided(const struct wp_program *before, const struct wp_program *after)
{
	size_t at = 0;

	if (!has_inserted(before, after))
		return false;
	while (at < before->count && same_op(&before->ops[at], &after->ops[at]))
		at++;
	for (size_t i = 0; i < at; i++) {
		const struct wp_op *op = &after->ops[i];

		if ((wp_opcode_shapes[op->opcode].operands & WP_ARG_VA) &&
		    op->table == after->ops[at].table && same_address(&op->va, &after->ops[at].va))
			return true;
	}
	return false;
}

static inline bool has_toggled_a_refusal(const struct wp_program *before,
                                         const struct wp_program *after)
{
	const size_t was = times_opcode(before, WP_OP_REFUSE) + times_opcode(before, WP_OP_ALLOW);
	const size_t is = times_opcode(after, WP_OP_REFUSE) + times_opcode(after, WP_OP_ALLOW);

	return (is == was + 1 && has_inserted(before, after)) ||
	       (was == is + 1 && has_inserted(after, before));
}

static inline bool has_toggled_a_batch(const struct wp_program *before,
                                       const struct wp_program *after)
{
	const size_t was = times_opcode(before, WP_OP_BATCH), is = times_opcode(after, WP_OP_BATCH);

	return (is == was + 1 && after->count == before->count + 2 && is_part(before, after)) ||
	       (was == is + 1 && has_inserted(after, before));
}

static inline bool has_another_regime(const struct wp_program *before,
                                      const struct wp_program *after)
{
	struct wp_program same = *after;

	same.regime = before->regime;
	return before->regime != after->regime && wp_program_equal(before, &same);
}

/* The address that differs, if nothing else does; NULL otherwise. */
static inline const struct wp_address *changed_address(const struct wp_program *before,
                                                       const struct wp_program *after,
                                                       const struct wp_address **was)
{
	const size_t at = changed_op(before, after);
	struct wp_op with_va, with_pa;

	if (at == before->count)
		return NULL;
	with_va = with_pa = before->ops[at];
	with_va.va = after->ops[at].va;
	with_pa.pa = after->ops[at].pa;
	if (same_op(&with_va, &after->ops[at])) {
		*was = &before->ops[at].va;
		return &after->ops[at].va;
	}
	*was = &before->ops[at].pa;
	return same_op(&with_pa, &after->ops[at]) ? &after->ops[at].pa : NULL;
}

static inline bool is_live(const struct wp_program *before, const struct wp_program *after)
{
	const struct wp_address *was, *is = changed_address(before, after, &was);

	return is && (is->base == WP_BASE_LIVE || is->base == WP_BASE_LIVE_END) && is->offset == 0;
}

static inline bool is_power_or_page_before(uint64_t value, uint64_t page)
{
	const uint64_t power = value % (2 * page) == 0 ? value : value + page;

	return (value & (value - 1)) == 0 || (power & (power - 1)) == 0;
}

static inline bool is_at_a_boundary(const struct wp_program *before, const struct wp_program *after)
{
	const struct wp_address *was, *is = changed_address(before, after, &was);

	if (!is)
		return false;
	if (is->base == WP_BASE_RAW)
		return is_power_or_page_before(is->value, wp_regime_page(after->regime));
	return is->base == WP_BASE_EDGE || is->unit == WP_UNIT_BYTE ||
	       (is->base == WP_BASE_HOT && is->offset == -1);
}

/* One unit further; the unit, too, may be another. */
static inline bool is_next_to_it(const struct wp_program *before, const struct wp_program *after)
{
	const struct wp_address *was, *is = changed_address(before, after, &was);
	int step;

	if (!is || is->base != was->base || is->index != was->index)
		return false;
	if (is->base == WP_BASE_RAW) {
		const uint64_t apart = is->value > was->value ? is->value - was->value
		                                              : was->value - is->value;

		return apart >= wp_regime_page(after->regime) && (apart & (apart - 1)) == 0;
	}
	step = (int8_t)(is->offset - was->offset);
	return step == 1 || step == -1 || is->offset == 1 || is->offset == -1;
}

static inline bool is_another_s(const struct wp_program *before, const struct wp_program *after)
{
	const struct wp_address *was, *is = changed_address(before, after, &was);

	for (size_t i = 0; is && i < before->count; i++) {
		if (same_address(&before->ops[i].va, is) || same_address(&before->ops[i].pa, is))
			return true;
	}
	return false;
}

static inline uint64_t bytes_of(const struct wp_program *program, const struct wp_length *length)
{
	return length->unit == WP_UNITS
	               ? length->value
	               : length->count * wp_unit_bytes(program->regime, length->unit);
}

/* 1: larger, -1: smaller, 0: something else has changed. */
static inline int resized(const struct wp_program *before, const struct wp_program *after)
{
	const size_t at = changed_op(before, after);
	struct wp_op same;

	if (at == before->count)
		return 0;
	same = after->ops[at];
	same.length = before->ops[at].length;
	if (!same_op(&same, &before->ops[at]))
		return 0;
	return bytes_of(after, &after->ops[at].length) > bytes_of(before, &before->ops[at].length)
	               ? 1
	               : -1;
}

static inline bool has_grown(const struct wp_program *before, const struct wp_program *after)
{
	return resized(before, after) > 0;
}

static inline bool has_shrunk(const struct wp_program *before, const struct wp_program *after)
{
	return resized(before, after) < 0;
}

static inline bool has_one_flag_turned(const struct wp_program *before,
                                       const struct wp_program *after)
{
	const size_t at = changed_op(before, after);
	struct wp_op same;

	if (at == before->count)
		return false;
	same = after->ops[at];
	same.flags = before->ops[at].flags;
	return same_op(&same, &before->ops[at]) &&
	       __builtin_popcount(after->ops[at].flags ^ before->ops[at].flags) == 1;
}

static inline bool has_the_other_table(const struct wp_program *before,
                                       const struct wp_program *after)
{
	const size_t at = changed_op(before, after);
	struct wp_op same;

	if (at == before->count)
		return false;
	same = after->ops[at];
	same.table ^= 1;
	return same_op(&same, &before->ops[at]);
}

static inline bool has_another_detail(const struct wp_program *before,
                                      const struct wp_program *after)
{
	const size_t at = changed_op(before, after);
	struct wp_op same;

	if (at == before->count)
		return false;
	same = after->ops[at];
	same.source = before->ops[at].source;
	same.uses = before->ops[at].uses;
	same.allow_huge = before->ops[at].allow_huge;
	same.once = before->ops[at].once;
	same.count = before->ops[at].count;
	return same_op(&same, &before->ops[at]);
}

/* What a kind must have done to be what it is called, and in how many percent of cases. */
static const struct {
	bool (*done)(const struct wp_program *before, const struct wp_program *after);
	unsigned applies, keeps_its_word;
} promises[WP_MUTATIONS] = {
	[WP_MUTATE_INSERT] = {has_inserted, 100, 100},
	[WP_MUTATE_DELETE] = {has_deleted, 100, 100},
	[WP_MUTATE_DUPLICATE] = {has_duplicated, 100, 100},
	[WP_MUTATE_MOVE] = {has_moved, 95, 98}, /* equal neighbours stay as they are */
	[WP_MUTATE_SPLICE] = {has_spliced, 100, 90},
	[WP_MUTATE_RETYPE] = {has_retyped, 100, 100},
	[WP_MUTATE_REDRAW] = {has_redrawn, 100, 80}, /* some have few operands, or none */
	[WP_MUTATE_COLLIDE] = {has_collided, 95, 100},
	[WP_MUTATE_REFUSAL] = {has_toggled_a_refusal, 100, 100},
	[WP_MUTATE_BATCH] = {has_toggled_a_batch, 100, 100},
	[WP_MUTATE_REGIME] = {has_another_regime, 100, 100},
	[WP_MUTATE_LIVE] = {is_live, 95, 100},
	[WP_MUTATE_BOUNDARY] = {is_at_a_boundary, 95, 100},
	[WP_MUTATE_NEIGHBOUR] = {is_next_to_it, 95, 98}, /* an offset at its limit stays */
	[WP_MUTATE_ALIAS] = {is_another_s, 70, 100},
	[WP_MUTATE_GROW] = {has_grown, 90, 75}, /* the rest go around, or are odd */
	[WP_MUTATE_SHRINK] = {has_shrunk, 85, 60},
	[WP_MUTATE_FLAGS] = {has_one_flag_turned, 95, 100},
	[WP_MUTATE_TABLE] = {has_the_other_table, 99, 100},
	[WP_MUTATE_DETAIL] = {has_another_detail, 75, 100},
};

#endif
