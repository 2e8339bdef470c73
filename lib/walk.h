/* SPDX-License-Identifier: MIT */
#ifndef PT_WALK_H
#define PT_WALK_H

struct walker {
	const struct pt_table *table;
	size_t limit;
	pt_visitor pre, post;
	void *context;
};

static struct pt_visit visit_of(const struct pt_table *table, arch_entry entry, unsigned level,
                                size_t index, uint64_t start, pt_paddr hole)
{
	struct pt_visit visit = {
		.level = level,
		.index = index,
		.vaddr = pt_va(canonical(table, start)),
		.entry = entry,
		.kind = entry_kind(entry, level, hole),
	};

	if (visit.kind == PT_ENTRY_LEAF)
		visit.mapping = leaf_mapping(entry, level, visit.vaddr.value, ~(arch_rights)0);
	if (visit.kind == PT_ENTRY_TABLE)
		visit.next = pt_pa(arch_table_paddr(entry));
	return visit;
}

/* The next slot that isn't empty; in a root, empty means what its owner's slots hold. */
static size_t next_to_visit(const struct walker *walker, const arch_entry *entries, unsigned level,
                            size_t index, pt_paddr hole)
{
	if (level > 0 || !ARCH_HAS_HOLE_FRAME)
		return next_filled(entries, level, index, hole);
	while (index < entry_count(0) &&
	       entry_load(&entries[index]) == empty_entry(hole_below(walker->table, index), 0))
		index++;
	return index;
}

/* False: a visitor said stop. */
static bool walk_table(const struct walker *walker, const arch_entry *entries, unsigned level,
                       uint64_t base, pt_paddr hole)
{
	size_t visited = 0;

	for (size_t i = 0;
	     visited < walker->limit &&
	     (i = next_to_visit(walker, entries, level, i, hole)) < entry_count(level);
	     i++) {
		const uint64_t start = base + (uint64_t)i * arch_span(level);
		const uint64_t vaddr = canonical(walker->table, start);
		const arch_entry entry = entry_load(&entries[i]);
		enum pt_walk_next next = PT_WALK_ON;
		const arch_entry *below;
		struct pt_visit visit;

		if (level == 0) {
			/* unreached: nothing fills a slot of the other half; see test_lib_walk.c */
			if (index_of(vaddr, 0) != i ||
			    !range_is_canonical(walker->table, vaddr, vaddr))
				continue; /* no address of this half leads there */
			hole = hole_below(walker->table, i);
		}
		visited++;
		visit = visit_of(walker->table, entry, level, i, start, hole);
		if (walker->pre)
			next = walker->pre(walker->context, &visit);
		if (next == PT_WALK_STOP)
			return false;
		below = visit.kind == PT_ENTRY_TABLE && next == PT_WALK_ON
		                ? table_at(walker->table->platform, visit.next.value)
		                : NULL;
		if (below && !walk_table(walker, below, level + 1, start, hole))
			return false;
		if (walker->post && walker->post(walker->context, &visit) == PT_WALK_STOP)
			return false;
	}
	return true;
}

static void op_walk(const struct pt_table *table, size_t limit, pt_visitor pre, pt_visitor post,
                    void *context)
{
	const struct walker walker = {table, limit, pre, post, context};

	walk_table(&walker, table_at(table->platform, table->root.value), 0, 0, table->hole);
}

#endif
