/* SPDX-License-Identifier: MIT */
/* The region calls, over every backend. */
#include "lib_fixture.h"

static pt_status map_region(struct lib *lib, uint64_t va, uint64_t pa, uint64_t size, bool huge)
{
	return pt_map_region(&lib->table, pt_va(va), pt_pa(pa), size, RW, huge, NULL);
}

static void a_region_of_length_zero_is_a_bad_size(void **state)
{
	struct lib *lib = *state;
	const pt_vaddr bad = pt_va((uint64_t)1 << 63 | 1);

	expect(pt_map_region(&lib->table, bad, pt_pa(1), 0, 99, true, NULL), PT_BAD_SIZE);
	expect(pt_unmap_region(&lib->table, bad, 0, NULL), PT_BAD_SIZE);
	expect(pt_protect_region(&lib->table, bad, 0, 99, NULL), PT_BAD_SIZE);
}

static void a_region_that_wraps_is_a_bad_address(void **state)
{
	struct lib *lib = *state;
	const uint64_t sizes[] = {0 - lib->va, 0 - lib->page, ~(uint64_t)0};
	const uint64_t wide = (uint64_t)1 << lib->row->backend->paddr_bits;

	for (size_t i = lib->va == 0 || lib->va >> 63; i < COUNT(sizes); i++) {
		expect(map_region(lib, lib->va + lib->page, 0, sizes[i], true), PT_BAD_ADDRESS);
		expect(pt_unmap_region(&lib->table, pt_va(lib->va + lib->page), sizes[i], NULL),
		       PT_BAD_ADDRESS);
	}
	expect(map_region(lib, lib->va + 1, wide - lib->page, 2 * lib->page, true), PT_BAD_ADDRESS);
	expect(map_region(lib, lib->va, wide - lib->page, lib->page, true), PT_OK);
}

static void a_region_is_mapped_in_the_largest_leaves_that_fit(void **state)
{
	struct lib *lib = *state;
	const uint64_t from = lib->va + lib->large - lib->page;

	expect(map_region(lib, from, PA - lib->page, lib->large + 2 * lib->page, true), PT_OK);
	assert_maps(&lib->table, from, PA - lib->page, lib->page, RW);
	assert_maps(&lib->table, from + lib->page, PA, lib->large, RW);
	assert_maps(&lib->table, from + lib->page + lib->large, PA + lib->large, lib->page, RW);
	expect(query_of(&lib->table, from + 2 * lib->page + lib->large), PT_NOT_MAPPED);
	expect(query_of(&lib->table, from - 1), PT_NOT_MAPPED);
	settle(lib);
	expect(map_region(lib, lib->va + 4 * lib->large, PA, lib->large, false), PT_OK);
	assert_maps(&lib->table, lib->va + 4 * lib->large, PA, lib->page, RW);
}

static void the_status_is_that_of_the_first_leaf_that_map_refuses(void **state)
{
	struct lib *lib = *state;
	const uint64_t va = lib->va + 2 * lib->large;

	expect(map(lib, va, PA, lib->large, RW), PT_OK);
	expect(map(lib, va + lib->large + lib->page, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	expect(map_region(lib, va - lib->page, 0, 4 * lib->large, false), PT_MAPPED_TO_HUGE_PAGE);
	expect(map_region(lib, va, PA, 4 * lib->large, true), PT_ALREADY_MAPPED);
	expect(map_region(lib, va + lib->large, 0, lib->large, false), PT_ALREADY_MAPPED);
	expect(map_region(lib, va + lib->large, PA, lib->large, true), PT_ALREADY_MAPPED);
	expect(pt_unmap_region(&lib->table, pt_va(va), 2 * lib->large, NULL), PT_NOT_MAPPED);
	assert_int_equal(lib->events, 0);
}

struct source {
	uint64_t base;
	uint64_t odd; /* the page that isn't where the others say */
};

static pt_paddr page_of(void *context, pt_vaddr vaddr)
{
	const struct source *source = context;

	return pt_pa(vaddr.value == source->odd ? PA : source->base + vaddr.value);
}

static void a_source_gets_large_leaves_only_where_its_answers_are_contiguous(void **state)
{
	struct lib *lib = *state;
	const uint64_t two = lib->va + lib->large;
	struct source source = {PA - lib->va, two + lib->page};

	expect(pt_map_region_with(&lib->table, pt_va(lib->va), page_of, &source, 2 * lib->large, RW,
	                          true, NULL),
	       PT_OK);
	assert_maps(&lib->table, lib->va, PA, lib->large, RW);
	assert_maps(&lib->table, two, PA + lib->large, lib->page, RW);
	assert_maps(&lib->table, two + lib->page, PA, lib->page, RW);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), 2 * lib->large, NULL), PT_OK);
	source.base++;
	expect(pt_map_region_with(&lib->table, pt_va(lib->va), page_of, &source, lib->page, RW,
	                          true, NULL),
	       PT_NOT_ALIGNED);
	source.base = ((uint64_t)1 << lib->row->backend->paddr_bits) - lib->va + 1;
	expect(pt_map_region_with(&lib->table, pt_va(lib->va), page_of, &source, lib->page, RW,
	                          true, NULL),
	       PT_BAD_ADDRESS);
}

