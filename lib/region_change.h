/* SPDX-License-Identifier: MIT */
/*
 * unmap_region and protect_region. A first pass says why not, or how many tables
 * the leaves that straddle an end need to be split; with those in reserve, they
 * are split, and the rest can't fail.
 */
#ifndef PT_REGION_CHANGE_H
#define PT_REGION_CHANGE_H

struct change_plan {
	struct pt_table *table;
	bool has_hole;
	size_t tables; /* that the splits need */
};

/* Tables needed so that [from, to], within one slot of `level`, is made of whole leaves. */
static size_t split_cost(unsigned level, uint64_t from, uint64_t to)
{
	const uint64_t span = arch_span(level);
	uint64_t below, first_end, last_start;

	if ((from & (span - 1)) == 0 && (~to & (span - 1)) == 0)
		return 0;
	below = arch_span(level + 1); /* only now: the last level has none below */
	first_end = from | (below - 1);
	last_start = to & ~(below - 1);
	if (first_end >= to)
		return 1 + split_cost(level + 1, from, to);
	return 1 + split_cost(level + 1, from, first_end) + split_cost(level + 1, last_start, to);
}

/* plan_change() in the last level, where nothing straddles. */
static pt_status plan_change_pages(struct change_plan *plan, const arch_entry *entries,
                                   uint64_t from, uint64_t to)
{
	const size_t last = index_of(to, ARCH_LAST_LEVEL);

	for (size_t i = index_of(from, ARCH_LAST_LEVEL); i <= last; i++) {
		const arch_entry entry = entry_load(&entries[i]);

		if (entry == 0)
			plan->has_hole = true;
		else if (!arch_is_leaf(entry, ARCH_LAST_LEVEL))
			return PT_MALFORMED;
	}
	return PT_OK;
}

static pt_status plan_change(struct change_plan *plan, const arch_entry *entries, unsigned level,
                             uint64_t from, uint64_t to)
{
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	if (level >= ARCH_LAST_LEVEL)
		return plan_change_pages(plan, entries, from, to);
	for (size_t i = index_of(from, level); i <= index_of(to, level); i++, start += span) {
		const arch_entry entry = entry_load(&entries[i]);
		const enum pt_entry_kind kind = entry_kind(entry, level, plan->table->hole);
		const uint64_t first = later(start, from);
		const uint64_t last = earlier(start + span - 1, to);

		if (kind == PT_ENTRY_MALFORMED)
			return PT_MALFORMED;
		if (kind == PT_ENTRY_EMPTY)
			plan->has_hole = true;
		if (kind == PT_ENTRY_LEAF)
			plan->tables += split_cost(level, first, last);
		if (kind == PT_ENTRY_TABLE) {
			const arch_entry *below = table_at(plan->table->platform,
			                                   arch_table_paddr(entry));
			pt_status status;

			if (!below || !table_is_open(entry))
				return PT_MALFORMED;
			status = plan_change(plan, below, level + 1, first, last);
			if (status != PT_OK)
				return status;
		}
	}
	return PT_OK;
}

/* Whether anything in one table of `level` lies outside of [from, to]. */
static bool table_outlives(const struct pt_table *table, const arch_entry *entries, unsigned level,
                           uint64_t from, uint64_t to)
{
	const size_t first = index_of(from, level);
	const size_t last = index_of(to, level);

	for (size_t i = 0; i < entry_count(level); i++) {
		const arch_entry entry = entry_load(&entries[i]);
		const uint64_t start = (from & ~(arch_span(level) - 1)) +
		                       (uint64_t)(i - first) * arch_span(level);
		const uint64_t end = start + arch_span(level) - 1;
		const arch_entry *below;

		if (entry == empty_entry(table->hole, level))
			continue;
		if (i < first || i > last)
			return true;
		if (start >= from && end <= to)
			continue;
		if (!arch_is_table(entry, level))
			return true;
		below = table_at(table->platform, arch_table_paddr(entry));
		if (!below ||
		    table_outlives(table, below, level + 1, later(start, from), earlier(end, to)))
			return true;
	}
	return false;
}

/*
 * Whether the change would touch the root entry of a lent slot: its leaf or, with
 * `empties`, a table that loses everything.
 */
static bool region_takes_lent(struct pt_table *table, uint64_t vaddr, uint64_t last, bool empties)
{
	const arch_entry *root = table_at(table->platform, table->root.value);
	const uint64_t span = arch_span(0);

	for (size_t i = index_of(vaddr, 0); table->borrowers && i <= index_of(last, 0); i++) {
		const uint64_t start = (vaddr & ~(span - 1)) +
		                       (uint64_t)(i - index_of(vaddr, 0)) * span;
		const uint64_t end = start + span - 1;
		const arch_entry *below;

		if (!slot_is_lent(table, i))
			continue;
		if (!arch_is_table(entry_load(&root[i]), 0))
			return true;
		below = table_at(table->platform, arch_table_paddr(entry_load(&root[i])));
		if (empties && below &&
		    !table_outlives(table, below, 1, later(start, vaddr), earlier(end, last)))
			return true;
	}
	return false;
}

