/* SPDX-License-Identifier: MIT */
/* The model against the contract: regions, the leaves that they take and split; walks. */
#include "model_check.h"

#include <stdlib.h>

static struct wp_verdict map_region(uint64_t va, uint64_t pa, uint64_t size, bool allow_huge)
{
	return wp_model_map_region(model, 0, va, pa, size, RW, allow_huge, ALL);
}

/* ----------------------------------------------------------------- statuses */

static void regions_refuse_size_address_alignment_and_flags_in_order(void **state)
{
	static const uint64_t pages[2] = {0};
	static const struct {
		uint64_t va, pa, size;
		pt_flags flags;
		pt_status map, unmap, protect;
	} rows[] = {
		{128 * T + 1, 1, 0, W, PT_BAD_SIZE, PT_BAD_SIZE, PT_BAD_SIZE},
		{128 * T - 4 * K, 1, 8 * K, W, PT_BAD_ADDRESS, PT_BAD_ADDRESS, PT_BAD_ADDRESS},
		{4 * K, 0, UINT64_MAX, W, PT_BAD_ADDRESS, PT_BAD_ADDRESS, PT_BAD_ADDRESS},
		{0, 0, 0 - 4 * K, W, PT_BAD_ADDRESS, PT_BAD_ADDRESS, PT_BAD_ADDRESS},
		{1, 0, 4 * K, W, PT_NOT_ALIGNED, PT_NOT_ALIGNED, PT_NOT_ALIGNED},
		{0, 0, 4 * K + 1, W, PT_NOT_ALIGNED, PT_NOT_ALIGNED, PT_NOT_ALIGNED},
		{0, 0, 8 * K, W, PT_BAD_FLAGS, PT_NOT_MAPPED, PT_BAD_FLAGS},
		{0, 0, 8 * K, R, PT_OK, PT_OK, PT_OK},
		{0 - 8 * K, 0, 8 * K, R, PT_OK, PT_OK, PT_OK},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const uint64_t va = rows[i].va, size = rows[i].size;
		const pt_flags flags = rows[i].flags;

		use("x86_64");
		expect(wp_model_map_region_with(model, 0, va, pages, size, flags, true, ALL),
		       rows[i].map);
		use("x86_64");
		expect(wp_model_map_region(model, 0, va, rows[i].pa, size, flags, true, ALL),
		       rows[i].map);
		expect(wp_model_protect_region(model, 0, va, size, flags, ALL), rows[i].protect);
		expect(wp_model_unmap_region(model, 0, va, size, ALL), rows[i].unmap);
	}
}

static void map_region_refuses_physical_ranges_that_are_too_wide_or_unaligned(void **state)
{
	const uint64_t end = (uint64_t)1 << 52;
	(void)state;

	use("x86_64");
	expect(map_region(0, end - 4 * K, 8 * K, true), PT_BAD_ADDRESS);
	expect(map_region(1, end, 4 * K, true), PT_BAD_ADDRESS);
	expect(map_region(0, 0 - 4 * K, 8 * K, true), PT_BAD_ADDRESS);
	expect(map_region(0, 8, 4 * K, true), PT_NOT_ALIGNED);
	expect(map_region(0, end - 8 * K, 8 * K, true), PT_OK);
}

static void a_source_that_answers_too_wide_anywhere_comes_before_an_unaligned_page(void **state)
{
	const uint64_t both[] = {0, 8, (uint64_t)1 << 52};
	const uint64_t unaligned[] = {0, 4 * K, 8 * K + 8};
	(void)state;

	use("x86_64");
	expect(wp_model_map_region_with(model, 0, 0, both, 12 * K, W, true, ALL), PT_BAD_ADDRESS);
	expect(wp_model_map_region_with(model, 0, 0, both, 8 * K, W, true, ALL), PT_NOT_ALIGNED);
	expect(wp_model_map_region_with(model, 0, 0, unaligned, 12 * K, W, true, ALL),
	       PT_NOT_ALIGNED);
	expect(wp_model_map_region_with(model, 0, 0, unaligned, 8 * K, RW, true, ALL), PT_OK);
}

/* --------------------------------------------------------------- map_region */

