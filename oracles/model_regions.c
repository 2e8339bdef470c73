/* SPDX-License-Identifier: MIT */
/*
 * The model's calls on regions. Leaves are chosen arithmetically, a run at a
 * time, so that a terabyte costs no more than a page.
 */
#include "model_private.h"

/* The status of the checks that all calls on regions share. */
static pt_status check_region(const struct wp_model *model, uint64_t va, uint64_t pa,
                              uint64_t pa_size, uint64_t size)
{
	if (size == 0)
		return PT_BAD_SIZE;
	if (!wp_va_range_ok(model, va, size) || !wp_pa_range_ok(model, pa, pa_size))
		return PT_BAD_ADDRESS;
	return (va | pa | size) & (model->page - 1) ? PT_NOT_ALIGNED : PT_OK;
}

/*
 * Adds to the pieces the leaves that [va, va + size) takes on the way to `pa`: at
 * each point the largest of `sizes` that both addresses and the rest allow. The
 * choice can only change where the next larger one is aligned, or where the leaf no
 * longer fits itself.
 */
static void choose_leaves(struct wp_model *model, uint64_t va, uint64_t pa, uint64_t size,
                          pt_flags flags, uint64_t sizes)
{
	uint64_t leaf = model->page;

	while (size > 0) {
		uint64_t larger, bytes;

		while (leaf > size)
			leaf >>= model->index_bits;
		for (larger = leaf << model->index_bits;
		     larger & sizes && larger <= size && !((va | pa) & (larger - 1));
		     larger <<= model->index_bits)
			leaf = larger;

		bytes = size & ~(leaf - 1);
		if (larger & sizes && !((va ^ pa) & (larger - 1))) {
			const uint64_t aligned = -va & (larger - 1);

			if (aligned != 0 && aligned < bytes)
				bytes = aligned;
		}
		wp_runs_push(&model->pieces, (struct wp_run){va, pa, bytes, leaf, flags});
		va += bytes;
		pa += bytes;
		size -= bytes;
	}
}

/*
 * Why map() refuses the first leaf that it does: the one of the pieces that holds
 * the first byte of [va, ...) which `hit` maps already. A larger leaf that meets it
 * covers it.
 */
static pt_status refusal(const struct wp_model *model, uint64_t va, const struct wp_run *hit)
{
	const uint64_t byte = hit->va > va ? hit->va : va;
	const struct wp_run *piece = &model->pieces.at[wp_runs_seek(&model->pieces, byte)];

	return hit->leaf > piece->leaf ? PT_MAPPED_TO_HUGE_PAGE : PT_ALREADY_MAPPED;
}

/* Maps the pieces, which fill [va, last]. */
static struct wp_verdict map_pieces(struct wp_model *model, struct wp_model_table *table,
                                    uint64_t va, uint64_t last, size_t available)
{
	const size_t i = wp_runs_seek(&table->own, va);
	const struct wp_edit edit = {
		.table = table, .from = i, .to = i, .end = model->pieces.count};

	if (i < table->own.count && table->own.at[i].va <= last)
		return wp_refuse(refusal(model, va, &table->own.at[i]));
	return wp_edit_map(model, &edit, available);
}

/* Why a region whose addresses are fine may not get these flags: none, while it is borrowed. */
static pt_status check_flags(const struct wp_model *model, const struct wp_model_table *table,
                             uint64_t va, uint64_t size, pt_flags flags)
{
	if (!wp_flags_expressible(model->regime, flags))
		return PT_BAD_FLAGS;
	return wp_borrows_in(model, table, va, va + (size - 1)) ? PT_BORROWED : PT_OK;
}

struct wp_verdict wp_model_map_region(struct wp_model *model, unsigned index, uint64_t va,
                                      uint64_t pa, uint64_t size, pt_flags flags, bool allow_huge,
                                      size_t available)
{
	struct wp_model_table *table = &model->tables[index];
	pt_status status = check_region(model, va, pa, size, size);

	if (status == PT_OK)
		status = check_flags(model, table, va, size, flags);
	if (status != PT_OK)
		return wp_refuse(status);
	model->pieces.count = 0;
	choose_leaves(model, va, pa, size, flags, allow_huge ? model->leaf_sizes : model->page);
	return map_pieces(model, table, va, va + (size - 1), available);
}

/* The status that a source's answers alone call for. */
static pt_status check_pages(const struct wp_model *model, const uint64_t *pages, size_t count)
{
	uint64_t any = 0;

	for (size_t i = 0; i < count; i++)
		any |= pages[i];
	if (any >> model->regime->pa_bits)
		return PT_BAD_ADDRESS;
	return any & (model->page - 1) ? PT_NOT_ALIGNED : PT_OK;
}

