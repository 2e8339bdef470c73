/* SPDX-License-Identifier: MIT */
/* The x86_64 walk, against entries set by hand from the SDM, "Paging". */
#include "paper_fixture.h"

#define P     BIT(0)
#define RW    BIT(1)
#define US    BIT(2)
#define PWT   BIT(3)
#define PCD   BIT(4)
#define PS    BIT(7)
#define G     BIT(8)
#define XD    BIT(63)
#define TABLE (P | RW | US)

/* A different index at each level, and an offset. */
#define VA  0x00fe123456789abcu
#define VA4 0x0000123456789abcu

static int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

/* Table entries over `level`, and `leaf` in its slot. */
static void put(struct fixture *fixture, uint64_t va, unsigned level, uint64_t leaf)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, va) = fixture->tables[i + 1] | TABLE;
	*slot(fixture, level, va) = leaf;
}

static struct fixture *with_4_levels(void **state)
{
	use(*state, "x86_64");
	return *state;
}

static void an_address_is_canonical_if_bits_63_to_47_are_equal(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	assert_canonical(fixture, 0, true);
	assert_canonical(fixture, 0x00007fffffffffff, true);
	assert_canonical(fixture, 0x0000800000000000, false);
	assert_canonical(fixture, 0xffff7fffffffffff, false);
	assert_canonical(fixture, 0xffff800000000000, true);
	assert_canonical(fixture, UINT64_MAX, true);
	assert_canonical(fixture, 0x8000000000000000, false);
}

static void with_5_levels_bits_63_to_56_are_equal(void **state)
{
	struct fixture *fixture = *state;

	use(fixture, "x86_64_la57");
	assert_canonical(fixture, 0x00ffffffffffffff, true);
	assert_canonical(fixture, 0x0100000000000000, false);
	assert_canonical(fixture, 0xfeffffffffffffff, false);
	assert_canonical(fixture, 0xff00000000000000, true);
}

static void each_level_is_indexed_by_nine_bits_of_the_address(void **state)
{
	static const uint64_t index[] = {0x0fe, 0x024, 0x0d1, 0x0b3, 0x189};
	struct fixture *fixture = *state;
	struct wp_step steps[WP_MAX_STEPS];

	use(fixture, "x86_64_la57");
	put(fixture, VA, 4, 0x7654321000 | P);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], VA, steps),
		5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(steps[i].level, i);
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
	}
	assert_int_equal(steps[3].entry, fixture->tables[4] | TABLE);
	assert_int_equal(steps[4].entry, 0x7654321000 | P);
	assert_leads(fixture, VA, 0x7654321abc, PT_4K);
}

static void a_page_is_4_kib_2_mib_or_1_gib(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, 0x000fedcba9877000 | P);
	assert_leads(fixture, VA4, 0x000fedcba9877abc, PT_4K);
	put(fixture, VA4, 2, 0x000fedcba9e00000 | P | PS);
	assert_leads(fixture, VA4, 0x000fedcba9f89abc, PT_2M);
	put(fixture, VA4, 1, 0x000fedcbc0000000 | P | PS);
	assert_leads(fixture, VA4, 0x000fedcbd6789abc, PT_1G);
}

static void if_p_is_0_all_other_bits_are_ignored(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA4, level, 0);
		assert_fault(fixture, VA4, WP_FAULT_NOT_PRESENT, level);
		*slot(fixture, level, VA4) = ~P;
		assert_fault(fixture, VA4, WP_FAULT_NOT_PRESENT, level);
	}
}

static void ps_is_reserved_in_a_pml4e_and_in_a_pml5e(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 0, P | PS);
	assert_fault(fixture, VA4, WP_FAULT_RESERVED, 0);
	use(fixture, "x86_64_la57");
	put(fixture, VA, 0, P | PS);
	assert_fault(fixture, VA, WP_FAULT_RESERVED, 0);
	put(fixture, VA, 1, P | PS);
	assert_fault(fixture, VA, WP_FAULT_RESERVED, 1);
}

static void bit_7_of_a_pte_is_the_pat_bit(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, 0x5000 | P | BIT(7));
	assert_leads(fixture, VA4, 0x5abc, PT_4K);
}

