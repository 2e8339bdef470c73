/* SPDX-License-Identifier: MIT */
/* The rest of the library as a shared object. */
#include "deviant.h"

struct source {
	wp_page_of page;
	void *context;
};

static pt_paddr page_at(void *context, pt_vaddr va)
{
	const struct source *source = context;

	return pt_pa(source->page(source->context, va.value));
}

wp_status map_region_with(void *table, uint64_t va, wp_page_of page, void *context, uint64_t size,
                          wp_flags flags, uint32_t allow_huge)
{
	struct table *t = table;
	struct source source = {page, context};

	return answer(pt_map_region_with(&t->table, pt_va(va), page_at, &source, size, flags,
	                                 allow_huge != 0, batch_of(t)));
}

struct hearer {
	wp_leaf_seen seen;
	void *context;
};

static void hear(void *context, const struct pt_mapping *mapping)
{
	const struct hearer *hearer = context;
	const struct wp_leaf leaf = leaf_of(mapping);

	hearer->seen(hearer->context, &leaf);
}

wp_status unmap_region_with(void *table, uint64_t va, uint64_t size, wp_leaf_seen removed,
                            void *context)
{
	struct table *t = table;
	struct hearer hearer = {removed, context};

	return answer(pt_unmap_region_with(&t->table, pt_va(va), size, hear, &hearer, batch_of(t)));
}

wp_status harvest(void *table, uint64_t va, uint64_t size, uint32_t uses, wp_leaf_seen visit,
                  void *context)
{
	struct table *t = table;
	struct hearer hearer = {visit, context};

	return answer(
		pt_harvest(&t->table, pt_va(va), size, (pt_uses)uses, hear, &hearer, batch_of(t)));
}

struct walker {
	wp_entry_visitor pre, post;
	void *context;
};

static struct wp_entry_seen seen_of(const struct pt_visit *visit)
{
	return (struct wp_entry_seen){
		.level = visit->level,
		.kind = visit->kind, /* numbered alike */
		.index = visit->index,
		.va = visit->vaddr.value,
		.entry = visit->entry,
		.leaf = leaf_of(&visit->mapping),
	};
}

static enum pt_walk_next pre(void *context, const struct pt_visit *visit)
{
	const struct walker *walker = context;
	const struct wp_entry_seen seen = seen_of(visit);

	return (enum pt_walk_next)walker->pre(walker->context, &seen);
}

static enum pt_walk_next post(void *context, const struct pt_visit *visit)
{
	const struct walker *walker = context;
	const struct wp_entry_seen seen = seen_of(visit);

	return (enum pt_walk_next)walker->post(walker->context, &seen);
}

void walk(void *table, uint64_t limit, wp_entry_visitor before, wp_entry_visitor after,
          void *context)
{
	struct table *t = table;
	struct walker walker = {before, after, context};

	pt_walk(&t->table, limit, before != NULL ? pre : NULL, after != NULL ? post : NULL,
	        &walker);
}

wp_status copy_from(void *table, void *other, uint64_t va, uint64_t size)
{
	struct table *t = table;

	return answer(pt_copy_from(&t->table, &((struct table *)other)->table, pt_va(va), size,
	                           batch_of(t)));
}

wp_status give_back(void *table, uint64_t va, uint64_t size)
{
	struct table *t = table;

	return answer(pt_give_back(&t->table, pt_va(va), size, batch_of(t)));
}

void batch_begin(void *table)
{
	struct table *t = table;

	pt_batch_begin(&t->batch, &t->table);
	t->batched = 1;
}

void batch_end(void *table, uint32_t how)
{
	struct table *t = table;

	if (how == WP_BATCH_FLUSH)
		pt_flush(&t->batch);
	else if (how == WP_BATCH_FLUSH_ALL)
		pt_flush_all(&t->batch);
	else
		pt_ignore(&t->batch);
	t->batched = 0;
}