/* ----------------------------------------------------------- all or nothing */

enum change {
	MAP,
	UNMAP,
	PROTECT,
};

/* In the middle of a leaf of each size; what is below it needs splitting at both ends. */
static pt_status change(struct lib *lib, enum change change)
{
	const uint64_t from = lib->va + lib->page;
	const uint64_t size = lib->large;

	if (change == MAP)
		return map_region(lib, from, PA + lib->page, size, true);
	if (change == UNMAP)
		return pt_unmap_region(&lib->table, pt_va(from), size, NULL);
	return pt_protect_region(&lib->table, pt_va(from), size, PT_READ, NULL);
}

static void refuse_each_frame_in_turn(struct lib *lib, enum change kind, pt_status mapped)
{
	const size_t before = lib->in_use;
	size_t k;

	for (k = 0;; k++) {
		pt_status status;

		clear_log(lib);
		lib->allocations = k;
		status = change(lib, kind);
		lib->allocations = SIZE_MAX;
		if (status == PT_OK)
			break;
		expect(status, PT_NO_MEMORY);
		assert_int_equal(lib->in_use, before);
		assert_int_equal(count_of(lib, STORE), 0);
		assert_no_flush(lib);
		expect(query_of(&lib->table, lib->va + lib->page), mapped);
	}
	assert_true(k > 0);
	assert_int_equal(count_of(lib, ALLOC), k);
	settle(lib);
}

static void map_region_is_all_or_nothing_whichever_frame_is_refused(void **state)
{
	refuse_each_frame_in_turn(*state, MAP, PT_NOT_MAPPED);
}

static void unmap_region_is_all_or_nothing_whichever_frame_is_refused(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	expect(map(lib, lib->va + lib->large, PA + lib->large, lib->large, RW), PT_OK);
	refuse_each_frame_in_turn(lib, UNMAP, PT_OK);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	expect(query_of(&lib->table, lib->va + lib->page), PT_NOT_MAPPED);
	expect(query_of(&lib->table, lib->va + lib->large), PT_NOT_MAPPED);
	assert_maps(&lib->table, lib->va + lib->large + lib->page, PA + lib->large + lib->page,
	            lib->page, RW);
}

static void protect_region_is_all_or_nothing_whichever_frame_is_refused(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	expect(map(lib, lib->va + 2 * lib->large, PA, lib->large, RW), PT_OK); /* after a hole */
	refuse_each_frame_in_turn(lib, PROTECT, PT_OK);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	assert_maps(&lib->table, lib->va + lib->page, PA + lib->page, lib->page, PT_READ);
	assert_maps(&lib->table, lib->va + lib->large - 1, PA + lib->large - 1, lib->page, PT_READ);
	expect(query_of(&lib->table, lib->va + lib->large), PT_NOT_MAPPED);
	assert_maps(&lib->table, lib->va + 2 * lib->large, PA, lib->large, RW);
}

static void the_largest_leaf_is_split_down_to_pages(void **state)
{
	struct lib *lib = *state;
	const uint64_t sizes = lib->row->backend->leaf_sizes;
	const uint64_t top = (uint64_t)1 << (63 - __builtin_clzll(sizes));
	const unsigned below = (unsigned)__builtin_popcountll(sizes) - 1;
	const size_t before = lib->in_use + lib->row->levels - 1 - below;

	expect(map(lib, lib->va, 0, top, PT_READ), PT_OK);
	assert_int_equal(lib->in_use, before);
	clear_log(lib);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va + top - lib->page), lib->page, NULL),
	       PT_OK);
	assert_int_equal(lib->in_use, before + below);
	expect(query_of(&lib->table, lib->va + top - 1), PT_NOT_MAPPED);
	assert_maps(&lib->table, lib->va + top - lib->page - 1, top - lib->page - 1, lib->page,
	            PT_READ);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), top - lib->page, NULL), PT_OK);
	assert_int_equal(lib->in_use, lib->row->fixed_frames);
}

/* ------------------------------------------------------------- the stores */

