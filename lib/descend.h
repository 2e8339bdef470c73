/* SPDX-License-Identifier: MIT */
/* From an address to its slot, and the checks that come before any change. */
#ifndef PT_DESCEND_H
#define PT_DESCEND_H

/* Whether [vaddr, last] lies in one canonical range of the table's half. */
static inline bool range_is_canonical(const struct pt_table *table, uint64_t vaddr, uint64_t last)
{
	const uint64_t low = 1ull << ARCH_RANGE_BITS;

	if (last < vaddr)
		return false;
	if (last < low)
		return table->half != PT_HIGH;
	return vaddr >= 0 - low && table->half != PT_LOW;
}

static inline uint64_t canonical(const struct pt_table *table, uint64_t vaddr)
{
	const uint64_t above = ~0ull << ARCH_RANGE_BITS;

	if (table->half == PT_HIGH || (table->half == PT_WHOLE && (vaddr >> ARCH_RANGE_BITS & 1)))
		return vaddr | above;
	return vaddr;
}

/* Whether [paddr, last] fits the architecture. */
static inline bool range_is_physical(uint64_t paddr, uint64_t last)
{
	return last >= paddr && last >> ARCH_PADDR_BITS == 0;
}

static inline bool flags_are_good(pt_flags flags)
{
	const pt_flags both = PT_DEVICE | PT_UNCACHED;

	return (flags & ~PT_FLAGS_ALL) == 0 && (flags & both) != both && arch_expresses(flags);
}

static inline bool slot_is_borrowed(const struct pt_table *table, size_t root_index)
{
	return table->owner && (table->borrowed[root_index / 64] >> root_index % 64 & 1);
}

static bool slot_is_lent(const struct pt_table *table, size_t root_index)
{
	for (const struct pt_table *b = table->borrowers; b; b = b->next_borrower) {
		if (slot_is_borrowed(b, root_index))
			return true;
	}
	return false;
}

/* The hole of the table that made what lies below a root slot. */
static inline pt_paddr hole_below(const struct pt_table *table, size_t root_index)
{
	if (ARCH_HAS_HOLE_FRAME && slot_is_borrowed(table, root_index))
		return table->owner->hole;
	return table->hole;
}

/* The entry that decides about an address, and the tables on the way to it. */
struct place {
	const arch_entry *tables[ARCH_LEVELS]; /* down to `level` */
	const arch_entry *slot;
	arch_entry entry; /* in the slot */
	unsigned level;
	enum pt_entry_kind kind; /* never PT_ENTRY_TABLE, unless at the level asked for */
	arch_rights rights;      /* that the tables on the way leave */
	pt_paddr hole;
};

/* Down to `deepest`, or to the first entry that is no table. */
ALWAYS_INLINE void descend(const struct pt_table *table, uint64_t vaddr, unsigned deepest,
                           struct place *place)
{
	const struct window window = window_of(table->platform);
	const arch_entry *entries = table_in(&window, table->root.value);

	place->hole = hole_below(table, index_of(vaddr, 0));
	place->rights = ~(arch_rights)0;
	/* the bound is for the compiler, which unrolls */
	UNROLLED
	for (unsigned level = 0; level < ARCH_LEVELS; level++) { /* unreached: deeper ones */
		const arch_entry *slot = &entries[index_of(vaddr, level)];
		const arch_entry entry = entry_load(slot);

		place->tables[level] = entries;
		if (level == deepest || !entry_is_table(entry, level, place->hole)) {
			place->slot = slot;
			place->entry = entry;
			place->level = level;
			place->kind = entry_kind(entry, level, place->hole);
			return;
		}
		place->rights = arch_rights_below(place->rights, entry);
		entries = table_in(&window, arch_table_paddr(entry));
		if (!entries) {
			place->level = level;
			place->kind = PT_ENTRY_MALFORMED;
			return;
		}
	}
}

/* Whether a change can't be made there: something on the way is malformed, or takes rights away. */
static inline bool place_is_malformed(const struct place *place)
{
	return place->kind == PT_ENTRY_MALFORMED || !arch_rights_are_whole(place->rights);
}

/* The largest level number with leaves of `size`; ARCH_LEVELS: none. */
static inline unsigned level_of_size(uint64_t size)
{
	for (unsigned level = 0; level < ARCH_LEVELS; level++) {
		if (arch_levels[level].leaf && arch_span(level) == size)
			return level;
	}
	return ARCH_LEVELS;
}

/* Checks of region calls that need no table. */
static pt_status check_region(const struct pt_table *table, uint64_t vaddr, uint64_t size)
{
	if (size == 0)
		return PT_BAD_SIZE;
	if (!range_is_canonical(table, vaddr, vaddr + size - 1))
		return PT_BAD_ADDRESS;
	if ((vaddr | size) & (granule() - 1))
		return PT_NOT_ALIGNED;
	return PT_OK;
}

static bool region_touches_borrowed(const struct pt_table *table, uint64_t vaddr, uint64_t last)
{
	if (!table->owner)
		return false;
	for (size_t i = index_of(vaddr, 0); i <= index_of(last, 0); i++) {
		if (slot_is_borrowed(table, i))
			return true;
	}
	return false;
}

#endif
