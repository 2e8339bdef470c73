/* SPDX-License-Identifier: MIT */
/* The model's walk: the entries that a table must have for its runs. */
#include "model_private.h"

struct walk {
	const struct wp_model *model;
	const struct wp_run *run; /* the one that holds `at` */
	const struct wp_run *end;
	uint64_t at; /* the next mapped byte not yet passed */
	size_t limit;
	struct wp_visit *visits;
	size_t capacity;
	size_t count;
};

/* Goes on to the first mapped byte after `last`. */
static void pass(struct walk *walk, uint64_t last)
{
	while (walk->run < walk->end && wp_last_byte(walk->run) <= last)
		walk->run++;
	if (walk->run < walk->end)
		walk->at = walk->run->va > last ? walk->run->va : last + 1;
}

/* Records one entry, of the slot that starts at `va`; false: that was one too many. */
static bool visit(struct walk *walk, unsigned level, unsigned shift, uint64_t va, bool leaf)
{
	const struct wp_run *run = walk->run;
	struct wp_visit *slot = &walk->visits[walk->count];

	if (walk->count++ == walk->capacity)
		return false;
	*slot = (struct wp_visit){
		.level = level,
		.index = (va >> shift) & (wp_regime_entries(walk->model->regime, level) - 1),
		.va = va,
		.leaf = leaf,
	};
	if (leaf) {
		slot->mapping = (struct pt_mapping){
			.vaddr = pt_va(va),
			.paddr = pt_pa(run->pa + (va - run->va)),
			.size = run->leaf,
			.flags = run->flags,
		};
	}
	return true;
}

/* Visits the table of `level` that ends at `last` and holds walk->at; false: stop. */
static bool walk_table(struct walk *walk, unsigned level, uint64_t last)
{
	const unsigned shift = walk->model->root_shift - walk->model->index_bits * level;
	const uint64_t span = (uint64_t)1 << shift;

	for (size_t entries = 0; entries < walk->limit; entries++) {
		const uint64_t slot = walk->at & ~(span - 1);
		const uint64_t slot_last = slot + (span - 1);
		const bool leaf = walk->run->leaf == span;

		if (!visit(walk, level, shift, slot, leaf))
			return false;
		if (!leaf && !walk_table(walk, level + 1, slot_last))
			return false;
		if (slot_last == last)
			return true;
		if (walk->at <= slot_last)
			pass(walk, slot_last);
		if (walk->run == walk->end || walk->at > last)
			return true;
	}
	return true;
}

size_t wp_model_walk(const struct wp_model *model, unsigned table, size_t limit,
                     struct wp_visit *visits, size_t capacity)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(model, table, &count);
	struct walk walk = {
		.model = model,
		.run = runs,
		.end = runs + count,
		.at = count ? runs[0].va : 0,
		.limit = limit,
		.visits = visits,
		.capacity = capacity,
	};

	if (count)
		walk_table(&walk, 0, UINT64_MAX);
	return walk.count;
}
