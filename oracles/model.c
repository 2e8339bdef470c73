/* SPDX-License-Identifier: MIT */
/*
 * The model's life, and the calls on one leaf. Every call checks in the order of
 * the contract: size, address, alignment, flags, loans, the state of the mapping,
 * memory.
 */
#include "model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs that a program rarely exceeds. */
#define ROOM 64

/* Zeroed memory; ends the process if there is none. */
static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory) {
		perror("model");
		abort();
	}
	return memory;
}

struct wp_model *wp_model_new(void)
{
	struct wp_model *model = allocate(1, sizeof *model);

	model->tables = allocate(WP_MODEL_TABLES, sizeof model->tables[0]);
	wp_runs_reserve(&model->pieces, ROOM);
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		wp_runs_reserve(&model->tables[i].own, ROOM);
		wp_runs_reserve(&model->tables[i].view, ROOM);
	}
	wp_model_reset(model, &wp_regimes[0], 1);
	return model;
}

void wp_model_free(struct wp_model *model)
{
	if (!model)
		return;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		free(model->tables[i].own.at);
		free(model->tables[i].view.at);
	}
	free(model->tables);
	free(model->pieces.at);
	free(model);
}

/* No mapping, no table, no loan. */
static void empty_table(struct wp_model_table *table, bool exists)
{
	table->own.count = 0;
	table->tables = 0;
	if (table->loans)
		memset(table->borrowed, 0, sizeof table->borrowed);
	table->loans = 0;
	table->exists = exists;
	table->view_stale = true;
}

void wp_model_reset(struct wp_model *model, const struct wp_regime *regime, size_t fixed_frames)
{
	model->regime = regime;
	model->fixed_frames = fixed_frames;
	model->leaf_sizes = regime->leaf_sizes;
	model->page = wp_regime_page(regime);
	model->root_shift = wp_regime_shift(regime, 0);
	model->index_bits = regime->index_bits;
	model->root_slots = wp_regime_entries(regime, 0);
	model->ranges = wp_regime_ranges(regime, model->first, model->last);
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++)
		empty_table(&model->tables[i], false);
}

void wp_model_limit_leaves(struct wp_model *model, uint64_t sizes)
{
	model->leaf_sizes = model->regime->leaf_sizes & sizes;
}

static void copy_runs(struct wp_runs *to, const struct wp_runs *from)
{
	wp_runs_reserve(to, from->count);
	memcpy(to->at, from->at, from->count * sizeof from->at[0]);
	to->count = from->count;
}

void wp_model_copy(struct wp_model *to, const struct wp_model *from)
{
	struct wp_model_table *const tables = to->tables;
	const struct wp_runs pieces = to->pieces;

	*to = *from;
	to->tables = tables;
	to->pieces = pieces;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		const struct wp_runs own = tables[i].own, view = tables[i].view;

		tables[i] = from->tables[i];
		tables[i].own = own;
		tables[i].view = view;
		tables[i].view_stale = true;
		copy_runs(&tables[i].own, &from->tables[i].own);
	}
}

/* ----------------------------------------------------------------- checks */

bool wp_va_range_ok(const struct wp_model *model, uint64_t va, uint64_t size)
{
	const uint64_t last = va + (size - 1);

	if (last < va)
		return false;
	for (size_t i = 0; i < model->ranges; i++) {
		if (va >= model->first[i] && last <= model->last[i])
			return true;
	}
	return false;
}

bool wp_pa_range_ok(const struct wp_model *model, uint64_t pa, uint64_t size)
{
	const uint64_t last = ((uint64_t)1 << model->regime->pa_bits) - 1;

	return pa <= last && size - 1 <= last - pa;
}

/* The run of `runs` that holds `va`; NULL: a hole. */
static const struct wp_run *run_at(const struct wp_runs *runs, uint64_t va)
{
	const size_t i = wp_runs_seek(runs, va);

	return i < runs->count && runs->at[i].va <= va ? &runs->at[i] : NULL;
}

/*
 * What unmap, protect and remap check alike; they pass 0 for what they aren't
 * given, which passes every check. On PT_OK `run` holds the leaf at `va`.
 */
static pt_status check_leaf(const struct wp_model *model, unsigned index, uint64_t va, uint64_t pa,
                            pt_flags flags, const struct wp_run **run)
{
	const struct wp_model_table *table = &model->tables[index];
	uint64_t unit;

	if (!wp_va_range_ok(model, va, 1) || !wp_pa_range_ok(model, pa, 1))
		return PT_BAD_ADDRESS;
	*run = run_at(wp_runs_behind(model, index, va), va);
	unit = *run ? (*run)->leaf : model->page;
	if ((va | pa) & (unit - 1))
		return PT_NOT_ALIGNED;
	if (!wp_flags_expressible(model->regime, flags))
		return PT_BAD_FLAGS;
	if (wp_is_borrowed(table, wp_root_slot(model, va)))
		return PT_BORROWED;
	return *run ? PT_OK : PT_NOT_MAPPED;
}

/* The leaf of `run` that holds `va`, and what `va` leads to. */
static struct pt_mapping mapping_at(const struct wp_run *run, uint64_t va)
{
	return (struct pt_mapping){
		.vaddr = pt_va(va),
		.paddr = pt_pa(run->pa + (va - run->va)),
		.size = run->leaf,
		.flags = run->flags,
	};
}

/* ------------------------------------------------------------------- calls */

struct wp_verdict wp_model_create(struct wp_model *model, unsigned table, size_t available)
{
	if (available < model->fixed_frames)
		return wp_refuse(PT_NO_MEMORY);
	empty_table(&model->tables[table], true);
	return (struct wp_verdict){.allocated = model->fixed_frames};
}

