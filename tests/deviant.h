/* SPDX-License-Identifier: MIT */
/* The library as a shared object, which may be told to deviate from the contract. */
#ifndef DEVIANT_H
#define DEVIANT_H

#include <string.h>

#include <walkproof/pt.h>
#include <walkproof/subject.h>

struct table {
	struct pt_table table;
	struct pt_batch batch;
	int batched;
};

static inline struct pt_batch *batch_of(struct table *t)
{
	return t->batched ? &t->batch : NULL;
}

/* Whether that is the deviation that it has. */
int is(const char *name);

wp_status answer(pt_status status);
struct wp_leaf leaf_of(const struct pt_mapping *mapping);

/* Regions: deviant_regions.c. */
wp_status map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                     uint32_t allow_huge);
wp_status unmap_region(void *table, uint64_t va, uint64_t size);
wp_status protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags);

/* What no deviation touches: deviant_rest.c. */
wp_status map_region_with(void *table, uint64_t va, wp_page_of page, void *context, uint64_t size,
                          wp_flags flags, uint32_t allow_huge);
wp_status unmap_region_with(void *table, uint64_t va, uint64_t size, wp_leaf_seen removed,
                            void *context);
wp_status harvest(void *table, uint64_t va, uint64_t size, uint32_t uses, wp_leaf_seen visit,
                  void *context);
void walk(void *table, uint64_t limit, wp_entry_visitor pre, wp_entry_visitor post, void *context);
wp_status copy_from(void *table, void *other, uint64_t va, uint64_t size);
wp_status give_back(void *table, uint64_t va, uint64_t size);
void batch_begin(void *table);
void batch_end(void *table, uint32_t how);

#endif
