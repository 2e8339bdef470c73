/* SPDX-License-Identifier: MIT */
/*
 * L4, break-before-make: what was made invalid and not yet flushed, which nothing else
 * may meet in a TLB.
 */
#include "run_private.h"

#include <inttypes.h>

static bool breaks_to_resize(const struct wp_runner *runner)
{
	return runner->regime->arch == WP_AARCH64 || runner->regime->arch == WP_LOONGARCH64;
}

/*
 * Whether an entry of that kind leads to a table that maps something: LoongArch's empty
 * directory entries lead to a hole, whose entries lead to itself.
 */
static bool leads_on(const struct wp_runner *runner, enum wp_entry_kind kind, uint64_t to)
{
	const uint64_t *const first = wp_memory_at(&runner->memory, to, sizeof *first);

	return kind == WP_ENTRY_TABLE && wp_memory_is_used(&runner->memory, to) && *first != to;
}

static void remember(struct wp_runner *runner, const struct wp_place *place, uint64_t entry,
                     uint64_t frame)
{
	struct wp_store_watch *watch = &runner->watch;

	watch->broken[watch->broken_count++ % WP_BROKEN] = (struct wp_broken){
		place->first, place->last, place->level, entry, frame, place->root,
	};
}

static void found_break(struct wp_runner *runner, const struct wp_store *store, uint64_t va,
                        const char *what)
{
	wp_found(&runner->result->finding, WP_LAW_WALKABLE_STORES, "no-break",
	         "at 0x%" PRIx64
	         " %s without an invalid entry and a flush in between: store %" PRIu32
	         " of the operation puts %#" PRIx64 " over %#" PRIx64 " at %#" PRIx64,
	         va, what, runner->watch.stores, store->after, store->before, store->entry);
}

/* The leaf at `va` that was broken, or that the table that was broken still holds. */
static bool recall(const struct wp_runner *runner, const struct wp_broken *broken, uint64_t va,
                   uint64_t *leaf, uint64_t *size)
{
	const struct wp_regime *regime = runner->regime;
	enum wp_entry_kind kind = broken->frame != 0 ? WP_ENTRY_TABLE : WP_ENTRY_LEAF;
	uint64_t frame = broken->frame;
	unsigned level = broken->level;

	*leaf = broken->entry;
	while (kind == WP_ENTRY_TABLE) {
		const uint64_t index = wp_regime_index(regime, ++level, va);
		const uint64_t *const entry =
			wp_memory_at(&runner->memory, frame + index * sizeof *entry, sizeof *entry);

		if (!entry)
			return false;
		*leaf = *entry;
		kind = wp_entry_read(regime, level, *entry, &frame);
	}
	*size = wp_regime_span(regime, level);
	return kind == WP_ENTRY_LEAF;
}

/*
 * Whether a walk that comes by the entry of the broken table finds another table or a
 * leaf. D8 "Translation Lookaside Buffers" counts an entry that leads to a table, once
 * it is cached, with those of leaves: so it is broken as they are. LoongArch caches none
 * (LA 4.2.5).
 */
static bool meets_table(const struct wp_runner *runner, const struct wp_broken *broken,
                        const struct wp_step *steps, size_t count)
{
	enum wp_entry_kind kind;
	uint64_t to;

	if (broken->frame == 0 || runner->regime->arch != WP_AARCH64 || count <= broken->level)
		return false;
	kind = wp_entry_read(runner->regime, broken->level, steps[broken->level].entry, &to);
	return kind == WP_ENTRY_LEAF || (kind == WP_ENTRY_TABLE && to != broken->frame);
}

/* What a CPU may still hold of `broken` beside what it reads at `va` now. */
static void judge_made(struct wp_runner *runner, const struct wp_broken *broken, uint64_t va,
                       uint64_t root, const struct wp_store *store)
{
	struct wp_step steps[WP_MAX_STEPS];
	struct wp_answer now;
	uint64_t leaf, size;
	const size_t count = wp_paper_trail(runner->regime, &runner->memory, root, va, &now, steps);

	if (meets_table(runner, broken, steps, count))
		found_break(runner, store, va, "another entry takes the place of a table's");
	if (now.size == 0 || !recall(runner, broken, va, &leaf, &size))
		return;
	if (now.size != size)
		found_break(runner, store, va, "a leaf changes size");
	else if (wp_entry_must_break(runner->regime, leaf, steps[count - 1].entry))
		found_break(runner, store, va, "a leaf changes address, memory type or globality");
}

