/* SPDX-License-Identifier: MIT */
/* A table's life, and root slots that two tables share: create, destroy, copy_from, give_back. */
#ifndef PT_SHARE_H
#define PT_SHARE_H

static inline size_t root_frames(void)
{
	return table_bytes(0) > granule() ? table_bytes(0) / granule() : 1;
}

static bool alloc_root(const struct pt_platform *platform, pt_paddr *root)
{
	if (root_frames() == 1)
		return platform->alloc_frame(platform->context, root);
	return platform->alloc_frames(platform->context, root_frames(), table_bytes(0), root);
}

static void free_root(const struct pt_platform *platform, pt_paddr root)
{
	if (root_frames() == 1)
		platform->free_frame(platform->context, root);
	else
		platform->free_frames(platform->context, root, root_frames());
}

/* LoongArch: the frame from which every address faults; see arch/loongarch64.h. */
static bool make_hole(struct pt_table *table)
{
	const struct pt_platform *platform = table->platform;
	arch_entry *entries;

	if (!platform->alloc_frame(platform->context, &table->hole))
		return false;
	entries = frame_at(platform, table->hole.value);
	/* unreached: programs' frames can be reached; see test_lib_platform.c */
	if (!entries) {
		platform->free_frame(platform->context, table->hole);
		return false;
	}
	for (size_t i = 0; i < granule() / sizeof *entries; i++)
		entries[i] = arch_table(table->hole.value);
	return true;
}

static pt_status op_create(struct pt_table *table)
{
	const struct pt_platform *platform = table->platform;
	arch_entry *entries;

	/* unreached: programs have a platform that lacks nothing; see test_lib_platform.c */
	if (root_frames() > 1 && (!platform->alloc_frames || !platform->free_frames))
		return PT_BAD_FLAGS;
	if (!alloc_root(platform, &table->root))
		return PT_NO_MEMORY;
	entries = frame_at(platform, table->root.value);
	/* unreached: programs' frames can be reached, so that no frame is not memory */
	if (!entries || (ARCH_HAS_HOLE_FRAME && !make_hole(table))) {
		free_root(platform, table->root);
		return PT_NO_MEMORY;
	}
	table_clear(entries, 0, table->hole);
	return PT_OK;
}

static void release_loan(struct pt_table *table, size_t root_index)
{
	table->borrowed[root_index / 64] &= ~(1ull << root_index % 64);
}

static bool has_loans(const struct pt_table *table)
{
	for (size_t i = 0; i < entry_count(0); i += 64) {
		if (table->borrowed[i / 64] != 0)
			return true;
	}
	return false;
}

static void leave_owner(struct pt_table *table)
{
	struct pt_table **link = &table->owner->borrowers;

	/* unreached: programs have one borrower at most; see test_lib_share.c */
	while (*link != table)
		link = &(*link)->next_borrower;
	*link = table->next_borrower;
	table->next_borrower = NULL;
	table->owner = NULL;
}

static void join_owner(struct pt_table *table, struct pt_table *owner)
{
	if (table->owner)
		return;
	table->owner = owner;
	table->next_borrower = owner->borrowers;
	owner->borrowers = table;
}

/* Puts `entry` into a root slot; what was there waits for the flush, or goes back. */
static void replace_root_slot(struct pt_table *table, const arch_entry *root, size_t index,
                              arch_entry entry, struct pt_batch *batch)
{
	const arch_entry before = entry_load(&root[index]);
	const bool borrowed = slot_is_borrowed(table, index);

	if (before != entry) {
		entry_store(table->platform, &root[index], entry);
		batch->all |= ARCH_CACHES_INVALID || before != empty_entry(table->hole, 0);
	}
	if (borrowed)
		release_loan(table, index);
	else if (entry_kind(before, 0, table->hole) == PT_ENTRY_TABLE)
		free_tables_later(table, before, 0, table->hole, batch);
}

static pt_status op_destroy(struct pt_table *table, struct pt_batch *batch)
{
	const struct pt_platform *platform = table->platform;
	const arch_entry *root = table_at(platform, table->root.value);
	struct pending pending;

	if (table->borrowers)
		return PT_BORROWED;
	pending_open(&pending, table, batch);
	for (size_t i = 0; (i = next_filled(root, 0, i, table->hole)) < entry_count(0); i++)
		replace_root_slot(table, root, i, empty_entry(table->hole, 0), pending.batch);
	if (table->owner)
		leave_owner(table);
	if (ARCH_HAS_HOLE_FRAME)
		free_later(pending.batch, table->hole.value);
	if (root_frames() == 1) {
		free_later(pending.batch, table->root.value);
		pending.batch->all = true;
	} else {
		/* a root of several frames can't wait in the batch: nobody has it loaded */
		pt_flush_all(pending.batch);
		free_root(platform, table->root);
	}
	pending_close(&pending);
	return PT_OK;
}

