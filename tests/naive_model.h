/* SPDX-License-Identifier: MIT */
/*
 * A second restatement of the contract, naive on purpose: an array with one
 * element for each 4 KiB page of a window, and every rule spelt out page by page.
 * It assumes addresses and flags that are fine; the model's tables of statuses
 * see to the others.
 */
#ifndef NAIVE_MODEL_H
#define NAIVE_MODEL_H

#include <string.h>

#include "model.h"

struct page {
	uint32_t frame; /* physical page number */
	uint8_t shift;  /* of the leaf; 0: a hole */
	uint8_t flags;
};

static struct {
	const struct wp_regime *regime;
	uint64_t base;
	size_t pages;
	unsigned root_shift;
	struct page *table[2];
	struct page *before;           /* what a failed call goes back to */
	bool lent[2][WP_MODEL_TABLES]; /* [window's n-th root slot][to which table] */
} naive;

static uint64_t va_of(size_t page)
{
	return naive.base + page * PT_4K;
}

static size_t slot_of(size_t page)
{
	return (size_t)((va_of(page) >> naive.root_shift) - (naive.base >> naive.root_shift));
}

/* The page as `table` sees it. */
static struct page seen(unsigned table, size_t page)
{
	return naive.table[naive.lent[slot_of(page)][table] ? 1 - table : table][page];
}

/* The tables that `table` owns: by definition, one for each slot with a smaller leaf. */
static size_t count_tables(unsigned table)
{
	size_t count = 1;

	for (unsigned shift = 21; shift <= naive.root_shift; shift += 9) {
		uint64_t counted = UINT64_MAX;

		for (size_t i = 0; i < naive.pages; i++) {
			const struct page page = naive.table[table][i];
			const uint64_t slot = va_of(i) >> shift;

			if (page.shift && page.shift < shift && slot != counted) {
				counted = slot;
				count++;
			}
		}
	}
	return count;
}

static void save(unsigned table)
{
	memcpy(naive.before, naive.table[table], naive.pages * sizeof naive.before[0]);
}

static void restore(unsigned table)
{
	memcpy(naive.table[table], naive.before, naive.pages * sizeof naive.before[0]);
}

static bool touches_borrowed(unsigned table, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (naive.lent[slot_of(i)][table])
			return true;
	}
	return false;
}

static pt_status naive_map(unsigned table, size_t first, uint64_t pa, unsigned shift,
                           pt_flags flags)
{
	const size_t count = (size_t)1 << (shift - 12);
	struct page *pages = naive.table[table];

	if (pages[first].shift > shift)
		return PT_MAPPED_TO_HUGE_PAGE;
	for (size_t i = first; i < first + count; i++) {
		if (pages[i].shift)
			return PT_ALREADY_MAPPED;
	}
	for (size_t i = 0; i < count; i++)
		pages[first + i] = (struct page){(uint32_t)(pa / PT_4K + i), (uint8_t)shift,
		                                 (uint8_t)flags};
	return PT_OK;
}

/* The largest leaf for page `i` of the region, whose pages go to `frames`. */
static unsigned choose(size_t first, const uint64_t *frames, size_t i, size_t count, bool huge)
{
	for (unsigned shift = 48; huge && shift > 12; shift -= 9) {
		const uint64_t size = (uint64_t)1 << shift;
		const size_t pages = (size_t)1 << (shift - 12);
		size_t n = 0;

		if (!(naive.regime->leaf_sizes & size) || va_of(first + i) % size ||
		    frames[i] % size || pages > count - i)
			continue;
		while (n < pages && frames[i + n] == frames[i] + n * PT_4K)
			n++;
		if (n == pages)
			return shift;
	}
	return 12;
}

/* A region is the sequence of map() that it stands for. */
static struct wp_verdict naive_map_region(unsigned table, size_t first, const uint64_t *frames,
                                          size_t count, pt_flags flags, bool huge, size_t available)
{
	const size_t tables = count_tables(table);
	struct wp_verdict verdict = {.status = PT_OK};

	if (touches_borrowed(table, first, count))
		return (struct wp_verdict){.status = PT_BORROWED};
	save(table);
	for (size_t i = 0; i < count && verdict.status == PT_OK;) {
		const unsigned shift = choose(first, frames, i, count, huge);

		verdict.status = naive_map(table, first + i, frames[i], shift, flags);
		i += (size_t)1 << (shift - 12);
	}
	if (verdict.status == PT_OK) {
		verdict.allocated = count_tables(table) - tables;
		if (verdict.allocated > available)
			verdict = (struct wp_verdict){.status = PT_NO_MEMORY};
	}
	if (verdict.status != PT_OK)
		restore(table);
	return verdict;
}

/* Splits whatever leaf lies across the start of `page`. */
static void split(unsigned table, size_t page)
{
	struct page *pages = naive.table[table];

	if (page == naive.pages)
		return;
	while (pages[page].shift && va_of(page) % ((uint64_t)1 << pages[page].shift)) {
		const unsigned shift = pages[page].shift;
		const size_t count = (size_t)1 << (shift - 12);
		const size_t first = page - (size_t)(va_of(page) / PT_4K) % count;

		for (size_t i = first; i < first + count; i++)
			pages[i].shift = (uint8_t)(shift - 9);
	}
}

