/* SPDX-License-Identifier: MIT */
/* The model against the contract: root slots lent by one table to the other. */
#include "model_check.h"

/* Table 1 owns a page in slot 0 and a 1 GiB leaf in slot 1; table 0 borrows both. */
static void lend_two_slots(void)
{
	use("x86_64");
	expect(map(1, 4 * K, 8 * K, PT_4K), PT_OK);
	expect(map(1, 512 * G, 0, PT_1G), PT_OK);
	expect_frames(wp_model_copy_from(model, 0, 1, 0, 1024 * G), 0, 0);
}

/* Table 1 owns a root leaf in slot 0, which table 0 borrows. */
static void lend_a_root_leaf(void)
{
	use("riscv64_sv48");
	expect(map(1, 0, 0, PT_512G), PT_OK);
	expect_frames(wp_model_copy_from(model, 0, 1, 0, PT_512G), 0, 0);
}

static void copy_from_and_give_back_take_whole_root_slots(void **state)
{
	static const struct {
		uint64_t va, size;
		pt_status status;
	} rows[] = {
		{1, 0, PT_BAD_SIZE},
		{128 * T + 1, 512 * G, PT_BAD_ADDRESS},
		{127 * T + 1, 2 * T, PT_BAD_ADDRESS},
		{0, 129 * T, PT_BAD_ADDRESS},
		{0, 0 - 512 * G, PT_BAD_ADDRESS},
		{G, 512 * G, PT_NOT_ALIGNED},
		{0, 513 * G, PT_NOT_ALIGNED},
		{0, 128 * T, PT_OK},
		{0 - 128 * T, 128 * T, PT_OK},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lend_two_slots();
		expect(wp_model_give_back(model, 0, rows[i].va, rows[i].size), rows[i].status);
		expect(wp_model_copy_from(model, 0, 1, rows[i].va, rows[i].size), rows[i].status);
		expect(wp_model_copy_from(model, 0, 0, rows[i].va, rows[i].size), rows[i].status);
		/* A table that copies from itself changes nothing, and isn't refused for loans. */
		expect(wp_model_copy_from(model, 1, 1, rows[i].va, rows[i].size), rows[i].status);
	}
}

static void the_borrower_sees_what_the_owner_has_at_once(void **state)
{
	(void)state;
	lend_two_slots();
	expect(map(0, 1024 * G, 0, PT_1G), PT_OK);
	expect_runs(0, {4 * K, 8 * K, 4 * K, PT_4K, RW}, {512 * G, 0, G, PT_1G, RW},
	            {1024 * G, 0, G, PT_1G, RW});
	expect_frames(map(1, 2 * M, 0, PT_4K), 1, 0);
	assert_int_equal(wp_model_query(model, 0, 2 * M + 5).mapping.paddr.value, 5);
	expect(wp_model_protect(model, 1, 4 * K, R), PT_OK);
	assert_int_equal(wp_model_find(model, 0, 4 * K)->flags, R);
	expect_frames(wp_model_unmap(model, 1, 2 * M), 0, 1);
	expect(wp_model_query(model, 0, 2 * M), PT_NOT_MAPPED);
	/* Not beyond the lent slots. */
	expect(map(1, 2048 * G, 0, PT_1G), PT_OK);
	expect(wp_model_query(model, 0, 2048 * G), PT_NOT_MAPPED);
	/* Whose tables are whose. */
	assert_int_equal(wp_model_tables(model, 0), 2);
	assert_int_equal(wp_model_tables(model, 1), 6);
}

static void a_run_that_leaves_the_lent_slots_is_clipped_to_them(void **state)
{
	struct wp_visit visits[8];
	(void)state;

	use("riscv64_sv39");
	expect(wp_model_map_region(model, 1, 0, 0, 4 * G, RW, true, ALL), PT_OK);
	expect(wp_model_copy_from(model, 0, 1, G, G), PT_OK);
	expect(wp_model_copy_from(model, 0, 1, 3 * G, 2 * G), PT_OK);
	expect_runs(0, {G, G, G, PT_1G, RW}, {3 * G, 3 * G, G, PT_1G, RW});
	assert_int_equal(wp_model_find(model, 0, 2 * G - 1)->va, G);
	assert_null(wp_model_find(model, 0, 2 * G));
	assert_int_equal(wp_model_walk(model, 0, ALL, visits, 8), 2);
	assert_int_equal(visits[1].index, 3);
	/* Own and borrowed leaves that continue each other make one run. */
	expect(map(0, 2 * G, 2 * G, PT_1G), PT_OK);
	expect_runs(0, {G, G, 3 * G, PT_1G, RW});
}

