/* SPDX-License-Identifier: MIT */
/*
 * What the library's entries look like: it is made to map a page of every size with
 * every flag set, and walk() tells what it stored. So no entry format is known here.
 */
#include "memory_program.h"

#include "subject.h"

/* The first table entry and the leaf that a walk meets. */
struct seen {
	uint64_t table, next, leaf;
};

static enum pt_walk_next see(void *context, const struct pt_visit *visit)
{
	struct seen *seen = context;

	if (visit->kind == PT_ENTRY_TABLE && seen->next == 0) {
		seen->table = visit->entry;
		seen->next = visit->next.value;
	}
	if (visit->kind == PT_ENTRY_LEAF)
		seen->leaf = visit->entry;
	return PT_WALK_ON;
}

static uint64_t first_address(const struct wp_regime *regime)
{
	uint64_t first[2], last[2];

	wp_regime_ranges(regime, first, last);
	return first[0];
}

/* Maps a leaf at physical address 0 to look at its entry; 0: there is no such leaf. */
static uint64_t leaf_of(struct pt_table *table, const struct wp_regime *regime, unsigned level,
                        pt_flags flags, struct wp_memory_shapes *shapes)
{
	const pt_vaddr va = pt_va(first_address(regime));
	struct seen seen = {0};

	if (pt_map(table, va, pt_pa(0), wp_regime_span(regime, level), flags, NULL) != PT_OK)
		return 0;
	pt_walk(table, SIZE_MAX, see, NULL, &seen);
	pt_unmap(table, va, NULL, NULL);
	if (seen.next != 0)
		shapes->table = seen.table ^ seen.next >> shapes->address_shift;
	return seen.leaf;
}

/* Where the architecture has no such flags, or no leaf of that level, the next best thing. */
static uint64_t leaf_like(struct pt_table *table, const struct wp_regime *regime, unsigned level,
                          pt_flags flags, struct wp_memory_shapes *shapes)
{
	static const struct {
		pt_flags keep, add;
	} like[] = {
		{~0u, 0},
		{~PT_UNCACHED, 0},
		{~PT_UNCACHED, PT_READ},
		{~(PT_UNCACHED | PT_USER), PT_READ},
	};

	for (size_t i = 0; i < sizeof like / sizeof like[0]; i++) {
		const uint64_t leaf = leaf_of(table, regime, level,
		                              (flags & like[i].keep) | like[i].add, shapes);

		if (leaf != 0)
			return leaf;
	}
	return level + 1 < regime->levels ? shapes->leaves[level + 1][flags] : 0;
}

bool wp_memory_shapes_take(struct wp_memory_runner *runner, const struct wp_regime *regime)
{
	struct wp_memory_shapes *shapes = &runner->shapes[regime - wp_regimes];
	struct pt_table *table = &shapes->created;

	runner->frame_size = wp_regime_page_bytes(regime);
	if (pt_create(table, wp_library_backend(regime), &runner->platform, regime->half) != PT_OK)
		return false;
	/* RISC-V keeps page numbers from bit 10 on; the others keep addresses as they are */
	shapes->address_shift = regime->arch == WP_RISCV64 ? 2 : 0;
	for (unsigned level = regime->levels; level-- > 0;) {
		for (pt_flags flags = 0; flags <= PT_FLAGS_ALL; flags++)
			shapes->leaves[level][flags] = leaf_like(table, regime, level, flags,
			                                         shapes);
	}
	shapes->empty_root = *(const uint64_t *)wp_memory_at(&runner->memory, table->root.value, 8);
	return shapes->table != 0 || regime->arch == WP_LOONGARCH64;
}
