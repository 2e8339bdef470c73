/* SPDX-License-Identifier: MIT */
/* The pass over a range that says why it can't be changed, or what the change needs. */
#ifndef PT_REGION_PLAN_H
#define PT_REGION_PLAN_H

struct change_plan {
	struct pt_table *table;
	const struct pt_batch *batch; /* that the call is given; NULL: none */
	bool has_hole;
	size_t tables; /* that the splits need */
	struct met met;
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

	note_met(&plan->met, entries, level);
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

			if (!below || !table_is_open(entry) || table_waits(plan->batch, below))
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

#endif
