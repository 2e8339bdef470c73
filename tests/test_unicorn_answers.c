/* SPDX-License-Identifier: MIT */
#include "unicorn_fixture.h"

/* The bits of an entry besides its address, and what it must allow at any level. */
struct row {
	uint64_t bits;
	unsigned allowed;
};

#define XD ((uint64_t)1 << 63)
static const struct row x86_64_rows[] = {
	{0x001, KR | KX},
	{0x003, KR | KW | KX},
	{0x001 | XD, KR},
	{0x003 | XD, KR | KW},
	{0x005, KR | UR | UX},
	{0x007, KR | KW | UR | UW | UX},
	{0x005 | XD, KR | UR},
	{0x007 | XD, KR | KW | UR | UW},
	{0x000, 0},
	{0x006, 0},
	{0x01b, KR | KW | KX},              /* uncached */
	{0x103, KR | KW | KX},              /* global */
	{0x7ff0000000000003, KR | KW | KX}, /* ignored bits */
};

#define PXN ((uint64_t)1 << 53)
#define UXN ((uint64_t)1 << 54)
static const struct row aarch64_rows[] = {
	/* AF is 0x400; AP[2:1] is 0xc0 */
	{0x400, KR | KW | KX | UX},
	{0x400 | UXN, KR | KW | KX},
	{0x400 | PXN | UXN, KR | KW},
	{0x480 | UXN, KR | KX},
	{0x480 | PXN | UXN, KR},
	{0x440, KR | KW | UR | UW | UX}, /* EL1 never executes what EL0 can write */
	{0x440 | PXN | UXN, KR | KW | UR | UW},
	{0x4c0 | PXN, KR | UR | UX},
	{0x4c0 | UXN, KR | KX | UR},
	{0x4c0 | PXN | UXN, KR | UR},
	{0x000, 0},
	{0x040, 0},
};
static const struct row el2_rows[] = {
	/* bit 54 is XN, AP[1] is RES1 */
	{0x440, KR | KW | KX}, {0x440 | UXN, KR | KW},      {0x4c0, KR | KX},
	{0x4c0 | UXN, KR},     {0x440 | PXN, KR | KW | KX}, {0x040, 0},
};

static const struct row riscv64_rows[] = {
	/* V R W X U G A D */
	{0xc0 | 0x03, KR},
	{0xc0 | 0x07, KR | KW},
	{0xc0 | 0x09, KX},
	{0xc0 | 0x0b, KR | KX},
	{0xc0 | 0x0f, KR | KW | KX},
	{0xc0 | 0x13, KR | UR},
	{0xc0 | 0x17, KR | KW | UR | UW},
	{0xc0 | 0x19, UX},
	{0xc0 | 0x1f, KR | KW | UR | UW | UX},
	{0xc0 | 0x05, 0}, /* W without R */
	{0xc0 | 0x0d, 0},
	{0xc0 | 0x0e, 0},      /* V clear */
	{0x3ef, KR | KW | KX}, /* software bits and G */
};

struct matrix {
	const char *regime;
	unsigned largest;       /* level of the largest leaf */
	unsigned address_shift; /* to the right, of the address in an entry */
	uint64_t huge, last;    /* what makes an entry a leaf above, and at, the last level */
	uint64_t pa;            /* aligned for the largest leaf; no RAM */
	unsigned kinds;
	const struct row *rows;
	size_t count;
};
#define ROWS(rows) rows, sizeof(rows) / sizeof(rows)[0]
static const struct matrix matrices[] = {
	{"x86_64", 1, 0, 0x80, 0, 0xbc40000000, 0x3f, ROWS(x86_64_rows)},
	{"x86_64_la57", 2, 0, 0x80, 0, 0xbc40000000, 0x3f, ROWS(x86_64_rows)},
	{"aarch64_low", 1, 0, 1, 3, 0xbc9a40000000, 0x3f, ROWS(aarch64_rows)},
	{"aarch64_high", 1, 0, 1, 3, 0xbc9a40000000, 0x3f, ROWS(aarch64_rows)},
	{"aarch64_el2", 1, 0, 1, 3, 0xbc9a40000000, 0x07, ROWS(el2_rows)},
	{"riscv64_sv39", 0, 2, 0, 0, 0xbc9a1240000000, 0x3f, ROWS(riscv64_rows)},
	{"riscv64_sv48", 0, 2, 0, 0, 0xbc9a8000000000, 0x3f, ROWS(riscv64_rows)},
	{"riscv64_sv57", 0, 2, 0, 0, 0xbd000000000000, 0x3f, ROWS(riscv64_rows)},
	{"riscv64_sv39_svpbmt", 0, 2, 0, 0, 0xbc9a1240000000, 0x3f, ROWS(riscv64_rows)},
};

