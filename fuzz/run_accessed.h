/* SPDX-License-Identifier: MIT */
/* What a runner keeps for L8, accessed and dirty bits: run_accessed.c. */
#ifndef WP_RUN_ACCESSED_H
#define WP_RUN_ACCESSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A leaf that is followed through one operation. */
struct wp_used_leaf {
	uint64_t va, pa;      /* of one byte in it */
	uint64_t first, size; /* of the leaf */
	uint64_t
		entry; /* its guest physical address; 0: the CPU can't use the leaf, or not any more */
	bool writable;
	bool accessed, dirty; /* all that was recorded in it */
};

#define WP_USED_LEAVES 5
struct wp_accessed {
	bool on; /* in the operation at hand */
	unsigned table;
	uint64_t salt; /* what is done to which leaf */
	size_t count;
	struct wp_used_leaf leaves[WP_USED_LEAVES];
	uint64_t told_bytes; /* by unmap_region_with() */
};

#endif