/* Of a table that was broken, what is mapped there now by the model. */
static void judge_made_runs(struct wp_runner *runner, const struct wp_broken *broken,
                            const struct wp_place *place, const struct wp_store *store)
{
	const unsigned table = runner->watch.trace.roots[0] == place->root ? 0 : 1;
	const struct wp_run *runs;
	size_t count;

	if (broken->frame == 0 || place->level + 1u == runner->regime->levels)
		return;
	runs = wp_model_runs(runner->model, table, &count);
	for (size_t i = 0; i < count; i++) {
		if (runs[i].va >= broken->first && runs[i].va <= broken->last &&
		    runs[i].va >= place->first && runs[i].va <= place->last)
			judge_made(runner, broken, runs[i].va, place->root, store);
	}
}

/*
 * Something valid appears where nothing was, or a table: it must not meet a leaf or a
 * table that is invalid but not flushed. Of what lies below a new table, the ends are
 * looked at.
 */
static void judge_make(struct wp_runner *runner, const struct wp_place *place,
                       const struct wp_store *store)
{
	const struct wp_store_watch *watch = &runner->watch;
	const uint32_t count = watch->broken_count < WP_BROKEN ? watch->broken_count : WP_BROKEN;

	for (uint32_t i = 0; i < count; i++) {
		const struct wp_broken *broken = &watch->broken[i];
		const uint64_t first = broken->first > place->first ? broken->first : place->first;
		const uint64_t last = broken->last < place->last ? broken->last : place->last;

		if (first > last || broken->root != place->root)
			continue;
		judge_made(runner, broken, first, place->root, store);
		if (last - first >= wp_regime_page(runner->regime))
			judge_made(runner, broken, last, place->root, store);
		if (watch->first > first && watch->first < last)
			judge_made(runner, broken, watch->first, place->root, store);
		judge_made_runs(runner, broken, place, store);
	}
}

/* The rule on one store to an entry that a CPU reaches; counts leaves that change. */
void wp_run_judge_break(struct wp_runner *runner, const struct wp_place *place,
                        const struct wp_store *store)
{
	const struct wp_regime *regime = runner->regime;
	uint64_t from, to;
	const enum wp_entry_kind before = wp_entry_read(regime, place->level, store->before, &from);
	const enum wp_entry_kind after = wp_entry_read(regime, place->level, store->after, &to);
	const bool judges = breaks_to_resize(runner) && wp_run_checks(runner, WP_CHECK_STORES) &&
	                    runner->subject->reports_flushes &&
	                    !wp_deviates(runner->subject->profile, WP_NO_BREAK);
	const bool linked = leads_on(runner, after, to);

	runner->stats->changed_leaves += store->before != store->after &&
	                                 (before == WP_ENTRY_LEAF || after == WP_ENTRY_LEAF);
	if ((after != WP_ENTRY_TABLE || from != to) && leads_on(runner, before, from))
		remember(runner, place, store->before, from);
	if (!judges)
		return;
	if (before == WP_ENTRY_LEAF && after == WP_ENTRY_LEAF) {
		if (wp_entry_must_break(regime, store->before, store->after))
			found_break(runner, store, place->first,
			            "a leaf changes address, memory type or globality");
	} else if (before == WP_ENTRY_LEAF) {
		remember(runner, place, store->before, 0);
	}
	if (before != WP_ENTRY_LEAF && (after == WP_ENTRY_LEAF || linked) &&
	    runner->watch.broken_count != 0)
		judge_make(runner, place, store);
	else if (before == WP_ENTRY_LEAF && linked && regime->arch == WP_AARCH64)
		found_break(runner, store, place->first, "a leaf becomes a table");
}

/* ---- flushes ---- */

/* Whether a flush of `va` reaches what is broken: leaves by address, tables as in tlb.c. */
static bool reaches(const struct wp_runner *runner, const struct wp_broken *broken, uint64_t va)
{
	const bool covers = va >= broken->first && va <= broken->last;

	if (broken->frame == 0 || runner->regime->arch == WP_AARCH64)
		return covers;
	return runner->regime->arch != WP_RISCV64;
}

void wp_run_watch_flush(struct wp_runner *runner, const uint64_t *va)
{
	struct wp_store_watch *watch = &runner->watch;
	uint32_t count = watch->broken_count < WP_BROKEN ? watch->broken_count : WP_BROKEN;
	uint32_t kept = 0;

	if (count == 0)
		return;
	for (uint32_t i = 0; va && i < count; i++) {
		if (!reaches(runner, &watch->broken[i], *va))
			watch->broken[kept++] = watch->broken[i];
	}
	watch->broken_count = kept;
}
