/* SPDX-License-Identifier: MIT */
/* Tables found, read and written behind the library's back. */
#ifndef LIB_TABLES_H
#define LIB_TABLES_H

#include "lib_fixture.h"

struct table_search {
	unsigned level;
	uint64_t frame;
};

static inline enum pt_walk_next find_table(void *context, const struct pt_visit *visit)
{
	struct table_search *search = context;

	if (visit->kind != PT_ENTRY_TABLE || visit->level + 1 != search->level)
		return PT_WALK_ON;
	search->frame = visit->next.value;
	return PT_WALK_STOP;
}

/* The frame of the first table of `level`. */
static inline uint64_t frame_of(const struct pt_table *table, unsigned level)
{
	struct table_search search = {level, table->root.value};

	if (level > 0)
		pt_walk(table, SIZE_MAX, find_table, NULL, &search);
	return search.frame;
}

static inline uint64_t get_entry(const struct lib *lib, uint64_t frame, size_t index)
{
	uint64_t entry = 0;

	memcpy(&entry, lib->memory + (frame - WINDOW) + index * lib->row->entry_bytes,
	       lib->row->entry_bytes);
	return entry;
}

static inline void set_entry(struct lib *lib, uint64_t frame, size_t index, uint64_t entry)
{
	const size_t offset = frame - WINDOW + index * lib->row->entry_bytes;

	memcpy(lib->memory + offset, &entry, lib->row->entry_bytes);
	memcpy(lib->shadow + offset, &entry, lib->row->entry_bytes);
}

/* `entry` leading to `to` instead of `from`. */
static inline uint64_t redirect(const struct lib *lib, uint64_t entry, uint64_t from, uint64_t to)
{
	const bool riscv = strncmp(lib->row->backend->name, "riscv", 5) == 0;

	return entry ^ (from ^ to) >> (riscv ? 2 : 0);
}

/* The root index of the row's `va`. */
static inline size_t root_index(const struct lib *lib)
{
	return (size_t)(lib->va >> lib->row->root_shift) & (lib->row->root_slots - 1u);
}

#endif
