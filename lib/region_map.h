/* SPDX-License-Identifier: MIT */
/*
 * map_region: a first pass over the range says why not, or how many tables are
 * missing; with those in reserve, a second pass can't fail.
 */
#ifndef PT_REGION_MAP_H
#define PT_REGION_MAP_H

/* What is to be mapped where; constant during the call. */
struct layout {
	struct pt_table *table;
	uint64_t vaddr;
	uint64_t last;         /* byte of the range */
	uint64_t paddr;        /* linear: of vaddr */
	pt_page_source source; /* NULL: linear */
	void *context;
	pt_flags flags;
	bool allow_huge;
	pt_paddr hole;
};

static inline uint64_t layout_page(const struct layout *layout, uint64_t vaddr)
{
	if (layout->source)
		return layout->source(layout->context, pt_va(vaddr)).value;
	return layout->paddr + (vaddr - layout->vaddr);
}

/* Whether one leaf of `level` at `start` maps what all the pages under it ask for. */
static bool layout_is_contiguous(const struct layout *layout, uint64_t start, unsigned level)
{
	const uint64_t first = layout_page(layout, start);

	if (first & (arch_span(level) - 1))
		return false;
	if (!layout->source)
		return true;
	for (uint64_t offset = granule(); offset < arch_span(level); offset += granule()) {
		if (layout_page(layout, start + offset) != first + offset)
			return false;
	}
	return true;
}

/* The pure decision: whether the slot of `level`, not the last, at `start` gets a leaf, or a table. */
static inline bool layout_wants_leaf(const struct layout *layout, uint64_t start, unsigned level)
{
	return layout->allow_huge && arch_levels[level].leaf && start >= layout->vaddr &&
	       layout->last - start >= arch_span(level) - 1 &&
	       layout_is_contiguous(layout, start, level);
}

struct map_plan {
	const struct layout *layout;
	const struct pt_batch *batch; /* that the call is given; NULL: none */
	pt_status status;             /* of the first leaf that can't be made */
	size_t tables;                /* missing */
	struct met met;
};

static inline void plan_refuses(struct map_plan *plan, pt_status status)
{
	if (plan->status == PT_OK)
		plan->status = status;
}

/* plan_map() in the last level. */
static pt_status plan_pages(struct map_plan *plan, const arch_entry *entries, uint64_t from,
                            uint64_t to)
{
	const size_t last = index_of(to, ARCH_LAST_LEVEL);

	for (size_t i = index_of(from, ARCH_LAST_LEVEL); i <= last; i++) {
		const arch_entry entry = entry_load(&entries[i]);

		if (entry == 0)
			continue;
		if (!arch_is_leaf(entry, ARCH_LAST_LEVEL))
			return PT_MALFORMED;
		plan_refuses(plan, PT_ALREADY_MAPPED);
	}
	return PT_OK;
}

/*
 * Plans [from, to], which lies in one table of `level`; `entries` is NULL where
 * that table doesn't exist yet.
 */
static pt_status plan_map(struct map_plan *plan, const arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to)
{
	const struct layout *layout = plan->layout;
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	if (entries)
		note_met(&plan->met, entries, level);
	if (level >= ARCH_LAST_LEVEL)
		return entries ? plan_pages(plan, entries, from, to) : PT_OK;
	for (size_t i = index_of(from, level); i <= index_of(to, level); i++, start += span) {
		const arch_entry entry = entries ? entry_load(&entries[i])
		                                 : empty_entry(layout->hole, level);
		const enum pt_entry_kind kind = entry_kind(entry, level, layout->hole);
		const arch_entry *below = NULL;
		pt_status status;

		if (kind == PT_ENTRY_MALFORMED)
			return PT_MALFORMED;
		if (layout_wants_leaf(layout, start, level)) {
			if (kind != PT_ENTRY_EMPTY)
				plan_refuses(plan, PT_ALREADY_MAPPED);
		} else if (kind == PT_ENTRY_LEAF) {
			plan_refuses(plan, PT_MAPPED_TO_HUGE_PAGE);
		} else {
			if (kind == PT_ENTRY_EMPTY) {
				plan->tables++;
			} else {
				below = table_at(layout->table->platform, arch_table_paddr(entry));
				if (!below || !table_is_open(entry) ||
				    table_waits(plan->batch, below))
					return PT_MALFORMED;
			}
			status = plan_map(plan, below, level + 1, later(start, from),
			                  earlier(start + span - 1, to));
			if (status != PT_OK)
				return status;
		}
	}
	return PT_OK;
}

struct map_work {
	const struct layout *layout;
	struct reserve reserve;
	struct pt_batch *batch;
	arch_entry bits[ARCH_LEVELS]; /* of a leaf, by level */
};

static void commit_map(struct map_work *work, const arch_entry *entries, unsigned level,
                       uint64_t from, uint64_t to, bool live);

