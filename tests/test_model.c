/* SPDX-License-Identifier: MIT */
/* The model against the contract: flags, statuses, and the calls on one leaf. */
#include "model_check.h"

#include "machine.h"

#define TOP UINT64_MAX
#define KR  (1 << WP_KERNEL_READ)
#define KW  (1 << WP_KERNEL_WRITE)
#define KX  (1 << WP_KERNEL_EXECUTE)
#define UR  (1 << WP_USER_READ)
#define UW  (1 << WP_USER_WRITE)
#define UX  (1 << WP_USER_EXECUTE)

/* ------------------------------------------------------------------ flags */

/* For each regime, which of the eight sets of R, W, X it can express, as bits. */
static void each_architecture_expresses_what_the_table_says(void **state)
{
	static const struct {
		const char *regime;
		uint8_t rights; /* bit n: the rights n */
		bool user;
	} rows[] = {
		{"x86_64", 0xab, true},
		{"x86_64_la57", 0xab, true},
		{"aarch64_low", 0xab, true},
		{"aarch64_high", 0xab, true},
		{"aarch64_el2", 0xab, false},
		{"riscv64_sv39", 0xbb, true},
		{"riscv64_sv57_svpbmt", 0xbb, true},
		{"riscv64_sv48_xuantie", 0xbb, true},
		{"loongarch64_low", 0xff, true},
		{"loongarch64_high", 0xff, true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct wp_regime *regime = wp_regime_find(rows[i].regime);

		for (pt_flags flags = 0; flags < 512; flags++) {
			const bool yes = flags < 48 && rows[i].rights >> (flags & 7) & 1 &&
			                 (rows[i].user || !(flags & U));

			assert_int_equal(wp_flags_expressible(regime, flags), yes);
		}
		assert_false(wp_flags_expressible(regime, R | (pt_flags)1 << 31));
	}
}

static void flags_allow_the_cpu_what_the_contract_says(void **state)
{
	static const struct {
		const char *regime;
		pt_flags flags;
		uint8_t kinds;
	} rows[] = {
		{"x86_64", R, KR},
		{"x86_64", RW, KR | KW},
		{"x86_64", RW | X, KR | KW | KX},
		{"x86_64", R | U, KR | UR},
		{"x86_64", RW | U, KR | KW | UR | UW},
		{"x86_64", RW | X | U, KR | KW | UR | UW | UX}, /* SMEP */
		{"x86_64", PT_DEVICE | U, 0},
		{"aarch64_low", RW | X | U, KR | KW | UR | UW | UX}, /* PXN */
		{"aarch64_low", R | X, KR | KX},
		{"aarch64_el2", RW | X | PT_UNCACHED, KR | KW | KX},
		{"riscv64_sv39", X, KX},
		{"riscv64_sv39", X | U, UX},
		{"riscv64_sv39", RW | X | U, KR | KW | UR | UW | UX},
		{"loongarch64_low", W, KW},
		{"loongarch64_low", X, KX},
		{"loongarch64_low", W | U, KW | UW},
		{"loongarch64_low", RW | X | U, WP_ALL_KINDS}, /* PLV 3, RPLV 0 */
		{"loongarch64_high", U, 0},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(wp_flags_allowed(wp_regime_find(rows[i].regime), rows[i].flags),
		                 rows[i].kinds);
}

/* ------------------------------------------------- size, address, alignment */

static void map_refuses_sizes_addresses_alignment_and_flags_in_order(void **state)
{
	static const struct {
		const char *regime;
		uint64_t va, pa, size;
		pt_flags flags;
		pt_status status;
	} rows[] = {
		{"x86_64", 1, TOP, 8 * K, W, PT_BAD_SIZE},
		{"x86_64", 0, 0, 0, R, PT_BAD_SIZE},
		{"x86_64", 0, 0, PT_4K | PT_2M, R, PT_BAD_SIZE},
		{"x86_64", 0, 0, PT_512G, R, PT_BAD_SIZE},
		{"riscv64_sv39", 0, 0, PT_512G, R, PT_BAD_SIZE},
		{"riscv64_sv48", 0, 0, PT_512G, R, PT_OK},
		{"riscv64_sv48", 0, 0, PT_256T, R, PT_BAD_SIZE},
		{"riscv64_sv57", 0, 0, PT_256T, R, PT_OK},
		{"x86_64_la57", 0, 0, PT_512G, R, PT_BAD_SIZE},
		{"x86_64", (uint64_t)1 << 47, 1, PT_4K, W, PT_BAD_ADDRESS},
		{"x86_64", 1, (uint64_t)1 << 52, PT_4K, W, PT_BAD_ADDRESS},
		{"x86_64", 0, ((uint64_t)1 << 52) - 4 * K, PT_2M, R, PT_BAD_ADDRESS},
		{"x86_64", 0, ((uint64_t)1 << 52) - 4 * K, PT_4K, R, PT_OK},
		{"x86_64", 0, ((uint64_t)1 << 52) - 4 * K + 1, PT_4K, R, PT_BAD_ADDRESS},
		{"x86_64", 128 * T - 4 * K, 0, PT_4K, R, PT_OK},
		{"x86_64", 128 * T - 4 * K, 0, PT_2M, R, PT_BAD_ADDRESS},
		{"x86_64", 0 - 128 * T, 0, PT_1G, R, PT_OK},
		{"x86_64", 0 - 128 * T - 4 * K, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"x86_64", 0 - 4 * K, 0, PT_4K, R, PT_OK},
		{"x86_64", 0 - 4 * K, 0, PT_2M, R, PT_BAD_ADDRESS},
		{"x86_64", TOP, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"aarch64_low", 256 * T - 4 * K, 0, PT_4K, R, PT_OK},
		{"aarch64_low", 0 - 4 * K, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"aarch64_high", 0 - 256 * T, 0, PT_4K, R, PT_OK},
		{"aarch64_high", 0, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"aarch64_low", 0, (uint64_t)1 << 48, PT_4K, R, PT_BAD_ADDRESS},
		{"loongarch64_low", 128 * T, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"loongarch64_high", 0 - 128 * T, 0, PT_4K, R, PT_OK},
		{"riscv64_sv39", 256 * G, 0, PT_4K, R, PT_BAD_ADDRESS},
		{"riscv64_sv39", 0, ((uint64_t)1 << 56) - PT_1G, PT_1G, R, PT_OK},
		{"riscv64_sv57", ((uint64_t)1 << 56) - PT_256T, 0, PT_256T, R, PT_OK},
		{"x86_64", 1, 0, PT_4K, W, PT_NOT_ALIGNED},
		{"x86_64", PT_4K, 0, PT_2M, R, PT_NOT_ALIGNED},
		{"x86_64", 0, PT_4K, PT_2M, R, PT_NOT_ALIGNED},
		{"x86_64", 0, 0, PT_4K, W, PT_BAD_FLAGS},
		{"x86_64", 0, 0, PT_4K, R | PT_DEVICE | PT_UNCACHED, PT_BAD_FLAGS},
		{"x86_64", 0, 0, PT_4K, R | 64, PT_BAD_FLAGS},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_verdict verdict;

		use(rows[i].regime);
		verdict = wp_model_map(model, 0, rows[i].va, rows[i].pa, rows[i].size,
		                       rows[i].flags, ALL);
		if (verdict.status != rows[i].status)
			print_error("row %zu\n", i);
		expect(verdict, rows[i].status);
	}
}

/* -------------------------------------------------------------------- map */

static void map_tells_a_larger_leaf_over_it_from_anything_else(void **state)
{
	(void)state;
	use("x86_64");
	expect(map(0, 2 * M, 0, PT_2M), PT_OK);
	expect(map(0, 2 * M, 0, PT_4K), PT_MAPPED_TO_HUGE_PAGE);
	expect(map(0, 4 * M - 4 * K, 0, PT_4K), PT_MAPPED_TO_HUGE_PAGE);
	expect(map(0, 2 * M, 0, PT_2M), PT_ALREADY_MAPPED);
	expect(map(0, 0, 0, PT_1G), PT_ALREADY_MAPPED);
	expect(map(0, 4 * K, 0, PT_4K), PT_OK);
	expect(map(0, 0, 0, PT_2M), PT_ALREADY_MAPPED);
	expect(map(0, 4 * K, 0, PT_4K), PT_ALREADY_MAPPED);
	expect(map(1, 4 * K, 0, PT_4K), PT_OK);
}

static void map_creates_the_tables_that_lie_below_no_other_leaf(void **state)
{
	(void)state;
	use("x86_64");
	assert_int_equal(wp_model_tables(model, 0), 1);
	expect_frames(map(0, 0, 0, PT_4K), 3, 0);
	expect_frames(map(0, 4 * K, 4 * K, PT_4K), 0, 0);
	expect_frames(map(0, 2 * M, 0, PT_2M), 0, 0);
	expect_frames(map(0, 4 * M, 0, PT_4K), 1, 0);
	expect_frames(map(0, 1 * G, 0, PT_2M), 1, 0);
	expect_frames(map(0, 2 * G, 0, PT_1G), 0, 0);
	expect_frames(map(0, 512 * G, 0, PT_1G), 1, 0);
	expect_frames(map(0, 0 - 4 * K, 0, PT_4K), 3, 0);
	assert_int_equal(wp_model_tables(model, 0), 10);
	assert_int_equal(wp_model_tables(model, 1), 1);
	use("riscv64_sv57");
	expect_frames(map(0, 0, 0, PT_256T), 0, 0);
	expect_frames(map(0, 256 * T, 0, PT_4K), 4, 0);
}

static void map_needs_each_of_its_tables(void **state)
{
	(void)state;
	use("x86_64");
	for (size_t available = 0; available < 3; available++) {
		expect(wp_model_map(model, 0, 0, 0, PT_4K, R, available), PT_NO_MEMORY);
		expect(wp_model_query(model, 0, 0), PT_NOT_MAPPED);
		assert_int_equal(wp_model_tables(model, 0), 1);
	}
	expect_frames(wp_model_map(model, 0, 0, 0, PT_4K, R, 3), 3, 0);
	expect_frames(wp_model_map(model, 0, 4 * K, 0, PT_4K, R, 0), 0, 0);
	/* The state of the mapping comes before the memory. */
	expect(wp_model_map(model, 0, 0, 0, PT_1G, R, 0), PT_ALREADY_MAPPED);
}

/* ------------------------------------------------- unmap, protect, remap, query */

/* The three calls that take the start of a leaf share their first statuses. */
static void the_calls_on_a_leaf_check_in_the_order_of_the_contract(void **state)
{
	static const struct {
		uint64_t va, pa;
		pt_flags flags;
		pt_status unmap, protect, remap;
	} rows[] = {
		{128 * T + 1, 1, W, PT_BAD_ADDRESS, PT_BAD_ADDRESS, PT_BAD_ADDRESS},
		{2 * M + 1, TOP, W, PT_NOT_ALIGNED, PT_NOT_ALIGNED, PT_BAD_ADDRESS},
		{2 * M + 4 * K, 0, W, PT_NOT_ALIGNED, PT_NOT_ALIGNED, PT_NOT_ALIGNED},
		{1, 0, W, PT_NOT_ALIGNED, PT_NOT_ALIGNED, PT_NOT_ALIGNED},
		{8 * M, 1, W, PT_NOT_MAPPED, PT_BAD_FLAGS, PT_NOT_ALIGNED},
		{8 * M, 4 * K, W, PT_NOT_MAPPED, PT_BAD_FLAGS, PT_BAD_FLAGS},
		{8 * M, 4 * K, R, PT_NOT_MAPPED, PT_NOT_MAPPED, PT_NOT_MAPPED},
		{2 * M, 4 * K, R, PT_OK, PT_OK, PT_NOT_ALIGNED},
		{2 * M, (uint64_t)1 << 52, R, PT_OK, PT_OK, PT_BAD_ADDRESS},
		{2 * M, ((uint64_t)1 << 52) - 2 * M, R, PT_OK, PT_OK, PT_OK},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		use("x86_64");
		expect(map(0, 2 * M, 0, PT_2M), PT_OK);
		expect(wp_model_remap(model, 0, rows[i].va, rows[i].pa, rows[i].flags),
		       rows[i].remap);
		expect(wp_model_protect(model, 0, rows[i].va, rows[i].flags), rows[i].protect);
		expect(wp_model_unmap(model, 0, rows[i].va), rows[i].unmap);
	}
}

static void unmap_tells_what_the_leaf_was_and_frees_empty_tables(void **state)
{
	struct wp_verdict verdict;
	(void)state;

	use("x86_64");
	expect(wp_model_map(model, 0, 2 * M, 6 * M, PT_2M, R | U, ALL), PT_OK);
	expect(map(0, 4 * M, 8 * M, PT_4K), PT_OK);
	verdict = wp_model_unmap(model, 0, 2 * M);
	expect_frames(verdict, 0, 0);
	assert_int_equal(verdict.mapping.vaddr.value, 2 * M);
	assert_int_equal(verdict.mapping.paddr.value, 6 * M);
	assert_int_equal(verdict.mapping.size, PT_2M);
	assert_int_equal(verdict.mapping.flags, R | U);
	expect_frames(wp_model_unmap(model, 0, 4 * M), 0, 3);
	expect(wp_model_unmap(model, 0, 4 * M), PT_NOT_MAPPED);
	assert_int_equal(wp_model_tables(model, 0), 1);
}

static void unmap_out_of_a_run_keeps_its_table(void **state)
{
	(void)state;
	use("x86_64");
	expect(wp_model_map_region(model, 0, 0, 0, 12 * K, RW, false, ALL), PT_OK);
	expect_frames(wp_model_unmap(model, 0, 4 * K), 0, 0);
	expect_runs(0, {0, 0, 4 * K, PT_4K, RW}, {8 * K, 8 * K, 4 * K, PT_4K, RW});
	expect_frames(wp_model_unmap(model, 0, 0), 0, 0);
	expect_frames(wp_model_unmap(model, 0, 8 * K), 0, 3);
}

static void protect_and_remap_change_one_leaf_and_tell_its_size(void **state)
{
	struct wp_verdict verdict;
	(void)state;

	use("x86_64");
	expect(wp_model_map_region(model, 0, 0, 0, 6 * M, RW, true, ALL), PT_OK);
	verdict = wp_model_protect(model, 0, 2 * M, R);
	expect_frames(verdict, 0, 0);
	assert_int_equal(verdict.size, PT_2M);
	expect_runs(0, {0, 0, 2 * M, PT_2M, RW}, {2 * M, 2 * M, 2 * M, PT_2M, R},
	            {4 * M, 4 * M, 2 * M, PT_2M, RW});
	verdict = wp_model_remap(model, 0, 2 * M, 32 * M, RW);
	expect_frames(verdict, 0, 0);
	assert_int_equal(verdict.size, PT_2M);
	expect_runs(0, {0, 0, 2 * M, PT_2M, RW}, {2 * M, 32 * M, 2 * M, PT_2M, RW},
	            {4 * M, 4 * M, 2 * M, PT_2M, RW});
	expect(wp_model_remap(model, 0, 2 * M, 2 * M, RW), PT_OK);
	expect_runs(0, {0, 0, 6 * M, PT_2M, RW});
}

static void query_answers_any_byte_of_a_leaf(void **state)
{
	struct wp_verdict verdict;
	(void)state;

	use("x86_64");
	expect(wp_model_map(model, 0, 0 - PT_1G, 3 * G, PT_1G, PT_DEVICE, ALL), PT_OK);
	verdict = wp_model_query(model, 0, TOP - 6);
	expect(verdict, PT_OK);
	assert_int_equal(verdict.mapping.vaddr.value, TOP - 6);
	assert_int_equal(verdict.mapping.paddr.value, 4 * G - 7);
	assert_int_equal(verdict.mapping.size, PT_1G);
	assert_int_equal(verdict.mapping.flags, PT_DEVICE);
	expect(wp_model_query(model, 0, 0 - PT_1G - 1), PT_NOT_MAPPED);
	expect(wp_model_query(model, 0, 128 * T), PT_BAD_ADDRESS);
	assert_non_null(wp_model_find(model, 0, TOP));
	assert_null(wp_model_find(model, 0, 128 * T));
	assert_null(wp_model_find(model, 0, 0));
}

/* --------------------------------------------------------- create, destroy */

static void create_needs_the_fixed_frames_and_destroy_returns_every_table(void **state)
{
	(void)state;
	wp_model_reset(model, wp_regime_find("loongarch64_low"), 4);
	for (size_t available = 0; available < 4; available++)
		expect(wp_model_create(model, 1, available), PT_NO_MEMORY);
	assert_false(wp_model_exists(model, 1));
	expect_frames(wp_model_create(model, 1, 4), 4, 0);
	assert_true(wp_model_exists(model, 1));
	expect_frames(map(1, 0, 0, PT_4K), 3, 0);
	assert_int_equal(wp_model_tables(model, 1), 7);
	expect_frames(wp_model_destroy(model, 1), 0, 7);
	assert_false(wp_model_exists(model, 1));
	expect_frames(wp_model_create(model, 1, ALL), 4, 0);
	expect(wp_model_query(model, 1, 0), PT_NOT_MAPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_architecture_expresses_what_the_table_says),
		cmocka_unit_test(flags_allow_the_cpu_what_the_contract_says),
		cmocka_unit_test(map_refuses_sizes_addresses_alignment_and_flags_in_order),
		cmocka_unit_test(map_tells_a_larger_leaf_over_it_from_anything_else),
		cmocka_unit_test(map_creates_the_tables_that_lie_below_no_other_leaf),
		cmocka_unit_test(map_needs_each_of_its_tables),
		cmocka_unit_test(the_calls_on_a_leaf_check_in_the_order_of_the_contract),
		cmocka_unit_test(unmap_tells_what_the_leaf_was_and_frees_empty_tables),
		cmocka_unit_test(unmap_out_of_a_run_keeps_its_table),
		cmocka_unit_test(protect_and_remap_change_one_leaf_and_tell_its_size),
		cmocka_unit_test(query_answers_any_byte_of_a_leaf),
		cmocka_unit_test(create_needs_the_fixed_frames_and_destroy_returns_every_table),
	};

	return cmocka_run_group_tests(tests, open_model, close_model);
}
