/* SPDX-License-Identifier: MIT */
/*
 * unmap_region and protect_region. A first pass (region_plan.h) says why not, or how
 * many tables the leaves that straddle an end need to be split; with those in
 * reserve, they are split, and the rest can't fail.
 */
#ifndef PT_REGION_CHANGE_H
#define PT_REGION_CHANGE_H

struct change_work {
	struct pt_table *table;
	struct reserve reserve;
	struct pt_batch *batch;
	uint64_t from, to;
	arch_entry bits[ARCH_LEVELS]; /* protect: of a leaf, by level */
	bool unmap;
	bool breaking; /* protect: the pass that invalidates what must be broken */
	bool broke;
	pt_leaf_visitor removed; /* unmap: is told of each leaf; may be NULL */
	void *context;
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
	const arch_entry *entries = reserve_take(&work->reserve, level + 1, work->table->hole,
	                                         &frame);

	for (size_t i = 0; i < entry_count(level + 1); i++) {
		const uint64_t at = start + i * span;
		const uint64_t end = at + span - 1;
		const bool outside = end < work->from || at > work->to;
		arch_entry entry = arch_leaf(paddr + i * span, bits);

		entry = leaf_used_as(entry, leaf);
		if (!outside && (at < work->from || end > work->to))
			entry = split_leaf(work, entry, level + 1, at);
		entry_store(work->table->platform, &entries[i], entry);
	}
	return arch_table(frame);
}

/* Gives every leaf below `entry`, a table that isn't linked, the bits of `uses` too. */
static void add_uses(const struct pt_table *table, arch_entry entry, unsigned level,
                     arch_entry uses)
{
	const arch_entry *entries = table_at(table->platform, arch_table_paddr(entry));

	for (size_t i = 0; i < entry_count(level + 1); i++) {
		const arch_entry below = entry_load(&entries[i]);

		if (arch_is_table(below, level + 1))
			add_uses(table, below, level + 1, uses);
		else
			entry_store(table->platform, &entries[i], below | uses);
	}
}

/* Splits the live leaf in `slot` until the work's range is made of whole leaves. */
static void split_live(struct change_work *work, const arch_entry *slot, unsigned level,
                       uint64_t start)
{
	struct pt_table *owner = work->table;
	const arch_entry leaf = entry_load(slot);
	const arch_entry table = split_leaf(work, leaf, level, start);
	arch_entry now = leaf;

	if (ARCH_BREAKS_TO_RESIZE && (ARCH_CACHES_INVALID || arch_is_valid(leaf))) {
		now = leaf_replace(owner->platform, slot, leaf, empty_entry(owner->hole, level),
		                   false);
		flush_now(owner, start);
		/* unreached: CPUs that need this record nothing; see test_lib_accessed.c */
		if (now != leaf)
			add_uses(owner, table, level, now & use_bits());
		entry_store(owner->platform, slot, table);
	} else if (!leaf_may_gain(leaf)) {
		entry_store(owner->platform, slot, table);
	} else {
		watch_storing(owner->platform, slot);
		while (!entry_swap(owner->platform, slot, &now, table))
			add_uses(owner, table, level, now & use_bits());
	}
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

	/* unreached: a plan has seen to it, but not in destroy(); see test_lib_malformed.c */
	if (!entries)
		return; /* not memory: no table of ours */
	for (size_t i = 0; level + 1 < ARCH_LAST_LEVEL &&
	                   (i = next_filled(entries, level + 1, i, hole)) < entry_count(level + 1);
	     i++) {
		const arch_entry below = entry_load(&entries[i]);

		if (entry_kind(below, level + 1, hole) == PT_ENTRY_TABLE)
			free_tables_later(table, below, level + 1, hole, batch);
	}
	free_later(batch, frame);
}

#ifndef ARCH_NEVER_BREAKS
_Static_assert(ARCH_BREAKS_TO_RESIZE,
               "A leaf that must break to become another must break to change its size.");
#endif

/* Gives the leaf in `slot` its new flags; see `breaking`. */
ALWAYS_INLINE void protect_leaf(struct change_work *work, const arch_entry *slot, unsigned level,
                                uint64_t start)
{
	const arch_entry before = entry_load(slot);
	const uint64_t paddr = arch_leaf_paddr(before, level);
	const arch_entry after = arch_leaf(paddr, work->bits[level]);

	if (work->breaking) {
		if (!arch_must_break(before, after))
			return;
		/* a no-access leaf keeps the address, and the uses, for the second pass */
		leaf_replace(work->table->platform, slot, before,
		             arch_leaf(paddr, arch_leaf_bits(0, level)), true);
		flush_later(work->batch, start);
		work->broke = true;
		return;
	}
	if (same_leaf(before, after))
		return;
	leaf_replace(work->table->platform, slot, before, after, true);
	flush_leaf(work->batch, before, level, start);
}