static void map_region_takes_the_largest_leaves_from_the_start_on(void **state)
{
	(void)state;
	use("x86_64");
	expect_frames(map_region(2 * M - 4 * K, 2 * M - 4 * K, 2 * G + 4 * M, true), 5, 0);
	expect_runs(0, {2 * M - 4 * K, 2 * M - 4 * K, 4 * K, PT_4K, RW},
	            {2 * M, 2 * M, G - 2 * M, PT_2M, RW}, {G, G, G, PT_1G, RW},
	            {2 * G, 2 * G, 4 * M, PT_2M, RW},
	            {2 * G + 4 * M, 2 * G + 4 * M, 2 * M - 4 * K, PT_4K, RW});
	/* The physical address is aligned to 2 MiB and no more. */
	use("x86_64");
	expect_frames(map_region(0, 2 * M, 2 * G, true), 3, 0);
	expect_runs(0, {0, 2 * M, 2 * G, PT_2M, RW});
	use("x86_64");
	expect_frames(map_region(0, 4 * K, 4 * M, true), 4, 0);
	expect_runs(0, {0, 4 * K, 4 * M, PT_4K, RW});
	use("x86_64");
	expect_frames(map_region(0, 0, 4 * M, false), 4, 0);
	expect_runs(0, {0, 0, 4 * M, PT_4K, RW});
}

static void map_region_takes_root_leaves_where_the_regime_has_them(void **state)
{
	(void)state;
	use("riscv64_sv48");
	expect_frames(map_region(0, 0, 128 * T, true), 0, 0);
	expect_runs(0, {0, 0, 128 * T, PT_512G, RW});
	use("x86_64");
	expect_frames(map_region(0, 0, 128 * T, true), 256, 0);
	use("aarch64_high");
	expect_frames(map_region(0 - 256 * T, 0, 256 * T, true), 512, 0);
	expect_runs(0, {0 - 256 * T, 0, 256 * T, PT_1G, RW});
}

static void map_region_counts_only_tables_that_are_not_there_yet(void **state)
{
	(void)state;
	use("x86_64");
	expect_frames(map(0, 4 * K, 0, PT_4K), 3, 0);
	expect_frames(map_region(8 * K, 0, 4 * M, false), 2, 0);
	expect_frames(map_region(G - 4 * K, 0, 8 * K, false), 3, 0);
	expect_frames(map(0, 8 * M - 4 * K, 0, PT_4K), 1, 0);
	expect_frames(map_region(4 * M + 8 * K, 0, 4 * M - 12 * K, false), 0, 0);
}

static void map_region_answers_for_the_first_leaf_that_map_would_refuse(void **state)
{
	(void)state;
	use("x86_64");
	expect(map(0, 4 * M, 0, PT_2M), PT_OK);
	expect(map(0, 16 * M + 4 * K, 0, PT_4K), PT_OK);
	/* 4 KiB leaves run into the 2 MiB leaf. */
	expect(map_region(2 * M, 4 * K, 4 * M, true), PT_MAPPED_TO_HUGE_PAGE);
	/* 2 MiB leaves do. */
	expect(map_region(2 * M, 2 * M, 4 * M, true), PT_ALREADY_MAPPED);
	/* A 1 GiB leaf would lie over both. */
	expect(map_region(0, 0, G, true), PT_ALREADY_MAPPED);
	expect(map_region(5 * M, 0, 4 * K, true), PT_MAPPED_TO_HUGE_PAGE);
	expect(map_region(16 * M, 0, 2 * M, true), PT_ALREADY_MAPPED);
	expect(map_region(16 * M + 4 * K, 0, 4 * K, true), PT_ALREADY_MAPPED);
	/* All or nothing. */
	expect(wp_model_query(model, 0, 2 * M), PT_NOT_MAPPED);
	assert_int_equal(wp_model_tables(model, 0), 4);
}

