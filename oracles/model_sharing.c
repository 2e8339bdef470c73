/* SPDX-License-Identifier: MIT */
/*
 * The model's loans of root slots. There are two tables, so a lender is always
 * the other one: what `table` lends is what the other borrows. A lent slot is
 * never empty, for its lender can't take its last leaf away.
 */
#include "model_private.h"

#include <string.h>

static void set_borrowed(struct wp_model_table *table, size_t slot, bool borrowed)
{
	const uint64_t bit = (uint64_t)1 << (slot % 64);

	if (wp_is_borrowed(table, slot) == borrowed)
		return;
	table->borrowed[slot / 64] ^= bit;
	table->loans = borrowed ? table->loans + 1 : table->loans - 1;
}

bool wp_borrows_in(const struct wp_model *model, const struct wp_model_table *table, uint64_t va,
                   uint64_t last)
{
	const size_t end = wp_root_slot(model, last);

	if (!table->loans)
		return false;
	for (size_t slot = wp_root_slot(model, va); slot <= end; slot++) {
		if (wp_is_borrowed(table, slot))
			return true;
	}
	return false;
}

/* Whether `runs` map a byte of the slot [first, end] outside of [va, last]. */
static bool keeps_a_leaf(const struct wp_runs *runs, uint64_t first, uint64_t end, uint64_t va,
                         uint64_t last)
{
	if (first < va && wp_runs_overlap(runs, first, va - 1))
		return true;
	return last < end && wp_runs_overlap(runs, last + 1, end);
}

bool wp_changes_lent_entry(const struct wp_model *model, unsigned index, uint64_t va, uint64_t last,
                           bool removes)
{
	const struct wp_model_table *borrower = &model->tables[1 - index];
	const struct wp_runs *runs = &model->tables[index].own;
	const uint64_t span = (uint64_t)1 << model->root_shift;
	const size_t end = wp_root_slot(model, last);
	uint64_t first = va & ~(span - 1);

	if (!borrower->loans)
		return false;
	for (size_t slot = wp_root_slot(model, va); slot <= end; slot++, first += span) {
		if (!wp_is_borrowed(borrower, slot))
			continue;
		if (runs->at[wp_runs_seek(runs, first)].leaf == span)
			return true;
		if (removes && !keeps_a_leaf(runs, first, first + (span - 1), va, last))
			return true;
	}
	return false;
}

const struct wp_runs *wp_runs_behind(const struct wp_model *model, unsigned index, uint64_t va)
{
	const struct wp_model_table *table = &model->tables[index];

	if (table->loans && wp_is_borrowed(table, wp_root_slot(model, va)))
		return &model->tables[1 - index].own;
	return &table->own;
}

/* ------------------------------------------------------------------- views */

/* Adds own runs to the view, up to the first that lies beyond `va`; returns how far. */
static size_t push_own(struct wp_model_table *table, size_t next, uint64_t va)
{
	while (next < table->own.count && table->own.at[next].va < va)
		wp_runs_push(&table->view, table->own.at[next++]);
	return next;
}

/*
 * Adds the parts of the lender's `run` that lie in borrowed slots, each after the
 * own runs before it: those may lie between two parts.
 */
static size_t push_borrowed(const struct wp_model *model, struct wp_model_table *table, size_t next,
                            const struct wp_run *run)
{
	const uint64_t span = (uint64_t)1 << model->root_shift;
	const uint64_t last = wp_last_byte(run);

	for (uint64_t va = run->va;;) {
		const uint64_t slot_last = va | (span - 1);
		const uint64_t end = slot_last < last ? slot_last : last;

		if (wp_is_borrowed(table, wp_root_slot(model, va))) {
			next = push_own(table, next, va);
			wp_runs_push(&table->view,
			             (struct wp_run){va, run->pa + (va - run->va), end - va + 1,
			                             run->leaf, run->flags});
		}
		if (end == last)
			return next;
		va = end + 1;
	}
}

/* Merges what `table` owns with what it borrows, in address order. */
static void refresh_view(const struct wp_model *model, struct wp_model_table *table,
                         const struct wp_runs *lender)
{
	size_t next = 0; /* of the own runs */

	table->view.count = 0;
	for (size_t i = 0; i < lender->count; i++)
		next = push_borrowed(model, table, next, &lender->at[i]);
	while (next < table->own.count)
		wp_runs_push(&table->view, table->own.at[next++]);
	table->view_stale = false;
}

const struct wp_runs *wp_runs_through(const struct wp_model *model, unsigned index)
{
	struct wp_model_table *table = &model->tables[index];

	if (!table->loans)
		return &table->own;
	if (table->view_stale)
		refresh_view(model, table, &model->tables[1 - index].own);
	return &table->view;
}

/* ------------------------------------------------------------------- calls */

/* What copy_from and give_back check alike. */
static pt_status check_slots(const struct wp_model *model, uint64_t va, uint64_t size)
{
	const uint64_t span = (uint64_t)1 << model->root_shift;

	if (size == 0)
		return PT_BAD_SIZE;
	if (!wp_va_range_ok(model, va, size))
		return PT_BAD_ADDRESS;
	return (va | size) & (span - 1) ? PT_NOT_ALIGNED : PT_OK;
}

/* Borrows each slot in [va, last] that `lender` has something in; gives back the rest. */
static void borrow(const struct wp_model *model, struct wp_model_table *table,
                   const struct wp_runs *lender, uint64_t va, uint64_t last)
{
	const uint64_t span = (uint64_t)1 << model->root_shift;
	const size_t end = wp_root_slot(model, last);

	for (size_t slot = wp_root_slot(model, va); slot <= end; slot++, va += span)
		set_borrowed(table, slot, wp_runs_overlap(lender, va, va + (span - 1)));
}

struct wp_verdict wp_model_copy_from(struct wp_model *model, unsigned index, unsigned other,
                                     uint64_t va, uint64_t size)
{
	struct wp_model_table *table = &model->tables[index];
	struct wp_model_table *lender = &model->tables[other];
	const pt_status status = check_slots(model, va, size);
	const uint64_t last = va + (size - 1);
	struct wp_verdict verdict = {.status = PT_OK};
	struct wp_edit edit;

	if (status != PT_OK || index == other)
		return wp_refuse(status);
	/* What `lender` borrows is what `table` lends: one check serves both. */
	if (wp_borrows_in(model, lender, va, last))
		return wp_refuse(PT_BORROWED);

	edit = wp_edit_open(model, table, va, last);
	verdict.removed = wp_edit_unmap(model, &edit);
	borrow(model, table, &lender->own, va, last);
	return verdict;
}

struct wp_verdict wp_model_give_back(struct wp_model *model, unsigned index, uint64_t va,
                                     uint64_t size)
{
	struct wp_model_table *table = &model->tables[index];
	const pt_status status = check_slots(model, va, size);
	size_t end;

	if (status != PT_OK)
		return wp_refuse(status);
	end = wp_root_slot(model, va + (size - 1));
	for (size_t slot = wp_root_slot(model, va); slot <= end; slot++)
		set_borrowed(table, slot, false);
	table->view_stale = true;
	return (struct wp_verdict){.status = PT_OK};
}