struct change_work {
	struct pt_table *table;
	struct reserve reserve;
	struct pt_batch *batch;
	uint64_t from, to;
	arch_entry bits[ARCH_LEVELS]; /* protect: of a leaf, by level */
	bool unmap;
	bool breaking; /* protect: the pass that invalidates what must be broken */
	bool broke;
};

/* The entry of a table, not linked yet, that maps in smaller leaves what `leaf` mapped. */
static arch_entry split_leaf(struct change_work *work, arch_entry leaf, unsigned level,
                             uint64_t start)
{
	const uint64_t span = arch_span(level + 1);
	const uint64_t paddr = arch_leaf_paddr(leaf, level);
	const arch_entry bits = arch_leaf_bits(arch_leaf_flags(leaf, level, ~(arch_rights)0),
	                                       level + 1);
	uint64_t frame;
	arch_entry *entries = reserve_take(&work->reserve, level + 1, work->table->hole, &frame);

	for (size_t i = 0; i < entry_count(level + 1); i++) {
		const uint64_t at = start + i * span;
		const uint64_t end = at + span - 1;
		const bool outside = end < work->from || at > work->to;
		arch_entry entry = arch_leaf(paddr + i * span, bits);

		if (!outside && (at < work->from || end > work->to))
			entry = split_leaf(work, entry, level + 1, at);
		entry_store(work->table->platform, &entries[i], entry);
	}
	return arch_table(frame);
}

/* Splits the live leaf in `slot` until the work's range is made of whole leaves. */
static void split_live(struct change_work *work, arch_entry *slot, unsigned level, uint64_t start)
{
	const arch_entry leaf = entry_load(slot);
	const arch_entry table = split_leaf(work, leaf, level, start);

	if (ARCH_BREAKS_TO_RESIZE && (ARCH_CACHES_INVALID || arch_is_valid(leaf))) {
		entry_store(work->table->platform, slot, empty_entry(work->table->hole, level));
		flush_now(work->table, start);
	}
	entry_store(work->table->platform, slot, table);
	/* what the CPU may remember: the hole in between, or the leaf instead of a table */
	if (ARCH_CACHES_INVALID || ARCH_FLUSHES_ALL_FOR_TABLE)
		work->batch->all = true;
}

/* An unlinked table and all below it wait for the flush. */
static void free_tables_later(struct pt_table *table, arch_entry entry, unsigned level,
                              pt_paddr hole, struct pt_batch *batch)
{
	const uint64_t frame = arch_table_paddr(entry);
	const arch_entry *entries = table_at(table->platform, frame);

	if (!entries)
		return; /* not memory: no table of ours */
	for (size_t i = 0; level + 1 < ARCH_LAST_LEVEL && i < entry_count(level + 1); i++) {
		const arch_entry below = entry_load(&entries[i]);

		if (entry_kind(below, level + 1, hole) == PT_ENTRY_TABLE)
			free_tables_later(table, below, level + 1, hole, batch);
	}
	free_later(batch, frame);
}

/* Gives the leaf in `slot` its new flags; see `breaking`. */
ALWAYS_INLINE void protect_leaf(struct change_work *work, arch_entry *slot, unsigned level,
                                uint64_t start)
{
	const arch_entry before = entry_load(slot);
	const uint64_t paddr = arch_leaf_paddr(before, level);
	const arch_entry after = arch_leaf(paddr, work->bits[level]);

	if (work->breaking) {
		if (!arch_must_break(before, after))
			return;
		/* a no-access leaf keeps the address for the second pass */
		entry_store(work->table->platform, slot,
		            arch_leaf(paddr, arch_leaf_bits(0, level)));
		flush_later(work->batch, start);
		work->broke = true;
		return;
	}
	if (arch_same_leaf(before, after))
		return;
	entry_store(work->table->platform, slot, after);
	flush_leaf(work->batch, before, level, start);
}

static void unmap_slot(struct change_work *work, arch_entry *slot, unsigned level, uint64_t start)
{
	const arch_entry entry = entry_load(slot);

	entry_store(work->table->platform, slot, empty_entry(work->table->hole, level));
	if (!arch_is_table(entry, level)) {
		flush_leaf(work->batch, entry, level, start);
		return;
	}
	/* a whole table of leaves is more than a batch has addresses for */
	work->batch->all = true;
	free_tables_later(work->table, entry, level, work->table->hole, work->batch);
}