static void map_region_with_takes_large_leaves_over_contiguous_pages_alone(void **state)
{
	enum { PAGES = 2048 };
	uint64_t *pages = calloc(PAGES, sizeof *pages);
	(void)state;

	assert_non_null(pages);
	for (size_t i = 0; i < PAGES; i++)
		pages[i] = 64 * M + i * PT_4K;
	use("x86_64");
	expect_frames(wp_model_map_region_with(model, 0, 0, pages, 8 * M, RW, true, ALL), 2, 0);
	expect_runs(0, {0, 64 * M, 8 * M, PT_2M, RW});
	use("x86_64");
	expect_frames(wp_model_map_region_with(model, 0, 0, pages, 8 * M, RW, false, ALL), 6, 0);
	/* One page in the second 2 MiB lies elsewhere; the first and the last two don't care. */
	pages[700] = 0;
	use("x86_64");
	expect_frames(wp_model_map_region_with(model, 0, 0, pages, 8 * M, RW, true, ALL), 3, 0);
	expect_runs(0, {0, 64 * M, 2 * M, PT_2M, RW}, {2 * M, 66 * M, 188 * PT_4K, PT_4K, RW},
	            {700 * PT_4K, 0, PT_4K, PT_4K, RW},
	            {701 * PT_4K, 64 * M + 701 * PT_4K, 323 * PT_4K, PT_4K, RW},
	            {4 * M, 68 * M, 4 * M, PT_2M, RW});
	for (size_t available = 0; available < 3; available++) {
		use("x86_64");
		expect(wp_model_map_region_with(model, 0, 0, pages, 8 * M, RW, true, available),
		       PT_NO_MEMORY);
	}
	free(pages);
}

/* ------------------------------------------------------------- unmap, protect */

/* A 1 GiB leaf at 1 GiB and 2 MiB leaves after it; each row splits it anew. */
static void straddling_leaves_are_split_only_as_far_as_the_ends_need(void **state)
{
	static const struct {
		uint64_t va, size;
		size_t splits, removed;
	} rows[] = {
		{G, G, 0, 0},
		{G, 2 * M, 1, 0},
		{G, 4 * K, 2, 0},
		{2 * G - 4 * K, 4 * K, 2, 0},
		{G + 4 * M, 4 * K, 2, 0},
		{G + 4 * M + 4 * K, 4 * K, 2, 0}, /* both ends in one 2 MiB */
		{G + 4 * M - 4 * K, 8 * K, 3, 0}, /* in two that adjoin */
		{G + 4 * K, G - 8 * K, 3, 0},     /* at both ends of the leaf */
		{G + 4 * K, G - 4 * K, 2, 0},
		{G + 2 * M, G - 2 * M, 1, 0},
		{2 * G - 4 * K, 8 * K, 3, 0},         /* in leaves of two sizes */
		{2 * G + 4 * K, 4 * M - 8 * K, 2, 0}, /* in two 2 MiB leaves */
		{2 * G, 4 * M, 0, 1},                 /* all of the 2 MiB leaves */
		{2 * G - 2 * M, 6 * M, 1, 1},
		{G, G + 4 * M, 0, 2}, /* everything */
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const uint64_t va = rows[i].va, size = rows[i].size;
		struct wp_verdict verdict;

		for (size_t available = 0; available <= rows[i].splits; available++) {
			const pt_status status = available < rows[i].splits ? PT_NO_MEMORY : PT_OK;

			use("x86_64");
			expect_frames(map_region(G, 0, G + 4 * M, true), 2, 0);
			expect(wp_model_protect_region(model, 0, va, size, RW, available), status);
			assert_int_equal(wp_model_tables(model, 0),
			                 status == PT_OK ? 3 + rows[i].splits : 3);
			/* Splitting keeps what is mapped, and a second time needs nothing. */
			assert_int_equal(wp_model_find(model, 0, G)->pa, 0);
			if (status == PT_OK)
				expect_frames(wp_model_protect_region(model, 0, va, size, R, 0), 0,
				              0);

			use("x86_64");
			expect_frames(map_region(G, 0, G + 4 * M, true), 2, 0);
			verdict = wp_model_unmap_region(model, 0, va, size, available);
			expect(verdict, status);
			if (status == PT_OK)
				expect_frames(verdict, rows[i].splits, rows[i].removed);
			else
				expect_runs(0, {G, 0, G, PT_1G, RW}, {2 * G, G, 4 * M, PT_2M, RW});
		}
	}
}