/* Takes the leaf `entry` out of `slot`, and tells of it. */
static void remove_leaf(struct change_work *work, const arch_entry *slot, arch_entry entry,
                        unsigned level, uint64_t start)
{
	struct pt_mapping leaf;

	entry = leaf_replace(work->table->platform, slot, entry,
	                     empty_entry(work->table->hole, level), false);
	leaf = leaf_mapping(entry, level, start, ~(arch_rights)0);
	work->removed(work->context, &leaf);
}

/*
 * Before a table is unlinked: each leaf below is taken out by itself. In the tables
 * that wait, a CPU that is on its way could still record what nobody would read.
 */
static void remove_leaves(struct change_work *work, arch_entry table, unsigned level,
                          uint64_t start)
{
	const arch_entry *entries = table_at(work->table->platform, arch_table_paddr(table));

	/* unreached: a plan has seen to it, but where damage makes a table its own */
	for (size_t i = 0; entries && i < entry_count(level + 1);
	     i++, start += arch_span(level + 1)) {
		const arch_entry entry = entry_load(&entries[i]);

		if (arch_is_table(entry, level + 1))
			remove_leaves(work, entry, level + 1, start);
		else
			remove_leaf(work, &entries[i], entry, level + 1, start);
	}
}

static void unmap_slot(struct change_work *work, const arch_entry *slot, unsigned level,
                       uint64_t start)
{
	const arch_entry entry = entry_load(slot);

	if (!arch_is_table(entry, level)) {
		if (work->removed)
			remove_leaf(work, slot, entry, level, start);
		else
			entry_store(work->table->platform, slot,
			            empty_entry(work->table->hole, level));
		flush_leaf(work->batch, entry, level, start);
		return;
	}
	if (work->removed)
		remove_leaves(work, entry, level, start);
	entry_store(work->table->platform, slot, empty_entry(work->table->hole, level));
	/* a whole table of leaves is more than a batch has addresses for */
	work->batch->all = true;
	free_tables_later(work->table, entry, level, work->table->hole, work->batch);
}

static void commit_change(struct change_work *work, const arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to);

/* Carries out the work on [from, to], all of it below one slot that isn't empty. */
static void change_slot(struct change_work *work, const arch_entry *slot, unsigned level,
                        uint64_t from, uint64_t to)
{
	const struct pt_platform *platform = work->table->platform;
	const uint64_t start = from & ~(arch_span(level) - 1);
	const bool whole = to - from == arch_span(level) - 1;
	const bool is_table = arch_is_table(entry_load(slot), level);
	const arch_entry *below;
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
	/* unreached: `below` is no memory, as in commit_change() */
	if (below && work->unmap && table_is_empty(below, level + 1, work->table->hole)) {
		entry_store(platform, slot, empty_entry(work->table->hole, level));
		free_later(work->batch, frame);
		flush_unlinked(work->batch, from);
	}
}

/* commit_change() in the last level, where nothing is split. */
static void change_pages(struct change_work *work, const arch_entry *entries, uint64_t from,
                         uint64_t to)
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

/*
 * Carries out the work on [from, to] of one table. `entries` is NULL where damage has
 * put one table in two places: what the plan saw here has since been changed there.
 */
static void commit_change(struct change_work *work, const arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to)
{
	const arch_entry empty = empty_entry(work->table->hole, level);
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	/* unreached: the corpus has no such damage */
	if (!entries)
		return;
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
static pt_status prepare_change(struct change_work *work, uint64_t vaddr, uint64_t size,
                                const struct pt_batch *batch)
{
	struct pt_table *table = work->table;
	const uint64_t last = vaddr + size - 1;
	struct change_plan plan = {.table = table, .batch = batch};
	pt_status status;

	if (region_touches_borrowed(table, vaddr, last) ||
	    region_takes_lent(table, vaddr, last, work->unmap))
		return PT_BORROWED;
	status = plan_change(&plan, table_at(table->platform, table->root.value), 0, vaddr, last);
	if (status == PT_OK && range_mixes_levels(table, &plan.met, vaddr, last))
		status = PT_MALFORMED;
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
                                 pt_leaf_visitor removed, void *context, struct pt_batch *batch)
{
	struct change_work work = {
		.table = table, .unmap = true, .removed = removed, .context = context};
	struct pending pending;
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	status = prepare_change(&work, vaddr.value, size, batch);
	if (status != PT_OK)
		return status;
	pending_open(&pending, table, batch);
	work.batch = pending.batch;
	commit_change(&work, table_at(table->platform, table->root.value), 0, work.from, work.to);
	reserve_release(&work.reserve); /* as in map_layout() */
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_protect_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                                   pt_flags flags, struct pt_batch *batch)
{
	struct change_work work = {.table = table};
	const arch_entry *root = table_at(table->platform, table->root.value);
	struct pending pending;
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	if (!flags_are_good(flags))
		return PT_BAD_FLAGS;
	status = prepare_change(&work, vaddr.value, size, batch);
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
	reserve_release(&work.reserve); /* as in map_layout() */
	pending_close(&pending);
	return PT_OK;
}

#endif