static void check_row(struct wp_scratch *scratch, const struct matrix *matrix, unsigned level,
                      const struct row *row)
{
	const struct wp_regime *regime = scratch->regime;
	const uint64_t span = wp_regime_span(regime, level);
	const uint64_t va = scratch->va + 0x123;
	const uint64_t pa = row->allowed != 0 ? matrix->pa | (va & (span - 1)) : 0;
	struct wp_answer answer;

	*scratch->entry[level] = matrix->pa >> matrix->address_shift | row->bits |
	                         (level + 1 == regime->levels ? matrix->last : matrix->huge);
	answer = ask(scratch->machine, va, WP_ALL_KINDS);
	if (answer.answered != matrix->kinds || answer.allowed != row->allowed || answer.pa != pa ||
	    (answer.fault == WP_FAULT_NONE) != (row->allowed != 0))
		fail_msg("%s, level %u, bits 0x%llx: 0x%x answered, 0x%x allowed, to 0x%llx",
		         regime->name, level, (unsigned long long)row->bits, answer.answered,
		         answer.allowed, (unsigned long long)answer.pa);
}

static void rights_and_addresses_are_as_the_manuals_say_at_every_leaf_level(void **state)
{
	struct fixture *fixture = *state;

	for (size_t m = 0; m < sizeof matrices / sizeof matrices[0]; m++) {
		struct wp_scratch scratch;

		open_scratch(&scratch, fixture, matrices[m].regime);
		for (unsigned level = scratch.regime->levels; level-- > matrices[m].largest;) {
			for (size_t r = 0; r < matrices[m].count; r++)
				check_row(&scratch, &matrices[m], level, &matrices[m].rows[r]);
		}
		wp_scratch_close(&scratch);
	}
}

/* With the half that has no root: what the other regime left in its TTBR. */
static void the_other_half_does_not_translate(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = fixture->machine[1];
	struct wp_scratch low, high;

	open_scratch(&high, fixture, "aarch64_high");
	wp_scratch_map(&high, 0x5a5a5000, PT_READ);
	assert_int_equal(ask(machine, high.va, WP_ALL_KINDS).allowed, KR);
	open_scratch(&low, fixture, "aarch64_low");
	wp_scratch_map(&low, 0x5a5a5000, PT_READ);
	assert_int_equal(ask(machine, low.va, WP_ALL_KINDS).allowed, KR);
	assert_int_equal(ask(machine, high.va, WP_ALL_KINDS).allowed, 0);
	machine->load(machine, high.regime, high.frame[0]);
	assert_int_equal(ask(machine, high.va, WP_ALL_KINDS).allowed, KR);
	assert_int_equal(ask(machine, low.va, WP_ALL_KINDS).allowed, 0);
	wp_scratch_close(&low);
	wp_scratch_close(&high);
}