/* One slot that gets a table: it is filled first and linked last. */
static void commit_below(struct map_work *work, const arch_entry *slot, unsigned level,
                         uint64_t from, uint64_t to, bool live)
{
	const struct pt_platform *platform = work->layout->table->platform;
	const arch_entry entry = entry_load(slot);
	const arch_entry *entries;
	uint64_t frame;

	if (entry != empty_entry(work->layout->hole, level)) {
		commit_map(work, table_at(platform, arch_table_paddr(entry)), level + 1, from, to,
		           live);
		return;
	}
	entries = reserve_take(&work->reserve, level + 1, work->layout->hole, &frame);
	commit_map(work, entries, level + 1, from, to, false);
	entry_store(platform, slot, arch_table(frame));
	if (live)
		flush_linked(work->batch);
}

/* commit_map() in the last level. */
static void commit_pages(struct map_work *work, const arch_entry *entries, uint64_t from,
                         uint64_t to)
{
	const struct layout *layout = work->layout;
	const struct pt_platform *platform = layout->table->platform;
	const arch_entry bits = work->bits[ARCH_LAST_LEVEL];
	const size_t last = index_of(to, ARCH_LAST_LEVEL);
	uint64_t vaddr = from;

	for (size_t i = index_of(from, ARCH_LAST_LEVEL); i <= last; i++, vaddr += granule()) {
		entry_store(platform, &entries[i], arch_leaf(layout_page(layout, vaddr), bits));
		flush_leaf(work->batch, 0, ARCH_LAST_LEVEL, vaddr);
	}
}

/* Fills [from, to] of one table; `live`: the CPU can reach it. */
static void commit_map(struct map_work *work, const arch_entry *entries, unsigned level,
                       uint64_t from, uint64_t to, bool live)
{
	const struct layout *layout = work->layout;
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	/* unreached: a plan has seen memory there, and a table at two levels was refused */
	if (!entries)
		return;
	if (level >= ARCH_LAST_LEVEL) {
		commit_pages(work, entries, from, to);
		return;
	}
	for (size_t i = index_of(from, level); i <= index_of(to, level); i++, start += span) {
		if (layout_wants_leaf(layout, start, level)) {
			entry_store(layout->table->platform, &entries[i],
			            arch_leaf(layout_page(layout, start), work->bits[level]));
			/* what the CPU remembers of the hole, it does under a new table too */
			flush_leaf(work->batch, 0, level, start);
		} else {
			commit_below(work, &entries[i], level, later(start, from),
			             earlier(start + span - 1, to), live);
		}
	}
}

static pt_status map_layout(const struct layout *layout, struct pt_batch *batch)
{
	struct pt_table *table = layout->table;
	const arch_entry *root = table_at(table->platform, table->root.value);
	struct map_plan plan = {.layout = layout, .batch = batch};
	struct map_work work = {.layout = layout, .reserve = {table->platform, 0}};
	struct pending pending;
	pt_status status;

	if (!flags_are_good(layout->flags))
		return PT_BAD_FLAGS;
	if (region_touches_borrowed(table, layout->vaddr, layout->last))
		return PT_BORROWED;
	status = plan_map(&plan, root, 0, layout->vaddr, layout->last);
	if (status == PT_OK && range_mixes_levels(table, &plan.met, layout->vaddr, layout->last))
		status = PT_MALFORMED;
	if (status == PT_OK)
		status = plan.status;
	if (status != PT_OK)
		return status;
	if (!reserve_fill(&work.reserve, plan.tables))
		return PT_NO_MEMORY;

	for (unsigned level = 0; level < ARCH_LEVELS; level++)
		work.bits[level] = arch_leaf_bits(layout->flags, level);
	pending_open(&pending, table, batch);
	work.batch = pending.batch;
	flush_before_make(work.batch, layout->vaddr, layout->last);
	commit_map(&work, root, 0, layout->vaddr, layout->last, true);
	reserve_release(&work.reserve); /* some, where damage has put one table in two slots */
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_map_region(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr,
                               uint64_t size, pt_flags flags, bool allow_huge,
                               struct pt_batch *batch)
{
	const struct layout layout = {
		.table = table,
		.vaddr = vaddr.value,
		.last = vaddr.value + size - 1,
		.paddr = paddr.value,
		.flags = flags,
		.allow_huge = allow_huge,
		.hole = table->hole,
	};
	const pt_status status = check_region(table, vaddr.value, size);

	if (status == PT_BAD_SIZE)
		return status;
	if (!range_is_physical(paddr.value, paddr.value + size - 1))
		return PT_BAD_ADDRESS;
	if (status != PT_OK)
		return status;
	if (paddr.value & (granule() - 1))
		return PT_NOT_ALIGNED;
	return map_layout(&layout, batch);
}

static pt_status op_map_region_with(struct pt_table *table, pt_vaddr vaddr, pt_page_source source,
                                    void *context, uint64_t size, pt_flags flags, bool allow_huge,
                                    struct pt_batch *batch)
{
	const struct layout layout = {
		.table = table,
		.vaddr = vaddr.value,
		.last = vaddr.value + size - 1,
		.source = source,
		.context = context,
		.flags = flags,
		.allow_huge = allow_huge,
		.hole = table->hole,
	};
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	for (uint64_t offset = 0; offset < size; offset += granule()) {
		const uint64_t page = layout_page(&layout, vaddr.value + offset);

		if (!range_is_physical(page, page))
			return PT_BAD_ADDRESS;
		if (page & (granule() - 1))
			status = PT_NOT_ALIGNED;
	}
	return status != PT_OK ? status : map_layout(&layout, batch);
}

#endif