static void bits_20_to_13_of_a_2_mib_page_are_reserved(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	for (unsigned bit = 13; bit <= 20; bit++) {
		put(fixture, VA4, 2, P | PS | BIT(bit));
		assert_fault(fixture, VA4, WP_FAULT_RESERVED, 2);
	}
	put(fixture, VA4, 2, P | PS | BIT(12) | BIT(21));
	assert_leads(fixture, VA4, 0x389abc, PT_2M);
}

static void bits_29_to_13_of_a_1_gib_page_are_reserved(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	for (unsigned bit = 13; bit <= 29; bit++) {
		put(fixture, VA4, 1, P | PS | BIT(bit));
		assert_fault(fixture, VA4, WP_FAULT_RESERVED, 1);
	}
	put(fixture, VA4, 1, P | PS | BIT(12) | BIT(30));
	assert_leads(fixture, VA4, 0x56789abc, PT_1G);
}

static void bits_from_maxphyaddr_to_51_are_reserved_in_every_entry(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	fixture->regime.pa_bits = 40;
	for (unsigned level = 0; level < 4; level++) {
		const uint64_t leaf = P | (level == 1 || level == 2 ? PS : 0);

		for (unsigned bit = 40; bit <= 51; bit++) {
			put(fixture, VA4, 3, P | BIT(39));
			assert_leads(fixture, VA4, 0x8000000abc, PT_4K);
			*slot(fixture, level, VA4) |= BIT(bit);
			assert_fault(fixture, VA4, WP_FAULT_RESERVED, level);
			*slot(fixture, level, VA4) = leaf | BIT(bit);
			assert_fault(fixture, VA4, WP_FAULT_RESERVED, level);
		}
		put(fixture, VA4, 3, P);
		*slot(fixture, level, VA4) |= BIT(52);
		assert_leads(fixture, VA4, 0xabc, PT_4K);
	}
}

static void with_52_bits_none_of_them_is_reserved(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, P | BIT(51));
	assert_leads(fixture, VA4, BIT(51) | 0xabc, PT_4K);
	put(fixture, VA4, 1, P | PS | BIT(51));
	assert_leads(fixture, VA4, BIT(51) | 0x16789abc, PT_1G);
}

static void software_bits_and_accessed_and_dirty_make_no_difference(void **state)
{
	static const unsigned ignored[] = {5, 6, 8, 9, 10, 11, 52, 55, 58, 59, 60, 61, 62};
	struct fixture *fixture = with_4_levels(state);

	for (unsigned level = 0; level < 4; level++) {
		for (size_t i = 0; i < COUNT(ignored); i++) {
			put(fixture, VA4, 3, 0x5000 | P | RW);
			*slot(fixture, level, VA4) |= BIT(ignored[i]);
			assert_leads(fixture, VA4, 0x5abc, PT_4K);
			assert_allows(fixture, VA4, KR | KW | KX);
		}
	}
}

static void not_present_below_wins_over_a_permission_above(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, 0);
	*slot(fixture, 0, VA4) &= ~(RW | US);
	assert_fault(fixture, VA4, WP_FAULT_NOT_PRESENT, 3);
}

static void a_reserved_bit_above_wins_over_not_present_below(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, 0);
	*slot(fixture, 0, VA4) |= PS;
	assert_fault(fixture, VA4, WP_FAULT_RESERVED, 0);
}

static void each_right_of_a_page_allows_its_kinds(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned kinds;
	} pages[] = {
		{0, KR | KX},
		{XD, KR},
		{RW, KR | KW | KX},
		{RW | XD, KR | KW},
		{US, KR | UR | UX}, /* SMEP: the kernel executes no user page */
		{US | XD, KR | UR},
		{US | RW, KR | KW | UR | UW | UX},
		{US | RW | XD, KR | KW | UR | UW},
	};
	struct fixture *fixture = with_4_levels(state);

	for (size_t i = 0; i < COUNT(pages); i++) {
		put(fixture, VA4, 3, 0x5000 | P | pages[i].bits);
		assert_allows(fixture, VA4, pages[i].kinds);
		put(fixture, VA4, 2, P | PS | pages[i].bits);
		assert_allows(fixture, VA4, pages[i].kinds);
		put(fixture, VA4, 1, P | PS | pages[i].bits);
		assert_allows(fixture, VA4, pages[i].kinds);
		assert_int_equal(walk(fixture, VA4).answered, WP_ALL_KINDS);
		assert_open(fixture, VA4, 0);
	}
}