/* What tables above take away, x86_64 and AArch64 only; KR at least is left. */
static void tables_above_take_rights_away(void **state)
{
	static const struct {
		const char *regime;
		unsigned level;
		uint64_t flipped;
		unsigned allowed;
	} rows[] = {
		{"x86_64", 0, 0x2, KR | UR | UX},
		{"x86_64", 1, 0x4, KR | KW | KX},
		{"x86_64", 2, XD, KR | KW | UR | UW},
		{"aarch64_low", 0, (uint64_t)1 << 62, KR | KX | UR | UX}, /* read-only */
		{"aarch64_low", 1, (uint64_t)1 << 61, KR | KW | KX | UX}, /* not EL0 */
		{"aarch64_low", 2, (uint64_t)1 << 60, KR | KW | UR | UW}, /* UXNTable */
		{"aarch64_high", 2, (uint64_t)1 << 59, KR | KW | UR | UW | UX},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_scratch scratch;

		open_scratch(&scratch, fixture, rows[i].regime);
		*wp_scratch_last(&scratch) = 0x5a5a5000 |
		                             (scratch.regime->arch == WP_X86_64 ? 0x7 : 0x443);
		*scratch.entry[rows[i].level] ^= rows[i].flipped;
		assert_int_equal(ask(scratch.machine, scratch.va, WP_ALL_KINDS).allowed,
		                 rows[i].allowed);
		wp_scratch_close(&scratch);
	}
}

static void addresses_out_of_range_fault(void **state)
{
	static const struct {
		const char *regime;
		uint64_t va;
	} rows[] = {
		{"x86_64", 0x0000800000000000},       {"x86_64_la57", 0x0100000000000000},
		{"aarch64_low", 0xffff000000000000},  {"aarch64_low", 0x0001000000000000},
		{"aarch64_high", 0x0000000000001000}, {"aarch64_high", 0xfffeffffffffffff},
		{"aarch64_el2", 0xffffffffffffffff},  {"riscv64_sv39", 0x0000004000000000},
		{"riscv64_sv48", 0x0000800000000000}, {"riscv64_sv57", 0x0100000000000000},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_scratch scratch;
		struct wp_answer answer;

		open_scratch(&scratch, fixture, rows[i].regime);
		/* Everything that the root can reach leads to a leaf. */
		for (size_t k = 0; k < 512; k++)
			((uint64_t *)wp_memory_at(&fixture->memory, scratch.frame[0], 8))[k] =
				*scratch.entry[0];
		answer = ask(scratch.machine, rows[i].va, WP_ALL_KINDS);
		assert_int_equal(answer.answered, scratch.regime->one_privilege ? 0x07 : 0x3f);
		assert_int_equal(answer.allowed, 0);
		wp_scratch_close(&scratch);
	}
}

static void only_the_kinds_that_are_asked_are_answered(void **state)
{
	struct fixture *fixture = *state;
	struct wp_scratch scratch;

	open_scratch(&scratch, fixture, "x86_64");
	*wp_scratch_last(&scratch) = 0x5a5a5007;
	for (unsigned kinds = 0; kinds <= WP_ALL_KINDS; kinds++) {
		const struct wp_answer answer = ask(scratch.machine, scratch.va, (uint8_t)kinds);

		assert_int_equal(answer.answered, kinds);
		assert_int_equal(answer.allowed, kinds & ~KX);
	}
	wp_scratch_close(&scratch);
}

