/* SPDX-License-Identifier: MIT */
/*
 * The walk of a G-stage, Sv39x4, against entries set by hand from the privileged manual,
 * "Guest Physical Address Translation" and "Two-Stage Address Translation".
 */
#include "paper_fixture.h"

#define V       BIT(0)
#define R       BIT(1)
#define W       BIT(2)
#define X       BIT(3)
#define U       BIT(4)
#define G       BIT(5)
#define A       BIT(6)
#define D       BIT(7)
#define PPN(pa) ((uint64_t)(pa) >> 12 << 10)

/* Root index 0x65d of 11 bits, then 0x0b3 and 0x189. */
#define GPA 0x0000019756789abcu

static int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

static struct fixture *guest(void **state)
{
	use(*state, "riscv64_sv39x4");
	return *state;
}

static void put(struct fixture *fixture, uint64_t va, unsigned level, uint64_t leaf)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, va) = PPN(fixture->tables[i + 1]) | V;
	*slot(fixture, level, va) = leaf;
}

static void bits_above_bit_40_are_zero_and_no_bit_is_a_sign(void **state)
{
	struct fixture *fixture = guest(state);

	assert_canonical(fixture, 0, true);
	assert_canonical(fixture, BIT(38), true);
	assert_canonical(fixture, BIT(40), true);
	assert_canonical(fixture, BIT(41) - 1, true);
	assert_canonical(fixture, BIT(41), false);
	assert_canonical(fixture, BIT(63), false);
	assert_canonical(fixture, 0 - BIT(38), false);
	assert_canonical(fixture, UINT64_MAX, false);
}

static void the_root_is_indexed_by_eleven_bits_the_rest_by_nine(void **state)
{
	static const uint64_t index[] = {0x65d, 0x0b3, 0x189};
	struct fixture *fixture = guest(state);
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, GPA, 2, PPN(0x5000) | V | R | U);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], GPA, steps),
		3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
	assert_leads(fixture, GPA, 0x5abc, PT_4K);
	/* in the root, the two bits above Sv39's tell four quarters apart */
	assert_fault(fixture, GPA & (BIT(39) - 1), WP_FAULT_NOT_PRESENT, 0);
	assert_fault(fixture, GPA ^ BIT(40), WP_FAULT_NOT_PRESENT, 0);
}

static void the_two_lowest_bits_of_the_roots_ppn_are_ignored(void **state)
{
	struct fixture *fixture = guest(state);
	struct wp_answer answer;

	put(fixture, GPA, 2, PPN(0x5000) | V | R | U);
	wp_paper_walk(&fixture->regime, &fixture->memory, fixture->tables[0] | 0x3000, GPA,
	              &answer);
	assert_int_equal(answer.pa, 0x5abc);
}

static void a_leaf_may_sit_at_every_level(void **state)
{
	struct fixture *fixture = guest(state);

	put(fixture, GPA, 1, PPN(5 * PT_2M) | V | R | U);
	assert_leads(fixture, GPA, 5 * PT_2M + (GPA & (PT_2M - 1)), PT_2M);
	put(fixture, GPA, 0, PPN(3 * PT_1G) | V | R | U);
	assert_leads(fixture, GPA, 3 * PT_1G + (GPA & (PT_1G - 1)), PT_1G);
	*slot(fixture, 0, GPA) |= PPN(PT_2M);
	assert_fault(fixture, GPA, WP_FAULT_RESERVED, 0);
}

static void every_access_is_checked_as_a_users(void **state)
{
	static const struct {
		uint64_t rights;
		uint8_t allowed;
	} leaves[] = {
		{R, KR}, {R | W, KR | KW}, {X, KX}, {R | X, KR | KX}, {R | W | X, KR | KW | KX},
	};
	struct fixture *fixture = guest(state);

	for (size_t i = 0; i < COUNT(leaves); i++) {
		struct wp_answer answer;

		put(fixture, GPA, 2, PPN(0x5000) | V | U | A | D | leaves[i].rights);
		answer = walk(fixture, GPA);
		assert_int_equal(answer.answered, WP_KERNEL_KINDS);
		assert_int_equal(answer.allowed, leaves[i].allowed);
		*slot(fixture, 2, GPA) &= ~U;
		answer = walk(fixture, GPA);
		assert_int_equal(answer.answered, WP_KERNEL_KINDS);
		assert_int_equal(answer.allowed, 0);
		assert_int_equal(answer.fault, WP_FAULT_PERMISSION);
	}
}

static void g_is_ignored(void **state)
{
	struct fixture *fixture = guest(state);

	put(fixture, GPA, 2, PPN(0x5000) | V | R | U | G);
	*slot(fixture, 0, GPA) |= G;
	*slot(fixture, 1, GPA) |= G;
	assert_leads(fixture, GPA, 0x5abc, PT_4K);
	assert_false(walk(fixture, GPA).global);
}

static void reserved_encodings_are_those_of_sv39(void **state)
{
	static const unsigned pointer[] = {4, 6, 7, 54, 61, 63};
	struct fixture *fixture = guest(state);

	for (size_t i = 0; i < COUNT(pointer); i++) {
		put(fixture, GPA, 2, PPN(0x5000) | V | R | U);
		*slot(fixture, 1, GPA) |= BIT(pointer[i]);
		assert_fault(fixture, GPA, WP_FAULT_RESERVED, 1);
	}
	for (unsigned bit = 54; bit < 64; bit++) {
		put(fixture, GPA, 2, PPN(0x5000) | V | R | U | BIT(bit));
		assert_fault(fixture, GPA, WP_FAULT_RESERVED, 2);
	}
	put(fixture, GPA, 2, PPN(0x5000) | V | W | U);
	assert_fault(fixture, GPA, WP_FAULT_RESERVED, 2);
	put(fixture, GPA, 2, PPN(0x5000) | V);
	assert_fault(fixture, GPA, WP_FAULT_RESERVED, 2);
}

static void a_root_that_is_half_outside_of_guest_memory_is_an_access_fault(void **state)
{
	struct fixture *fixture = guest(state);
	struct wp_answer answer;

	wp_paper_walk(&fixture->regime, &fixture->memory,
	              fixture->memory.base + fixture->memory.size, GPA, &answer);
	assert_int_equal(answer.fault, WP_FAULT_BUS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bits_above_bit_40_are_zero_and_no_bit_is_a_sign),
		TEST(the_root_is_indexed_by_eleven_bits_the_rest_by_nine),
		TEST(the_two_lowest_bits_of_the_roots_ppn_are_ignored),
		TEST(a_leaf_may_sit_at_every_level),
		TEST(every_access_is_checked_as_a_users),
		TEST(g_is_ignored),
		TEST(reserved_encodings_are_those_of_sv39),
		TEST(a_root_that_is_half_outside_of_guest_memory_is_an_access_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
