/* SPDX-License-Identifier: MIT */
/* A CPU that records its uses of leaves, and what the library tells of them. */
#ifndef LIB_USES_H
#define LIB_USES_H

#include "lib_tables.h"

/* ---- a CPU, as far as it writes to tables ---- */

/* Where each architecture's CPU records: by hand from the manuals; 0: it doesn't. */
static inline uint64_t accessed_bit(const struct row *row)
{
	if (row->backend == &pt_x86_ept)
		return 1 << 8;
	if (strncmp(row->backend->name, "x86", 3) == 0)
		return 1 << 5;
	if (strncmp(row->backend->name, "riscv", 5) == 0)
		return 1 << 6;
	return row->backend == &pt_fake ? (uint64_t)1 << 62 : 0;
}

static inline uint64_t dirty_bit(const struct row *row)
{
	return accessed_bit(row) << 1;
}

static inline bool records(const struct lib *lib)
{
	return accessed_bit(lib->row) != 0;
}

/* RISC-V: a leaf starts with both. */
static inline bool starts_used(const struct lib *lib)
{
	return strncmp(lib->row->backend->name, "riscv", 5) == 0;
}

struct leaf_search {
	uint64_t va, frames[8];
	uint64_t frame;
	size_t index;
};

static inline enum pt_walk_next find_leaf(void *context, const struct pt_visit *visit)
{
	struct leaf_search *search = context;

	if (visit->kind == PT_ENTRY_TABLE)
		search->frames[visit->level + 1] = visit->next.value;
	if (visit->kind != PT_ENTRY_LEAF || search->va < visit->vaddr.value ||
	    search->va - visit->vaddr.value >= visit->mapping.size)
		return PT_WALK_ON;
	search->frame = search->frames[visit->level];
	search->index = visit->index;
	return PT_WALK_STOP;
}

/* Changes the entry of the leaf at `va` behind the library's back. */
static inline void set_uses(struct lib *lib, uint64_t va, uint64_t set, uint64_t clear)
{
	struct leaf_search search = {.va = va, .frames = {lib->table.root.value}};

	pt_walk(&lib->table, SIZE_MAX, find_leaf, NULL, &search);
	assert_int_not_equal(search.frame, 0);
	set_entry(lib, search.frame, search.index,
	          (get_entry(lib, search.frame, search.index) & ~clear) | set);
}

/* The bits that the CPU below sets in whatever valid leaf is about to be replaced. */
static uint64_t in_between;
static size_t sets;

/*
 * Between the library's load and its store. That an entry is a leaf, and valid, is
 * known to the tests that switch this on: all that they replace are.
 */
static inline void cpu_records(void *context, void *entry)
{
	struct lib *lib = context;
	const size_t offset = (size_t)((uint8_t *)entry - lib->memory);
	uint64_t now = 0;

	memcpy(&now, entry, lib->row->entry_bytes);
	if (in_between == 0 || lib->fresh[offset / lib->page] ||
	    (now & ~(dirty_bit(lib->row) * 3)) == 0)
		return;
	now |= in_between;
	sets++;
	memcpy(entry, &now, lib->row->entry_bytes);
	memcpy(lib->shadow + offset, &now, lib->row->entry_bytes);
}

/* A leaf of `size` that no CPU has used yet. */
static inline void map_unused(struct lib *lib, uint64_t va, uint64_t size)
{
	lib->platform.storing = cpu_records;
	in_between = 0;
	sets = 0;
	expect(map(lib, va, PA, size, RW), PT_OK);
	if (starts_used(lib))
		set_uses(lib, va, 0, accessed_bit(lib->row) | dirty_bit(lib->row));
	clear_log(lib);
}

static inline void assert_uses_at(const struct lib *lib, const struct pt_mapping *leaf,
                                  bool accessed, bool dirty, int line)
{
	if (leaf->accessed == (accessed && records(lib)) && leaf->dirty == (dirty && records(lib)))
		return;
	print_error("%s: %#llx is%s accessed and%s dirty\n", lib->row->backend->name,
	            (unsigned long long)leaf->vaddr.value, leaf->accessed ? "" : " not",
	            leaf->dirty ? "" : " not");
	_fail(__FILE__, line);
}
#define assert_uses(leaf, accessed, dirty)                                                         \
	assert_uses_at(lib, (leaf), (accessed), (dirty), __LINE__)

static inline struct pt_mapping query(struct lib *lib, uint64_t va)
{
	struct pt_mapping mapping;

	expect(pt_query(&lib->table, pt_va(va), &mapping), PT_OK);
	return mapping;
}

#define assert_queried(va, accessed, dirty)                                                        \
	do {                                                                                       \
		const struct pt_mapping queried = query(lib, (va));                                \
		assert_uses(&queried, (accessed), (dirty));                                        \
	} while (0)

/* What a visitor was told. */
struct told {
	size_t leaves, accessed, dirty;
	uint64_t bytes, next;
	bool in_order;
};

static inline void tell(void *context, const struct pt_mapping *leaf)
{
	struct told *told = context;

	told->in_order = (told->leaves == 0 || leaf->vaddr.value >= told->next);
	told->leaves++;
	told->accessed += leaf->accessed;
	told->dirty += leaf->dirty;
	told->bytes += leaf->size;
	told->next = leaf->vaddr.value + leaf->size;
}

#endif