static void what_unicorn_gets_wrong_is_not_answered(void **state)
{
	static const struct {
		const char *regime;
		unsigned level;
		uint64_t entry; /* 0: the scratch table's own */
		uint64_t also;
		uint8_t answered;
	} rows[] = {
		{"x86_64", 3, 0x5a5a5007 | (uint64_t)1 << 39, 0, WP_ALL_KINDS},
		{"x86_64", 3, 0x5a5a5007 | (uint64_t)1 << 40, 0, 0},
		{"x86_64", 3, 0x5a5a5006 | (uint64_t)1 << 40, 0, WP_ALL_KINDS},
		{"x86_64", 1, 0, (uint64_t)1 << 51, 0},
		{"x86_64", 1, 0x5a5a5007, 0, WP_ALL_KINDS},   /* a table that is no memory */
		{"x86_64", 1, 0xffffffd007, 0, 0},            /* a table that is the stub */
		{"aarch64_low", 0, 0x5a00000000000401, 0, 0}, /* a block at level 0 */
		{"aarch64_low", 1, 0x40000401, 0, WP_ALL_KINDS},
		{"aarch64_low", 1, 0x40200401, 0, 0},
		{"aarch64_low", 2, 0x40200401, 0, WP_ALL_KINDS},
		{"aarch64_low", 2, 0x40210401, 0, 0}, /* nT */
		{"aarch64_low", 1, 0xffffffff003, 0, 0},
		{"riscv64_sv39", 2, 0xcf, (uint64_t)1 << 54, 0},
		{"riscv64_sv39", 2, 0xcf, (uint64_t)1 << 61, 0},
		{"riscv64_sv39", 2, 0xcf, (uint64_t)1 << 63, 0},
		{"riscv64_sv39", 2, 0xce, (uint64_t)1 << 63, WP_ALL_KINDS},
		{"riscv64_sv39_svpbmt", 2, 0xcf, (uint64_t)1 << 61, WP_ALL_KINDS},
		{"riscv64_sv39_svpbmt", 2, 0xcf, (uint64_t)1 << 62, WP_ALL_KINDS},
		{"riscv64_sv39_svpbmt", 2, 0xcf, (uint64_t)3 << 61, 0},
		{"riscv64_sv39_svpbmt", 2, 0xcf, (uint64_t)1 << 60, 0},
		{"riscv64_sv39_xuantie", 2, 0xcf, (uint64_t)0x1f << 59, WP_ALL_KINDS},
		{"riscv64_sv39_xuantie", 2, 0xcf, (uint64_t)1 << 58, 0},
		{"riscv64_sv39", 1, 0, 0x10, 0},
		{"riscv64_sv39", 1, 0, 0x40, 0},
		{"riscv64_sv39", 1, 0, 0x80, 0},
		{"riscv64_sv39_svpbmt", 1, 0, (uint64_t)1 << 61, 0},
		{"riscv64_sv39_xuantie", 1, 0, (uint64_t)1 << 59, 0},
		{"riscv64_sv39", 2, 0x11, 0, WP_ALL_KINDS}, /* a pointer in the last level */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_scratch scratch;
		struct wp_answer answer;

		open_scratch(&scratch, fixture, rows[i].regime);
		if (rows[i].entry != 0)
			*scratch.entry[rows[i].level] = rows[i].entry;
		*scratch.entry[rows[i].level] |= rows[i].also;
		answer = ask(scratch.machine, scratch.va, WP_ALL_KINDS);
		if (answer.answered != rows[i].answered)
			fail_msg("row %zu: 0x%x answered", i, answer.answered);
		if (answer.answered == 0) {
			assert_int_equal(answer.allowed, 0);
			assert_int_equal(answer.fault, WP_FAULT_NONE);
			assert_true(answer.pa == 0);
		}
		wp_scratch_close(&scratch);
	}
}

/* A walk begins at no entry there, not even at one that Unicorn gets wrong. */
static void out_of_range_is_answered_whatever_the_entries_are(void **state)
{
	static const struct {
		const char *regime;
		uint64_t va, quirk;
	} rows[] = {
		{"x86_64", 0x0000800000000000, (uint64_t)1 << 51 | 7},
		{"aarch64_low", 0x0001000000000000, 0x401},
		{"riscv64_sv39", 0x0000004000000000, 0x41},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_scratch scratch;
		struct wp_machine *machine;

		open_scratch(&scratch, fixture, rows[i].regime);
		machine = scratch.machine;
		for (size_t k = 0; k < 512; k++)
			((uint64_t *)wp_memory_at(&fixture->memory, scratch.frame[0], 8))[k] =
				rows[i].quirk;
		assert_int_equal(ask(machine, scratch.va, WP_ALL_KINDS).answered, 0);
		assert_int_equal(ask(machine, rows[i].va, WP_ALL_KINDS).answered, WP_ALL_KINDS);
		assert_int_equal(ask(machine, rows[i].va, WP_ALL_KINDS).allowed, 0);
		wp_scratch_close(&scratch);
	}
}