/* Whether a change of those pages would change a root entry that is lent. */
static bool changes_lent_entry(unsigned table, size_t first, size_t count, bool removes)
{
	const size_t per_slot = (size_t)1 << (naive.root_shift - 12);

	for (size_t i = 0; i < naive.pages; i++) {
		const size_t slot = slot_of(i);
		bool touched = false, left = false;

		if (!naive.lent[slot][1 - table] || (i && slot_of(i - 1) == slot))
			continue;
		for (size_t j = i; j < naive.pages && j < i + per_slot && slot_of(j) == slot; j++) {
			const bool inside = j >= first && j < first + count;

			if (inside && naive.table[table][j].shift == naive.root_shift)
				return true;
			touched |= inside;
			left |= !inside && naive.table[table][j].shift;
		}
		if (removes && touched && !left)
			return true;
	}
	return false;
}

/* unmap_region where `flags` is NULL, else protect_region. */
static struct wp_verdict naive_change(unsigned table, size_t first, size_t count,
                                      const pt_flags *flags, size_t available)
{
	struct page *pages = naive.table[table];
	struct wp_verdict verdict = {.status = PT_OK};
	size_t tables = count_tables(table);

	if (touches_borrowed(table, first, count) ||
	    changes_lent_entry(table, first, count, !flags))
		return (struct wp_verdict){.status = PT_BORROWED};
	for (size_t i = first; !flags && i < first + count; i++) {
		if (!pages[i].shift)
			return (struct wp_verdict){.status = PT_NOT_MAPPED};
	}
	save(table);
	split(table, first);
	split(table, first + count);
	verdict.allocated = count_tables(table) - tables;
	if (verdict.allocated > available) {
		restore(table);
		return (struct wp_verdict){.status = PT_NO_MEMORY};
	}
	tables += verdict.allocated;
	for (size_t i = first; i < first + count; i++) {
		if (!flags)
			pages[i] = (struct page){0};
		else if (pages[i].shift)
			pages[i].flags = (uint8_t)*flags;
	}
	verdict.removed = tables - count_tables(table);
	return verdict;
}

/* unmap, protect (`flags`), remap (both): the leaf that starts at `page`. */
static struct wp_verdict naive_leaf(unsigned table, size_t page, const uint64_t *pa,
                                    const pt_flags *flags)
{
	const struct page leaf = seen(table, page);
	const uint64_t size = leaf.shift ? (uint64_t)1 << leaf.shift : PT_4K;
	struct wp_verdict verdict;

	if (va_of(page) % size || (pa && *pa % size))
		return (struct wp_verdict){.status = PT_NOT_ALIGNED};
	if (naive.lent[slot_of(page)][table])
		return (struct wp_verdict){.status = PT_BORROWED};
	if (!leaf.shift)
		return (struct wp_verdict){.status = PT_NOT_MAPPED};
	verdict = naive_change(table, page, (size_t)(size / PT_4K), flags, 0);
	if (verdict.status != PT_OK)
		return verdict;
	if (flags)
		verdict.size = size;
	else
		verdict.mapping = (struct pt_mapping){
			.vaddr = pt_va(va_of(page)),
			.paddr = pt_pa(leaf.frame * PT_4K),
			.size = size,
			.flags = leaf.flags,
		};
	for (size_t i = 0; pa && i < size / PT_4K; i++)
		naive.table[table][page + i].frame = (uint32_t)(*pa / PT_4K + i);
	return verdict;
}

/* copy_from, or give_back, over the slots [first, end) of the window. */
static struct wp_verdict naive_share(unsigned table, size_t first, size_t end, bool give_back)
{
	const unsigned other = 1 - table;
	const size_t tables = count_tables(table);
	struct wp_verdict verdict = {.status = PT_OK};

	for (size_t slot = first; slot < end && !give_back; slot++) {
		if (naive.lent[slot][other])
			return (struct wp_verdict){.status = PT_BORROWED};
	}
	for (size_t slot = first; slot < end; slot++)
		naive.lent[slot][table] = false;
	for (size_t i = 0; i < naive.pages && !give_back; i++) {
		const size_t slot = slot_of(i);

		if (slot < first || slot >= end)
			continue;
		naive.table[table][i] = (struct page){0};
		naive.lent[slot][table] |= naive.table[other][i].shift != 0;
	}
	verdict.removed = tables - count_tables(table);
	return verdict;
}

static struct wp_verdict naive_destroy(unsigned table)
{
	const struct wp_verdict verdict = {.removed = count_tables(table)};

	if (naive.lent[0][1 - table] || naive.lent[1][1 - table])
		return (struct wp_verdict){.status = PT_BORROWED};
	memset(naive.table[table], 0, naive.pages * sizeof naive.before[0]);
	naive.lent[0][table] = naive.lent[1][table] = false;
	return verdict;
}

#endif