/* Pages from `first` on that are contiguous. */
static size_t contiguous(const uint64_t *pages, size_t first, size_t count, uint64_t page)
{
	size_t end = first + 1;

	while (end < count && pages[end] == pages[end - 1] + page)
		end++;
	return end - first;
}

/*
 * A leaf larger than a page needs contiguous pages, so each stretch of them takes
 * the leaves that a linear region of it would take.
 */
struct wp_verdict wp_model_map_region_with(struct wp_model *model, unsigned index, uint64_t va,
                                           const uint64_t *pages, uint64_t size, pt_flags flags,
                                           bool allow_huge, size_t available)
{
	const uint64_t sizes = allow_huge ? model->leaf_sizes : model->page;
	struct wp_model_table *table = &model->tables[index];
	const size_t count = (size_t)(size / model->page);
	pt_status status = check_region(model, va, 0, 1, size);

	/* A source is asked only for addresses that are fine themselves. */
	if (status == PT_OK)
		status = check_pages(model, pages, count);
	if (status == PT_OK)
		status = check_flags(model, table, va, size, flags);
	if (status != PT_OK)
		return wp_refuse(status);

	model->pieces.count = 0;
	for (size_t i = 0, length; i < count; i += length) {
		length = contiguous(pages, i, count, model->page);
		choose_leaves(model, va + i * model->page, pages[i], length * model->page, flags,
		              sizes);
	}
	return map_pieces(model, table, va, va + (size - 1), available);
}

/* Whether every byte of [va, last] is mapped. */
static bool is_full(const struct wp_runs *runs, uint64_t va, uint64_t last)
{
	for (size_t i = wp_runs_seek(runs, va); i < runs->count && runs->at[i].va <= va; i++) {
		const uint64_t end = wp_last_byte(&runs->at[i]);

		if (end >= last)
			return true;
		va = end + 1;
	}
	return false;
}

struct wp_verdict wp_model_unmap_region(struct wp_model *model, unsigned index, uint64_t va,
                                        uint64_t size, size_t available)
{
	struct wp_model_table *table = &model->tables[index];
	const pt_status status = check_region(model, va, 0, 1, size);
	const uint64_t last = va + (size - 1);
	struct wp_verdict verdict = {.status = PT_OK};
	struct wp_edit edit;

	if (status != PT_OK)
		return wp_refuse(status);
	if (wp_borrows_in(model, table, va, last) ||
	    wp_changes_lent_entry(model, index, va, last, true))
		return wp_refuse(PT_BORROWED);
	if (!is_full(&table->own, va, last))
		return wp_refuse(PT_NOT_MAPPED);

	edit = wp_edit_open(model, table, va, last);
	if (edit.splits > available)
		return wp_refuse(PT_NO_MEMORY);
	verdict.allocated = edit.splits;
	table->tables += verdict.allocated;
	verdict.removed = wp_edit_unmap(model, &edit);
	return verdict;
}

struct wp_verdict wp_model_protect_region(struct wp_model *model, unsigned index, uint64_t va,
                                          uint64_t size, pt_flags flags, size_t available)
{
	struct wp_model_table *table = &model->tables[index];
	const uint64_t last = va + (size - 1);
	pt_status status = check_region(model, va, 0, 1, size);
	struct wp_edit edit;

	if (status == PT_OK)
		status = check_flags(model, table, va, size, flags);
	if (status != PT_OK)
		return wp_refuse(status);
	if (wp_changes_lent_entry(model, index, va, last, false))
		return wp_refuse(PT_BORROWED);

	edit = wp_edit_open(model, table, va, last);
	if (edit.splits > available)
		return wp_refuse(PT_NO_MEMORY);
	table->tables += edit.splits;
	for (size_t i = edit.first; i < edit.end; i++)
		model->pieces.at[i].flags = flags;
	wp_edit_close(model, &edit);
	return (struct wp_verdict){.allocated = edit.splits};
}

/* A leaf is in the range or not, be it cut by an end: none is split, so no frame is needed. */
struct wp_verdict wp_model_harvest(const struct wp_model *model, unsigned index, uint64_t va,
                                   uint64_t size, pt_uses uses)
{
	const pt_status status = check_region(model, va, 0, 1, size);
	const uint64_t last = va + (size - 1);

	if (status != PT_OK)
		return wp_refuse(status);
	if (uses == 0 || (uses & ~wp_uses_recorded(model->regime)) != 0)
		return wp_refuse(PT_BAD_FLAGS);
	if (wp_borrows_in(model, &model->tables[index], va, last) ||
	    wp_changes_lent_entry(model, index, va, last, false))
		return wp_refuse(PT_BORROWED);
	return (struct wp_verdict){.status = PT_OK};
}
