/* SPDX-License-Identifier: MIT */
#include "library_export.h"

#include <stdlib.h>

/* Statuses and flags are the same numbers on both sides. */
_Static_assert(PT_OK == WP_OK && PT_BORROWED == WP_BORROWED && PT_STATUSES == WP_BORROWED + 1,
               "statuses");
_Static_assert(PT_READ == WP_READ && PT_UNCACHED == WP_UNCACHED, "flags");
_Static_assert(PT_ACCESSED == WP_ACCESSED && PT_DIRTY == WP_DIRTY, "uses");

wp_status wp_export_destroy(void *table)
{
	struct wp_exported *at = table;
	const pt_status status = pt_destroy(&at->table, wp_exported_batch(at));

	if (status != PT_OK)
		return wp_export_status(status);
	if (at->batched)
		pt_flush(&at->batch);
	free(at);
	return WP_OK;
}

uint64_t wp_export_root(void *table)
{
	return ((const struct wp_exported *)table)->table.root.value;
}

static struct wp_leaf leaf_of(const struct pt_mapping *mapping)
{
	return (struct wp_leaf){
		.va = mapping->vaddr.value,
		.pa = mapping->paddr.value,
		.size = mapping->size,
		.flags = mapping->flags,
		.uses = (mapping->accessed ? WP_ACCESSED : 0) | (mapping->dirty ? WP_DIRTY : 0),
	};
}

wp_status wp_export_tell(pt_status status, const struct pt_mapping *mapping, struct wp_leaf *leaf)
{
	if (status == PT_OK)
		*leaf = leaf_of(mapping);
	return wp_export_status(status);
}

wp_status wp_export_map(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags)
{
	struct wp_exported *at = table;

	return wp_export_status(
		pt_map(&at->table, pt_va(va), pt_pa(pa), size, flags, wp_exported_batch(at)));
}

wp_status wp_export_unmap(void *table, uint64_t va, struct wp_leaf *removed)
{
	struct wp_exported *at = table;
	struct pt_mapping mapping;

	return wp_export_tell(pt_unmap(&at->table, pt_va(va), &mapping, wp_exported_batch(at)),
	                      &mapping, removed);
}

wp_status wp_export_query(void *table, uint64_t va, struct wp_leaf *leaf)
{
	struct wp_exported *at = table;
	struct pt_mapping mapping;

	return wp_export_tell(pt_query(&at->table, pt_va(va), &mapping), &mapping, leaf);
}

wp_status wp_export_protect(void *table, uint64_t va, wp_flags flags, struct wp_leaf *replaced)
{
	struct wp_exported *at = table;
	struct pt_mapping mapping;

	return wp_export_tell(
		pt_protect(&at->table, pt_va(va), flags, &mapping, wp_exported_batch(at)), &mapping,
		replaced);
}

wp_status wp_export_remap(void *table, uint64_t va, uint64_t pa, wp_flags flags,
                          struct wp_leaf *replaced)
{
	struct wp_exported *at = table;
	struct pt_mapping mapping;

	return wp_export_tell(
		pt_remap(&at->table, pt_va(va), pt_pa(pa), flags, &mapping, wp_exported_batch(at)),
		&mapping, replaced);
}

wp_status wp_export_map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                               uint32_t allow_huge)
{
	struct wp_exported *at = table;

	return wp_export_status(pt_map_region(&at->table, pt_va(va), pt_pa(pa), size, flags,
	                                      allow_huge != 0, wp_exported_batch(at)));
}

struct source {
	wp_page_of page;
	void *context;
};

static pt_paddr page_from(void *context, pt_vaddr vaddr)
{
	const struct source *source = context;

	return pt_pa(source->page(source->context, vaddr.value));
}

wp_status wp_export_map_region_with(void *table, uint64_t va, wp_page_of page, void *context,
                                    uint64_t size, wp_flags flags, uint32_t allow_huge)
{
	struct wp_exported *at = table;
	struct source source = {page, context};

	return wp_export_status(pt_map_region_with(&at->table, pt_va(va), page_from, &source, size,
	                                           flags, allow_huge != 0, wp_exported_batch(at)));
}

wp_status wp_export_unmap_region(void *table, uint64_t va, uint64_t size)
{
	struct wp_exported *at = table;

	return wp_export_status(
		pt_unmap_region(&at->table, pt_va(va), size, wp_exported_batch(at)));
}

