/* SPDX-License-Identifier: MIT */
/* The RISC-V walk, against entries set by hand from the privileged manual. */
#include "paper_fixture.h"

#define V          BIT(0)
#define R          BIT(1)
#define W          BIT(2)
#define X          BIT(3)
#define U          BIT(4)
#define G          BIT(5)
#define A          BIT(6)
#define D          BIT(7)
#define PPN(pa)    ((uint64_t)(pa) >> 12 << 10)
#define PBMT(type) ((uint64_t)(type) << 61)
#define N          BIT(63)

/* Canonical in each of the three, with a different index at each level. */
#define VA39 0x0000001456789abcu
#define VA48 0x0000123456789abcu
#define VA57 0x00fe123456789abcu

static int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

static void put(struct fixture *fixture, uint64_t va, unsigned level, uint64_t leaf)
{
	for (unsigned i = 0; i < level; i++)
		*slot(fixture, i, va) = PPN(fixture->tables[i + 1]) | V;
	*slot(fixture, level, va) = leaf;
}

static struct fixture *with(void **state, const char *regime)
{
	use(*state, regime);
	return *state;
}

static void bits_above_the_width_must_equal_its_top_bit(void **state)
{
	static const struct {
		const char *regime;
		unsigned bits;
	} widths[] = {{"riscv64_sv39", 39}, {"riscv64_sv48", 48}, {"riscv64_sv57", 57}};

	for (size_t i = 0; i < COUNT(widths); i++) {
		struct fixture *fixture = with(state, widths[i].regime);
		const uint64_t half = BIT(widths[i].bits - 1);

		assert_canonical(fixture, 0, true);
		assert_canonical(fixture, half - 1, true);
		assert_canonical(fixture, half, false);
		assert_canonical(fixture, 2 * half, false);
		assert_canonical(fixture, 0 - half - 1, false);
		assert_canonical(fixture, 0 - half, true);
		assert_canonical(fixture, UINT64_MAX, true);
		assert_canonical(fixture, BIT(63), false);
	}
}

static void each_level_is_indexed_by_nine_bits_of_the_address(void **state)
{
	static const uint64_t index[] = {0x0fe, 0x024, 0x0d1, 0x0b3, 0x189};
	struct fixture *fixture = with(state, "riscv64_sv57");
	struct wp_step steps[WP_MAX_STEPS];

	put(fixture, VA57, 4, V | R);
	assert_int_equal(
		wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0], VA57, steps),
		5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(steps[i].entry_pa, fixture->tables[i] + 8 * index[i]);
}

static void a_leaf_may_sit_at_every_level(void **state)
{
	static const struct {
		const char *regime;
		uint64_t va;
		unsigned level;
		uint64_t ppn;
		uint64_t pa;
		uint64_t size;
	} leaves[] = {
		{"riscv64_sv39", VA39, 2, 0x00fedcba98765000, 0x00fedcba98765abc, PT_4K},
		{"riscv64_sv39", VA39, 1, 0x00fedcba98e00000, 0x00fedcba98f89abc, PT_2M},
		{"riscv64_sv39", VA39, 0, 0x00fedcbac0000000, 0x00fedcbad6789abc, PT_1G},
		{"riscv64_sv48", VA48, 3, 0x0000000000005000, 0x0000000000005abc, PT_4K},
		{"riscv64_sv48", VA48, 0, 0x00fedc8000000000, 0x00fedcb456789abc, PT_512G},
		{"riscv64_sv57", VA57, 4, 0x0000000000005000, 0x0000000000005abc, PT_4K},
		{"riscv64_sv57", VA57, 1, 0x00fedc8000000000, 0x00fedcb456789abc, PT_512G},
		{"riscv64_sv57", VA57, 0, 0x00fe000000000000, 0x00fe123456789abc, PT_256T},
	};

	for (size_t i = 0; i < COUNT(leaves); i++) {
		struct fixture *fixture = with(state, leaves[i].regime);

		put(fixture, leaves[i].va, leaves[i].level, PPN(leaves[i].ppn) | V | R);
		assert_leads(fixture, leaves[i].va, leaves[i].pa, leaves[i].size);
	}
}

static void if_v_is_0_all_other_bits_are_free(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA48, level, 0);
		assert_fault(fixture, VA48, WP_FAULT_NOT_PRESENT, level);
		*slot(fixture, level, VA48) = ~V;
		assert_fault(fixture, VA48, WP_FAULT_NOT_PRESENT, level);
	}
}

static void writable_without_readable_is_reserved(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA48, level, V | W);
		assert_fault(fixture, VA48, WP_FAULT_RESERVED, level);
		put(fixture, VA48, level, V | W | X);
		assert_fault(fixture, VA48, WP_FAULT_RESERVED, level);
	}
}

