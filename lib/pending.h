/* SPDX-License-Identifier: MIT */
/* What a change leaves pending in a batch: flushes, and tables that wait for them. */
#ifndef PT_PENDING_H
#define PT_PENDING_H

/* A call without a batch of the caller's own collects in one on the stack. */
struct pending {
	struct pt_batch *batch;
	struct pt_batch own;
};

static inline void pending_open(struct pending *pending, struct pt_table *table,
                                struct pt_batch *batch)
{
	pending->batch = batch;
	if (batch)
		return;
	pending->batch = &pending->own;
	pending->own.table = table;
	pending->own.count = 0;
	pending->own.all = false;
	pending->own.waiting = pt_pa(0);
}

/* A call may end without a flush: what it mapped must reach this CPU's walker all the same. */
static inline void publish_stores(void)
{
#ifdef PT_TARGET_BUILD
	arch_publish();
#endif
}

static inline void pending_close(struct pending *pending)
{
	const struct pt_batch *own = &pending->own;

	/* unreached: a table that waits alone; it waits for a flush, so that there is one */
	if (pending->batch == own && (own->count != 0 || own->all || own->waiting.value != 0))
		pt_flush(&pending->own);
	else
		publish_stores();
}

static inline void flush_later(struct pt_batch *batch, uint64_t vaddr)
{
	if (batch->all)
		return;
	if (batch->count != 0 && batch->addresses[batch->count - 1].value == vaddr)
		return;
	if (batch->count == PT_BATCH_ADDRESSES)
		batch->all = true;
	else
		batch->addresses[batch->count++] = pt_va(vaddr);
}

static inline void flush_now(struct pt_table *table, uint64_t vaddr)
{
	struct pt_batch one = {.table = table, .count = 1};

	one.addresses[0] = pt_va(vaddr);
	pt_flush(&one);
}

/* After a leaf took the place of `before` at `vaddr`. */
static inline void flush_leaf(struct pt_batch *batch, arch_entry before, unsigned level,
                              uint64_t vaddr)
{
	if (ARCH_FLUSHES_ALL_FOR_HUGE && level < ARCH_LAST_LEVEL && !arch_is_valid(before))
		batch->all = true;
	else if (ARCH_CACHES_INVALID || arch_is_valid(before))
		flush_later(batch, vaddr);
}

/* After a table was linked in where `before` was. */
static inline void flush_linked(struct pt_batch *batch)
{
	if (ARCH_FLUSHES_ALL_FOR_TABLE)
		batch->all = true;
}

/* After the table over `vaddr` was unlinked; its leaves are taken care of. */
static inline void flush_unlinked(struct pt_batch *batch, uint64_t vaddr)
{
	if (ARCH_FLUSHES_ALL_FOR_TABLE)
		batch->all = true;
	else
		flush_later(batch, vaddr);
}

/*
 * Before something is mapped in [vaddr, last]: where old and new must not meet in
 * a TLB, the flush of what was there can't wait. A pending address may stand for
 * a leaf of any size, so the largest decides what is near; while tables wait it may
 * stand for one of those, up to what hung in a root slot.
 */
static inline void flush_before_make(struct pt_batch *batch, uint64_t vaddr, uint64_t last)
{
	const unsigned top = arch_levels[0].leaf || batch->waiting.value != 0 ? 0 : 1;
	const uint64_t near = ~(arch_span(top) - 1);
	bool meets = batch->all;

	if (!ARCH_BREAKS_TO_RESIZE)
		return;
	for (unsigned i = 0; i < batch->count && !meets; i++) {
		const uint64_t pending = batch->addresses[i].value & near;

		meets = pending >= (vaddr & near) && pending <= last;
	}
	if (meets)
		pt_flush(batch);
}

/* Whether what a table's first slot holds is a link: the table waits already. */
static inline bool waits_already(arch_entry first)
{
	const uint64_t next = arch_link_paddr(first);

	if (first == 0 || arch_is_valid(first) || (next & (granule() - 1)) ||
	    arch_link(next) != first)
		return false;
	for (unsigned level = 0; level < ARCH_LEVELS; level++) {
		/* unreached: so far no backend has a leaf that could be a link */
		if (arch_is_leaf(first, level))
			return false;
	}
	return true;
}

/*
 * Whether a table on the way of a change waits in the batch already: only damage leads to
 * one, and it may be freed by a flush that comes before the change.
 */
static inline bool table_waits(const struct pt_batch *batch, const arch_entry *entries)
{
	return batch && batch->waiting.value != 0 && waits_already(entry_load(entries));
}

/*
 * The frame of an unlinked table waits; only its first slot is written, with what
 * faults. The last in line links to itself. Where entries were damaged two of them
 * may lead to one table: it waits once; and what led to it may be gone with another.
 */
static inline void free_later(struct pt_batch *batch, uint64_t frame)
{
	const struct pt_platform *platform = batch->table->platform;
	const uint64_t next = batch->waiting.value != 0 ? batch->waiting.value : frame;
	const arch_entry *first = table_at(platform, frame);

	/* unreached: whoever unlinks a table has been in it */
	if (!first)
		return;
	if (waits_already(entry_load(first)))
		return;
	entry_store(platform, first, arch_link(next));
	batch->waiting = pt_pa(frame);
}

static void op_free_waiting(struct pt_batch *batch)
{
	const struct pt_platform *platform = batch->table->platform;

	while (batch->waiting.value != 0) {
		const uint64_t frame = batch->waiting.value;
		arch_entry *first = frame_at(platform, frame); /* a table no longer */
		uint64_t next;

		batch->waiting = pt_pa(0);
		/* unreached: the first; no damage yet had the line lead out of memory */
		if (!first || !waits_already(entry_load(first)))
			return; /* the line itself is damaged: what comes after is lost */
		next = arch_link_paddr(entry_load(first));
		*first = 0; /* so that a line that leads back here ends */
		if (next != frame)
			batch->waiting = pt_pa(next);
		platform->free_frame(platform->context, pt_pa(frame));
	}
}

#endif
