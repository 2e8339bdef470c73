/* SPDX-License-Identifier: MIT */
/*
 * Inside the model: arrays of runs, edits of them, and how many tables a set of
 * runs needs. Addresses of ranges are kept as first and last byte, since a range
 * may end at 2^64.
 */
#ifndef WP_MODEL_PRIVATE_H
#define WP_MODEL_PRIVATE_H

#include "model.h"

#define WP_ROOT_SLOTS ((size_t)2048) /* at most */

/* Sorted by address, disjoint, and none that could be joined to the next. */
struct wp_runs {
	struct wp_run *at;
	size_t count;
	size_t capacity;
};

struct wp_model_table {
	struct wp_runs own;
	size_t tables; /* that it owns, without the fixed frames */
	uint64_t borrowed[WP_ROOT_SLOTS / 64];
	size_t loans; /* bits set in `borrowed`: what the other table lends */
	bool exists;
	bool view_stale;
	struct wp_runs view; /* own and borrowed; kept only while something is borrowed */
};

struct wp_model {
	const struct wp_regime *regime;
	size_t fixed_frames;
	uint64_t page;
	uint64_t leaf_sizes; /* the regime's, or fewer */
	unsigned root_shift; /* log2 of what a root slot spans */
	unsigned index_bits; /* of every level but the root */
	size_t root_slots;
	size_t ranges; /* the canonical ones */
	uint64_t first[2], last[2];
	struct wp_runs pieces;         /* what an edit puts in the place of the runs it takes */
	struct wp_model_table *tables; /* apart, as a const model still refreshes its views */
};

static inline uint64_t wp_last_byte(const struct wp_run *run)
{
	return run->va + (run->bytes - 1);
}

static inline struct wp_verdict wp_refuse(pt_status status)
{
	return (struct wp_verdict){.status = status};
}

/* ------------------------------------------------------------------- runs */

/* Room for `count` runs in all; ends the process if there is no memory. */
void wp_runs_reserve(struct wp_runs *runs, size_t count);

/* Appends a run, joined to the last one if they continue each other. */
void wp_runs_push(struct wp_runs *runs, struct wp_run run);

/* The first run that does not end before `va`; runs->count if none. */
size_t wp_runs_seek(const struct wp_runs *runs, uint64_t va);

/* Whether anything is mapped in [va, last]. */
bool wp_runs_overlap(const struct wp_runs *runs, uint64_t va, uint64_t last);

/* ------------------------------------------------------------------- edit */

/*
 * The runs [from, to) of a table, about to be replaced by model->pieces, of which
 * [first, end) lie in the edited range and the others are what the taken runs
 * keep on its two sides.
 */
struct wp_edit {
	struct wp_model_table *table;
	size_t from, to;
	size_t first, end;
	size_t splits; /* tables that splitting the straddling leaves takes */
};

/* Takes what [va, last] touches, cut at its ends; straddling leaves are split. */
struct wp_edit wp_edit_open(struct wp_model *model, struct wp_model_table *table, uint64_t va,
                            uint64_t last);

/* Puts the pieces in place. */
void wp_edit_close(struct wp_model *model, const struct wp_edit *edit);

/* The same where nothing was: PT_NO_MEMORY if that takes more than so many tables. */
struct wp_verdict wp_edit_map(struct wp_model *model, const struct wp_edit *edit, size_t available);

/* Puts in place those beside the range alone; returns how many tables go. */
size_t wp_edit_unmap(struct wp_model *model, struct wp_edit *edit);

/* ---------------------------------------------------------------- sharing */

static inline size_t wp_root_slot(const struct wp_model *model, uint64_t va)
{
	return (va >> model->root_shift) & (model->root_slots - 1);
}

static inline bool wp_is_borrowed(const struct wp_model_table *table, size_t slot)
{
	return table->borrowed[slot / 64] >> (slot % 64) & 1;
}

/* Whether `table` borrows a root slot that [va, last] touches. */
bool wp_borrows_in(const struct wp_model *model, const struct wp_model_table *table, uint64_t va,
                   uint64_t last);

/*
 * Whether changing all that is mapped in [va, last] would change the root entry
 * of a slot that `table` lends: a root leaf there, or, where the change
 * `removes`, the slot's last leaf.
 */
bool wp_changes_lent_entry(const struct wp_model *model, unsigned table, uint64_t va, uint64_t last,
                           bool removes);

/* The runs that translate `va` through `table`: its own, or its lender's. */
const struct wp_runs *wp_runs_behind(const struct wp_model *model, unsigned table, uint64_t va);

/* Everything that translates through `table`, what it borrows included. */
const struct wp_runs *wp_runs_through(const struct wp_model *model, unsigned table);

/* ----------------------------------------------------------------- checks */

/* [va, va + size) lies in one canonical range; size is not 0. */
bool wp_va_range_ok(const struct wp_model *model, uint64_t va, uint64_t size);

/* [pa, pa + size) is no wider than the architecture's physical addresses. */
bool wp_pa_range_ok(const struct wp_model *model, uint64_t pa, uint64_t size);

#endif
