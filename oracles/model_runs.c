/* SPDX-License-Identifier: MIT */
/*
 * Arrays of runs, the edits that every call of the model is made of, and the one
 * rule about tables: a table lies below a slot exactly if a leaf smaller than the
 * slot lies in it. All of it costs time by the run, never by the leaf.
 */
#include "model_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wp_runs_reserve(struct wp_runs *runs, size_t count)
{
	size_t capacity = runs->capacity ? runs->capacity : 64;
	struct wp_run *at;

	if (count <= runs->capacity)
		return;
	while (capacity < count)
		capacity *= 2;
	at = realloc(runs->at, capacity * sizeof runs->at[0]);
	if (!at) {
		perror("model");
		abort();
	}
	runs->at = at;
	runs->capacity = capacity;
}

/* Whether `after` continues `before` on both sides. */
static bool joins(const struct wp_run *before, const struct wp_run *after)
{
	return before->va + before->bytes == after->va && before->pa + before->bytes == after->pa &&
	       before->leaf == after->leaf && before->flags == after->flags && after->va != 0;
}

void wp_runs_push(struct wp_runs *runs, struct wp_run run)
{
	struct wp_run *tail = runs->count ? &runs->at[runs->count - 1] : NULL;

	if (tail && joins(tail, &run)) {
		tail->bytes += run.bytes;
		return;
	}
	wp_runs_reserve(runs, runs->count + 1);
	runs->at[runs->count++] = run;
}

size_t wp_runs_seek(const struct wp_runs *runs, uint64_t va)
{
	const struct wp_run *base = runs->at;
	size_t length = runs->count;

	while (length > 0) {
		const size_t half = length / 2;

		if (wp_last_byte(&base[half]) < va) {
			base += half + 1;
			length -= half + 1;
		} else {
			length = half;
		}
	}
	return (size_t)(base - runs->at);
}

bool wp_runs_overlap(const struct wp_runs *runs, uint64_t va, uint64_t last)
{
	const size_t i = wp_runs_seek(runs, va);

	return i < runs->count && runs->at[i].va <= last;
}

/* Replaces runs [from, to) by `count` pieces, which may touch runs->at nowhere. */
static void replace(struct wp_runs *runs, size_t from, size_t to, const struct wp_run *pieces,
                    size_t count)
{
	const size_t after = runs->count - to;

	wp_runs_reserve(runs, from + count + after);
	if (after && from + count != to)
		memmove(&runs->at[from + count], &runs->at[to], after * sizeof runs->at[0]);
	for (size_t i = 0; i < count; i++)
		runs->at[from + i] = pieces[i];
	runs->count = from + count + after;
}

/* [from, to) of `run` as leaves of `size`: one row of a list of pieces, if not empty. */
static size_t slice(struct wp_run *slot, const struct wp_run *run, uint64_t from, uint64_t to,
                    uint64_t size)
{
	if (from == to)
		return 0;
	*slot = (struct wp_run){from, run->pa + (from - run->va), to - from, size, run->flags};
	return 1;
}

/*
 * Makes the address `cut`, which lies inside `run`, an end of one of its leaves:
 * the leaf across it becomes leaves of the next size, and so does whichever of those
 * lies across it, down to pages if need be. Writes the pieces; returns how many
 * tables that takes. `to` of the last pieces may wrap to 0, which is 2^64.
 */
static size_t cut_run(const struct wp_model *model, const struct wp_run *run, uint64_t cut,
                      struct wp_run *pieces, size_t *count)
{
	const uint64_t leaf = cut & ~(run->leaf - 1);
	const uint64_t end = run->va + run->bytes;
	uint64_t at = leaf;
	size_t splits = 0;
	size_t n = slice(&pieces[0], run, run->va, leaf, run->leaf);

	for (uint64_t size = run->leaf; at != cut; splits++) {
		size >>= model->index_bits;
		n += slice(&pieces[n], run, at, cut & ~(size - 1), size);
		at = cut & ~(size - 1);
	}
	for (uint64_t size = model->page; size < run->leaf; size <<= model->index_bits) {
		const uint64_t parent = size << model->index_bits;
		const uint64_t up = (at + parent - 1) & ~(parent - 1);

		n += slice(&pieces[n], run, at, up, size);
		at = up;
	}
	n += slice(&pieces[n], run, at, end, run->leaf);
	*count = n;
	return splits;
}

/* Cuts whichever piece lies across `cut`. Returns how many tables that takes. */
static size_t cut_pieces(struct wp_model *model, uint64_t cut)
{
	struct wp_runs *pieces = &model->pieces;
	struct wp_run parts[2 * 5 + 2];
	const size_t i = wp_runs_seek(pieces, cut);
	size_t count, splits;

	if (i == pieces->count || pieces->at[i].va >= cut)
		return 0;
	splits = cut_run(model, &pieces->at[i], cut, parts, &count);
	replace(pieces, i, i + 1, parts, count);
	return splits;
}

