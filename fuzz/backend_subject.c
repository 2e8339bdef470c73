/* SPDX-License-Identifier: MIT */
/*
 * The library with one backend, as a shared object that walkproof checks: compiled with
 * library_export.c, lib/pt.c, and lib/backend.c with PT_WATCH_STORES, PT_BACKEND being the
 * symbol of both.
 */
#include <stdlib.h>
#include <string.h>

#include "library_export.h"

extern const struct pt_backend PT_BACKEND;

/* One for all tables: those that share slots must have the same. */
static struct pt_platform platform;

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

/* ---- a table ---- */

static void *create(const struct wp_host *host, const char *regime)
{
	struct wp_exported *at = calloc(1, sizeof *at);

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

/* The same numbers on both sides, as asserted in library_export.c. */
wp_status wp_export_status(pt_status status)
{
	return (wp_status)status;
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
	.destroy = wp_export_destroy,
	.root = wp_export_root,
	.map = wp_export_map,
	.unmap = wp_export_unmap,
	.query = wp_export_query,
	.protect = wp_export_protect,
	.remap = wp_export_remap,
	.map_region = wp_export_map_region,
	.map_region_with = wp_export_map_region_with,
	.unmap_region = wp_export_unmap_region,
	.protect_region = wp_export_protect_region,
	.walk = wp_export_walk,
	.copy_from = wp_export_copy_from,
	.give_back = wp_export_give_back,
	.harvest = wp_export_harvest,
	.unmap_region_with = wp_export_unmap_region_with,
	.batch_begin = wp_export_batch_begin,
	.batch_end = wp_export_batch_end,
	.fixed_frames = fixed_frames,
};
