/* SPDX-License-Identifier: MIT */
/*
 * The library with one backend, as a shared object that walkproof checks: compiled with
 * lib/pt.c, and lib/backend.c with PT_WATCH_STORES, PT_BACKEND being the symbol of both.
 */
#include <stdlib.h>
#include <string.h>

#include <walkproof/pt.h>
#include <walkproof/subject.h>

extern const struct pt_backend PT_BACKEND;

/* Statuses and flags are the same numbers on both sides. */
_Static_assert(PT_OK == WP_OK && PT_BORROWED == WP_BORROWED && PT_STATUSES == WP_BORROWED + 1,
               "statuses");
_Static_assert(PT_READ == WP_READ && PT_UNCACHED == WP_UNCACHED, "flags");
_Static_assert(PT_ACCESSED == WP_ACCESSED && PT_DIRTY == WP_DIRTY, "uses");

struct subject_table {
	struct pt_table table;
	struct pt_batch batch;
	bool batched;
};

/* One for all tables: those that share slots must have the same. */
static struct pt_platform platform;

static struct pt_batch *batch_of(struct subject_table *at)
{
	return at->batched ? &at->batch : NULL;
}

/* ---- the host as a platform ---- */

static uint64_t granule(void)
{
	return (uint64_t)1 << PT_BACKEND.granule_shift;
}

static bool alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	const struct wp_host *host = context;

	first->value = host->alloc(host->context, count * granule(), align);
	return first->value != 0;
}

static bool alloc_frame(void *context, pt_paddr *frame)
{
	return alloc_frames(context, 1, granule(), frame);
}

static void free_frames(void *context, pt_paddr first, size_t count)
{
	const struct wp_host *host = context;

	host->free(host->context, first.value, count * granule());
}

static void free_frame(void *context, pt_paddr frame)
{
	free_frames(context, frame, 1);
}

static void flush_address(void *context, pt_vaddr vaddr)
{
	const struct wp_host *host = context;

	host->flush(host->context, vaddr.value);
}

static void flush_all(void *context)
{
	const struct wp_host *host = context;

	host->flush_all(host->context);
}

static void stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	const struct wp_host *host = context;

	host->stored(host->context, entry, before, after);
}

/* Regimes of two halves are named after them. */
static enum pt_half half_of(const char *regime)
{
	const char *end = strrchr(regime, '_');

	if ((PT_BACKEND.halves & 1 << PT_WHOLE) != 0)
		return PT_WHOLE;
	return end != NULL && strcmp(end, "_high") == 0 ? PT_HIGH : PT_LOW;
}

/* ---- the calls ---- */

static void *create(const struct wp_host *host, const char *regime)
{
	struct subject_table *at = calloc(1, sizeof *at);

	if (at == NULL)
		return NULL;
	platform = (struct pt_platform){
		.context = (void *)(uintptr_t)host,
		.alloc_frame = alloc_frame,
		.alloc_frames = alloc_frames,
		.free_frame = free_frame,
		.free_frames = free_frames,
		.direct_first = pt_pa(host->window_pa),
		.direct_size = host->window_bytes,
		.direct_base = host->window,
		.flush_address = flush_address,
		.flush_all = flush_all,
		.stored = stored,
	};
	if (pt_create(&at->table, &PT_BACKEND, &platform, half_of(regime)) == PT_OK)
		return at;
	free(at);
	return NULL;
}

static wp_status destroy(void *table)
{
	struct subject_table *at = table;
	const pt_status status = pt_destroy(&at->table, batch_of(at));

	if (status != PT_OK)
		return (wp_status)status;
	if (at->batched)
		pt_flush(&at->batch);
	free(at);
	return WP_OK;
}