static void a_page_in_the_middle_of_a_large_leaf_splits_it_minimally(void **state)
{
	(void)state;
	use("x86_64");
	expect(map(0, G, 0, PT_1G), PT_OK);
	expect_frames(wp_model_unmap_region(model, 0, G + 4 * M + 8 * K, 4 * K, ALL), 2, 0);
	expect_runs(0, {G, 0, 4 * M, PT_2M, RW}, {G + 4 * M, 4 * M, 8 * K, PT_4K, RW},
	            {G + 4 * M + 12 * K, 4 * M + 12 * K, 2 * M - 12 * K, PT_4K, RW},
	            {G + 6 * M, 6 * M, G - 6 * M, PT_2M, RW});
	use("riscv64_sv57");
	expect(map(0, 0 - PT_256T, 0, PT_256T), PT_OK);
	expect_frames(wp_model_protect_region(model, 0, 0 - 4 * K, 4 * K, R, ALL), 4, 0);
	expect_runs(0, {0 - PT_256T, 0, 256 * T - 512 * G, PT_512G, RW},
	            {0 - PT_512G, 256 * T - 512 * G, 511 * G, PT_1G, RW},
	            {0 - PT_1G, 256 * T - G, G - 2 * M, PT_2M, RW},
	            {0 - PT_2M, 256 * T - 2 * M, 2 * M - 4 * K, PT_4K, RW},
	            {0 - PT_4K, 256 * T - 4 * K, 4 * K, PT_4K, R});
}

static void unmap_region_wants_the_whole_range_mapped(void **state)
{
	(void)state;
	use("x86_64");
	expect(map_region(4 * K, 0, 8 * K, false), PT_OK);
	expect(map_region(16 * K, 0, 4 * K, false), PT_OK);
	expect(wp_model_unmap_region(model, 0, 0, 8 * K, ALL), PT_NOT_MAPPED);
	expect(wp_model_unmap_region(model, 0, 4 * K, 12 * K, ALL), PT_NOT_MAPPED);
	expect(wp_model_unmap_region(model, 0, 8 * K, 12 * K, ALL), PT_NOT_MAPPED);
	expect(wp_model_unmap_region(model, 0, 16 * K, 8 * K, ALL), PT_NOT_MAPPED);
	expect(map(0, 2 * M, 0, PT_2M), PT_OK);
	/* A hole comes before the memory for a split. */
	expect(wp_model_unmap_region(model, 0, 4 * M - 4 * K, 8 * K, 0), PT_NOT_MAPPED);
	expect_frames(wp_model_unmap_region(model, 0, 4 * K, 8 * K, 0), 0, 0);
	expect_frames(wp_model_unmap_region(model, 0, 16 * K, 4 * K, 0), 0, 1);
	expect_frames(wp_model_unmap_region(model, 0, 2 * M, 2 * M, 0), 0, 2);
}

static void protect_region_skips_holes(void **state)
{
	(void)state;
	use("x86_64");
	expect_frames(wp_model_protect_region(model, 0, 0, 128 * T, R, 0), 0, 0);
	expect(map_region(4 * K, 0, 12 * K, false), PT_OK);
	expect(map_region(2 * G, 0, G, true), PT_OK);
	expect_frames(wp_model_protect_region(model, 0, 8 * K, 3 * G, R, 0), 0, 0);
	expect_runs(0, {4 * K, 0, 4 * K, PT_4K, RW}, {8 * K, 4 * K, 8 * K, PT_4K, R},
	            {2 * G, 0, G, PT_1G, R});
}

/* --------------------------------------------------------------------- walk */

