/* SPDX-License-Identifier: MIT */
/* The public calls: each goes to the table's backend. And the batch's flush. */
#include <walkproof/pt.h>

#include "operations.h"

pt_status pt_create(struct pt_table *table, const struct pt_backend *backend,
                    const struct pt_platform *platform, enum pt_half half)
{
	/* unreached: programs have a platform that lacks nothing; see test_lib_platform.c */
	const bool flushes = (platform->flush_address || backend->flush_address) &&
	                     (platform->flush_all || backend->flush_all);

	/* unreached: a program's half is one that its backend has; see test_lib_platform.c */
	if ((unsigned)half > PT_HIGH || !(backend->halves >> half & 1))
		return PT_BAD_ADDRESS;
	/* unreached: as above */
	if (!flushes || !platform->alloc_frame || !platform->free_frame)
		return PT_BAD_FLAGS;
	*table = (struct pt_table){.backend = backend, .platform = platform, .half = half};
	return backend->operations->create(table);
}

pt_status pt_destroy(struct pt_table *table, struct pt_batch *batch)
{
	return table->backend->operations->destroy(table, batch);
}

pt_status pt_map(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, uint64_t size,
                 pt_flags flags, struct pt_batch *batch)
{
	return table->backend->operations->map(table, vaddr, paddr, size, flags, batch);
}

pt_status pt_unmap(struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *removed,
                   struct pt_batch *batch)
{
	return table->backend->operations->unmap(table, vaddr, removed, batch);
}

pt_status pt_protect(struct pt_table *table, pt_vaddr vaddr, pt_flags flags,
                     struct pt_mapping *replaced, struct pt_batch *batch)
{
	return table->backend->operations->protect(table, vaddr, flags, replaced, batch);
}

pt_status pt_remap(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, pt_flags flags,
                   struct pt_mapping *replaced, struct pt_batch *batch)
{
	return table->backend->operations->remap(table, vaddr, paddr, flags, replaced, batch);
}

pt_status pt_query(const struct pt_table *table, pt_vaddr vaddr, struct pt_mapping *mapping)
{
	return table->backend->operations->query(table, vaddr, mapping);
}

pt_status pt_map_region(struct pt_table *table, pt_vaddr vaddr, pt_paddr paddr, uint64_t size,
                        pt_flags flags, bool allow_huge, struct pt_batch *batch)
{
	return table->backend->operations->map_region(table, vaddr, paddr, size, flags, allow_huge,
	                                              batch);
}

pt_status pt_map_region_with(struct pt_table *table, pt_vaddr vaddr, pt_page_source source,
                             void *context, uint64_t size, pt_flags flags, bool allow_huge,
                             struct pt_batch *batch)
{
	return table->backend->operations->map_region_with(table, vaddr, source, context, size,
	                                                   flags, allow_huge, batch);
}

pt_status pt_unmap_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                          struct pt_batch *batch)
{
	return table->backend->operations->unmap_region(table, vaddr, size, NULL, NULL, batch);
}

pt_status pt_unmap_region_with(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                               pt_leaf_visitor removed, void *context, struct pt_batch *batch)
{
	return table->backend->operations->unmap_region(table, vaddr, size, removed, context,
	                                                batch);
}

pt_status pt_protect_region(struct pt_table *table, pt_vaddr vaddr, uint64_t size, pt_flags flags,
                            struct pt_batch *batch)
{
	return table->backend->operations->protect_region(table, vaddr, size, flags, batch);
}

pt_status pt_harvest(struct pt_table *table, pt_vaddr vaddr, uint64_t size, pt_uses uses,
                     pt_leaf_visitor visit, void *context, struct pt_batch *batch)
{
	return table->backend->operations->harvest(table, vaddr, size, uses, visit, context, batch);
}

void pt_walk(const struct pt_table *table, size_t limit, pt_visitor pre, pt_visitor post,
             void *context)
{
	table->backend->operations->walk(table, limit, pre, post, context);
}

pt_status pt_copy_from(struct pt_table *table, struct pt_table *other, pt_vaddr vaddr,
                       uint64_t size, struct pt_batch *batch)
{
	return table->backend->operations->copy_from(table, other, vaddr, size, batch);
}

pt_status pt_give_back(struct pt_table *table, pt_vaddr vaddr, uint64_t size,
                       struct pt_batch *batch)
{
	return table->backend->operations->give_back(table, vaddr, size, batch);
}

void pt_batch_begin(struct pt_batch *batch, struct pt_table *table)
{
	batch->table = table;
	batch->count = 0;
	batch->all = false;
	batch->waiting = pt_pa(0);
}

static void flush_everything(const struct pt_table *table)
{
	/* unreached: the CPU's own flush is in target builds only */
	if (table->platform->flush_all)
		table->platform->flush_all(table->platform->context);
	else
		table->backend->flush_all();
}

static void flush_one(const struct pt_table *table, pt_vaddr vaddr)
{
	/* unreached: the CPU's own flush is in target builds only */
	if (table->platform->flush_address)
		table->platform->flush_address(table->platform->context, vaddr);
	else
		table->backend->flush_address(vaddr);
}

void pt_ignore(struct pt_batch *batch)
{
	batch->count = 0;
	batch->all = false;
	if (batch->waiting.value != 0)
		batch->table->backend->operations->free_waiting(batch);
}

void pt_flush(struct pt_batch *batch)
{
	if (batch->all)
		flush_everything(batch->table);
	for (unsigned i = 0; i < batch->count && !batch->all; i++)
		flush_one(batch->table, batch->addresses[i]);
	pt_ignore(batch);
}

void pt_flush_all(struct pt_batch *batch)
{
	flush_everything(batch->table);
	pt_ignore(batch);
}

/* unreached: only a finding is told in words, and the corpus has none */
const char *pt_status_name(pt_status status)
{
	static const char *const names[PT_STATUSES] = {
		[PT_OK] = "PT_OK",
		[PT_NO_MEMORY] = "PT_NO_MEMORY",
		[PT_NOT_ALIGNED] = "PT_NOT_ALIGNED",
		[PT_NOT_MAPPED] = "PT_NOT_MAPPED",
		[PT_ALREADY_MAPPED] = "PT_ALREADY_MAPPED",
		[PT_MAPPED_TO_HUGE_PAGE] = "PT_MAPPED_TO_HUGE_PAGE",
		[PT_BAD_ADDRESS] = "PT_BAD_ADDRESS",
		[PT_BAD_SIZE] = "PT_BAD_SIZE",
		[PT_BAD_FLAGS] = "PT_BAD_FLAGS",
		[PT_MALFORMED] = "PT_MALFORMED",
		[PT_BORROWED] = "PT_BORROWED",
	};

	return (unsigned)status < PT_STATUSES ? names[status] : "unknown status";
}
