/* SPDX-License-Identifier: MIT */
/* The library as a subject; a planted bug is the same with another backend. */
#include "subject.h"

#include <stdlib.h>

#include "program.h"

struct wp_instance {
	const struct wp_subject *subject;
	const struct wp_regime *regime;
	const struct pt_platform *platform;
	const struct pt_platform *reader; /* for query() and walk() */
	struct pt_table tables[WP_MODEL_TABLES];
	struct pt_batch batches[WP_MODEL_TABLES];
	bool batched[WP_MODEL_TABLES];
};

const struct pt_backend *wp_library_backend(const struct wp_regime *regime)
{
	static const struct pt_backend *const riscv[3][3] = {
		{&pt_riscv64_sv39, &pt_riscv64_sv39_svpbmt, &pt_riscv64_sv39_xuantie},
		{&pt_riscv64_sv48, &pt_riscv64_sv48_svpbmt, &pt_riscv64_sv48_xuantie},
		{&pt_riscv64_sv57, &pt_riscv64_sv57_svpbmt, &pt_riscv64_sv57_xuantie},
	};

	switch (regime->arch) {
	case WP_X86_64:
		return regime->levels == 5 ? &pt_x86_64_la57 : &pt_x86_64;
	case WP_AARCH64:
		if (regime->granule_shift == 16)
			return &pt_aarch64_64k;
		return regime->one_privilege ? &pt_aarch64_el2 : &pt_aarch64;
	case WP_X86_EPT:
		return &pt_x86_ept;
	case WP_RISCV64:
		if (regime->stage_2)
			return &pt_riscv64_sv39x4;
		return riscv[regime->levels - 3][regime->attributes];
	case WP_LOONGARCH64:
		return &pt_loongarch64;
	case WP_ARCHS:
		break;
	}
	return NULL;
}

static const struct pt_backend *backend_of(const struct wp_subject *subject,
                                           const struct wp_regime *regime)
{
	return subject->backend ? subject->backend : wp_library_backend(regime);
}

static size_t library_fixed_frames(const struct wp_subject *subject, const struct wp_regime *regime)
{
	return backend_of(subject, regime)->fixed_frames;
}

static struct wp_instance *library_open(const struct wp_subject *subject)
{
	struct wp_instance *instance = calloc(1, sizeof *instance);

	if (instance)
		instance->subject = subject;
	return instance;
}

static void library_close(struct wp_instance *instance)
{
	free(instance);
}

static void library_start(struct wp_instance *instance, const struct wp_regime *regime,
                          const struct pt_platform *platform)
{
	instance->regime = regime;
	instance->platform = platform;
	instance->reader = platform;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++)
		instance->batched[i] = false;
}

static void library_read_through(struct wp_instance *instance, const struct pt_platform *platform)
{
	instance->reader = platform;
}

static uint64_t library_root(struct wp_instance *instance, unsigned table)
{
	return instance->tables[table].root.value;
}

static struct pt_batch *batch_of(struct wp_instance *instance, unsigned table)
{
	return instance->batched[table] ? &instance->batches[table] : NULL;
}

static pt_status library_create(struct wp_instance *instance, unsigned table)
{
	return pt_create(&instance->tables[table], backend_of(instance->subject, instance->regime),
	                 instance->platform, instance->regime->half);
}

static pt_status library_destroy(struct wp_instance *instance, unsigned table)
{
	return pt_destroy(&instance->tables[table], batch_of(instance, table));
}

static pt_status library_map(struct wp_instance *instance, unsigned table, uint64_t va, uint64_t pa,
                             uint64_t size, pt_flags flags)
{
	return pt_map(&instance->tables[table], pt_va(va), pt_pa(pa), size, flags,
	              batch_of(instance, table));
}

static pt_status library_unmap(struct wp_instance *instance, unsigned table, uint64_t va,
                               struct pt_mapping *removed)
{
	return pt_unmap(&instance->tables[table], pt_va(va), removed, batch_of(instance, table));
}

static pt_status library_protect(struct wp_instance *instance, unsigned table, uint64_t va,
                                 pt_flags flags, struct pt_mapping *replaced)
{
	return pt_protect(&instance->tables[table], pt_va(va), flags, replaced,
	                  batch_of(instance, table));
}

static pt_status library_remap(struct wp_instance *instance, unsigned table, uint64_t va,
                               uint64_t pa, pt_flags flags, struct pt_mapping *replaced)
{
	return pt_remap(&instance->tables[table], pt_va(va), pt_pa(pa), flags, replaced,
	                batch_of(instance, table));
}

static pt_status library_query(struct wp_instance *instance, unsigned table, uint64_t va,
                               struct pt_mapping *mapping)
{
	struct pt_table *at = &instance->tables[table];
	pt_status status;

	at->platform = instance->reader;
	status = pt_query(at, pt_va(va), mapping);
	at->platform = instance->platform;
	return status;
}

static pt_status library_map_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                    uint64_t pa, uint64_t size, pt_flags flags, bool allow_huge)
{
	return pt_map_region(&instance->tables[table], pt_va(va), pt_pa(pa), size, flags,
	                     allow_huge, batch_of(instance, table));
}

