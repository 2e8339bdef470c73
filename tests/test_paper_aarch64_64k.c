/* SPDX-License-Identifier: MIT */
/* The AArch64 walk with the 64 KiB granule, against descriptors from Arm ARM D8. */
#include "paper_aarch64.h"

#define ADDRESS_47_16 0x0000ffffffff0000u

static struct fixture *low_64k(void **state)
{
	use(*state, "aarch64_64k_low");
	return *state;
}

static void halves_have_48_bits(void **state)
{
	struct fixture *fixture = low_64k(state);

	assert_canonical(fixture, 0x0000ffffffffffff, true);
	assert_canonical(fixture, 0x0001000000000000, false);
	assert_canonical(fixture, UINT64_MAX, false);
	use(fixture, "aarch64_64k_high");
	assert_canonical(fixture, 0xffff000000000000, true);
	assert_canonical(fixture, 0xfffeffffffffffff, false);
	put(fixture, HIGH_VA, 2, 0x50000 | PAGE | NORMAL);
	assert_leads(fixture, HIGH_VA, 0x50000 + (HIGH_VA & 0xffff), PT_64K);
}

static void the_root_is_indexed_by_six_bits_the_rest_by_thirteen(void **state)
{
	static const uint64_t index[] = {0x24, 0x11a2, 0x1678};
	struct fixture *fixture = low_64k(state);
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, VA, 2, PAGE | NORMAL);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], VA, steps),
		3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
}

static void a_leaf_is_a_64_kib_page_or_a_block_of_512_mib(void **state)
{
	struct fixture *fixture = low_64k(state);

	put(fixture, VA, 2, 0x0000123456780000 | PAGE | NORMAL);
	assert_leads(fixture, VA, 0x0000123456780000 | (VA & 0xffff), PT_64K);
	put(fixture, VA, 1, 5 * PT_512M | BLOCK | NORMAL);
	assert_leads(fixture, VA, 5 * PT_512M | (VA & (PT_512M - 1)), PT_512M);
	/* level 1 of the manual's has blocks with FEAT_LPA only */
	put(fixture, VA, 0, BLOCK | NORMAL);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 0);
	/* and a page is 11 */
	put(fixture, VA, 2, 0x50000 | BLOCK | NORMAL);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 2);
}

static void address_bits_below_a_block_are_ignored(void **state)
{
	struct fixture *fixture = low_64k(state);

	for (unsigned bit = 17; bit < 29; bit++) {
		put(fixture, VA, 1, PT_512M | BIT(bit) | BLOCK | NORMAL);
		assert_leads(fixture, VA, PT_512M | (VA & (PT_512M - 1)), PT_512M);
		assert_int_equal(walk(fixture, VA).open & KR, 0);
	}
}

static void bits_15_to_12_leave_the_outcome_open(void **state)
{
	struct fixture *fixture = low_64k(state);

	for (unsigned bit = 12; bit < 16; bit++) {
		put(fixture, VA, 2, 0x50000 | BIT(bit) | PAGE | NORMAL);
		assert_int_equal(walk(fixture, VA).open, WP_ALL_KINDS);
		assert_int_equal(walk(fixture, VA).pa, 0x50000 | (VA & 0xffff));
		put(fixture, VA, 2, 0x50000 | PAGE | NORMAL);
		assert_int_equal(walk(fixture, VA).open, 0);
		*slot(fixture, 1, VA) |= BIT(bit);
		assert_int_equal(walk(fixture, VA).open, WP_ALL_KINDS);
	}
}

static void nt_leaves_a_block_open_and_is_address_in_a_page(void **state)
{
	struct fixture *fixture = low_64k(state);

	put(fixture, VA, 1, PT_512M | NT | BLOCK | NORMAL);
	assert_int_equal(walk(fixture, VA).open, WP_ALL_KINDS);
	put(fixture, VA, 2, NT | PAGE | NORMAL);
	assert_leads(fixture, VA, 0x10000 | (VA & 0xffff), PT_64K);
	assert_int_equal(walk(fixture, VA).open, 0);
}

static void thirty_two_entries_are_contiguous(void **state)
{
	struct fixture *fixture = low_64k(state);
	uint64_t *group;

	put(fixture, VA, 2, 0);
	group = slot(fixture, 2, VA & ~(uint64_t)(32 * PT_64K - 1));
	for (uint64_t i = 0; i < 32; i++)
		group[i] = (64 + i) << 16 | CONTIGUOUS | PAGE | NORMAL;
	assert_int_equal(walk(fixture, VA).open, 0);
	group[31] ^= BIT(20);
	assert_int_equal(walk(fixture, VA).open, WP_ALL_KINDS);
	for (uint64_t i = 0; i < 32; i++)
		group[i] = (16 + i) << 16 | CONTIGUOUS | PAGE | NORMAL;
	assert_int_equal(walk(fixture, VA).open, WP_ALL_KINDS);
}

static void a_table_is_read_at_its_bits_47_to_16(void **state)
{
	struct fixture *fixture = low_64k(state);

	put(fixture, VA, 2, 0x50000 | PAGE | NORMAL);
	assert_int_equal(*slot(fixture, 0, VA) & ADDRESS_47_16, fixture->tables[1]);
	*slot(fixture, 0, VA) = (fixture->memory.base + fixture->memory.size) | TABLE;
	assert_fault(fixture, VA, WP_FAULT_BUS, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(halves_have_48_bits),
		TEST(the_root_is_indexed_by_six_bits_the_rest_by_thirteen),
		TEST(a_leaf_is_a_64_kib_page_or_a_block_of_512_mib),
		TEST(address_bits_below_a_block_are_ignored),
		TEST(bits_15_to_12_leave_the_outcome_open),
		TEST(nt_leaves_a_block_open_and_is_address_in_a_page),
		TEST(thirty_two_entries_are_contiguous),
		TEST(a_table_is_read_at_its_bits_47_to_16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