static void neighbours_stay_or_fault(struct lib *lib, const struct event *store)
{
	static const int outside[] = {0, 2};

	(void)store;
	for (size_t i = 0; i < COUNT(outside); i++) {
		const uint64_t offset = (uint64_t)outside[i] * lib->page;
		struct pt_mapping mapping;
		const pt_status status = pt_query(&lib->table, pt_va(lib->va + offset), &mapping);

		if (status == PT_NOT_MAPPED && lib->row->breaks)
			continue;
		expect(status, PT_OK);
		assert_int_equal(mapping.paddr.value, PA + offset);
		assert_int_equal(mapping.flags, RW);
	}
}

static void a_split_is_broken_before_made_where_the_architecture_demands_it(void **state)
{
	struct lib *lib = *state;
	const struct event *made;
	size_t i = 0;

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	clear_log(lib);
	lib->watch = neighbours_stay_or_fault;
	expect(pt_protect_region(&lib->table, pt_va(lib->va + lib->page), lib->page, PT_READ, NULL),
	       PT_OK);
	lib->watch = NULL;
	assert_true(flushed(lib, lib->va + lib->page));
	if (lib->row->all_for_table)
		assert_true(count_of(lib, FLUSH_ALL) > 0);
	assert_int_equal(count_of(lib, STORE),
	                 lib->large / lib->page + 1 + 1 + (lib->row->breaks ? 1 : 0));
	if (!lib->row->breaks)
		return;
	/* the store that breaks, its flush, the store that makes */
	while (lib->log[i].kind != FLUSH)
		i++;
	made = &lib->log[i + 1];
	assert_int_equal(lib->log[i].at, lib->va);
	assert_int_equal(lib->log[i - 1].kind, STORE);
	assert_int_equal(lib->log[i - 1].at, made->at);
	assert_int_equal(made->before, lib->log[i - 1].after);
}

static void a_new_memory_type_is_broken_before_made_on_aarch64(void **state)
{
	struct lib *lib = *state;
	size_t first_flush = 0;

	if (lib->row->backend != &pt_aarch64 && lib->row->backend != &pt_aarch64_el2)
		return;
	expect(map_region(lib, lib->va, PA, 3 * lib->page, false), PT_OK);
	clear_log(lib);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), 3 * lib->page, RW | PT_DEVICE, NULL),
	       PT_OK);
	assert_int_equal(count_of(lib, STORE), 6);
	while (lib->log[first_flush].kind == STORE) {
		assert_int_equal(lib->log[first_flush].after & 1, 0);
		first_flush++;
	}
	assert_int_equal(first_flush, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(lib->log[first_flush + i].kind, FLUSH);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW | PT_DEVICE);
}

static void a_region_of_many_pages_is_flushed_all_at_once(void **state)
{
	struct lib *lib = *state;

	expect(map_region(lib, lib->va, PA, 64 * lib->page, false), PT_OK);
	clear_log(lib);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), 32 * lib->page, PT_READ, NULL),
	       PT_OK);
	assert_int_equal(count_of(lib, FLUSH), 32);
	assert_int_equal(count_of(lib, FLUSH_ALL), 0);
	clear_log(lib);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), 33 * lib->page, PT_READ, NULL),
	       PT_OK);
	assert_int_equal(count_of(lib, FLUSH), 1); /* the others are what they were */
	clear_log(lib);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), 33 * lib->page, RW, NULL), PT_OK);
	assert_int_equal(count_of(lib, FLUSH), 0);
	assert_int_equal(count_of(lib, FLUSH_ALL), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_of_length_zero_is_a_bad_size),
		cmocka_unit_test(a_region_that_wraps_is_a_bad_address),
		cmocka_unit_test(a_region_is_mapped_in_the_largest_leaves_that_fit),
		cmocka_unit_test(the_status_is_that_of_the_first_leaf_that_map_refuses),
		cmocka_unit_test(a_source_gets_large_leaves_only_where_its_answers_are_contiguous),
		cmocka_unit_test(map_region_is_all_or_nothing_whichever_frame_is_refused),
		cmocka_unit_test(unmap_region_is_all_or_nothing_whichever_frame_is_refused),
		cmocka_unit_test(protect_region_is_all_or_nothing_whichever_frame_is_refused),
		cmocka_unit_test(the_largest_leaf_is_split_down_to_pages),
		cmocka_unit_test(a_split_is_broken_before_made_where_the_architecture_demands_it),
		cmocka_unit_test(a_new_memory_type_is_broken_before_made_on_aarch64),
		cmocka_unit_test(a_region_of_many_pages_is_flushed_all_at_once),
	};

	return run_over_backends("region", tests, COUNT(tests));
}