static void an_empty_slot_of_the_other_becomes_empty_and_is_nobodys_loan(void **state)
{
	(void)state;
	use("x86_64");
	expect_frames(map(0, 0, 0, PT_4K), 3, 0);
	expect_frames(map(0, 512 * G, 0, PT_2M), 2, 0);
	expect_frames(map(0, 1024 * G, 0, PT_4K), 3, 0);
	expect_frames(map(1, 4 * K, 0, PT_4K), 3, 0);
	/* Slot 0 is borrowed, slot 1 emptied, slot 2 not in the range. */
	expect_frames(wp_model_copy_from(model, 0, 1, 0, 1024 * G), 0, 5);
	expect_runs(0, {4 * K, 0, 4 * K, PT_4K, RW}, {1024 * G, 0, 4 * K, PT_4K, RW});
	expect_frames(map(0, 512 * G, 0, PT_2M), 2, 0);
	expect_frames(map(1, 512 * G, 4 * K, PT_4K), 3, 0);
	assert_int_equal(wp_model_query(model, 0, 512 * G).mapping.size, PT_2M);
	assert_int_equal(wp_model_tables(model, 0), 6);
}

static void a_loan_in_the_range_is_renewed(void **state)
{
	(void)state;
	lend_two_slots();
	expect_frames(wp_model_copy_from(model, 0, 1, 0, 128 * T), 0, 0);
	expect_runs(0, {4 * K, 8 * K, 4 * K, PT_4K, RW}, {512 * G, 0, G, PT_1G, RW});
	expect(wp_model_destroy(model, 1), PT_BORROWED);
}

/* Also where nothing is mapped, and after all that the arguments alone tell. */
static void only_the_owner_harvests_a_lent_slot_and_nobody_a_lent_root_leaf(void **state)
{
	(void)state;
	lend_two_slots();
	expect(wp_model_harvest(model, 0, 512 * G, 4 * K, PT_DIRTY), PT_BORROWED);
	expect(wp_model_harvest(model, 0, 1024 * G - 4 * K, 8 * K, PT_DIRTY), PT_BORROWED);
	expect(wp_model_harvest(model, 0, 512 * G, 4 * K, 0), PT_BAD_FLAGS);
	expect(wp_model_harvest(model, 0, 512 * G, 4 * K + 1, PT_DIRTY), PT_NOT_ALIGNED);
	expect(wp_model_harvest(model, 0, 1024 * G, 4 * K, PT_DIRTY), PT_OK);
	expect(wp_model_harvest(model, 1, 0, 1024 * G, PT_DIRTY), PT_OK);

	lend_a_root_leaf();
	expect(wp_model_harvest(model, 1, 4 * K, 4 * K, PT_ACCESSED), PT_BORROWED);
	expect(wp_model_harvest(model, 0, 4 * K, 4 * K, PT_ACCESSED), PT_BORROWED);
	expect(wp_model_give_back(model, 0, 0, PT_512G), PT_OK);
	expect(wp_model_harvest(model, 1, 4 * K, 4 * K, PT_ACCESSED), PT_OK);
}

/* Slot 1 of table 0 is borrowed: 512 GiB to 1 TiB, mapped in its first GiB. */
static void the_borrower_changes_nothing_that_it_borrowed(void **state)
{
	static const uint64_t pages[2] = {0, 4 * K};
	const uint64_t slot = 512 * G, hole = slot + 2 * G;
	(void)state;

	lend_two_slots();
	expect(map(0, slot, 0, PT_1G), PT_BORROWED);
	expect(map(0, hole, 0, PT_4K), PT_BORROWED);
	expect(wp_model_map(model, 0, hole, 0, PT_4K, R, 0), PT_BORROWED);
	expect(wp_model_map(model, 0, hole, 0, PT_4K, W, 0), PT_BAD_FLAGS);
	expect(map(0, hole, 1, PT_4K), PT_NOT_ALIGNED);
	expect(wp_model_unmap(model, 0, slot), PT_BORROWED);
	expect(wp_model_unmap(model, 0, hole), PT_BORROWED);
	expect(wp_model_unmap(model, 0, slot + 4 * K), PT_NOT_ALIGNED);
	expect(wp_model_protect(model, 0, slot, R), PT_BORROWED);
	expect(wp_model_protect(model, 0, slot, W), PT_BAD_FLAGS);
	expect(wp_model_protect(model, 0, slot + 4 * K, W), PT_NOT_ALIGNED);
	expect(wp_model_remap(model, 0, slot, G, R), PT_BORROWED);
	expect(wp_model_remap(model, 0, slot, 4 * K, R), PT_NOT_ALIGNED);
	expect(wp_model_remap(model, 0, hole, 4 * K, R), PT_BORROWED);
	expect(wp_model_map_region(model, 0, 1024 * G - 4 * K, 0, 8 * K, R, true, ALL),
	       PT_BORROWED);
	expect(wp_model_map_region_with(model, 0, hole, pages, 8 * K, R, true, ALL), PT_BORROWED);
	expect(wp_model_map_region_with(model, 0, hole, pages, 8 * K, W, true, ALL), PT_BAD_FLAGS);
	expect(wp_model_unmap_region(model, 0, hole, 4 * K, ALL), PT_BORROWED);
	expect(wp_model_unmap_region(model, 0, slot, G, ALL), PT_BORROWED);
	expect(wp_model_protect_region(model, 0, hole, 4 * K, R, ALL), PT_BORROWED);
	expect(wp_model_protect_region(model, 0, 0, 128 * T, R, ALL), PT_BORROWED);
	expect(wp_model_protect_region(model, 0, 0, 128 * T, W, ALL), PT_BAD_FLAGS);
	/* Beside the borrowed slots it may. */
	expect_frames(wp_model_map_region(model, 0, 1024 * G, 0, 4 * K, R, true, ALL), 3, 0);
	expect_frames(wp_model_protect_region(model, 0, 1024 * G, 128 * T - 1024 * G, R, ALL), 0,
	              0);
	expect_frames(wp_model_unmap(model, 0, 1024 * G), 0, 3);
	assert_int_equal(wp_model_query(model, 0, slot).mapping.flags, RW);
}