static uint64_t root(void *table)
{
	return ((struct subject_table *)table)->table.root.value;
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

/* What a call told, if it succeeded. */
static wp_status tell(pt_status status, const struct pt_mapping *mapping, struct wp_leaf *leaf)
{
	if (status == PT_OK)
		*leaf = leaf_of(mapping);
	return (wp_status)status;
}

static wp_status map(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags)
{
	struct subject_table *at = table;

	return (wp_status)pt_map(&at->table, pt_va(va), pt_pa(pa), size, flags, batch_of(at));
}

static wp_status unmap(void *table, uint64_t va, struct wp_leaf *removed)
{
	struct subject_table *at = table;
	struct pt_mapping mapping;

	return tell(pt_unmap(&at->table, pt_va(va), &mapping, batch_of(at)), &mapping, removed);
}

static wp_status query(void *table, uint64_t va, struct wp_leaf *leaf)
{
	struct subject_table *at = table;
	struct pt_mapping mapping;

	return tell(pt_query(&at->table, pt_va(va), &mapping), &mapping, leaf);
}

static wp_status protect(void *table, uint64_t va, wp_flags flags, struct wp_leaf *replaced)
{
	struct subject_table *at = table;
	struct pt_mapping mapping;

	return tell(pt_protect(&at->table, pt_va(va), flags, &mapping, batch_of(at)), &mapping,
	            replaced);
}

static wp_status remap(void *table, uint64_t va, uint64_t pa, wp_flags flags,
                       struct wp_leaf *replaced)
{
	struct subject_table *at = table;
	struct pt_mapping mapping;

	return tell(pt_remap(&at->table, pt_va(va), pt_pa(pa), flags, &mapping, batch_of(at)),
	            &mapping, replaced);
}

static wp_status map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                            uint32_t allow_huge)
{
	struct subject_table *at = table;

	return (wp_status)pt_map_region(&at->table, pt_va(va), pt_pa(pa), size, flags,
	                                allow_huge != 0, batch_of(at));
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

static wp_status map_region_with(void *table, uint64_t va, wp_page_of page, void *context,
                                 uint64_t size, wp_flags flags, uint32_t allow_huge)
{
	struct subject_table *at = table;
	struct source source = {page, context};

	return (wp_status)pt_map_region_with(&at->table, pt_va(va), page_from, &source, size, flags,
	                                     allow_huge != 0, batch_of(at));
}

static wp_status unmap_region(void *table, uint64_t va, uint64_t size)
{
	struct subject_table *at = table;

	return (wp_status)pt_unmap_region(&at->table, pt_va(va), size, batch_of(at));
}

static wp_status protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags)
{
	struct subject_table *at = table;

	return (wp_status)pt_protect_region(&at->table, pt_va(va), size, flags, batch_of(at));
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

static wp_status unmap_region_with(void *table, uint64_t va, uint64_t size, wp_leaf_seen removed,
                                   void *context)
{
	struct subject_table *at = table;
	struct listener listener = {removed, context};

	return (wp_status)pt_unmap_region_with(&at->table, pt_va(va), size,
	                                       removed != NULL ? leaf_seen : NULL, &listener,
	                                       batch_of(at));
}

static wp_status harvest(void *table, uint64_t va, uint64_t size, uint32_t uses, wp_leaf_seen visit,
                         void *context)
{
	struct subject_table *at = table;
	struct listener listener = {visit, context};

	return (wp_status)pt_harvest(&at->table, pt_va(va), size, (pt_uses)uses,
	                             visit != NULL ? leaf_seen : NULL, &listener, batch_of(at));
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

static void walk(void *table, uint64_t limit, wp_entry_visitor pre, wp_entry_visitor post,
                 void *context)
{
	struct subject_table *at = table;
	struct walk walk = {pre, post, context};

	pt_walk(&at->table, (size_t)limit, pre != NULL ? pre_seen : NULL,
	        post != NULL ? post_seen : NULL, &walk);
}

/* ---- sharing and batches ---- */

static wp_status copy_from(void *table, void *other, uint64_t va, uint64_t size)
{
	struct subject_table *at = table, *from = other;

	return (wp_status)pt_copy_from(&at->table, &from->table, pt_va(va), size, batch_of(at));
}

static wp_status give_back(void *table, uint64_t va, uint64_t size)
{
	struct subject_table *at = table;

	return (wp_status)pt_give_back(&at->table, pt_va(va), size, batch_of(at));
}

static void batch_begin(void *table)
{
	struct subject_table *at = table;

	pt_batch_begin(&at->batch, &at->table);
	at->batched = true;
}

static void batch_end(void *table, uint32_t how)
{
	static void (*const ends[])(struct pt_batch *) = {
		[WP_BATCH_FLUSH] = pt_flush,
		[WP_BATCH_FLUSH_ALL] = pt_flush_all,
		[WP_BATCH_IGNORE] = pt_ignore,
	};
	struct subject_table *at = table;

	ends[how](&at->batch);
	at->batched = false;
}

static uint64_t fixed_frames(const char *regime)
{
	(void)regime;
	return PT_BACKEND.fixed_frames;
}

const struct wp_subject_calls walkproof_subject = {
	.version = WP_SUBJECT_VERSION,
	.bytes = sizeof(struct wp_subject_calls),
	.name = PT_BACKEND_NAME,
	.what = "the library with a backend of its own",
	.regimes = PT_BACKEND_REGIMES,
	.offers = WP_OFFERS_STORES | WP_OFFERS_FLUSHES | WP_OFFERS_USES,
	.create = create,
	.destroy = destroy,
	.root = root,
	.map = map,
	.unmap = unmap,
	.query = query,
	.protect = protect,
	.remap = remap,
	.map_region = map_region,
	.map_region_with = map_region_with,
	.unmap_region = unmap_region,
	.protect_region = protect_region,
	.walk = walk,
	.copy_from = copy_from,
	.give_back = give_back,
	.harvest = harvest,
	.unmap_region_with = unmap_region_with,
	.batch_begin = batch_begin,
	.batch_end = batch_end,
	.fixed_frames = fixed_frames,
};
