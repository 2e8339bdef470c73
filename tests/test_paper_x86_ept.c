/* SPDX-License-Identifier: MIT */
/* The EPT walk, against entries set by hand from the SDM, "The Extended Page Table Mechanism". */
#include "paper_fixture.h"

#define R      BIT(0)
#define W      BIT(1)
#define X      BIT(2)
#define UC     (0 * BIT(3))
#define WC     (1 * BIT(3))
#define WT     (4 * BIT(3))
#define WP     (5 * BIT(3))
#define WB     (6 * BIT(3))
#define PAGE   BIT(7) /* over the last level */
#define TABLE  (R | W | X)
#define LEVELS 4

/* A different index at each level, and an offset. */
#define GPA 0x0000923456789abcu
#define TO  0x000fedcba9877000u /* of a 4 KiB page; with low bits cleared of a larger one */

static int open_fixture(void **state)
{
	const int status = fixture_open(state, 0x80000000);

	if (status == 0)
		use(*state, "x86_ept");
	return status;
}

/* Table entries over `level`, and `entry` in its slot. */
static void put(struct fixture *fixture, unsigned level, uint64_t entry)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, GPA) = fixture->tables[i + 1] | TABLE;
	*slot(fixture, level, GPA) = entry;
}

/* A leaf of `level`, where the level has leaves, that is as it should be. */
static uint64_t leaf_of(unsigned level, uint64_t rights)
{
	static const uint64_t below[LEVELS] = {0, PT_1G - 1, PT_2M - 1, 0};

	return (TO & ~below[level]) | WB | rights | (level < LEVELS - 1 ? PAGE : 0);
}

static void an_address_has_48_bits_and_is_not_sign_extended(void **state)
{
	struct fixture *fixture = *state;

	assert_canonical(fixture, 0, true);
	assert_canonical(fixture, 0x0000800000000000, true);
	assert_canonical(fixture, 0x0000ffffffffffff, true);
	assert_canonical(fixture, 0x0001000000000000, false);
	assert_canonical(fixture, 0x0008000000000000, false);
	assert_canonical(fixture, 0xffff800000000000, false);
	assert_canonical(fixture, UINT64_MAX, false);
}

static void each_level_is_indexed_by_nine_bits_of_the_address(void **state)
{
	static const uint64_t index[] = {0x124, 0x0d1, 0x0b3, 0x189};
	struct fixture *fixture = *state;
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, 3, leaf_of(3, R));
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], GPA, steps),
		LEVELS);
	for (unsigned i = 0; i < LEVELS; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
	assert_leads(fixture, GPA, TO | 0xabc, PT_4K);
}

static void a_page_is_4_kib_2_mib_or_1_gib(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, 3, leaf_of(3, R));
	assert_leads(fixture, GPA, 0x000fedcba9877abc, PT_4K);
	put(fixture, 2, leaf_of(2, R));
	assert_leads(fixture, GPA, 0x000fedcba9989abc, PT_2M);
	put(fixture, 1, leaf_of(1, R));
	assert_leads(fixture, GPA, 0x000fedcb96789abc, PT_1G);
}

static void without_r_w_and_x_all_other_bits_are_ignored(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned level = 0; level < LEVELS; level++) {
		put(fixture, level, 0);
		assert_fault(fixture, GPA, WP_FAULT_NOT_PRESENT, level);
		*slot(fixture, level, GPA) = ~(uint64_t)TABLE;
		assert_fault(fixture, GPA, WP_FAULT_NOT_PRESENT, level);
	}
}

static void any_of_r_w_and_x_makes_an_entry_present(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, 3, leaf_of(3, R));
	assert_allows(fixture, GPA, KR);
	put(fixture, 3, leaf_of(3, X));
	assert_allows(fixture, GPA, KX);
	put(fixture, 3, leaf_of(3, R | W));
	assert_allows(fixture, GPA, KR | KW);
	put(fixture, 3, leaf_of(3, R | X));
	assert_allows(fixture, GPA, KR | KX);
	put(fixture, 3, leaf_of(3, R | W | X));
	assert_allows(fixture, GPA, KR | KW | KX);
	assert_int_equal(walk(fixture, GPA).answered, KR | KW | KX); /* there is no user */
}

static void write_without_read_is_a_misconfiguration_at_every_level(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned level = 0; level < LEVELS; level++) {
		for (unsigned x = 0; x < 2; x++) {
			const uint64_t rights = W | (x != 0 ? X : 0);

			if (level < LEVELS - 1) {
				put(fixture, level, fixture->tables[level + 1] | rights);
				assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
			}
			put(fixture, level, leaf_of(level, rights));
			assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
		}
	}
}

static void an_access_needs_its_right_in_every_entry(void **state)
{
	static const uint64_t rights[] = {R, X, R | W, R | X, R | W | X};
	struct fixture *fixture = *state;

	for (unsigned level = 0; level < LEVELS - 1; level++) {
		for (size_t i = 0; i < COUNT(rights); i++) {
			put(fixture, 3, leaf_of(3, TABLE));
			*slot(fixture, level, GPA) = fixture->tables[level + 1] | rights[i];
			assert_allows(fixture, GPA, (unsigned)rights[i]); /* in the same order */
		}
	}
	/* nothing is left, and yet the page is found */
	put(fixture, 3, leaf_of(3, R | W));
	*slot(fixture, 1, GPA) = fixture->tables[2] | X;
	assert_allows(fixture, GPA, 0);
	assert_int_equal(walk(fixture, GPA).pa, TO | 0xabc);
}

