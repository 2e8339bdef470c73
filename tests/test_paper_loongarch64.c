/* SPDX-License-Identifier: MIT */
/* The LoongArch64 walk, against entries set by hand from the manual, vol. 1. */
#include "paper_loongarch64.h"

#define HIGH_VA 0xffff923456789abcu

static struct fixture *high(void **state)
{
	use(*state, "loongarch64_high");
	return *state;
}

static void pgdl_serves_addresses_with_bits_63_to_47_zero(void **state)
{
	struct fixture *fixture = low(state);

	assert_canonical(fixture, 0, true);
	assert_canonical(fixture, 0x00007fffffffffff, true);
	assert_canonical(fixture, 0x0000800000000000, false);
	assert_canonical(fixture, 0x0001000000000000, false);
	assert_canonical(fixture, 0xffff800000000000, false);
	assert_canonical(fixture, UINT64_MAX, false);
}

static void pgdh_serves_addresses_with_bits_63_to_47_one(void **state)
{
	struct fixture *fixture = high(state);

	assert_canonical(fixture, 0xffff800000000000, true);
	assert_canonical(fixture, UINT64_MAX, true);
	assert_canonical(fixture, 0xffff7fffffffffff, false);
	assert_canonical(fixture, 0x8000000000000000, false);
	assert_canonical(fixture, 0, false);
}

static void each_directory_is_indexed_by_nine_bits_of_the_address(void **state)
{
	static const uint64_t index[] = {0x024, 0x0d1, 0x0b3, 0x189};
	struct fixture *fixture = low(state);
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, VA, 3, PAGE);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], VA, steps),
		4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
	fixture = high(state);
	put(fixture, HIGH_VA, 3, PAGE);
	wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], HIGH_VA, steps);
	assert_int_equal(steps[0].entry_pa, fixture->tables[0] + 8 * 0x124);
}

static void a_page_is_4_kib_and_a_huge_one_2_mib_or_1_gib(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, 0x0000edcba9877000 | PAGE);
	assert_leads(fixture, VA, 0x0000edcba9877abc, PT_4K);
	put(fixture, VA, 2, 0x0000edcba9e00000 | PAGE | H);
	assert_leads(fixture, VA, 0x0000edcba9f89abc, PT_2M);
	assert_open(fixture, VA, 0);
	put(fixture, VA, 1, 0x0000edcbc0000000 | PAGE | H);
	assert_leads(fixture, VA, 0x0000edcbd6789abc, PT_1G);
	assert_open(fixture, VA, 0);
	/* The odd half. */
	assert_leads(fixture, VA | 0x20000000, 0x0000edcbf6789abc, PT_1G);
}

static void a_huge_entry_in_dir3_is_of_no_known_size(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 0, PAGE | H);
	assert_fault_and_open(fixture, VA, WP_FAULT_RESERVED, 0, WP_ALL_KINDS);
}

static void if_v_is_0_a_page_is_invalid_whatever_else_it_holds(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, 0);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 3);
	assert_open(fixture, VA, 0);
	put(fixture, VA, 3, ~V);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 3);
}

static void a_huge_entry_with_v_0_is_invalid_all_over(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 1; level < 3; level++) {
		put(fixture, VA, level, H);
		assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, level);
		assert_open(fixture, VA, 0);
		put(fixture, VA, level, ~V);
		assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, level);
	}
}

static void software_bits_and_those_from_palen_to_60_are_ignored_in_a_page(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned bit = 7; bit <= 60; bit++) {
		if (bit >= 12 && bit < 48)
			continue;
		put(fixture, VA, 3, 0x5000 | PAGE | BIT(bit));
		assert_leads(fixture, VA, 0x5abc, PT_4K);
		assert_allows(fixture, VA, KR | KW | KX);
		assert_open(fixture, VA, 0);
	}
}

static void address_bits_below_half_of_a_huge_page_do_not_exist(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned bit = 15; bit < 20; bit++) {
		put(fixture, VA, 2, BIT(31) | PAGE | H | BIT(bit));
		assert_leads(fixture, VA, 0x80189abc, PT_2M);
		assert_open(fixture, VA, 0);
	}
	for (unsigned bit = 15; bit < 29; bit++) {
		put(fixture, VA, 1, BIT(31) | PAGE | H | BIT(bit));
		assert_leads(fixture, VA, 0x96789abc, PT_1G);
		assert_open(fixture, VA, 0);
	}
}

static void a_huge_page_aligned_to_half_its_size_is_unspecified(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 2, BIT(20) | PAGE | H);
	assert_open(fixture, VA, WP_ALL_KINDS);
	put(fixture, VA, 1, BIT(29) | PAGE | H);
	assert_open(fixture, VA, WP_ALL_KINDS);
}

static void a_level_field_in_memory_is_unspecified(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 1; level < 3; level++) {
		put(fixture, VA, level, BIT(31) | PAGE | H | BIT(13));
		assert_open(fixture, VA, WP_ALL_KINDS);
		put(fixture, VA, level, BIT(31) | PAGE | H | BIT(14));
		assert_open(fixture, VA, WP_ALL_KINDS);
	}
}