static pt_status check_root_slots(const struct pt_table *table, uint64_t vaddr, uint64_t size)
{
	const pt_status status = check_region(table, vaddr, size);

	if (status != PT_OK)
		return status;
	return (vaddr | size) & (arch_span(0) - 1) ? PT_NOT_ALIGNED : PT_OK;
}

/* Whether an entry, and an address, means the same in both. */
/* unreached: in programs it does; see test_lib_share.c */
static bool are_alike(const struct pt_table *table, const struct pt_table *other)
{
	return table->backend == other->backend && table->platform == other->platform &&
	       table->half == other->half;
}

static pt_status check_copy(const struct pt_table *table, const struct pt_table *other,
                            size_t first, size_t last)
{
	const arch_entry *from = table_at(other->platform, other->root.value);
	const arch_entry *to = table_at(table->platform, table->root.value);
	bool malformed = false;

	for (size_t i = first; i <= last; i++) {
		/* unreached: what one of two tables borrows the other one lends */
		if (slot_is_lent(table, i) || slot_is_borrowed(other, i))
			return PT_BORROWED;
		malformed |= entry_kind(entry_load(&from[i]), 0, other->hole) == PT_ENTRY_MALFORMED;
		if (!slot_is_borrowed(table, i))
			malformed |= entry_kind(entry_load(&to[i]), 0, table->hole) ==
			             PT_ENTRY_MALFORMED;
	}
	/* unreached: programs have one other table; see test_lib_share.c */
	if (table->owner && table->owner != other)
		return PT_BORROWED;
	/* unreached: nobody can say whose a damaged table is; see test_lib_malformed.c */
	return malformed ? PT_MALFORMED : PT_OK;
}

/* Break before make: no slot leads from one table's leaves straight to another's. */
static void break_root_slots(struct pt_table *table, const arch_entry *root, const arch_entry *from,
                             uint64_t vaddr, uint64_t last, struct pt_batch *batch)
{
	const arch_entry empty = empty_entry(table->hole, 0);

	for (size_t i = index_of(vaddr, 0); i <= index_of(last, 0); i++) {
		if (entry_load(&root[i]) != entry_load(&from[i]))
			replace_root_slot(table, root, i, empty, batch);
	}
	flush_before_make(batch, vaddr, last);
}

static pt_status op_copy_from(struct pt_table *table, struct pt_table *other, pt_vaddr vaddr,
                              uint64_t size, struct pt_batch *batch)
{
	const size_t first = index_of(vaddr.value, 0);
	const size_t last = index_of(vaddr.value + size - 1, 0);
	const arch_entry *root = table_at(table->platform, table->root.value);
	const arch_entry *from = table_at(other->platform, other->root.value);
	struct pending pending;
	pt_status status = check_root_slots(table, vaddr.value, size);

	/* unreached: as are_alike() */
	if (status != PT_BAD_SIZE && !are_alike(table, other))
		return PT_BAD_ADDRESS;
	/* unreached: a program's copy_from is of its other table; see test_lib_share.c */
	if (status != PT_OK || table == other)
		return status;
	status = check_copy(table, other, first, last);
	if (status != PT_OK)
		return status;

	pending_open(&pending, table, batch);
	if (ARCH_BREAKS_TO_RESIZE)
		break_root_slots(table, root, from, vaddr.value, vaddr.value + size - 1,
		                 pending.batch);
	for (size_t i = first; i <= last; i++) {
		const bool lends = entry_kind(from[i], 0, other->hole) != PT_ENTRY_EMPTY;

		replace_root_slot(table, root, i, lends ? from[i] : empty_entry(table->hole, 0),
		                  pending.batch);
		if (!lends)
			continue;
		join_owner(table, other);
		table->borrowed[i / 64] |= 1ull << i % 64;
	}
	/* unreached: the owner keeps what it lends, so that a loan is renewed, not ended */
	if (table->owner && !has_loans(table))
		leave_owner(table);
	pending_close(&pending);
	return PT_OK;
}

static pt_status op_give_back(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                              struct pt_batch *batch)
{
	const arch_entry *root = table_at(table->platform, table->root.value);
	struct pending pending;
	const pt_status status = check_root_slots(table, vaddr.value, size);

	if (status != PT_OK || !table->owner)
		return status;
	pending_open(&pending, table, batch);
	for (size_t i = index_of(vaddr.value, 0); i <= index_of(vaddr.value + size - 1, 0); i++) {
		if (slot_is_borrowed(table, i))
			replace_root_slot(table, root, i, empty_entry(table->hole, 0),
			                  pending.batch);
	}
	if (!has_loans(table))
		leave_owner(table);
	pending_close(&pending);
	return PT_OK;
}

#endif
