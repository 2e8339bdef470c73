/* SPDX-License-Identifier: MIT */
#include "subject_perform.h"

/* The pages that map_region_with() is given. */
struct page_source {
	const struct wp_regime *regime;
	enum wp_source kind;
	uint64_t va, pa, pages;
};

static pt_paddr source_page(void *context, pt_vaddr vaddr)
{
	const struct page_source *source = context;

	return pt_pa(wp_source_page(source->regime, source->kind, source->pa,
	                            (vaddr.value - source->va) >> source->regime->granule_shift,
	                            source->pages));
}

static void count_leaf(void *context, const struct pt_mapping *leaf)
{
	(void)leaf;
	++*(size_t *)context;
}

struct wp_outcome wp_subject_perform(const struct wp_subject *s, struct wp_instance *instance,
                                     const struct wp_regime *regime, const struct wp_call *c)
{
	struct page_source source = {regime, c->source, c->va, c->pa,
	                             c->size >> regime->granule_shift};
	struct wp_outcome o = {.status = PT_OK};

	switch (c->opcode) {
	case WP_OP_MAP:
		o.status = s->map(instance, c->table, c->va, c->pa, c->size, c->flags);
		break;
	case WP_OP_UNMAP:
		o.status = s->unmap(instance, c->table, c->va, &o.told);
		break;
	case WP_OP_PROTECT:
		o.status = s->protect(instance, c->table, c->va, c->flags, &o.told);
		break;
	case WP_OP_REMAP:
		o.status = s->remap(instance, c->table, c->va, c->pa, c->flags, &o.told);
		break;
	case WP_OP_QUERY:
		o.status = s->query(instance, c->table, c->va, &o.told);
		break;
	case WP_OP_MAP_REGION:
		o.status = s->map_region(instance, c->table, c->va, c->pa, c->size, c->flags,
		                         c->allow_huge);
		break;
	case WP_OP_MAP_REGION_WITH:
		o.status = s->map_region_with(instance, c->table, c->va, source_page, &source,
		                              c->size, c->flags, c->allow_huge);
		break;
	case WP_OP_UNMAP_REGION:
		o.status = s->unmap_region(instance, c->table, c->va, c->size);
		break;
	case WP_OP_PROTECT_REGION:
		o.status = s->protect_region(instance, c->table, c->va, c->size, c->flags);
		break;
	case WP_OP_HARVEST:
		o.status = s->harvest(instance, c->table, c->va, c->size, c->uses, count_leaf,
		                      &o.leaves);
		break;
	case WP_OP_COPY_FROM:
		o.status = s->copy_from(instance, c->table, 1 - c->table, c->va, c->size);
		break;
	default:
		o.status = s->give_back(instance, c->table, c->va, c->size);
		break;
	}
	return o;
}

void wp_subject_batch(const struct wp_subject *subject, struct wp_instance *instance,
                      const struct wp_call *call)
{
	if (call->opcode == WP_OP_BATCH)
		subject->batch_begin(instance, call->table);
	else if (call->opcode == WP_OP_FLUSH)
		subject->batch_flush(instance, call->table);
	else if (call->opcode == WP_OP_FLUSH_ALL)
		subject->batch_flush_all(instance, call->table);
	else
		subject->batch_ignore(instance, call->table);
}

bool wp_mapping_equal(const struct pt_mapping *a, const struct pt_mapping *b)
{
	return a->vaddr.value == b->vaddr.value && a->paddr.value == b->paddr.value &&
	       a->size == b->size && a->flags == b->flags;
}