static void plv_rplv_d_nr_and_nx_allow_their_kinds(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned kinds;
	} pages[] = {
		{PLV(0), KR | KX},
		{PLV(0) | D, KR | KW | KX},
		{PLV(0) | NX, KR},
		{PLV(0) | NR, KX},
		{PLV(0) | NR | D, KW | KX}, /* a store asks for no right to read */
		{PLV(0) | NR | NX | D, KW},
		{PLV(0) | NR | NX, 0},
		{PLV(0) | RPLV | D, KR | KW | KX},
		{PLV(1) | D, KR | KW | KX},
		{PLV(2) | D, KR | KW | KX},
		{PLV(1) | RPLV | D, 0},
		{PLV(2) | RPLV | D, 0},
		{PLV(3), KR | KX | UR | UX}, /* the kernel executes user pages */
		{PLV(3) | D, KR | KW | KX | UR | UW | UX},
		{PLV(3) | D | NX, KR | KW | UR | UW},
		{PLV(3) | NR, KX | UX},
		{PLV(3) | RPLV, UR | UX},
		{PLV(3) | RPLV | D | NX, UR | UW},
	};
	struct fixture *fixture = low(state);

	for (size_t i = 0; i < COUNT(pages); i++) {
		put(fixture, VA, 3, V | MAT(1) | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		put(fixture, VA, 2, V | MAT(1) | H | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		put(fixture, VA, 1, V | MAT(1) | H | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		assert_int_equal(walk(fixture, VA).answered, WP_ALL_KINDS);
		assert_open(fixture, VA, 0);
	}
}

static void a_page_that_allows_nothing_still_leads_somewhere(void **state)
{
	struct fixture *fixture = low(state);
	struct wp_answer answer;

	put(fixture, VA, 3, 0x5000 | V | NR | NX);
	answer = walk(fixture, VA);
	assert_int_equal(answer.fault, WP_FAULT_PERMISSION);
	assert_int_equal(answer.pa, 0x5abc);
	assert_int_equal(answer.size, PT_4K);
}

static void a_user_in_the_upper_half_is_open(void **state)
{
	struct fixture *fixture = high(state);

	put(fixture, HIGH_VA, 3, PAGE | PLV(3));
	assert_allows(fixture, HIGH_VA, WP_ALL_KINDS);
	assert_open(fixture, HIGH_VA, WP_USER_KINDS);
	*slot(fixture, 1, HIGH_VA) |= D;
	assert_open(fixture, HIGH_VA, WP_ALL_KINDS);
	put(fixture, HIGH_VA, 3, PAGE | PLV(0));
	assert_open(fixture, HIGH_VA, 0);
}

static void mat_gives_the_memory_type(void **state)
{
	static const enum wp_memory_type types[] = {WP_TYPE_DEVICE, WP_TYPE_NORMAL,
	                                            WP_TYPE_UNCACHED, WP_TYPE_OTHER};
	struct fixture *fixture = low(state);

	for (unsigned i = 0; i < 4; i++) {
		put(fixture, VA, 3, V | MAT(i));
		assert_type(fixture, VA, types[i]);
		put(fixture, VA, 2, V | MAT(i) | H);
		assert_type(fixture, VA, types[i]);
	}
}

static void g_is_bit_6_of_a_page_and_bit_12_of_a_huge_one(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, PAGE);
	assert_false(walk(fixture, VA).global);
	put(fixture, VA, 3, PAGE | G);
	assert_true(walk(fixture, VA).global);
	for (unsigned level = 1; level < 3; level++) {
		put(fixture, VA, level, PAGE | H);
		assert_false(walk(fixture, VA).global);
		put(fixture, VA, level, PAGE | H | G_HUGE);
		assert_true(walk(fixture, VA).global);
		assert_open(fixture, VA, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pgdl_serves_addresses_with_bits_63_to_47_zero),
		TEST(pgdh_serves_addresses_with_bits_63_to_47_one),
		TEST(each_directory_is_indexed_by_nine_bits_of_the_address),
		TEST(a_page_is_4_kib_and_a_huge_one_2_mib_or_1_gib),
		TEST(a_huge_entry_in_dir3_is_of_no_known_size),
		TEST(if_v_is_0_a_page_is_invalid_whatever_else_it_holds),
		TEST(a_huge_entry_with_v_0_is_invalid_all_over),
		TEST(software_bits_and_those_from_palen_to_60_are_ignored_in_a_page),
		TEST(address_bits_below_half_of_a_huge_page_do_not_exist),
		TEST(a_huge_page_aligned_to_half_its_size_is_unspecified),
		TEST(a_level_field_in_memory_is_unspecified),
		TEST(plv_rplv_d_nr_and_nx_allow_their_kinds),
		TEST(a_page_that_allows_nothing_still_leads_somewhere),
		TEST(a_user_in_the_upper_half_is_open),
		TEST(mat_gives_the_memory_type),
		TEST(g_is_bit_6_of_a_page_and_bit_12_of_a_huge_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