static pt_status library_map_region_with(struct wp_instance *instance, unsigned table, uint64_t va,
                                         pt_page_source source, void *context, uint64_t size,
                                         pt_flags flags, bool allow_huge)
{
	return pt_map_region_with(&instance->tables[table], pt_va(va), source, context, size, flags,
	                          allow_huge, batch_of(instance, table));
}

static pt_status library_unmap_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                      uint64_t size)
{
	return pt_unmap_region(&instance->tables[table], pt_va(va), size,
	                       batch_of(instance, table));
}

static pt_status library_protect_region(struct wp_instance *instance, unsigned table, uint64_t va,
                                        uint64_t size, pt_flags flags)
{
	return pt_protect_region(&instance->tables[table], pt_va(va), size, flags,
	                         batch_of(instance, table));
}

static pt_status library_unmap_region_with(struct wp_instance *instance, unsigned table,
                                           uint64_t va, uint64_t size, pt_leaf_visitor removed,
                                           void *context)
{
	return pt_unmap_region_with(&instance->tables[table], pt_va(va), size, removed, context,
	                            batch_of(instance, table));
}

static pt_status library_harvest(struct wp_instance *instance, unsigned table, uint64_t va,
                                 uint64_t size, pt_uses uses, pt_leaf_visitor visit, void *context)
{
	return pt_harvest(&instance->tables[table], pt_va(va), size, uses, visit, context,
	                  batch_of(instance, table));
}

static void library_walk(struct wp_instance *instance, unsigned table, size_t limit, pt_visitor pre,
                         pt_visitor post, void *context)
{
	struct pt_table *at = &instance->tables[table];

	at->platform = instance->reader;
	pt_walk(at, limit, pre, post, context);
	at->platform = instance->platform;
}

static pt_status library_copy_from(struct wp_instance *instance, unsigned table, unsigned other,
                                   uint64_t va, uint64_t size)
{
	return pt_copy_from(&instance->tables[table], &instance->tables[other], pt_va(va), size,
	                    batch_of(instance, table));
}

static pt_status library_give_back(struct wp_instance *instance, unsigned table, uint64_t va,
                                   uint64_t size)
{
	return pt_give_back(&instance->tables[table], pt_va(va), size, batch_of(instance, table));
}

static void library_batch_begin(struct wp_instance *instance, unsigned table)
{
	pt_batch_begin(&instance->batches[table], &instance->tables[table]);
	instance->batched[table] = true;
}

static void library_batch_flush(struct wp_instance *instance, unsigned table)
{
	pt_flush(&instance->batches[table]);
	instance->batched[table] = false;
}

static void library_batch_flush_all(struct wp_instance *instance, unsigned table)
{
	pt_flush_all(&instance->batches[table]);
	instance->batched[table] = false;
}

static void library_batch_ignore(struct wp_instance *instance, unsigned table)
{
	pt_ignore(&instance->batches[table]);
	instance->batched[table] = false;
}

/* Frames that wait for the flush are counted by whoever hands them out. */
static unsigned library_batch_recorded(struct wp_instance *instance, unsigned table)
{
	const struct pt_batch *batch = batch_of(instance, table);

	return batch ? batch->count + (batch->all ? PT_BATCH_ADDRESSES + 1u : 0) : 0;
}

#define LIBRARY_CALLS                                                                              \
	.reports_stores = true, .reports_flushes = true, .fixed_frames = library_fixed_frames,     \
	.open = library_open, .close = library_close, .start = library_start,                      \
	.root = library_root, .create = library_create, .destroy = library_destroy,                \
	.map = library_map, .unmap = library_unmap, .protect = library_protect,                    \
	.remap = library_remap, .query = library_query, .map_region = library_map_region,          \
	.map_region_with = library_map_region_with, .unmap_region = library_unmap_region,          \
	.protect_region = library_protect_region, .walk = library_walk,                            \
	.unmap_region_with = library_unmap_region_with, .harvest = library_harvest,                \
	.copy_from = library_copy_from, .give_back = library_give_back,                            \
	.batch_begin = library_batch_begin, .batch_flush = library_batch_flush,                    \
	.batch_flush_all = library_batch_flush_all, .batch_ignore = library_batch_ignore,          \
	.batch_recorded = library_batch_recorded, .read_through = library_read_through

const struct wp_subject wp_library_subject = {
	.name = "library",
	.what = "the library in lib/ and arch/",
	.regimes = "",
	LIBRARY_CALLS,
};

/* Written by planted/plant.py at build time: one PLANTED(...) for each bug. */
#define PLANTED(id, label, prefix, text, damaged)                                                  \
	extern const struct pt_backend pt_planted_##id;                                            \
	static const struct wp_subject planted_##id = {                                            \
		.name = label,                                                                     \
		.what = text,                                                                      \
		.backend = &pt_planted_##id,                                                       \
		.regimes = prefix,                                                                 \
		.planted = true,                                                                   \
		.damaged_only = (damaged),                                                         \
		LIBRARY_CALLS,                                                                     \
	};
#include "planted_list.h"
#undef PLANTED

const struct wp_subject *const wp_planted_subjects[] = {
#define PLANTED(id, label, prefix, text, damaged) &planted_##id,
#include "planted_list.h"
#undef PLANTED
	NULL, /* builds of the targets alone have none */
};
const size_t wp_planted_subject_count = sizeof wp_planted_subjects / sizeof wp_planted_subjects[0] -
                                        1;
