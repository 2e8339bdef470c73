/* SPDX-License-Identifier: MIT */
/* The LoongArch64 walk by directory entries, which have no presence bit: where each leads. */
#include "paper_loongarch64.h"

/* Guest memory from physical address 0 on, where empty slots lead. */
static int open_at_zero(void **state)
{
	return fixture_open(state, 0);
}

static void v_of_a_directory_entry_says_nothing(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, PAGE); /* the directory entries on the way are bare addresses */
	assert_allows(fixture, VA, KR | KW | KX);
	assert_open(fixture, VA, 0);
}

static void low_bits_of_a_directory_entry_are_unspecified(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned bit = 0; bit < 12; bit++) {
		if (BIT(bit) == H)
			continue;
		put(fixture, VA, 3, PAGE);
		*slot(fixture, 1, VA) |= BIT(bit);
		assert_open(fixture, VA, WP_ALL_KINDS);
		*slot(fixture, 3, VA) = 0;
		assert_open(fixture, VA, WP_ALL_KINDS);
	}
}

static void bits_from_palen_on_are_ignored_in_a_directory_entry(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned bit = 48; bit < 64; bit++) {
		put(fixture, VA, 3, 0x5000 | PAGE);
		*slot(fixture, bit % 3, VA) |= BIT(bit);
		assert_leads(fixture, VA, 0x5abc, PT_4K);
		assert_allows(fixture, VA, KR | KW | KX);
		assert_open(fixture, VA, 0);
	}
}

static void an_empty_directory_entry_leads_to_physical_address_0(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 0; level < 3; level++) {
		put(fixture, VA, level, 0);
		assert_fault_and_open(fixture, VA, WP_FAULT_BUS, level + 1, WP_ALL_KINDS);
	}
}

static void an_empty_directory_entry_walks_on_in_what_lies_at_0(void **state)
{
	struct fixture *fixture = low(state);

	assert_int_equal(fixture->spare, 0);
	put(fixture, VA, 2, 0);
	fixture->tables[3] = fixture->spare;
	*slot(fixture, 3, VA) = 0x5000 | PAGE;
	assert_leads(fixture, VA, 0x5abc, PT_4K);
	assert_open(fixture, VA, 0);
}

static void where_0_is_said_to_hold_zeros_an_empty_directory_entry_leads_nowhere(void **state)
{
	struct fixture *fixture = low(state);

	fixture->memory.zeros_at_0 = true;
	for (unsigned level = 0; level < 3; level++) {
		struct wp_answer answer;

		put(fixture, VA, level, 0);
		answer = walk(fixture, VA);
		assert_int_equal(answer.fault, WP_FAULT_NOT_PRESENT);
		assert_int_equal(answer.level, level + 1);
		assert_int_equal(answer.allowed, 0);
		assert_int_equal(answer.open, 0);
		put(fixture, VA, level, 0x1000);
		assert_fault(fixture, VA, WP_FAULT_BUS, level + 1);
	}
}

static void a_table_outside_of_guest_memory_is_never_read(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 1; level < 4; level++) {
		put(fixture, VA, level - 1, 0x1000);
		assert_fault(fixture, VA, WP_FAULT_BUS, level);
		put(fixture, VA, level - 1, fixture->tables[level] | BIT(47));
		assert_fault(fixture, VA, WP_FAULT_BUS, level);
	}
}

#define AT_ZERO(name) cmocka_unit_test_setup_teardown(name, open_at_zero, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v_of_a_directory_entry_says_nothing),
		TEST(low_bits_of_a_directory_entry_are_unspecified),
		TEST(bits_from_palen_on_are_ignored_in_a_directory_entry),
		TEST(an_empty_directory_entry_leads_to_physical_address_0),
		AT_ZERO(an_empty_directory_entry_walks_on_in_what_lies_at_0),
		TEST(where_0_is_said_to_hold_zeros_an_empty_directory_entry_leads_nowhere),
		TEST(a_table_outside_of_guest_memory_is_never_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