static void a_pointer_at_the_last_level_is_a_fault(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	put(fixture, VA48, 3, PPN(0x80000000) | V);
	assert_fault(fixture, VA48, WP_FAULT_RESERVED, 3);
}

static void a_d_and_u_are_reserved_in_a_pointer(void **state)
{
	static const char *const regimes[] = {"riscv64_sv48", "riscv64_sv48_svpbmt",
	                                      "riscv64_sv48_xuantie"};
	static const uint64_t bits[] = {A, D, U};

	for (unsigned i = 0; i < COUNT(regimes) * COUNT(bits); i++) {
		struct fixture *fixture = with(state, regimes[i / COUNT(bits)]);

		for (unsigned level = 0; level < 3; level++) {
			put(fixture, VA48, 3, V | R);
			*slot(fixture, level, VA48) |= bits[i % COUNT(bits)];
			assert_fault(fixture, VA48, WP_FAULT_RESERVED, level);
		}
	}
}

static void a_misaligned_superpage_is_a_fault(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv57");

	for (unsigned level = 0; level < 4; level++) {
		for (unsigned bit = 12; bit < shift_of(fixture, level); bit++) {
			put(fixture, VA57, level, PPN(BIT(bit)) | V | R);
			assert_fault(fixture, VA57, WP_FAULT_RESERVED, level);
		}
	}
}

static void without_svpbmt_and_svnapot_bits_63_to_54_are_reserved(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39");

	for (unsigned bit = 54; bit < 64; bit++) {
		for (unsigned level = 0; level < 3; level++) {
			put(fixture, VA39, level, V | R | BIT(bit));
			assert_fault(fixture, VA39, WP_FAULT_RESERVED, level);
			put(fixture, VA39, 2, V | R);
			*slot(fixture, level, VA39) |= BIT(bit);
			assert_fault(fixture, VA39, WP_FAULT_RESERVED, level);
		}
	}
}

static void software_bits_make_no_difference(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39");

	for (unsigned level = 0; level < 3; level++) {
		put(fixture, VA39, 2, PPN(0x5000) | V | R);
		*slot(fixture, level, VA39) |= BIT(8) | BIT(9);
		assert_leads(fixture, VA39, 0x5abc, PT_4K);
		assert_type(fixture, VA39, WP_TYPE_NORMAL);
	}
}

static void each_encoding_of_xwr_and_u_allows_its_kinds(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned kinds;
	} pages[] = {
		{R, KR},
		{R | W, KR | KW},
		{X, KX}, /* MXR = 0: not readable */
		{R | X, KR | KX},
		{R | W | X, KR | KW | KX},
		{U | R, KR | UR}, /* SUM = 1 */
		{U | R | W, KR | KW | UR | UW},
		{U | X, UX}, /* SUM helps no fetch */
		{U | R | X, KR | UR | UX},
		{U | R | W | X, KR | KW | UR | UW | UX},
	};
	struct fixture *fixture = with(state, "riscv64_sv48");

	for (size_t i = 0; i < COUNT(pages); i++) {
		for (unsigned level = 0; level < 4; level++) {
			put(fixture, VA48, level, V | pages[i].bits);
			assert_allows(fixture, VA48, pages[i].kinds);
			assert_int_equal(walk(fixture, VA48).answered, WP_ALL_KINDS);
			assert_open(fixture, VA48, 0);
		}
	}
}

static void hardware_updates_a_and_d_so_that_neither_faults(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	put(fixture, VA48, 3, V | R | W);
	assert_allows(fixture, VA48, KR | KW);
	put(fixture, VA48, 3, V | R | W | A | D);
	assert_allows(fixture, VA48, KR | KW);
}

static void g_in_a_pointer_is_for_everything_below_it(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	put(fixture, VA48, 3, V | R);
	assert_false(walk(fixture, VA48).global);
	for (unsigned level = 0; level < 4; level++) {
		put(fixture, VA48, 3, V | R);
		*slot(fixture, level, VA48) |= G;
		assert_true(walk(fixture, VA48).global);
	}
}

static void svpbmt_gives_the_memory_type_of_a_leaf(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39_svpbmt");

	for (unsigned level = 0; level < 3; level++) {
		put(fixture, VA39, level, V | R | PBMT(0));
		assert_type(fixture, VA39, WP_TYPE_NORMAL);
		put(fixture, VA39, level, V | R | PBMT(1));
		assert_type(fixture, VA39, WP_TYPE_UNCACHED);
		put(fixture, VA39, level, V | R | PBMT(2));
		assert_type(fixture, VA39, WP_TYPE_DEVICE);
		put(fixture, VA39, level, V | R | PBMT(3));
		assert_fault(fixture, VA39, WP_FAULT_RESERVED, level);
	}
}

