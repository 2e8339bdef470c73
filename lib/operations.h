/* SPDX-License-Identifier: MIT */
/* How the public calls reach the backend that a table was created with. */
#ifndef PT_OPERATIONS_H
#define PT_OPERATIONS_H

#include <walkproof/pt.h>

struct pt_operations {
	pt_status (*create)(struct pt_table *);
	pt_status (*destroy)(struct pt_table *, struct pt_batch *);
	pt_status (*map)(struct pt_table *, pt_vaddr, pt_paddr, uint64_t, pt_flags,
	                 struct pt_batch *);
	pt_status (*unmap)(struct pt_table *, pt_vaddr, struct pt_mapping *, struct pt_batch *);
	pt_status (*protect)(struct pt_table *, pt_vaddr, pt_flags, struct pt_mapping *,
	                     struct pt_batch *);
	pt_status (*remap)(struct pt_table *, pt_vaddr, pt_paddr, pt_flags, struct pt_mapping *,
	                   struct pt_batch *);
	pt_status (*query)(const struct pt_table *, pt_vaddr, struct pt_mapping *);
	pt_status (*map_region)(struct pt_table *, pt_vaddr, pt_paddr, uint64_t, pt_flags, bool,
	                        struct pt_batch *);
	pt_status (*map_region_with)(struct pt_table *, pt_vaddr, pt_page_source, void *, uint64_t,
	                             pt_flags, bool, struct pt_batch *);
	pt_status (*unmap_region)(struct pt_table *, pt_vaddr, uint64_t, pt_leaf_visitor, void *,
	                          struct pt_batch *);
	pt_status (*protect_region)(struct pt_table *, pt_vaddr, uint64_t, pt_flags,
	                            struct pt_batch *);
	pt_status (*harvest)(struct pt_table *, pt_vaddr, uint64_t, pt_uses, pt_leaf_visitor,
	                     void *, struct pt_batch *);
	void (*walk)(const struct pt_table *, size_t, pt_visitor, pt_visitor, void *);
	pt_status (*copy_from)(struct pt_table *, struct pt_table *, pt_vaddr, uint64_t,
	                       struct pt_batch *);
	pt_status (*give_back)(struct pt_table *, pt_vaddr, uint64_t, struct pt_batch *);
	void (*free_waiting)(struct pt_batch *);
};

#endif
