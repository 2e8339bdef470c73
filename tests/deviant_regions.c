/* SPDX-License-Identifier: MIT */
/* The calls on regions of the library as a shared object. */
#include "deviant.h"

/* x86_64: there is no WRITE or EXECUTE without READ. */
static int is_expressible(wp_flags flags)
{
	return (flags & ~PT_FLAGS_ALL) == 0 &&
	       (flags & (PT_DEVICE | PT_UNCACHED)) != (PT_DEVICE | PT_UNCACHED) &&
	       ((flags & (PT_WRITE | PT_EXECUTE)) == 0 || (flags & PT_READ) != 0);
}

/* x86_64: nothing of the range, whatever is mapped there, is refused. */
static int is_sound(uint64_t va, uint64_t pa, uint64_t size, wp_flags flags)
{
	const uint64_t half = (uint64_t)1 << 47, last = va + (size - 1);

	if (size == 0 || ((va | pa | size) & (PT_4K - 1)) != 0 || last < va || pa >> 52 != 0 ||
	    size > ((uint64_t)1 << 52) - pa)
		return 0;
	return (last < half || va >= -half) && is_expressible(flags);
}

/* A leaf at a time, as far as it goes. */
static pt_status map_parts(struct wp_exported *t, uint64_t va, uint64_t pa, uint64_t size,
                           pt_flags flags, uint32_t allow_huge)
{
	pt_status status = PT_OK;

	for (uint64_t done = 0, leaf; done < size && status == PT_OK; done += leaf) {
		const uint64_t at = (va + done) | (pa + done);

		leaf = PT_4K;
		for (uint64_t larger = PT_2M; allow_huge && larger <= PT_1G; larger <<= 9) {
			if ((at & (larger - 1)) == 0 && larger <= size - done)
				leaf = larger;
		}
		status = pt_map(&t->table, pt_va(va + done), pt_pa(pa + done), leaf, flags,
		                wp_exported_batch(t));
	}
	return status;
}

wp_status map_region(void *table, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags,
                     uint32_t allow_huge)
{
	if (is("no-huge") || is("regions-of-4k"))
		allow_huge = 0;
	if (is("partial-regions") && is_sound(va, pa, size, flags))
		return wp_export_status(map_parts(table, va, pa, size, flags, allow_huge));
	return wp_export_map_region(table, va, pa, size, flags, allow_huge);
}

struct search {
	uint64_t from, found;
};

static enum pt_walk_next find_leaf(void *context, const struct pt_visit *visit)
{
	struct search *search = context;

	if (visit->kind != PT_ENTRY_LEAF ||
	    visit->vaddr.value + (visit->mapping.size - 1) < search->from)
		return PT_WALK_ON;
	search->found = visit->vaddr.value;
	return PT_WALK_STOP;
}

/* The last byte of the hole at `va`. */
static uint64_t end_of_hole(struct wp_exported *t, uint64_t va)
{
	struct search search = {va, 0};

	pt_walk(&t->table, SIZE_MAX, find_leaf, NULL, &search);
	return search.found - 1;
}

enum change { UNMAP, PROTECT };

/* The leaves of a range, one after the other. */
static pt_status change_parts(struct wp_exported *t, enum change change, uint64_t va, uint64_t size,
                              pt_flags flags, int skips)
{
	const uint64_t last = va + (size - 1);
	pt_status status = PT_OK;

	for (uint64_t at = va, part; status == PT_OK && at - va < size; at += part) {
		struct pt_mapping mapping = {0};
		const pt_status found = pt_query(&t->table, pt_va(at), &mapping);
		const uint64_t leaf = mapping.size;
		const uint64_t end = leaf != 0 ? at | (leaf - 1) : end_of_hole(t, at);

		part = (end < last ? end : last) - at + 1;
		if (found == PT_MALFORMED)
			status = found;
		else if (leaf == 0)
			status = skips ? PT_OK : PT_NOT_MAPPED;
		else if (change == UNMAP)
			status = pt_unmap_region(&t->table, pt_va(at), part, wp_exported_batch(t));
		else
			status = pt_protect_region(&t->table, pt_va(at), part, flags,
			                           wp_exported_batch(t));
	}
	return status;
}

static int cuts(struct wp_exported *t, uint64_t va)
{
	const uint64_t size = leaf_at(t, va).size;

	return size != 0 && (va & (size - 1)) != 0;
}

wp_status unmap_region(void *table, uint64_t va, uint64_t size)
{
	struct wp_exported *t = table;
	wp_status status;

	if (is("no-split") && is_sound(va, 0, size, 0) && (cuts(t, va) || cuts(t, va + size)))
		return WP_MAPPED_TO_HUGE_PAGE;
	if (is("partial-regions") && is_sound(va, 0, size, 0))
		return wp_export_status(change_parts(t, UNMAP, va, size, 0, 0));
	status = wp_export_unmap_region(table, va, size);
	if (is("unmap-skips-holes") && status == WP_NOT_MAPPED)
		return wp_export_status(change_parts(t, UNMAP, va, size, 0, 1));
	return status;
}

static int has_hole(struct wp_exported *t, uint64_t va, uint64_t size)
{
	for (uint64_t at = va, leaf; at - va < size; at = (at | (leaf - 1)) + 1) {
		leaf = leaf_at(t, at).size;
		if (leaf == 0)
			return 1;
	}
	return 0;
}

wp_status protect_region(void *table, uint64_t va, uint64_t size, wp_flags flags)
{
	struct wp_exported *t = table;

	if (is("no-split") && is_sound(va, 0, size, 0) && (cuts(t, va) || cuts(t, va + size)))
		return WP_MAPPED_TO_HUGE_PAGE;
	if (is("protect-refuses-holes") && is_sound(va, 0, size, flags) && has_hole(t, va, size))
		return WP_NOT_MAPPED;
	if (is("partial-regions") && is_sound(va, 0, size, flags))
		return wp_export_status(change_parts(t, PROTECT, va, size, flags, 1));
	return wp_export_protect_region(table, va, size, flags);
}
