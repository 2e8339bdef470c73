/* SPDX-License-Identifier: MIT */
/* A shared object's words as ours. */
#include "subject_foreign.h"

pt_status wp_foreign_status(wp_status status)
{
	static const pt_status statuses[] = {
		[WP_OK] = PT_OK,
		[WP_NO_MEMORY] = PT_NO_MEMORY,
		[WP_NOT_ALIGNED] = PT_NOT_ALIGNED,
		[WP_NOT_MAPPED] = PT_NOT_MAPPED,
		[WP_ALREADY_MAPPED] = PT_ALREADY_MAPPED,
		[WP_MAPPED_TO_HUGE_PAGE] = PT_MAPPED_TO_HUGE_PAGE,
		[WP_BAD_ADDRESS] = PT_BAD_ADDRESS,
		[WP_BAD_SIZE] = PT_BAD_SIZE,
		[WP_BAD_FLAGS] = PT_BAD_FLAGS,
		[WP_MALFORMED] = PT_MALFORMED,
		[WP_BORROWED] = PT_BORROWED,
	};

	return status < sizeof statuses / sizeof statuses[0] ? statuses[status] : WP_SUBJECT_FAILED;
}

struct pt_mapping wp_foreign_mapping(const struct wp_leaf *leaf)
{
	return (struct pt_mapping){
		.vaddr = pt_va(leaf->va),
		.paddr = pt_pa(leaf->pa),
		.size = leaf->size,
		.flags = leaf->flags,
		.accessed = (leaf->uses & WP_ACCESSED) != 0,
		.dirty = (leaf->uses & WP_DIRTY) != 0,
	};
}

struct pt_visit wp_foreign_visit(const struct wp_entry_seen *seen)
{
	static const enum pt_entry_kind kinds[] = {
		[WP_ENTRY_TABLE] = PT_ENTRY_TABLE,
		[WP_ENTRY_LEAF] = PT_ENTRY_LEAF,
		[WP_ENTRY_MALFORMED] = PT_ENTRY_MALFORMED,
	};
	struct pt_visit visit = {
		.level = seen->level,
		.index = (size_t)seen->index,
		.vaddr = pt_va(seen->va),
		.entry = seen->entry,
		.kind = seen->kind < sizeof kinds / sizeof kinds[0] ? kinds[seen->kind]
	                                                            : PT_ENTRY_EMPTY,
	};

	if (visit.kind == PT_ENTRY_LEAF)
		visit.mapping = wp_foreign_mapping(&seen->leaf);
	return visit;
}
