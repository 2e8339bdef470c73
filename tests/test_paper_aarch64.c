/* SPDX-License-Identifier: MIT */
/* The AArch64 walk, against descriptors set by hand from Arm ARM D8: formats. */
#include "paper_aarch64.h"

static void ttbr0_translates_addresses_with_bits_63_to_48_zero(void **state)
{
	struct fixture *fixture = low(state);

	assert_canonical(fixture, 0, true);
	assert_canonical(fixture, 0x0000ffffffffffff, true);
	assert_canonical(fixture, 0x0001000000000000, false);
	assert_canonical(fixture, 0x0100000000000000, false);
	assert_canonical(fixture, 0xff00000000000000, false);
	assert_canonical(fixture, 0xffff000000000000, false);
	assert_canonical(fixture, UINT64_MAX, false);
}

static void ttbr1_translates_addresses_with_bits_63_to_48_one(void **state)
{
	struct fixture *fixture = *state;

	use(fixture, "aarch64_high");
	assert_canonical(fixture, 0xffff000000000000, true);
	assert_canonical(fixture, UINT64_MAX, true);
	assert_canonical(fixture, 0xfffeffffffffffff, false);
	assert_canonical(fixture, 0x00ffffffffffffff, false);
	assert_canonical(fixture, 0x7fff000000000000, false);
	assert_canonical(fixture, 0, false);
	put(fixture, HIGH_VA, 3, 0x5000 | PAGE | NORMAL);
	assert_leads(fixture, HIGH_VA, 0x5abc, PT_4K);
}

static void el2_has_the_zero_half_alone(void **state)
{
	struct fixture *fixture = el2(state);

	assert_canonical(fixture, 0x0000ffffffffffff, true);
	assert_canonical(fixture, 0x0001000000000000, false);
	assert_canonical(fixture, UINT64_MAX, false);
}

static void each_level_is_indexed_by_nine_bits_of_the_address(void **state)
{
	static const uint64_t index[] = {0x124, 0x0d1, 0x0b3, 0x189};
	struct fixture *fixture = low(state);
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, VA, 3, PAGE | NORMAL);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], VA, steps),
		4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
}

static void a_leaf_is_a_4_kib_page_or_a_block_of_2_mib_or_1_gib(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, 0x0000edcba9877000 | PAGE | NORMAL);
	assert_leads(fixture, VA, 0x0000edcba9877abc, PT_4K);
	put(fixture, VA, 2, 0x0000edcba9e00000 | BLOCK | NORMAL);
	assert_leads(fixture, VA, 0x0000edcba9f89abc, PT_2M);
	put(fixture, VA, 1, 0x0000edcbc0000000 | BLOCK | NORMAL);
	assert_leads(fixture, VA, 0x0000edcbd6789abc, PT_1G);
}

static void if_bit_0_is_0_all_other_bits_are_ignored(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA, level, 0);
		assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, level);
		*slot(fixture, level, VA) = ~(uint64_t)1;
		assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, level);
	}
}

static void type_01_is_invalid_at_levels_0_and_3(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 0, BLOCK | NORMAL);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 0);
	put(fixture, VA, 3, 0x5000 | BLOCK | NORMAL);
	assert_fault(fixture, VA, WP_FAULT_NOT_PRESENT, 3);
}

static void the_low_address_bits_of_a_block_are_ignored(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned bit = 12; bit < 30; bit++) {
		const uint64_t extra = BIT(bit) & ~NT;

		put(fixture, VA, 1, BIT(31) | BLOCK | NORMAL | extra);
		assert_leads(fixture, VA, 0x96789abc, PT_1G);
		assert_open(fixture, VA, 0);
		if (bit >= 21)
			continue;
		put(fixture, VA, 2, BIT(31) | BLOCK | NORMAL | extra);
		assert_leads(fixture, VA, 0x80189abc, PT_2M);
		assert_open(fixture, VA, 0);
	}
}

static void res0_and_software_bits_make_no_difference(void **state)
{
	static const unsigned in_page[] = {5,  8,  9,  48, 49, 50, 51, 55,
	                                   56, 57, 58, 59, 60, 61, 62, 63};
	static const unsigned in_table[] = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 48,
	                                    49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 63};
	struct fixture *fixture = low(state);

	for (size_t i = 0; i < COUNT(in_page); i++) {
		put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | UXN | BIT(in_page[i]));
		assert_leads(fixture, VA, 0x5abc, PT_4K);
		assert_allows(fixture, VA, KR | KW | KX);
		assert_open(fixture, VA, 0);
	}
	for (unsigned i = 0; i < COUNT(in_table); i++) {
		put(fixture, VA, 3, 0x5000 | PAGE | NORMAL | UXN);
		*slot(fixture, i % 3, VA) |= BIT(in_table[i]);
		assert_leads(fixture, VA, 0x5abc, PT_4K);
		assert_allows(fixture, VA, KR | KW | KX);
	}
}

static void an_address_beyond_the_output_size_is_an_address_size_fault(void **state)
{
	struct fixture *fixture = low(state);

	fixture->regime.pa_bits = 40;
	for (unsigned level = 0; level < 3; level++) {
		put(fixture, VA, 3, PAGE | NORMAL);
		*slot(fixture, level, VA) |= BIT(40);
		assert_fault(fixture, VA, WP_FAULT_ADDRESS_SIZE, level);
	}
	put(fixture, VA, 3, BIT(47) | PAGE); /* it wins over the access flag */
	assert_fault(fixture, VA, WP_FAULT_ADDRESS_SIZE, 3);
	put(fixture, VA, 1, BIT(40) | BLOCK | NORMAL);
	assert_fault(fixture, VA, WP_FAULT_ADDRESS_SIZE, 1);
	put(fixture, VA, 3, BIT(39) | PAGE | NORMAL);
	assert_leads(fixture, VA, BIT(39) | 0xabc, PT_4K);
}