static void walk_visits_tables_and_leaves_in_address_order(void **state)
{
	static const struct {
		unsigned level;
		size_t index;
		uint64_t va, pa, leaf;
	} rows[] = {
		{0, 0, 0, 0, 0},
		{1, 0, 0, 0, 0},
		{2, 0, 0, 0, 0},
		{3, 1, 4 * K, 0, PT_4K},
		{3, 2, 8 * K, 4 * K, PT_4K},
		{2, 1, 2 * M, 6 * M, PT_2M},
		{1, 3, 3 * G, G, PT_1G},
		{0, 511, 0 - 512 * G, 0, 0},
		{1, 511, 0 - G, 0, 0},
		{2, 511, 0 - 2 * M, 2 * M, PT_2M},
	};
	enum { COUNT = sizeof rows / sizeof rows[0] };
	struct wp_visit visits[COUNT + 1];
	(void)state;

	use("x86_64");
	assert_int_equal(wp_model_walk(model, 0, ALL, visits, COUNT), 0);
	expect(map_region(4 * K, 0, 8 * K, false), PT_OK);
	expect(map(0, 2 * M, 6 * M, PT_2M), PT_OK);
	expect(map(0, 3 * G, G, PT_1G), PT_OK);
	expect(map(0, 0 - 2 * M, 2 * M, PT_2M), PT_OK);
	assert_int_equal(wp_model_walk(model, 0, ALL, visits, COUNT + 1), COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(visits[i].level, rows[i].level);
		assert_int_equal(visits[i].index, rows[i].index);
		assert_int_equal(visits[i].va, rows[i].va);
		assert_int_equal(visits[i].leaf, rows[i].leaf != 0);
		assert_int_equal(visits[i].mapping.size, rows[i].leaf);
		assert_int_equal(visits[i].mapping.paddr.value, rows[i].pa);
		assert_int_equal(visits[i].mapping.flags, rows[i].leaf ? RW : 0);
		assert_int_equal(visits[i].mapping.vaddr.value, rows[i].leaf ? rows[i].va : 0);
	}
	/* One entry of each table: the first five rows but the second page. */
	assert_int_equal(wp_model_walk(model, 0, 1, visits, COUNT), 4);
	assert_int_equal(wp_model_walk(model, 0, 2, visits, COUNT), COUNT);
	assert_int_equal(wp_model_walk(model, 0, 0, visits, COUNT), 0);
	for (size_t capacity = 0; capacity < COUNT; capacity++)
		assert_int_equal(wp_model_walk(model, 0, ALL, visits, capacity), capacity + 1);
}

static void walk_limits_each_table_by_itself_and_stops_at_its_capacity(void **state)
{
	struct wp_visit visits[8];
	(void)state;

	use("aarch64_high");
	expect(map_region(0 - 256 * T, 0, 256 * T, false), PT_OK);
	/* Two in the root, two below each: 2 + 4 + 8 + 16. */
	assert_int_equal(wp_model_walk(model, 0, 2, visits, 8), 9);
	assert_int_equal(visits[0].index, 0);
	assert_int_equal(visits[0].va, 0 - 256 * T);
	assert_int_equal(visits[4].index, 1);
	assert_int_equal(visits[5].va, 0 - 256 * T + 2 * M);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_refuse_size_address_alignment_and_flags_in_order),
		cmocka_unit_test(map_region_refuses_physical_ranges_that_are_too_wide_or_unaligned),
		cmocka_unit_test(
			a_source_that_answers_too_wide_anywhere_comes_before_an_unaligned_page),
		cmocka_unit_test(map_region_takes_the_largest_leaves_from_the_start_on),
		cmocka_unit_test(map_region_takes_root_leaves_where_the_regime_has_them),
		cmocka_unit_test(map_region_counts_only_tables_that_are_not_there_yet),
		cmocka_unit_test(map_region_answers_for_the_first_leaf_that_map_would_refuse),
		cmocka_unit_test(map_region_with_takes_large_leaves_over_contiguous_pages_alone),
		cmocka_unit_test(straddling_leaves_are_split_only_as_far_as_the_ends_need),
		cmocka_unit_test(a_page_in_the_middle_of_a_large_leaf_splits_it_minimally),
		cmocka_unit_test(unmap_region_wants_the_whole_range_mapped),
		cmocka_unit_test(protect_region_skips_holes),
		cmocka_unit_test(walk_visits_tables_and_leaves_in_address_order),
		cmocka_unit_test(walk_limits_each_table_by_itself_and_stops_at_its_capacity),
	};

	return cmocka_run_group_tests(tests, open_model, close_model);
}