static void the_owner_changes_what_lies_below_a_lent_slot(void **state)
{
	(void)state;
	lend_two_slots();
	expect_frames(map(1, 8 * K, 0, PT_4K), 0, 0);
	expect(map(1, 8 * K, 0, PT_4K), PT_ALREADY_MAPPED);
	expect(map(1, 512 * G + 4 * K, 0, PT_4K), PT_MAPPED_TO_HUGE_PAGE);
	expect_frames(wp_model_map_region(model, 1, 2 * G, 0, G, R, true, ALL), 0, 0);
	expect_frames(wp_model_unmap(model, 1, 4 * K), 0, 0);
	expect_frames(wp_model_remap(model, 1, 8 * K, 4 * K, R), 0, 0);
	expect_frames(wp_model_protect_region(model, 1, 512 * G, 4 * K, R, ALL), 2, 0);
	expect_frames(wp_model_unmap_region(model, 1, 512 * G + 4 * K, G - 4 * K, ALL), 0, 0);
	expect_frames(wp_model_unmap_region(model, 1, 8 * K, 4 * K, ALL), 0, 2);
}

static void the_owner_keeps_the_last_leaf_of_a_lent_slot(void **state)
{
	(void)state;
	lend_two_slots();
	expect(wp_model_unmap(model, 1, 4 * K), PT_BORROWED);
	expect(wp_model_unmap(model, 1, 8 * K), PT_NOT_MAPPED);
	expect(wp_model_unmap(model, 1, 512 * G), PT_BORROWED);
	expect(wp_model_unmap_region(model, 1, 4 * K, 4 * K, ALL), PT_BORROWED);
	/* With a hole in the range as well: BORROWED comes first. */
	expect(wp_model_unmap_region(model, 1, 0, 1024 * G, ALL), PT_BORROWED);
	expect(wp_model_unmap_region(model, 1, 0, 8 * K, ALL), PT_BORROWED);
	expect(wp_model_unmap_region(model, 1, 8 * K, 4 * K, ALL), PT_NOT_MAPPED);
	/* Its neighbour doesn't count, be it on either side. */
	expect(map(1, 1024 * G, 0, PT_4K), PT_OK);
	expect(wp_model_unmap_region(model, 1, 512 * G, G, ALL), PT_BORROWED);
	/* A piece that a split leaves behind does. */
	expect_frames(wp_model_unmap_region(model, 1, 512 * G, G - 4 * K, ALL), 2, 0);
	expect_frames(map(1, 8 * K, 0, PT_4K), 0, 0);
	expect(wp_model_unmap_region(model, 1, 4 * K, 8 * K, ALL), PT_BORROWED);
	expect_frames(wp_model_unmap_region(model, 1, 4 * K, 4 * K, ALL), 0, 0);
	expect(wp_model_unmap(model, 1, 8 * K), PT_BORROWED);
	expect_frames(wp_model_give_back(model, 0, 0, 512 * G), 0, 0);
	expect_frames(wp_model_unmap(model, 1, 8 * K), 0, 3);
}