static void attrindx_chooses_a_byte_of_mair(void **state)
{
	static const enum wp_memory_type types[] = {
		WP_TYPE_DEVICE, WP_TYPE_NORMAL, WP_TYPE_UNCACHED, WP_TYPE_OTHER,
		WP_TYPE_OTHER,  WP_TYPE_OTHER,  WP_TYPE_OTHER,    WP_TYPE_OTHER,
	};
	struct fixture *fixture = low(state);

	for (unsigned i = 0; i < 8; i++) {
		put(fixture, VA, 3, PAGE | AF | ATTR(i));
		assert_type(fixture, VA, types[i]);
	}
}

static void ng_0_is_global(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 3, PAGE | NORMAL);
	assert_true(walk(fixture, VA).global);
	put(fixture, VA, 3, PAGE | NORMAL | NG);
	assert_false(walk(fixture, VA).global);
}

/* Sixteen alike, with addresses that follow one another from `first` on. */
static void put_group(struct fixture *fixture, unsigned level, uint64_t first)
{
	const unsigned shift = shift_of(fixture, level);
	const uint64_t va = VA & ~(BIT(shift + 4) - 1);

	put(fixture, VA, level, 0);
	for (uint64_t i = 0; i < 16; i++) {
		*slot(fixture, level, va + (i << shift)) = (first + (i << shift)) | NORMAL |
		                                           CONTIGUOUS | (level == 3 ? PAGE : BLOCK);
	}
}

static void a_contiguous_group_is_sixteen_alike_from_an_aligned_address(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 1; level < 4; level++) {
		const uint64_t unit = BIT(shift_of(fixture, level));
		const uint64_t offset = VA & (16 * unit - 1);

		put_group(fixture, level, 32 * unit);
		assert_leads(fixture, VA, 32 * unit + offset, unit);
		assert_open(fixture, VA, 0);
	}
}

static void a_misprogrammed_contiguous_group_is_open(void **state)
{
	struct fixture *fixture = low(state);
	const uint64_t neighbour = VA ^ 0x1000;
	static const unsigned alike[] = {0, 1, 2, 10, 11, 16, 47, 50, 51, 52, 53, 54};
	static const unsigned ignored[] = {12, 13, 20, 48, 49, 55, 58, 63};

	put_group(fixture, 3, 0x28000); /* not aligned to the group */
	assert_open(fixture, VA, WP_ALL_KINDS);
	put_group(fixture, 3, 0x20000);
	*slot(fixture, 3, neighbour) ^= AP(2);
	assert_open(fixture, VA, WP_ALL_KINDS);
	put_group(fixture, 3, 0x20000);
	*slot(fixture, 3, neighbour) = 0;
	assert_open(fixture, VA, WP_ALL_KINDS);
	put_group(fixture, 3, 0x20000);
	*slot(fixture, 3, neighbour) ^= 0x100000;
	assert_open(fixture, VA, WP_ALL_KINDS);
	for (size_t i = 0; i < COUNT(alike); i++) {
		put_group(fixture, 3, 0x20000);
		*slot(fixture, 3, neighbour) ^= BIT(alike[i]);
		assert_open(fixture, VA, WP_ALL_KINDS);
	}
	for (size_t i = 0; i < COUNT(ignored); i++) {
		put_group(fixture, 2, 0x40000000);
		*slot(fixture, 2, VA ^ 0x200000) ^= BIT(ignored[i]);
		assert_open(fixture, VA, 0);
	}
}

static void a_block_with_nt_is_open(void **state)
{
	struct fixture *fixture = low(state);

	put(fixture, VA, 2, BLOCK | NORMAL | NT);
	assert_open(fixture, VA, WP_ALL_KINDS);
	put(fixture, VA, 1, BLOCK | NORMAL | NT);
	assert_open(fixture, VA, WP_ALL_KINDS);
	put(fixture, VA, 3, PAGE | NORMAL | NT); /* an address bit of a page */
	assert_open(fixture, VA, 0);
	assert_leads(fixture, VA, 0x10abc, PT_4K);
}

static void a_table_outside_of_guest_memory_is_never_read(void **state)
{
	struct fixture *fixture = low(state);

	for (unsigned level = 1; level < 4; level++) {
		put(fixture, VA, level - 1, 0x1000 | TABLE);
		assert_fault(fixture, VA, WP_FAULT_BUS, level);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ttbr0_translates_addresses_with_bits_63_to_48_zero),
		TEST(ttbr1_translates_addresses_with_bits_63_to_48_one),
		TEST(el2_has_the_zero_half_alone),
		TEST(each_level_is_indexed_by_nine_bits_of_the_address),
		TEST(a_leaf_is_a_4_kib_page_or_a_block_of_2_mib_or_1_gib),
		TEST(if_bit_0_is_0_all_other_bits_are_ignored),
		TEST(type_01_is_invalid_at_levels_0_and_3),
		TEST(the_low_address_bits_of_a_block_are_ignored),
		TEST(res0_and_software_bits_make_no_difference),
		TEST(an_address_beyond_the_output_size_is_an_address_size_fault),
		TEST(attrindx_chooses_a_byte_of_mair),
		TEST(ng_0_is_global),
		TEST(a_contiguous_group_is_sixteen_alike_from_an_aligned_address),
		TEST(a_misprogrammed_contiguous_group_is_open),
		TEST(a_block_with_nt_is_open),
		TEST(a_table_outside_of_guest_memory_is_never_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
