/* SPDX-License-Identifier: MIT */
/* What CPUs recorded in the leaves of a range: told, and cleared. */
#ifndef PT_HARVEST_H
#define PT_HARVEST_H

struct harvest {
	struct pt_table *table;
	struct pt_batch *batch;
	arch_entry bits; /* to clear */
	pt_leaf_visitor visit;
	void *context;
};

/* A CPU that remembers the leaf with its bits set would not set them again: hence the flush. */
static void harvest_leaf(const struct harvest *harvest, const arch_entry *slot, unsigned level,
                         uint64_t start)
{
	struct pt_mapping leaf;
	arch_entry entry = entry_load(slot);

	if (!(entry & harvest->bits))
		return;
	entry = entry_clear(harvest->table->platform, slot, harvest->bits);
	if (arch_is_valid(entry))
		flush_later(harvest->batch, start);
	if (!harvest->visit)
		return;
	leaf = leaf_mapping(entry, level, start, ~(arch_rights)0);
	harvest->visit(harvest->context, &leaf);
}

/* harvest_table() in the last level. */
static void harvest_pages(const struct harvest *harvest, const arch_entry *entries, uint64_t from,
                          uint64_t to)
{
	const size_t last = index_of(to, ARCH_LAST_LEVEL);
	uint64_t vaddr = from;

	for (size_t i = index_of(from, ARCH_LAST_LEVEL); i <= last; i++, vaddr += granule()) {
		if (entry_load(&entries[i]) != 0)
			harvest_leaf(harvest, &entries[i], ARCH_LAST_LEVEL, vaddr);
	}
}

/* Harvests [from, to] of one table, which was found to be well-formed. */
static void harvest_table(const struct harvest *harvest, const arch_entry *entries, unsigned level,
                          uint64_t from, uint64_t to)
{
	const struct pt_table *table = harvest->table;
	const uint64_t span = arch_span(level);
	uint64_t start = from & ~(span - 1);

	if (level >= ARCH_LAST_LEVEL) {
		harvest_pages(harvest, entries, from, to);
		return;
	}
	for (size_t i = index_of(from, level); i <= index_of(to, level); i++, start += span) {
		const arch_entry entry = entry_load(&entries[i]);
		const enum pt_entry_kind kind = entry_kind(entry, level, table->hole);

		if (kind == PT_ENTRY_LEAF)
			harvest_leaf(harvest, &entries[i], level, start);
		else if (kind == PT_ENTRY_TABLE)
			harvest_table(harvest, table_at(table->platform, arch_table_paddr(entry)),
			              level + 1, later(start, from), earlier(start + span - 1, to));
	}
}

static pt_status op_harvest(struct pt_table *table, pt_vaddr vaddr, uint64_t size, pt_uses uses,
                            pt_leaf_visitor visit, void *context, struct pt_batch *batch)
{
	struct harvest harvest = {.table = table, .visit = visit, .context = context};
	const arch_entry *root = table_at(table->platform, table->root.value);
	const uint64_t last = vaddr.value + size - 1;
	struct change_plan plan = {.table = table, .batch = batch};
	struct pending pending;
	pt_status status = check_region(table, vaddr.value, size);

	if (status != PT_OK)
		return status;
	if (uses == 0 || (uses & ~(pt_uses)ARCH_USES) != 0)
		return PT_BAD_FLAGS;
	if (region_touches_borrowed(table, vaddr.value, last) ||
	    region_takes_lent(table, vaddr.value, last, false))
		return PT_BORROWED;
	status = plan_change(&plan, root, 0, vaddr.value, last);
	if (status != PT_OK)
		return status;

	harvest.bits = (uses & PT_ACCESSED ? ARCH_ACCESSED : 0) |
	               (uses & PT_DIRTY ? ARCH_DIRTY : 0);
	pending_open(&pending, table, batch);
	harvest.batch = pending.batch;
	harvest_table(&harvest, root, 0, vaddr.value, last);
	pending_close(&pending);
	return PT_OK;
}

#endif