static void the_owner_keeps_a_lent_root_leaf_as_it_is(void **state)
{
	(void)state;
	lend_a_root_leaf();
	expect(wp_model_unmap(model, 1, 0), PT_BORROWED);
	expect(wp_model_protect(model, 1, 0, RW), PT_BORROWED);
	expect(wp_model_protect(model, 1, 0, W), PT_BAD_FLAGS);
	expect(wp_model_remap(model, 1, 0, 0, RW), PT_BORROWED);
	expect(wp_model_remap(model, 1, 0, PT_1G, RW), PT_NOT_ALIGNED);
	expect(wp_model_protect(model, 1, PT_1G, RW), PT_NOT_ALIGNED);
	expect(wp_model_unmap_region(model, 1, 0, PT_1G, ALL), PT_BORROWED);
	expect(wp_model_unmap_region(model, 1, 0, PT_512G, ALL), PT_BORROWED);
	expect(wp_model_protect_region(model, 1, PT_1G, PT_1G, RW, 0), PT_BORROWED);
	expect(wp_model_protect_region(model, 1, 0, PT_512G, R, ALL), PT_BORROWED);
	expect(map(1, 0, 0, PT_4K), PT_MAPPED_TO_HUGE_PAGE);
	expect(map(1, 0, 0, PT_512G), PT_ALREADY_MAPPED);
	expect_frames(wp_model_give_back(model, 0, 0, PT_512G), 0, 0);
	expect(wp_model_protect(model, 1, 0, R), PT_OK);
}

static void a_lent_slot_is_not_copied_over_nor_lent_on(void **state)
{
	(void)state;
	lend_two_slots();
	expect(wp_model_copy_from(model, 1, 0, 0, 512 * G), PT_BORROWED);
	expect(wp_model_copy_from(model, 1, 0, 0, 128 * T), PT_BORROWED);
	expect(map(0, 1024 * G, 0, PT_4K), PT_OK);
	expect(wp_model_copy_from(model, 1, 0, 1024 * G, 512 * G), PT_OK);
	/* Now each lends to the other. */
	expect(wp_model_destroy(model, 0), PT_BORROWED);
	expect(wp_model_destroy(model, 1), PT_BORROWED);
	assert_int_equal(wp_model_query(model, 1, 1024 * G).mapping.size, PT_4K);
}

static void give_back_empties_the_borrowed_slots_and_leaves_the_others(void **state)
{
	(void)state;
	lend_two_slots();
	expect(map(0, 1024 * G, 0, PT_4K), PT_OK);
	assert_non_null(wp_model_find(model, 0, 512 * G));
	expect_frames(wp_model_give_back(model, 0, 512 * G, 1024 * G), 0, 0);
	expect_runs(0, {4 * K, 8 * K, 4 * K, PT_4K, RW}, {1024 * G, 0, 4 * K, PT_4K, RW});
	/* The owner's own slots are no loans of its own. */
	expect_frames(wp_model_give_back(model, 1, 0, 128 * T), 0, 0);
	expect(wp_model_unmap(model, 1, 4 * K), PT_BORROWED);
	expect_frames(wp_model_unmap(model, 1, 512 * G), 0, 1);
	expect_frames(map(0, 512 * G, 0, PT_2M), 2, 0);
}

static void destroy_waits_for_what_is_lent_and_returns_what_is_borrowed(void **state)
{
	(void)state;
	lend_two_slots();
	expect(wp_model_destroy(model, 1), PT_BORROWED);
	expect_frames(wp_model_destroy(model, 0), 0, 1);
	expect_frames(wp_model_unmap(model, 1, 4 * K), 0, 3);
	expect_frames(wp_model_create(model, 0, 1), 1, 0);
	expect(wp_model_query(model, 0, 512 * G), PT_NOT_MAPPED);
	expect_frames(wp_model_destroy(model, 1), 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_from_and_give_back_take_whole_root_slots),
		cmocka_unit_test(the_borrower_sees_what_the_owner_has_at_once),
		cmocka_unit_test(a_run_that_leaves_the_lent_slots_is_clipped_to_them),
		cmocka_unit_test(an_empty_slot_of_the_other_becomes_empty_and_is_nobodys_loan),
		cmocka_unit_test(a_loan_in_the_range_is_renewed),
		cmocka_unit_test(only_the_owner_harvests_a_lent_slot_and_nobody_a_lent_root_leaf),
		cmocka_unit_test(the_borrower_changes_nothing_that_it_borrowed),
		cmocka_unit_test(the_owner_changes_what_lies_below_a_lent_slot),
		cmocka_unit_test(the_owner_keeps_the_last_leaf_of_a_lent_slot),
		cmocka_unit_test(the_owner_keeps_a_lent_root_leaf_as_it_is),
		cmocka_unit_test(a_lent_slot_is_not_copied_over_nor_lent_on),
		cmocka_unit_test(give_back_empties_the_borrowed_slots_and_leaves_the_others),
		cmocka_unit_test(destroy_waits_for_what_is_lent_and_returns_what_is_borrowed),
	};

	return cmocka_run_group_tests(tests, open_model, close_model);
}