/* The leaf leads to the window's first 2 MiB; as a table, it would hold a quirk. */
static void a_large_leaf_is_not_taken_for_a_table(void **state)
{
	struct fixture *fixture = *state;
	struct wp_scratch scratch;
	struct wp_answer answer;
	uint64_t *first;

	open_scratch(&scratch, fixture, "x86_64");
	first = wp_memory_at(&fixture->memory, BASE, WP_FRAME_SIZE);
	first[scratch.va >> 12 & 511] = (uint64_t)1 << 51 | 7;
	*scratch.entry[2] = BASE | 0x83;
	answer = ask(scratch.machine, scratch.va, WP_ALL_KINDS);
	assert_int_equal(answer.answered, WP_ALL_KINDS);
	assert_int_equal(answer.allowed, KR | KW | KX);
	assert_true(answer.pa == (BASE | (scratch.va & 0x1fffff)));
	wp_scratch_close(&scratch);
}

static void attribute_bits_of_riscv_are_not_part_of_the_address(void **state)
{
	static const struct {
		const char *regime;
		uint64_t bits;
	} rows[] = {
		{"riscv64_sv39_svpbmt", (uint64_t)1 << 61},
		{"riscv64_sv48_svpbmt", (uint64_t)1 << 62},
		{"riscv64_sv39_xuantie", (uint64_t)0x1f << 59},
		{"riscv64_sv57_xuantie", (uint64_t)0x9 << 59},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_scratch scratch;
		struct wp_answer answer;

		open_scratch(&scratch, fixture, rows[i].regime);
		*wp_scratch_last(&scratch) = 0xffedcba9876000 >> 2 | 0xcf | rows[i].bits;
		answer = ask(scratch.machine, scratch.va + 8, WP_ALL_KINDS);
		assert_int_equal(answer.allowed, KR | KW | KX);
		assert_true(answer.pa == 0xffedcba9876008);
		wp_scratch_close(&scratch);
	}
}

/* The user's CPU is given another root: the kernel's answer stands, alone. */
static void kinds_that_lead_elsewhere_count_as_denied(void **state)
{
	struct fixture *fixture = *state;
	struct wp_unicorn *unicorn = wp_unicorn_of(fixture->machine[0]);
	struct wp_scratch ours, theirs;
	struct wp_answer answer;

	open_scratch(&theirs, fixture, "x86_64");
	open_scratch(&ours, fixture, "x86_64");
	*wp_scratch_last(&ours) = 0x5a5a5007;
	*wp_scratch_last(&theirs) = 0x5a5a6007;
	assert_int_equal(uc_reg_write(unicorn->engine[WP_USER], UC_X86_REG_CR3, theirs.frame), 0);
	answer = ask(fixture->machine[0], ours.va, WP_ALL_KINDS);
	assert_int_equal(answer.answered, WP_ALL_KINDS);
	assert_int_equal(answer.allowed, KR | KW);
	assert_true(answer.pa == 0x5a5a5000);
	wp_scratch_close(&ours);
	wp_scratch_close(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rights_and_addresses_are_as_the_manuals_say_at_every_leaf_level),
		TEST(the_other_half_does_not_translate),
		TEST(tables_above_take_rights_away),
		TEST(addresses_out_of_range_fault),
		TEST(only_the_kinds_that_are_asked_are_answered),
		TEST(what_unicorn_gets_wrong_is_not_answered),
		TEST(out_of_range_is_answered_whatever_the_entries_are),
		TEST(a_large_leaf_is_not_taken_for_a_table),
		TEST(attribute_bits_of_riscv_are_not_part_of_the_address),
		TEST(kinds_that_lead_elsewhere_count_as_denied),
	};

	return cmocka_run_group_tests_name("unicorn: answers", tests, NULL, NULL);
}