static void bits_6_to_3_and_in_a_pml4e_bit_7_are_reserved_in_a_table(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned level = 0; level < LEVELS - 1; level++) {
		for (unsigned bit = 3; bit < 64; bit++) {
			const bool reserved = bit <= 6 || (bit == 7 && level == 0);

			if ((bit == 7 && level != 0) || (bit >= 12 && bit < 52))
				continue; /* that would be a page, or lead elsewhere */
			put(fixture, 3, leaf_of(3, R));
			*slot(fixture, level, GPA) |= BIT(bit);
			if (reserved)
				assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
			else
				assert_leads(fixture, GPA, TO | 0xabc, PT_4K);
		}
	}
}

static void address_bits_below_the_page_are_reserved(void **state)
{
	static const uint64_t size[LEVELS] = {0, PT_1G, PT_2M, PT_4K};
	struct fixture *fixture = *state;

	for (unsigned level = 1; level < LEVELS; level++) {
		for (unsigned bit = 12; bit < 52; bit++) {
			const uint64_t entry = leaf_of(level, R) ^ BIT(bit);

			put(fixture, level, entry);
			if (BIT(bit) < size[level])
				assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
			else
				assert_leads(fixture, GPA,
				             (entry & 0x000ffffffffff000) |
				                     (GPA & (size[level] - 1)),
				             size[level]);
		}
	}
}

static void other_bits_of_a_page_are_ignored(void **state)
{
	static const uint8_t ignored[] = {6,  8,  9,  10, 11, 52, 53, 54, 55,
	                                  56, 57, 58, 59, 60, 61, 62, 63};
	struct fixture *fixture = *state;

	for (unsigned level = 1; level < LEVELS; level++) {
		for (size_t i = 0; i < COUNT(ignored); i++) {
			put(fixture, level, leaf_of(level, R | W) | BIT(ignored[i]));
			assert_allows(fixture, GPA, KR | KW);
			assert_type(fixture, GPA, WP_TYPE_NORMAL);
			assert_false(walk(fixture, GPA).global);
		}
	}
	put(fixture, 3, leaf_of(3, R) | PAGE);
	assert_leads(fixture, GPA, TO | 0xabc, PT_4K);
}

static void bits_over_the_physical_width_are_reserved(void **state)
{
	struct fixture *fixture = *state;

	fixture->regime.pa_bits = 40;
	for (unsigned bit = 40; bit < 52; bit++) {
		for (unsigned level = 0; level < LEVELS; level++) {
			put(fixture, 3, (leaf_of(3, R) & (BIT(40) - 1)));
			*slot(fixture, level, GPA) |= BIT(bit);
			assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
		}
	}
}

static void memory_types_2_3_and_7_are_reserved(void **state)
{
	static const uint64_t pages[] = {1, 2, 3};
	static const enum wp_memory_type types[8] = {
		WP_TYPE_DEVICE, WP_TYPE_UNCACHED, WP_TYPE_UNKNOWN, WP_TYPE_UNKNOWN,
		WP_TYPE_OTHER,  WP_TYPE_OTHER,    WP_TYPE_NORMAL,  WP_TYPE_UNKNOWN,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(pages); i++) {
		const unsigned level = (unsigned)pages[i];

		for (uint64_t type = 0; type < 8; type++) {
			put(fixture, level, (leaf_of(level, R) & ~(7 * BIT(3))) | type << 3);
			if (types[type] == WP_TYPE_UNKNOWN)
				assert_fault(fixture, GPA, WP_FAULT_RESERVED, level);
			else
				assert_type(fixture, GPA, types[type]);
		}
	}
	put(fixture, 3, (leaf_of(3, R) & ~WB) | WT);
	assert_type(fixture, GPA, WP_TYPE_OTHER);
	put(fixture, 3, (leaf_of(3, R) & ~WB) | WP);
	assert_type(fixture, GPA, WP_TYPE_OTHER);
	put(fixture, 3, (leaf_of(3, R) & ~WB) | UC);
	assert_type(fixture, GPA, WP_TYPE_DEVICE);
	put(fixture, 3, (leaf_of(3, R) & ~WB) | WC);
	assert_type(fixture, GPA, WP_TYPE_UNCACHED);
}

static void a_table_that_is_no_memory_is_a_bus_error(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned level = 0; level < LEVELS - 1; level++) {
		put(fixture, 3, leaf_of(3, R));
		*slot(fixture, level, GPA) = 0x1234567000 | TABLE;
		assert_fault(fixture, GPA, WP_FAULT_BUS, level + 1);
	}
}

static void it_writes_neither_accessed_nor_dirty(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before[LEVELS];

	put(fixture, 3, leaf_of(3, R | W));
	for (unsigned level = 0; level < LEVELS; level++)
		before[level] = *slot(fixture, level, GPA);
	assert_allows(fixture, GPA, KR | KW);
	for (unsigned level = 0; level < LEVELS; level++)
		assert_int_equal(*slot(fixture, level, GPA), before[level]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_has_48_bits_and_is_not_sign_extended),
		TEST(each_level_is_indexed_by_nine_bits_of_the_address),
		TEST(a_page_is_4_kib_2_mib_or_1_gib),
		TEST(without_r_w_and_x_all_other_bits_are_ignored),
		TEST(any_of_r_w_and_x_makes_an_entry_present),
		TEST(write_without_read_is_a_misconfiguration_at_every_level),
		TEST(an_access_needs_its_right_in_every_entry),
		TEST(bits_6_to_3_and_in_a_pml4e_bit_7_are_reserved_in_a_table),
		TEST(address_bits_below_the_page_are_reserved),
		TEST(other_bits_of_a_page_are_ignored),
		TEST(bits_over_the_physical_width_are_reserved),
		TEST(memory_types_2_3_and_7_are_reserved),
		TEST(a_table_that_is_no_memory_is_a_bus_error),
		TEST(it_writes_neither_accessed_nor_dirty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
