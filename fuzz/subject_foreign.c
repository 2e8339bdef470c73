/* SPDX-License-Identifier: MIT */
/*
 * A shared object as a subject: <walkproof/subject.h>, which says what is in it. Only
 * subject_foreign*.c know both sides; of each call they convert the words.
 */
#include "subject_foreign.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"

static pt_status tell(wp_status status, const struct wp_leaf *leaf, struct pt_mapping *mapping)
{
	*mapping = status == WP_OK ? wp_foreign_mapping(leaf) : (struct pt_mapping){0};
	return wp_foreign_status(status);
}

/* ---- a program ---- */

static size_t foreign_fixed_frames(const struct wp_subject *subject, const struct wp_regime *regime)
{
	return subject->calls->fixed_frames ? (size_t)subject->calls->fixed_frames(regime->name)
	                                    : 1;
}

static struct wp_instance *foreign_open(const struct wp_subject *subject)
{
	struct wp_instance *instance = calloc(1, sizeof *instance);

	if (instance == NULL)
		return NULL;
	instance->subject = subject;
	instance->calls = subject->calls;
	return instance;
}

static void foreign_close(struct wp_instance *instance)
{
	free(instance);
}

static void foreign_start(struct wp_instance *instance, const struct wp_regime *regime,
                          const struct pt_platform *platform)
{
	instance->regime = regime;
	instance->platform = platform;
	memset(instance->tables, 0, sizeof instance->tables);
	memset(instance->batched, 0, sizeof instance->batched);
	instance->host = wp_foreign_host(instance);
}

static uint64_t foreign_root(struct wp_instance *instance, unsigned table)
{
	return instance->calls->root(instance->tables[table]);
}

static pt_status foreign_create(struct wp_instance *instance, unsigned table)
{
	instance->tables[table] = instance->calls->create(&instance->host, instance->regime->name);
	if (instance->tables[table] == NULL)
		return PT_NO_MEMORY;
	if (instance->batched[table])
		instance->calls->batch_begin(instance->tables[table]);
	return PT_OK;
}

/* In a program a batch outlives the table; a subject's is a part of it. */
static pt_status foreign_destroy(struct wp_instance *instance, unsigned table)
{
	const struct wp_subject_calls *calls = instance->calls;
	pt_status status;

	if (instance->batched[table])
		calls->batch_end(instance->tables[table], WP_BATCH_FLUSH);
	status = wp_foreign_status(calls->destroy(instance->tables[table]));
	if (status == PT_OK)
		instance->tables[table] = NULL;
	if (status != PT_OK && instance->batched[table])
		calls->batch_begin(instance->tables[table]);
	return status;
}

/* ---- one leaf ---- */

static pt_status foreign_map(struct wp_instance *instance, unsigned table, uint64_t va, uint64_t pa,
                             uint64_t size, pt_flags flags)
{
	return wp_foreign_status(
		instance->calls->map(instance->tables[table], va, pa, size, flags));
}

static pt_status foreign_unmap(struct wp_instance *instance, unsigned table, uint64_t va,
                               struct pt_mapping *removed)
{
	struct wp_leaf leaf = {0};

	return tell(instance->calls->unmap(instance->tables[table], va, &leaf), &leaf, removed);
}

static pt_status foreign_protect(struct wp_instance *instance, unsigned table, uint64_t va,
                                 pt_flags flags, struct pt_mapping *replaced)
{
	struct wp_leaf leaf = {0};

	return tell(instance->calls->protect(instance->tables[table], va, flags, &leaf), &leaf,
	            replaced);
}

static pt_status foreign_remap(struct wp_instance *instance, unsigned table, uint64_t va,
                               uint64_t pa, pt_flags flags, struct pt_mapping *replaced)
{
	struct wp_leaf leaf = {0};

	return tell(instance->calls->remap(instance->tables[table], va, pa, flags, &leaf), &leaf,
	            replaced);
}

/* L5: in some programs a store to guest memory is noticed whatever makes it. */
static void report_store(struct wp_instance *instance, bool stored)
{
	const struct pt_platform *platform = instance->platform;

	if (stored)
		platform->stored(platform->context, platform->direct_base, 0, 0);
}

static pt_status foreign_query(struct wp_instance *instance, unsigned table, uint64_t va,
                               struct pt_mapping *mapping)
{
	const bool canonical = wp_regime_canonical(instance->regime, va);
	struct wp_leaf leaf = {0};
	wp_status status;

	if (!canonical && wp_deviates(instance->subject->profile, WP_TRUNCATES_ADDRESSES))
		return PT_BAD_ADDRESS;
	wp_guard_begin();
	status = instance->calls->query(instance->tables[table], va, &leaf);
	report_store(instance, wp_guard_end());
	if (status != WP_OK && wp_deviates(instance->subject->profile, WP_OWN_STATUS))
		status = canonical ? WP_NOT_MAPPED : WP_BAD_ADDRESS;
	return tell(status, &leaf, mapping);
}

/* ---- regions ---- */

static pt_status foreign_map_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                    uint64_t pa, uint64_t size, pt_flags flags, bool allow_huge)
{
	return wp_foreign_status(instance->calls->map_region(instance->tables[table], va, pa, size,
	                                                     flags, allow_huge));
}

struct source {
	pt_page_source page;
	void *context;
};

static uint64_t page_of(void *context, uint64_t va)
{
	const struct source *source = context;

	return source->page(source->context, pt_va(va)).value;
}

