/* SPDX-License-Identifier: MIT */
/* The AArch64 walk, against descriptors set by hand from Arm ARM D8: who may do what. */
#include "paper_aarch64.h"

static void with_af_0_an_access_flag_fault_wins_over_permissions(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, 0x5000 | PAGE | ATTR(1) | AP(2));
	assert_fault(fixture, VA, WP_FAULT_ACCESS_FLAG, 3);
	put(fixture, VA, 2, BLOCK | ATTR(1));
	assert_fault(fixture, VA, WP_FAULT_ACCESS_FLAG, 2);
	put(fixture, VA, 1, BLOCK | ATTR(1));
	assert_fault(fixture, VA, WP_FAULT_ACCESS_FLAG, 1);
}

static void ap_gives_each_exception_level_its_rights(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned kinds;
	} pages[] = {
		{AP(0), KR | KW | KX | UX}, /* EL0 executes what it can't read */
		{AP(0) | UXN, KR | KW | KX},
		{AP(0) | PXN, KR | KW | UX},
		{AP(0) | PXN | UXN, KR | KW},
		{AP(1), KR | KW | UR | UW | UX}, /* EL0 can write: EL1 can't execute */
		{AP(1) | UXN, KR | KW | UR | UW},
		{AP(1) | PXN, KR | KW | UR | UW | UX},
		{AP(2), KR | KX | UX},
		{AP(2) | UXN, KR | KX},
		{AP(2) | PXN | UXN, KR},
		{AP(3), KR | KX | UR | UX},
		{AP(3) | UXN, KR | KX | UR},
		{AP(3) | PXN, KR | UR | UX},
		{AP(3) | PXN | UXN, KR | UR},
	};
	struct fixture *fixture = low(state);

	for (size_t i = 0; i < COUNT(pages); i++) {
		put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		put(fixture, VA, 2, BLOCK | NORMAL | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		put(fixture, VA, 1, BLOCK | NORMAL | pages[i].bits);
		assert_allows(fixture, VA, pages[i].kinds);
		assert_int_equal(walk(fixture, VA).answered, WP_ALL_KINDS);
	}
}

static void a_table_takes_rights_away_from_all_below_it(void **state)
{
	static const struct {
		uint64_t table;
		uint64_t page;
		unsigned kinds;
	} cases[] = {
		{APTABLE1, AP(0), KR | KX | UX},
		{APTABLE1, AP(1), KR | KX | UR | UX}, /* EL0 writes no more: EL1 executes */
		{APTABLE0, AP(1), KR | KW | KX | UX}, /* likewise */
		{APTABLE0, AP(3), KR | KX | UX},
		{APTABLE0 | APTABLE1, AP(1), KR | KX | UX},
		{UXNTABLE, AP(0), KR | KW | KX},
		{PXNTABLE, AP(0), KR | KW | UX},
		{PXNTABLE | UXNTABLE | APTABLE0 | APTABLE1, AP(1), KR},
	};
	struct fixture *fixture = low(state);

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (unsigned level = 0; level < 3; level++) {
			put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | cases[i].page);
			*slot(fixture, level, VA) |= cases[i].table;
			assert_allows(fixture, VA, cases[i].kinds);
		}
	}
	/* Different tables' bits add up. */
	put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | AP(1));
	*slot(fixture, 0, VA) |= APTABLE1;
	*slot(fixture, 1, VA) |= UXNTABLE;
	*slot(fixture, 2, VA) |= PXNTABLE;
	assert_allows(fixture, VA, KR | UR);
}

static void dbm_without_hardware_dirty_state_leaves_ap2_a_read_only_bit(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, PAGE | NORMAL | AP(2) | UXN | BIT(51));
	assert_allows(fixture, VA, KR | KX);
}

static void el2_has_one_privilege_and_xn_in_bit_54(void **state)
{
	static const struct {
		uint64_t table;
		uint64_t page;
		unsigned kinds;
	} cases[] = {
		{0, AP(1), KR | KW | KX},
		{0, AP(0), KR | KW | KX},
		{0, AP(3), KR | KX},
		{0, AP(1) | UXN, KR | KW},
		{0, AP(1) | PXN, KR | KW | KX},  /* PXN is RES0... */
		{PXNTABLE, AP(1), KR | KW | KX}, /* ...and so is this... */
		{APTABLE0, AP(1), KR | KW | KX}, /* ...and this */
		{APTABLE1, AP(1), KR | KX},
		{UXNTABLE, AP(1), KR | KW},
	};
	struct fixture *fixture = el2(state);

	for (unsigned i = 0; i < COUNT(cases); i++) {
		put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | cases[i].page);
		*slot(fixture, i % 3, VA) |= cases[i].table;
		assert_allows(fixture, VA, cases[i].kinds);
		assert_int_equal(walk(fixture, VA).answered, WP_KERNEL_KINDS);
		assert_false(walk(fixture, VA).global);
	}
	put(fixture, VA, 3, 0);
	assert_int_equal(walk(fixture, VA).answered, WP_KERNEL_KINDS);
}

static void execution_from_device_memory_is_open_where_it_is_not_forbidden(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, PAGE | AF | ATTR(0));
	assert_allows(fixture, VA, KR | KW | KX | UX);
	assert_open(fixture, VA, KX | UX);
	put(fixture, VA, 3, PAGE | AF | ATTR(7) | UXN);
	assert_open(fixture, VA, KX);
	put(fixture, VA, 3, PAGE | AF | ATTR(0) | PXN | UXN);
	assert_open(fixture, VA, 0);
	put(fixture, VA, 3, PAGE | AF | ATTR(2));
	assert_open(fixture, VA, 0);
	put(el2(state), VA, 3, PAGE | AF | ATTR(0));
	assert_open(fixture, VA, KX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_af_0_an_access_flag_fault_wins_over_permissions),
		TEST(ap_gives_each_exception_level_its_rights),
		TEST(a_table_takes_rights_away_from_all_below_it),
		TEST(dbm_without_hardware_dirty_state_leaves_ap2_a_read_only_bit),
		TEST(el2_has_one_privilege_and_xn_in_bit_54),
		TEST(execution_from_device_memory_is_open_where_it_is_not_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