struct wp_edit wp_edit_open(struct wp_model *model, struct wp_model_table *table, uint64_t va,
                            uint64_t last)
{
	const struct wp_runs *runs = &table->own;
	struct wp_runs *pieces = &model->pieces;
	struct wp_edit edit = {.table = table};

	edit.from = edit.to = wp_runs_seek(runs, va);
	while (edit.to < runs->count && runs->at[edit.to].va <= last)
		edit.to++;
	pieces->count = 0;
	if (edit.from == edit.to)
		return edit;
	replace(pieces, 0, 0, &runs->at[edit.from], edit.to - edit.from);

	edit.splits = cut_pieces(model, va);
	if (last != UINT64_MAX)
		edit.splits += cut_pieces(model, last + 1);
	edit.first = wp_runs_seek(pieces, va);
	edit.end = pieces->count;
	while (edit.end > edit.first && pieces->at[edit.end - 1].va > last)
		edit.end--;
	return edit;
}

/*
 * How far from the edited range the next mapped byte lies on each side; 1: it
 * adjoins. UINT64_MAX: there is none.
 */
struct gaps {
	uint64_t left, right;
};

static struct gaps gaps_around(const struct wp_model *model, const struct wp_edit *edit)
{
	const struct wp_runs *pieces = &model->pieces;
	const struct wp_runs *runs = &edit->table->own;
	struct gaps gaps = {UINT64_MAX, UINT64_MAX};
	const struct wp_run *before = NULL, *after = NULL;

	if (edit->first > 0)
		before = &pieces->at[edit->first - 1];
	else if (edit->from > 0)
		before = &runs->at[edit->from - 1];
	if (edit->end < pieces->count)
		after = &pieces->at[edit->end];
	else if (edit->to < runs->count)
		after = &runs->at[edit->to];
	if (before)
		gaps.left = pieces->at[edit->first].va - wp_last_byte(before);
	if (after)
		gaps.right = after->va - wp_last_byte(&pieces->at[edit->end - 1]);
	return gaps;
}

/* How many slots of 2^shift bytes hold a leaf smaller than themselves. */
static size_t slots_with_table(const struct wp_run *runs, size_t count, unsigned shift)
{
	size_t slots = 0;
	uint64_t next = 0; /* the first slot not yet counted */

	for (size_t i = 0; i < count; i++) {
		const uint64_t first = runs[i].va >> shift;
		const uint64_t last = wp_last_byte(&runs[i]) >> shift;

		if (runs[i].leaf >> shift)
			continue;
		slots += (size_t)(last - (first < next ? next : first) + 1);
		next = last + 1;
	}
	return slots;
}

/*
 * How many tables exist for the pieces in the range alone, and for nothing else. A slot
 * that also holds a leaf outside the range has its table anyway. Only the first and the
 * last slot that the range touches can: a leaf outside that shares a slot with the range is
 * smaller than the slot.
 */
static size_t tables_of(const struct wp_model *model, const struct wp_edit *edit)
{
	const struct wp_run *pieces = model->pieces.at + edit->first;
	const size_t count = edit->end - edit->first;
	struct gaps gaps;
	uint64_t va, last;
	size_t tables = 0;

	if (count == 0)
		return 0;
	assert(model->pieces.at);
	gaps = gaps_around(model, edit);
	va = pieces[0].va;
	last = wp_last_byte(&pieces[count - 1]);
	for (unsigned shift = model->regime->granule_shift + model->index_bits;
	     shift <= model->root_shift; shift += model->index_bits) {
		const uint64_t mask = ((uint64_t)1 << shift) - 1;
		const bool left = (va & mask) >= gaps.left;
		const bool right = (~last & mask) >= gaps.right;
		const bool one_slot = va >> shift == last >> shift;

		tables += slots_with_table(pieces, count, shift);
		tables -= one_slot ? (size_t)(left || right) : (size_t)left + (size_t)right;
	}
	return tables;
}

/* Joins pieces that continue each other. */
static void join_pieces(struct wp_runs *pieces)
{
	const size_t count = pieces->count;

	pieces->count = 0;
	for (size_t i = 0; i < count; i++)
		wp_runs_push(pieces, pieces->at[i]);
}

void wp_edit_close(struct wp_model *model, const struct wp_edit *edit)
{
	struct wp_runs *runs = &edit->table->own;
	struct wp_runs *pieces = &model->pieces;
	size_t from = edit->from, to = edit->to;

	join_pieces(pieces);
	if (pieces->count && from > 0 && joins(&runs->at[from - 1], &pieces->at[0])) {
		from--;
		pieces->at[0].va = runs->at[from].va;
		pieces->at[0].pa = runs->at[from].pa;
		pieces->at[0].bytes += runs->at[from].bytes;
	}
	if (pieces->count && to < runs->count &&
	    joins(&pieces->at[pieces->count - 1], &runs->at[to])) {
		pieces->at[pieces->count - 1].bytes += runs->at[to].bytes;
		to++;
	}
	replace(runs, from, to, pieces->at, pieces->count);
	model->tables[0].view_stale = true;
	model->tables[1].view_stale = true;
}

struct wp_verdict wp_edit_map(struct wp_model *model, const struct wp_edit *edit, size_t available)
{
	const size_t tables = tables_of(model, edit);

	if (tables > available)
		return wp_refuse(PT_NO_MEMORY);
	edit->table->tables += tables;
	wp_edit_close(model, edit);
	return (struct wp_verdict){.allocated = tables};
}

size_t wp_edit_unmap(struct wp_model *model, struct wp_edit *edit)
{
	const size_t tables = tables_of(model, edit);

	edit->table->tables -= tables;
	replace(&model->pieces, edit->first, edit->end, NULL, 0);
	edit->end = edit->first;
	wp_edit_close(model, edit);
	return tables;
}
