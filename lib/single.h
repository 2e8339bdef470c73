/* SPDX-License-Identifier: MIT */
/* The calls on one leaf: map, unmap, protect, remap, query. */
#ifndef PT_SINGLE_H
#define PT_SINGLE_H

/* Why `place` can't take a new leaf of `level`; PT_OK: it can. */
static inline pt_status refuse_leaf(const struct place *place, unsigned level)
{
	if (place_is_malformed(place))
		return PT_MALFORMED;
	if (place->kind == PT_ENTRY_EMPTY)
		return PT_OK;
	return place->level < level ? PT_MAPPED_TO_HUGE_PAGE : PT_ALREADY_MAPPED;
}

/* Builds the missing tables around a leaf, deepest first, and links them with one store. */
static void link_leaf(struct pt_table *table, struct reserve *reserve, const struct place *place,
                      uint64_t vaddr, unsigned level, arch_entry leaf)
{
	arch_entry entry = leaf;

	for (unsigned l = level; l > place->level; l--) {
		uint64_t frame;
		const arch_entry *entries = reserve_take(reserve, l, place->hole, &frame);

		entry_store(table->platform, &entries[index_of(vaddr, l)], entry);
		entry = arch_table(frame);
	}
	entry_store(table->platform, place->slot, entry);
}

/* Whether the way to `place` leads through a table that waits; see table_waits(). */
static inline bool place_waits(const struct place *place, const struct pt_batch *batch)
{
	for (unsigned level = 1; batch && level <= place->level; level++) {
		if (table_waits(batch, place->tables[level]))
			return true;
	}
	return false;
}