static void with_svpbmt_all_of_bits_63_to_54_are_reserved_in_a_pointer(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39_svpbmt");

	for (unsigned bit = 54; bit < 64; bit++) {
		put(fixture, VA39, 2, V | R);
		*slot(fixture, 1, VA39) |= BIT(bit);
		assert_fault(fixture, VA39, WP_FAULT_RESERVED, 1);
	}
}

static void with_svpbmt_bits_60_to_54_and_n_are_reserved_in_a_leaf(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39_svpbmt");

	for (unsigned bit = 54; bit <= 60; bit++) {
		put(fixture, VA39, 2, V | R | BIT(bit));
		assert_fault(fixture, VA39, WP_FAULT_RESERVED, 2);
	}
	put(fixture, VA39, 2, PPN(0x8000) | V | R | N); /* what Svnapot would take */
	assert_fault(fixture, VA39, WP_FAULT_RESERVED, 2);
}

static void xuantie_bits_63_to_59_are_attributes(void **state)
{
	static const struct {
		uint64_t bits;
		enum wp_memory_type type;
	} leaves[] = {
		{0, WP_TYPE_UNCACHED},
		{BIT(61) | BIT(60), WP_TYPE_UNCACHED},         /* 00110 */
		{BIT(62) | BIT(61) | BIT(60), WP_TYPE_NORMAL}, /* 01110 */
		{BIT(63) | BIT(60), WP_TYPE_DEVICE},           /* 10010 */
		{BIT(63) | BIT(62), WP_TYPE_DEVICE},
		{BIT(59), WP_TYPE_UNCACHED},
		{BIT(62), WP_TYPE_NORMAL},
	};
	struct fixture *fixture = with(state, "riscv64_sv39_xuantie");

	for (size_t i = 0; i < COUNT(leaves); i++) {
		put(fixture, VA39, 2, PPN(0x5000) | V | R | leaves[i].bits);
		assert_leads(fixture, VA39, 0x5abc, PT_4K);
		assert_type(fixture, VA39, leaves[i].type);
		assert_open(fixture, VA39, 0);
	}
	for (unsigned bit = 54; bit < 59; bit++) {
		put(fixture, VA39, 2, V | R | BIT(bit));
		assert_fault(fixture, VA39, WP_FAULT_RESERVED, 2);
		put(fixture, VA39, 2, V | R);
		*slot(fixture, 1, VA39) |= BIT(bit);
		assert_fault(fixture, VA39, WP_FAULT_RESERVED, 1);
	}
}

static void xuantie_says_nothing_of_attributes_in_a_pointer(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv39_xuantie");

	for (unsigned bit = 59; bit < 64; bit++) {
		put(fixture, VA39, 2, V | R);
		*slot(fixture, 1, VA39) |= BIT(bit);
		assert_open(fixture, VA39, WP_ALL_KINDS);
		*slot(fixture, 2, VA39) = 0;
		assert_fault_and_open(fixture, VA39, WP_FAULT_NOT_PRESENT, 2, WP_ALL_KINDS);
	}
}

static void a_table_outside_of_guest_memory_is_an_access_fault(void **state)
{
	struct fixture *fixture = with(state, "riscv64_sv48");

	for (unsigned level = 1; level < 4; level++) {
		put(fixture, VA48, level - 1, PPN(BIT(55)) | V);
		assert_fault(fixture, VA48, WP_FAULT_BUS, level);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bits_above_the_width_must_equal_its_top_bit),
		TEST(each_level_is_indexed_by_nine_bits_of_the_address),
		TEST(a_leaf_may_sit_at_every_level),
		TEST(if_v_is_0_all_other_bits_are_free),
		TEST(writable_without_readable_is_reserved),
		TEST(a_pointer_at_the_last_level_is_a_fault),
		TEST(a_d_and_u_are_reserved_in_a_pointer),
		TEST(a_misaligned_superpage_is_a_fault),
		TEST(without_svpbmt_and_svnapot_bits_63_to_54_are_reserved),
		TEST(software_bits_make_no_difference),
		TEST(each_encoding_of_xwr_and_u_allows_its_kinds),
		TEST(hardware_updates_a_and_d_so_that_neither_faults),
		TEST(g_in_a_pointer_is_for_everything_below_it),
		TEST(svpbmt_gives_the_memory_type_of_a_leaf),
		TEST(with_svpbmt_all_of_bits_63_to_54_are_reserved_in_a_pointer),
		TEST(with_svpbmt_bits_60_to_54_and_n_are_reserved_in_a_leaf),
		TEST(xuantie_bits_63_to_59_are_attributes),
		TEST(xuantie_says_nothing_of_attributes_in_a_pointer),
		TEST(a_table_outside_of_guest_memory_is_an_access_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