static void commit_change(struct change_work *work, arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to);

/* Carries out the work on [from, to], all of it below one slot that isn't empty. */
static void change_slot(struct change_work *work, arch_entry *slot, unsigned level, uint64_t from,
                        uint64_t to)
{
	const struct pt_platform *platform = work->table->platform;
	const uint64_t start = from & ~(arch_span(level) - 1);
	const bool whole = to - from == arch_span(level) - 1;
	const bool is_table = arch_is_table(entry_load(slot), level);
	arch_entry *below;
	uint64_t frame;

	if (whole && work->unmap) {
		unmap_slot(work, slot, level, start);
		return;
	}
	if (whole && !is_table) {
		protect_leaf(work, slot, level, start);
		return;
	}
	if (!is_table)
		split_live(work, slot, level, start);
	frame = arch_table_paddr(entry_load(slot));
	below = table_at(platform, frame);
	commit_change(work, below, level + 1, from, to);
	if (work->unmap && table_is_empty(below, level + 1, work->table->hole)) {
		entry_store(platform, slot, empty_entry(work->table->hole, level));
		free_later(work->batch, frame);
		flush_unlinked(work->batch, from);
	}
}

/* commit_change() in the last level, where nothing is split. */
static void change_pages(struct change_work *work, arch_entry *entries, uint64_t from, uint64_t to)
{
	const size_t last = index_of(to, ARCH_LAST_LEVEL);
	uint64_t vaddr = from;

	for (size_t i = index_of(from, ARCH_LAST_LEVEL); i <= last; i++, vaddr += granule()) {
		if (entry_load(&entries[i]) == 0)
			continue;
		if (work->unmap)
			unmap_slot(work, &entries[i], ARCH_LAST_LEVEL, vaddr);
		else
			protect_leaf(work, &entries[i], ARCH_LAST_LEVEL, vaddr);
	}
}

/* Carries out the work on [from, to] of one table. */
static void commit_change(struct change_work *work, arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to)
{
	const arch_entry empty = empty_entry(work->table->hole, level);
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	if (level >= ARCH_LAST_LEVEL) {
		change_pages(work, entries, from, to);
		return;
	}
	for (size_t i = index_of(from, level); i <= index_of(to, level); i++, start += span) {
		if (entry_load(&entries[i]) != empty)
			change_slot(work, &entries[i], level, later(start, from),
			            earlier(start + span - 1, to));
	}
}

/* Plans, reserves, and sets up `work`; PT_OK: nothing can fail any more. */
static pt_status prepare_change(struct change_work *work, uint64_t vaddr, uint64_t size)
{
	struct pt_table *table = work->table;
	const uint64_t last = vaddr + size - 1;
	struct change_plan plan = {.table = table};
	pt_status status;

	if (region_touches_borrowed(table, vaddr, last) ||
	    region_takes_lent(table, vaddr, last, work->unmap))
		return PT_BORROWED;
	status = plan_change(&plan, table_at(table->platform, table->root.value), 0, vaddr, last);
	if (status != PT_OK)
		return status;
	if (plan.has_hole && work->unmap)
		return PT_NOT_MAPPED;
	work->from = vaddr;
	work->to = last;
	work->reserve.platform = table->platform;
	return reserve_fill(&work->reserve, plan.tables) ? PT_OK : PT_NO_MEMORY;
}

static pt_status op_unmap_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                                 struct pt_batch *batch)
{
	struct change_work work = {.table = table, .unmap = true};
	struct pending pending;
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	status = prepare_change(&work, vaddr.value, size);
	if (status != PT_OK)
		return status;
	pending_open(&pending, table, batch);
	work.batch = pending.batch;
	commit_change(&work, table_at(table->platform, table->root.value), 0, work.from, work.to);
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_protect_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                                   pt_flags flags, struct pt_batch *batch)
{
	struct change_work work = {.table = table};
	arch_entry *root = table_at(table->platform, table->root.value);
	struct pending pending;
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	if (!flags_are_good(flags))
		return PT_BAD_FLAGS;
	status = prepare_change(&work, vaddr.value, size);
	if (status != PT_OK)
		return status;

	for (unsigned level = 0; level < ARCH_LEVELS; level++)
		work.bits[level] = arch_leaf_bits(flags, level);
	pending_open(&pending, table, batch);
	work.batch = pending.batch;
	if (ARCH_BREAKS_TO_RESIZE) {
		work.breaking = true;
		commit_change(&work, root, 0, work.from, work.to);
		work.breaking = false;
		if (work.broke)
			pt_flush(work.batch);
		flush_before_make(work.batch, work.from, work.to);
	}
	commit_change(&work, root, 0, work.from, work.to);
	pending_close(&pending);
	return PT_OK;
}

#endif