/* map, once the arguments are known to be good; `level` is a constant where it matters. */
ALWAYS_INLINE pt_status map_leaf(struct pt_table *table, uint64_t va, unsigned level,
                                 arch_entry leaf, struct pt_batch *batch)
{
	struct reserve reserve = {table->platform, 0};
	struct pending pending;
	struct place place;
	pt_status status;

	descend(table, va, level, &place);
	status = refuse_leaf(&place, level);
	if (status != PT_OK)
		return status;
	if (place_waits(&place, batch))
		return PT_MALFORMED;
	if (place.level < level && !reserve_fill(&reserve, level - place.level))
		return PT_NO_MEMORY;

	pending_open(&pending, table, batch);
	flush_before_make(pending.batch, va, va + arch_span(level) - 1);
	if (place.level < level) {
		link_leaf(table, &reserve, &place, va, level, leaf);
		flush_linked(pending.batch);
	} else {
		entry_store(table->platform, place.slot, leaf);
	}
	flush_leaf(pending.batch, 0, level, va);
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_map(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, uint64_t size,
                        pt_flags flags, struct pt_batch *batch)
{
	const unsigned level = size == granule() ? ARCH_LAST_LEVEL : level_of_size(size);
	const uint64_t va = vaddr.value;

	if (level == ARCH_LEVELS)
		return PT_BAD_SIZE;
	if (!range_is_canonical(table, va, va + size - 1) ||
	    !range_is_physical(paddr.value, paddr.value + size - 1))
		return PT_BAD_ADDRESS;
	if ((va | paddr.value) & (size - 1))
		return PT_NOT_ALIGNED;
	if (!flags_are_good(flags))
		return PT_BAD_FLAGS;
	if (slot_is_borrowed(table, index_of(va, 0)))
		return PT_BORROWED;
	if (level == ARCH_LAST_LEVEL)
		return map_leaf(table, va, ARCH_LAST_LEVEL,
		                arch_leaf(paddr.value, arch_leaf_bits(flags, ARCH_LAST_LEVEL)),
		                batch);
	return map_leaf(table, va, level, arch_leaf(paddr.value, arch_leaf_bits(flags, level)),
	                batch);
}

/* After a slot of `place` was emptied: unlinks each table that thereby became empty. */
static void unlink_empty_tables(struct pt_table *table, struct place *place, uint64_t vaddr,
                                struct pt_batch *batch)
{
	while (place->level > 0 &&
	       table_is_empty_beside(place->tables[place->level], place->level,
	                             index_of(vaddr, place->level), place->hole)) {
		const arch_entry *slot;
		arch_entry entry;
		uint64_t frame;

		place->level--;
		slot = &place->tables[place->level][index_of(vaddr, place->level)];
		entry = entry_load(slot);
		if (!entry_is_table(entry, place->level, place->hole))
			return; /* damage has put one table in two places: it is unlinked */
		frame = arch_table_paddr(entry);
		entry_store(table->platform, slot, empty_entry(place->hole, place->level));
		free_later(batch, frame);
		flush_unlinked(batch, vaddr);
	}
}

/* Whether the root entry goes when the leaf at `place` does. */
static bool root_entry_goes(const struct place *place, uint64_t vaddr)
{
	for (unsigned level = place->level; level > 0; level--) {
		const arch_entry empty = empty_entry(place->hole, level);

		for (size_t i = 0; i < entry_count(level); i++) {
			if (i != index_of(vaddr, level) &&
			    entry_load(&place->tables[level][i]) != empty)
				return false;
		}
	}
	return true;
}

/*
 * The leaf that starts at `vaddr`, for a call that changes it: its place, or why
 * not. `paddr` and `good_flags` are the call's own arguments, judged in the order
 * of the contract.
 */
static inline pt_status find_leaf(const struct pt_table *table, uint64_t vaddr, bool good_flags,
                                  uint64_t paddr, const struct pt_batch *batch, struct place *place)
{
	if (!range_is_canonical(table, vaddr, vaddr) || !range_is_physical(paddr, paddr))
		return PT_BAD_ADDRESS;
	if ((vaddr | paddr) & (granule() - 1))
		return PT_NOT_ALIGNED;
	descend(table, vaddr, ARCH_LAST_LEVEL, place);
	if (place->kind == PT_ENTRY_LEAF && ((vaddr | paddr) & (arch_span(place->level) - 1)))
		return PT_NOT_ALIGNED;
	if (!good_flags)
		return PT_BAD_FLAGS;
	if (slot_is_borrowed(table, index_of(vaddr, 0)))
		return PT_BORROWED;
	if (table->borrowers && place->level == 0 && place->kind == PT_ENTRY_LEAF &&
	    slot_is_lent(table, index_of(vaddr, 0)))
		return PT_BORROWED;
	if (place_is_malformed(place) || place_waits(place, batch))
		return PT_MALFORMED;
	return place->kind == PT_ENTRY_LEAF ? PT_OK : PT_NOT_MAPPED;
}

static inline struct pt_mapping leaf_mapping(arch_entry entry, unsigned level, uint64_t start,
                                             arch_rights rights)
{
	return (struct pt_mapping){
		.vaddr = pt_va(start),
		.paddr = pt_pa(arch_leaf_paddr(entry, level)),
		.size = arch_span(level),
		.flags = arch_leaf_flags(entry, level, rights),
		.accessed = (entry & ARCH_ACCESSED) != 0,
		.dirty = (entry & ARCH_DIRTY) != 0,
	};
}

static pt_status op_unmap(struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *removed,
                          struct pt_batch *batch)
{
	const uint64_t va = vaddr.value;
	struct pending pending;
	struct place place;
	const pt_status status = find_leaf(table, va, true, 0, batch, &place);

	if (status != PT_OK)
		return status;
	if (table->borrowers && slot_is_lent(table, index_of(va, 0)) && root_entry_goes(&place, va))
		return PT_BORROWED;

	pending_open(&pending, table, batch);
	if (removed) {
		place.entry = leaf_replace(table->platform, place.slot, place.entry,
		                           empty_entry(place.hole, place.level), false);
		*removed = leaf_mapping(place.entry, place.level, va, place.rights);
	} else {
		entry_store(table->platform, place.slot, empty_entry(place.hole, place.level));
	}
	flush_leaf(pending.batch, place.entry, place.level, va);
	unlink_empty_tables(table, &place, va, pending.batch);
	pending_close(&pending);
	return PT_OK;
}

/*
 * Puts `after` where `place` has a leaf of the same size, broken before made where it
 * must be. The entry of `place` becomes what was replaced. A leaf that leads where it
 * led stays as accessed and dirty as it was.
 */
static inline void replace_leaf(struct pt_table *table, struct place *place, uint64_t va,
                                arch_entry after, struct pt_batch *batch)
{
	const struct pt_platform *platform = table->platform;
	const bool keeps = arch_leaf_paddr(place->entry, place->level) ==
	                   arch_leaf_paddr(after, place->level);

	if (same_leaf(place->entry, after))
		return;
	/* what the slot held before it was made invalid may still wait for its flush */
	if (!arch_is_valid(place->entry))
		flush_before_make(batch, va, va + arch_span(place->level) - 1);
	if (arch_must_break(place->entry, after)) {
		place->entry = leaf_replace(platform, place->slot, place->entry,
		                            empty_entry(place->hole, place->level), false);
		flush_now(table, va);
		entry_store(platform, place->slot,
		            keeps ? leaf_used_as(after, place->entry) : after);
	} else {
		place->entry = leaf_replace(platform, place->slot, place->entry, after, keeps);
	}
	if (!arch_must_break(place->entry, after))
		flush_leaf(batch, place->entry, place->level, va);
}

static pt_status op_protect(struct pt_table *table, pt_vaddr vaddr, pt_flags flags,
                            struct pt_mapping *replaced, struct pt_batch *batch)
{
	struct pending pending;
	struct place place;
	const pt_status status = find_leaf(table, vaddr.value, flags_are_good(flags), 0, batch,
	                                   &place);

	if (status != PT_OK)
		return status;
	pending_open(&pending, table, batch);
	replace_leaf(table, &place, vaddr.value,
	             arch_leaf(arch_leaf_paddr(place.entry, place.level),
	                       arch_leaf_bits(flags, place.level)),
	             pending.batch);
	if (replaced) /* unreached: programs always ask; see test_lib_single.c */
		*replaced = leaf_mapping(place.entry, place.level, vaddr.value, place.rights);
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_remap(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, pt_flags flags,
                          struct pt_mapping *replaced, struct pt_batch *batch)
{
	struct pending pending;
	struct place place;
	const pt_status status = find_leaf(table, vaddr.value, flags_are_good(flags), paddr.value,
	                                   batch, &place);

	if (status != PT_OK)
		return status;
	pending_open(&pending, table, batch);
	replace_leaf(table, &place, vaddr.value,
	             arch_leaf(paddr.value, arch_leaf_bits(flags, place.level)), pending.batch);
	if (replaced) /* unreached: programs always ask; see test_lib_single.c */
		*replaced = leaf_mapping(place.entry, place.level, vaddr.value, place.rights);
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_query(const struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *mapping)
{
	const uint64_t va = vaddr.value;
	struct place place;

	if (!range_is_canonical(table, va, va))
		return PT_BAD_ADDRESS;
	descend(table, va, ARCH_LAST_LEVEL, &place);
	if (place.kind == PT_ENTRY_EMPTY)
		return PT_NOT_MAPPED;
	if (place.kind != PT_ENTRY_LEAF)
		return PT_MALFORMED;
	*mapping = leaf_mapping(place.entry, place.level, va, place.rights);
	mapping->paddr.value += va & (arch_span(place.level) - 1);
	return PT_OK;
}

#endif