static void a_right_holds_only_if_every_entry_has_it(void **state)
{
	struct fixture *fixture = *state;

	use(fixture, "x86_64_la57");
	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA, 4, 0x5000 | P | RW | US);
		assert_allows(fixture, VA, KR | KW | UR | UW | UX);
		*slot(fixture, level, VA) ^= RW;
		assert_allows(fixture, VA, KR | UR | UX);
		*slot(fixture, level, VA) ^= RW | US;
		assert_allows(fixture, VA, KR | KW | KX);
		*slot(fixture, level, VA) ^= US | XD;
		assert_allows(fixture, VA, KR | KW | UR | UW);
	}
}

static void the_power_up_pat_gives_the_memory_type(void **state)
{
	static const enum wp_memory_type types[] = {
		WP_TYPE_NORMAL, WP_TYPE_OTHER, WP_TYPE_UNCACHED, WP_TYPE_DEVICE,
		WP_TYPE_NORMAL, WP_TYPE_OTHER, WP_TYPE_UNCACHED, WP_TYPE_DEVICE,
	};
	struct fixture *fixture = with_4_levels(state);

	for (unsigned i = 0; i < 8; i++) {
		const uint64_t type = (i & 1 ? PWT : 0) | (i & 2 ? PCD : 0);

		put(fixture, VA4, 3, P | type | (i & 4 ? BIT(7) : 0));
		assert_type(fixture, VA4, types[i]);
		put(fixture, VA4, 2, P | PS | type | (i & 4 ? BIT(12) : 0));
		assert_type(fixture, VA4, types[i]);
		put(fixture, VA4, 1, P | PS | type | (i & 4 ? BIT(12) : 0));
		assert_type(fixture, VA4, types[i]);
	}
	/* Those of a table are for reading the next table. */
	put(fixture, VA4, 3, P);
	*slot(fixture, 2, VA4) |= PCD | PWT;
	assert_type(fixture, VA4, WP_TYPE_NORMAL);
}

static void g_counts_in_the_leaf_alone(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	put(fixture, VA4, 3, P);
	*slot(fixture, 0, VA4) |= G;
	*slot(fixture, 2, VA4) |= G;
	assert_false(walk(fixture, VA4).global);
	*slot(fixture, 3, VA4) |= G;
	assert_true(walk(fixture, VA4).global);
	put(fixture, VA4, 1, P | PS | G);
	assert_true(walk(fixture, VA4).global);
}

static void a_table_outside_of_guest_memory_is_never_read(void **state)
{
	struct fixture *fixture = with_4_levels(state);

	for (unsigned level = 1; level < 4; level++) {
		put(fixture, VA4, level - 1, 0x7ffff000 | TABLE);
		assert_fault(fixture, VA4, WP_FAULT_BUS, level);
	}
	fixture->tables[0] = 0x1000;
	assert_fault(fixture, VA4, WP_FAULT_BUS, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_canonical_if_bits_63_to_47_are_equal),
		TEST(with_5_levels_bits_63_to_56_are_equal),
		TEST(each_level_is_indexed_by_nine_bits_of_the_address),
		TEST(a_page_is_4_kib_2_mib_or_1_gib),
		TEST(if_p_is_0_all_other_bits_are_ignored),
		TEST(ps_is_reserved_in_a_pml4e_and_in_a_pml5e),
		TEST(bit_7_of_a_pte_is_the_pat_bit),
		TEST(bits_20_to_13_of_a_2_mib_page_are_reserved),
		TEST(bits_29_to_13_of_a_1_gib_page_are_reserved),
		TEST(bits_from_maxphyaddr_to_51_are_reserved_in_every_entry),
		TEST(with_52_bits_none_of_them_is_reserved),
		TEST(software_bits_and_accessed_and_dirty_make_no_difference),
		TEST(not_present_below_wins_over_a_permission_above),
		TEST(a_reserved_bit_above_wins_over_not_present_below),
		TEST(each_right_of_a_page_allows_its_kinds),
		TEST(a_right_holds_only_if_every_entry_has_it),
		TEST(the_power_up_pat_gives_the_memory_type),
		TEST(g_counts_in_the_leaf_alone),
		TEST(a_table_outside_of_guest_memory_is_never_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