static pt_status foreign_map_region_with(struct wp_instance *instance, unsigned table, uint64_t va,
                                         pt_page_source page, void *context, uint64_t size,
                                         pt_flags flags, bool allow_huge)
{
	struct source source = {page, context};

	return wp_foreign_status(instance->calls->map_region_with(
		instance->tables[table], va, page_of, &source, size, flags, allow_huge));
}

static pt_status foreign_unmap_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                      uint64_t size)
{
	return wp_foreign_status(instance->calls->unmap_region(instance->tables[table], va, size));
}

static pt_status foreign_protect_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                        uint64_t size, pt_flags flags)
{
	return wp_foreign_status(
		instance->calls->protect_region(instance->tables[table], va, size, flags));
}

struct hearer {
	pt_leaf_visitor visit;
	void *context;
};

static void hear(void *context, const struct wp_leaf *leaf)
{
	const struct hearer *hearer = context;
	const struct pt_mapping mapping = wp_foreign_mapping(leaf);

	hearer->visit(hearer->context, &mapping);
}

static pt_status foreign_unmap_region_with(struct wp_instance *instance, unsigned table,
                                           uint64_t va, uint64_t size, pt_leaf_visitor removed,
                                           void *context)
{
	struct hearer hearer = {removed, context};

	return wp_foreign_status(instance->calls->unmap_region_with(
		instance->tables[table], va, size, removed != NULL ? hear : NULL, &hearer));
}

static pt_status foreign_harvest(struct wp_instance *instance, unsigned table, uint64_t va,
                                 uint64_t size, pt_uses uses, pt_leaf_visitor visit, void *context)
{
	struct hearer hearer = {visit, context};

	return wp_foreign_status(instance->calls->harvest(instance->tables[table], va, size, uses,
	                                                  visit != NULL ? hear : NULL, &hearer));
}

/* ---- walk ---- */

struct walker {
	pt_visitor pre, post;
	void *context;
};

static wp_walk_next walk_pre(void *context, const struct wp_entry_seen *seen)
{
	const struct walker *walker = context;
	const struct pt_visit visit = wp_foreign_visit(seen);

	return (wp_walk_next)walker->pre(walker->context, &visit);
}

static wp_walk_next walk_post(void *context, const struct wp_entry_seen *seen)
{
	const struct walker *walker = context;
	const struct pt_visit visit = wp_foreign_visit(seen);

	return (wp_walk_next)walker->post(walker->context, &visit);
}

static void foreign_walk(struct wp_instance *instance, unsigned table, size_t limit, pt_visitor pre,
                         pt_visitor post, void *context)
{
	struct walker walker = {pre, post, context};

	wp_guard_begin();
	instance->calls->walk(instance->tables[table], limit, pre != NULL ? walk_pre : NULL,
	                      post != NULL ? walk_post : NULL, &walker);
	report_store(instance, wp_guard_end());
}

/* ---- sharing, batches ---- */

static pt_status foreign_copy_from(struct wp_instance *instance, unsigned table, unsigned other,
                                   uint64_t va, uint64_t size)
{
	return wp_foreign_status(instance->calls->copy_from(instance->tables[table],
	                                                    instance->tables[other], va, size));
}

static pt_status foreign_give_back(struct wp_instance *instance, unsigned table, uint64_t va,
                                   uint64_t size)
{
	return wp_foreign_status(instance->calls->give_back(instance->tables[table], va, size));
}

/* A batch begins and ends around programs' calls, before the table is made if need be. */
static void foreign_batch_begin(struct wp_instance *instance, unsigned table)
{
	instance->batched[table] = true;
	if (instance->tables[table] != NULL)
		instance->calls->batch_begin(instance->tables[table]);
}

static void end_batch(struct wp_instance *instance, unsigned table, uint32_t how)
{
	instance->batched[table] = false;
	if (instance->tables[table] != NULL)
		instance->calls->batch_end(instance->tables[table], how);
}

static void foreign_batch_flush(struct wp_instance *instance, unsigned table)
{
	end_batch(instance, table, WP_BATCH_FLUSH);
}

static void foreign_batch_flush_all(struct wp_instance *instance, unsigned table)
{
	end_batch(instance, table, WP_BATCH_FLUSH_ALL);
}

static void foreign_batch_ignore(struct wp_instance *instance, unsigned table)
{
	end_batch(instance, table, WP_BATCH_IGNORE);
}

/* Of one that has them all; its own calls, name and regimes are still to be set. */
const struct wp_subject wp_foreign_subject = {
	.fixed_frames = foreign_fixed_frames,
	.open = foreign_open,
	.close = foreign_close,
	.start = foreign_start,
	.root = foreign_root,
	.create = foreign_create,
	.destroy = foreign_destroy,
	.map = foreign_map,
	.unmap = foreign_unmap,
	.query = foreign_query,
	.protect = foreign_protect,
	.remap = foreign_remap,
	.map_region = foreign_map_region,
	.map_region_with = foreign_map_region_with,
	.unmap_region = foreign_unmap_region,
	.protect_region = foreign_protect_region,
	.unmap_region_with = foreign_unmap_region_with,
	.harvest = foreign_harvest,
	.walk = foreign_walk,
	.copy_from = foreign_copy_from,
	.give_back = foreign_give_back,
	.batch_begin = foreign_batch_begin,
	.batch_flush = foreign_batch_flush,
	.batch_flush_all = foreign_batch_flush_all,
	.batch_ignore = foreign_batch_ignore,
};
