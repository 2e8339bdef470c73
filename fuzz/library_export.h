/* SPDX-License-Identifier: MIT */
/*
 * The library's calls in the words of <walkproof/subject.h>, for shared objects that have
 * the library in them. The platform, and with it create(), is theirs.
 */
#ifndef WP_LIBRARY_EXPORT_H
#define WP_LIBRARY_EXPORT_H

#include <walkproof/pt.h>
#include <walkproof/subject.h>

struct wp_exported {
	struct pt_table table;
	struct pt_batch batch;
	bool batched;
};

static inline struct pt_batch *wp_exported_batch(struct wp_exported *at)
{
	return at->batched ? &at->batch : NULL;
}

/* What is told of a status: each object has its own. */
wp_status wp_export_status(pt_status status);

/* The same of a call that tells of a leaf, if it succeeded. */
wp_status wp_export_tell(pt_status status, const struct pt_mapping *mapping, struct wp_leaf *leaf);

/* A table is a struct wp_exported, of calloc(); destroy() frees it. */
wp_status wp_export_destroy(void *table);
uint64_t wp_export_root(void *table);
wp_status wp_export_map(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags);
wp_status wp_export_unmap(void *table, uint64_t va, struct wp_leaf *removed);
wp_status wp_export_query(void *table, uint64_t va, struct wp_leaf *leaf);
wp_status wp_export_protect(void *table, uint64_t va, wp_flags flags, struct wp_leaf *replaced);
wp_status wp_export_remap(void *table, uint64_t va, uint64_t pa, wp_flags flags,
                          struct wp_leaf *replaced);
wp_status wp_export_map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                               uint32_t allow_huge);
wp_status wp_export_map_region_with(void *table, uint64_t va, wp_page_of page, void *context,
                                    uint64_t size, wp_flags flags, uint32_t allow_huge);
wp_status wp_export_unmap_region(void *table, uint64_t va, uint64_t size);
wp_status wp_export_protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags);
wp_status wp_export_unmap_region_with(void *table, uint64_t va, uint64_t size, wp_leaf_seen removed,
                                      void *context);
wp_status wp_export_harvest(void *table, uint64_t va, uint64_t size, uint32_t uses,
                            wp_leaf_seen visit, void *context);
void wp_export_walk(void *table, uint64_t limit, wp_entry_visitor pre, wp_entry_visitor post,
                    void *context);
wp_status wp_export_copy_from(void *table, void *other, uint64_t va, uint64_t size);
wp_status wp_export_give_back(void *table, uint64_t va, uint64_t size);
void wp_export_batch_begin(void *table);
void wp_export_batch_end(void *table, uint32_t how);

#endif