wp_status wp_export_protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags)
{
	struct wp_exported *at = table;

	return wp_export_status(
		pt_protect_region(&at->table, pt_va(va), size, flags, wp_exported_batch(at)));
}

struct listener {
	wp_leaf_seen visit;
	void *context;
};

static void leaf_seen(void *context, const struct pt_mapping *mapping)
{
	const struct listener *listener = context;
	const struct wp_leaf leaf = leaf_of(mapping);

	listener->visit(listener->context, &leaf);
}

wp_status wp_export_unmap_region_with(void *table, uint64_t va, uint64_t size, wp_leaf_seen removed,
                                      void *context)
{
	struct wp_exported *at = table;
	struct listener listener = {removed, context};

	return wp_export_status(pt_unmap_region_with(&at->table, pt_va(va), size,
	                                             removed != NULL ? leaf_seen : NULL, &listener,
	                                             wp_exported_batch(at)));
}

wp_status wp_export_harvest(void *table, uint64_t va, uint64_t size, uint32_t uses,
                            wp_leaf_seen visit, void *context)
{
	struct wp_exported *at = table;
	struct listener listener = {visit, context};

	return wp_export_status(pt_harvest(&at->table, pt_va(va), size, (pt_uses)uses,
	                                   visit != NULL ? leaf_seen : NULL, &listener,
	                                   wp_exported_batch(at)));
}

/* ---- walk ---- */

struct walk {
	wp_entry_visitor pre, post;
	void *context;
};

static enum pt_walk_next seen_by(wp_entry_visitor visitor, void *context,
                                 const struct pt_visit *visit)
{
	struct wp_entry_seen seen = {
		.level = visit->level,
		.kind = visit->kind, /* the same numbers, as asserted below */
		.index = visit->index,
		.va = visit->vaddr.value,
		.entry = visit->entry,
	};

	if (visit->kind == PT_ENTRY_LEAF)
		seen.leaf = leaf_of(&visit->mapping);
	return (enum pt_walk_next)visitor(context, &seen);
}

_Static_assert(PT_ENTRY_TABLE == WP_ENTRY_TABLE && PT_ENTRY_LEAF == WP_ENTRY_LEAF &&
                       PT_ENTRY_MALFORMED == WP_ENTRY_MALFORMED && PT_WALK_ON == WP_WALK_ON &&
                       PT_WALK_SKIP == WP_WALK_SKIP && PT_WALK_STOP == WP_WALK_STOP,
               "visits");

static enum pt_walk_next pre_seen(void *context, const struct pt_visit *visit)
{
	const struct walk *walk = context;

	return seen_by(walk->pre, walk->context, visit);
}

static enum pt_walk_next post_seen(void *context, const struct pt_visit *visit)
{
	const struct walk *walk = context;

	return seen_by(walk->post, walk->context, visit);
}

void wp_export_walk(void *table, uint64_t limit, wp_entry_visitor pre, wp_entry_visitor post,
                    void *context)
{
	struct wp_exported *at = table;
	struct walk walk = {pre, post, context};

	pt_walk(&at->table, (size_t)limit, pre != NULL ? pre_seen : NULL,
	        post != NULL ? post_seen : NULL, &walk);
}

/* ---- sharing and batches ---- */

wp_status wp_export_copy_from(void *table, void *other, uint64_t va, uint64_t size)
{
	struct wp_exported *at = table, *from = other;

	return wp_export_status(
		pt_copy_from(&at->table, &from->table, pt_va(va), size, wp_exported_batch(at)));
}

wp_status wp_export_give_back(void *table, uint64_t va, uint64_t size)
{
	struct wp_exported *at = table;

	return wp_export_status(pt_give_back(&at->table, pt_va(va), size, wp_exported_batch(at)));
}

void wp_export_batch_begin(void *table)
{
	struct wp_exported *at = table;

	pt_batch_begin(&at->batch, &at->table);
	at->batched = true;
}

void wp_export_batch_end(void *table, uint32_t how)
{
	static void (*const ends[])(struct pt_batch *) = {
		[WP_BATCH_FLUSH] = pt_flush,
		[WP_BATCH_FLUSH_ALL] = pt_flush_all,
		[WP_BATCH_IGNORE] = pt_ignore,
	};
	struct wp_exported *at = table;

	ends[how](&at->batch);
	at->batched = false;
}