struct wp_verdict wp_model_destroy(struct wp_model *model, unsigned table)
{
	const size_t removed = wp_model_tables(model, table);

	if (model->tables[1 - table].loans)
		return wp_refuse(PT_BORROWED);
	empty_table(&model->tables[table], false);
	return (struct wp_verdict){.removed = removed};
}

struct wp_verdict wp_model_map(struct wp_model *model, unsigned index, uint64_t va, uint64_t pa,
                               uint64_t size, pt_flags flags, size_t available)
{
	struct wp_model_table *table = &model->tables[index];
	const struct wp_run *hit;
	struct wp_edit edit;
	size_t i;

	if (!(size & model->leaf_sizes) || size & (size - 1))
		return wp_refuse(PT_BAD_SIZE);
	if (!wp_va_range_ok(model, va, size) || !wp_pa_range_ok(model, pa, size))
		return wp_refuse(PT_BAD_ADDRESS);
	if ((va | pa) & (size - 1))
		return wp_refuse(PT_NOT_ALIGNED);
	if (!wp_flags_expressible(model->regime, flags))
		return wp_refuse(PT_BAD_FLAGS);
	if (wp_is_borrowed(table, wp_root_slot(model, va)))
		return wp_refuse(PT_BORROWED);

	/*
	 * A larger leaf that meets the range covers it. A lent slot needs no check of its
	 * own: it isn't empty, so whatever map() may do there lies below its entry.
	 */
	i = wp_runs_seek(&table->own, va);
	hit = &table->own.at[i];
	if (i < table->own.count && hit->va <= va + (size - 1))
		return wp_refuse(hit->leaf > size ? PT_MAPPED_TO_HUGE_PAGE : PT_ALREADY_MAPPED);

	model->pieces.count = 0;
	wp_runs_push(&model->pieces, (struct wp_run){va, pa, size, size, flags});
	edit = (struct wp_edit){.table = table, .from = i, .to = i, .end = 1};
	return wp_edit_map(model, &edit, available);
}

struct wp_verdict wp_model_unmap(struct wp_model *model, unsigned index, uint64_t va)
{
	struct wp_model_table *table = &model->tables[index];
	struct wp_verdict verdict = {.status = PT_OK};
	const struct wp_run *run;
	struct wp_edit edit;

	verdict.status = check_leaf(model, index, va, 0, 0, &run);
	if (verdict.status != PT_OK)
		return verdict;
	if (wp_changes_lent_entry(model, index, va, va + (run->leaf - 1), true))
		return wp_refuse(PT_BORROWED);

	verdict.mapping = mapping_at(run, va);
	edit = wp_edit_open(model, table, va, va + (run->leaf - 1));
	verdict.removed = wp_edit_unmap(model, &edit);
	return verdict;
}

/* New flags, and with `pa` a new address, for the leaf that starts at `va`. */
static struct wp_verdict change_leaf(struct wp_model *model, unsigned index, uint64_t va,
                                     const uint64_t *pa, pt_flags flags)
{
	struct wp_verdict verdict = {.status = PT_OK};
	const struct wp_run *run;
	struct wp_run *piece;
	struct wp_edit edit;

	verdict.status = check_leaf(model, index, va, pa ? *pa : 0, flags, &run);
	if (verdict.status != PT_OK)
		return verdict;
	if (wp_changes_lent_entry(model, index, va, va + (run->leaf - 1), false))
		return wp_refuse(PT_BORROWED);

	verdict.size = run->leaf;
	edit = wp_edit_open(model, &model->tables[index], va, va + (run->leaf - 1));
	piece = &model->pieces.at[edit.first];
	piece->flags = flags;
	if (pa)
		piece->pa = *pa;
	wp_edit_close(model, &edit);
	return verdict;
}

struct wp_verdict wp_model_protect(struct wp_model *model, unsigned table, uint64_t va,
                                   pt_flags flags)
{
	return change_leaf(model, table, va, NULL, flags);
}

struct wp_verdict wp_model_remap(struct wp_model *model, unsigned table, uint64_t va, uint64_t pa,
                                 pt_flags flags)
{
	return change_leaf(model, table, va, &pa, flags);
}

struct wp_verdict wp_model_query(const struct wp_model *model, unsigned table, uint64_t va)
{
	const struct wp_run *run;

	if (!wp_va_range_ok(model, va, 1))
		return wp_refuse(PT_BAD_ADDRESS);
	run = run_at(wp_runs_behind(model, table, va), va);
	if (!run)
		return wp_refuse(PT_NOT_MAPPED);
	return (struct wp_verdict){.mapping = mapping_at(run, va)};
}

/* ------------------------------------------------------------ what there is */

const struct wp_regime *wp_model_regime(const struct wp_model *model)
{
	return model->regime;
}

bool wp_model_exists(const struct wp_model *model, unsigned table)
{
	return model->tables[table].exists;
}

size_t wp_model_tables(const struct wp_model *model, unsigned table)
{
	return model->fixed_frames + model->tables[table].tables;
}

const struct wp_run *wp_model_runs(const struct wp_model *model, unsigned table, size_t *count)
{
	const struct wp_runs *runs = wp_runs_through(model, table);

	*count = runs->count;
	return runs->at;
}

size_t wp_model_seek(const struct wp_model *model, unsigned table, uint64_t va)
{
	return wp_runs_seek(wp_runs_through(model, table), va);
}

const struct wp_run *wp_model_find(const struct wp_model *model, unsigned table, uint64_t va)
{
	return run_at(wp_runs_through(model, table), va);
}
