/* SPDX-License-Identifier: MIT */
/*
 * A table stands at one level. Damage may put one at two, and a region call that met it
 * at both would take for a table what it has stored as a leaf, and follow that anywhere.
 */
#ifndef PT_ONE_LEVEL_H
#define PT_ONE_LEVEL_H

/* The tables that a plan has met: a bit for each, by level; two may have the same. */
struct met {
	uint64_t at[ARCH_LEVELS];
};

static inline void note_met(struct met *met, const arch_entry *entries, unsigned level)
{
	met->at[level] |= 1ull << ((uintptr_t)entries / granule() % 64);
}

/* False: no table was met at two levels. */
static inline bool levels_may_mix(const struct met *met)
{
	uint64_t above = met->at[0];

	for (unsigned level = 1; level < ARCH_LEVELS; level++) {
		if (met->at[level] & above)
			return true;
		above |= met->at[level];
	}
	return false;
}

/* Of the range [from, to], in the table of `level` that is `entries`. */
struct part {
	const struct pt_table *table;
	const arch_entry *entries;
	unsigned level;
	uint64_t from, to;
};

/* The part in the slot at `start`, a table's; false: there is none. */
static bool part_below(const struct part *part, uint64_t start, struct part *below)
{
	const arch_entry entry = entry_load(&part->entries[index_of(start, part->level)]);

	if (entry_kind(entry, part->level, part->table->hole) != PT_ENTRY_TABLE)
		return false;
	*below = (struct part){
		.table = part->table,
		.entries = table_at(part->table->platform, arch_table_paddr(entry)),
		.level = part->level + 1,
		.from = later(start, part->from),
		.to = earlier(start + (arch_span(part->level) - 1), part->to),
	};
	return below->entries != NULL;
}

/* Whether `table` is met as one of a level below `level`. */
static bool is_met_below(const struct part *part, const arch_entry *table, unsigned level)
{
	const uint64_t span = arch_span(part->level);
	const size_t slots = index_of(part->to, part->level) - index_of(part->from, part->level);
	uint64_t start = part->from & ~(span - 1);
	struct part below;

	for (size_t i = 0; i <= slots; i++, start += span) {
		if (!part_below(part, start, &below))
			continue;
		if (below.level > level && below.entries == table)
			return true;
		if (below.level < ARCH_LAST_LEVEL && is_met_below(&below, table, level))
			return true;
	}
	return false;
}

/* Whether one of the tables from `part` on is met at a lower level of the `whole` too. */
static bool levels_mix(const struct part *whole, const struct part *part)
{
	const uint64_t span = arch_span(part->level);
	const size_t slots = index_of(part->to, part->level) - index_of(part->from, part->level);
	uint64_t start = part->from & ~(span - 1);
	struct part below;

	if (is_met_below(whole, part->entries, part->level))
		return true;
	for (size_t i = 0; part->level + 1 < ARCH_LAST_LEVEL && i <= slots; i++, start += span) {
		if (part_below(part, start, &below) && levels_mix(whole, &below))
			return true;
	}
	return false;
}

/* Whether a table on the way to [from, to] stands at two levels; `met`: what a plan met there. */
static bool range_mixes_levels(const struct pt_table *table, const struct met *met, uint64_t from,
                               uint64_t to)
{
	const struct part whole = {
		.table = table,
		.entries = table_at(table->platform, table->root.value),
		.from = from,
		.to = to,
	};

	return levels_may_mix(met) && levels_mix(&whole, &whole);
}

#endif
