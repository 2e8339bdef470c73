/* SPDX-License-Identifier: MIT */
/* The paper machine as a machine: what holds on every architecture. */
#include "paper_fixture.h"

static int open_fixture(void **state)
{
	return fixture_open(state, 0x80000000);
}

static uint64_t first_address(const struct wp_regime *regime)
{
	uint64_t first[2], last[2];

	wp_regime_ranges(regime, first, last);
	return first[0];
}

static void its_self_test_passes_in_every_regime_and_keeps_no_frame(void **state)
{
	struct fixture *fixture = *state;
	char why[128];

	for (size_t i = 0; i < wp_regime_count; i++) {
		struct wp_machine *machine = wp_paper_open(&fixture->memory, wp_regimes[i].arch);

		assert_non_null(machine);
		assert_true(machine->self_test(machine, &wp_regimes[i], why, sizeof why));
		assert_int_equal(fixture->memory.in_use, 0);
		assert_int_equal(fixture->memory.crime, WP_FRAME_FINE);
		machine->close(machine);
	}
}

static void its_self_test_fails_if_nothing_translates(void **state)
{
	struct fixture *fixture = *state;
	struct wp_regime narrow = *wp_regime_find("x86_64");
	struct wp_machine *machine = wp_paper_open(&fixture->memory, WP_X86_64);
	char why[128] = "";

	narrow.pa_bits = 20; /* the tables' own addresses are reserved bits now */
	assert_false(machine->self_test(machine, &narrow, why, sizeof why));
	assert_string_equal(why, "x86_64: a kernel page can't be read by the kernel");
	assert_int_equal(fixture->memory.in_use, 0);
	machine->close(machine);
}

static void its_self_test_needs_frames(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = wp_paper_open(&fixture->memory, WP_X86_64);
	char why[128] = "";

	wp_memory_refuse(&fixture->memory, 0, false);
	assert_false(machine->self_test(machine, wp_regime_find("x86_64"), why, sizeof why));
	assert_string_not_equal(why, "");
	machine->close(machine);
}

static void it_supports_the_regimes_of_its_architecture(void **state)
{
	struct fixture *fixture = *state;

	for (enum wp_arch arch = 0; arch < WP_ARCHS; arch++) {
		struct wp_machine *machine = wp_paper_open(&fixture->memory, arch);

		assert_string_equal(machine->name, "paper");
		for (size_t i = 0; i < wp_regime_count; i++)
			assert_int_equal(machine->supports(machine, &wp_regimes[i]),
			                 wp_regimes[i].arch == arch);
		machine->close(machine);
	}
}

/* A kernel-only, read-only 4 KiB page of x86_64. */
static uint64_t map_one_page(struct fixture *fixture)
{
	use(fixture, "x86_64");
	for (unsigned level = 0; level < 3; level++)
		*slot(fixture, level, 0x7000) = fixture->tables[level + 1] | 7;
	*slot(fixture, 3, 0x7000) = 0x5001;
	return 0x7000;
}

static void a_probe_answers_the_kinds_asked_and_no_others(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t va = map_one_page(fixture);
	struct wp_machine *machine = wp_paper_open(&fixture->memory, WP_X86_64);
	const struct wp_probe probes[] = {
		{va + 1, WP_ALL_KINDS},
		{va + 2, KR | KW | UR},
		{va + 3, UR | UW | UX},
		{va + 0x1000, KR},
	};
	struct wp_answer answers[COUNT(probes)];

	machine->load(machine, &fixture->regime, fixture->tables[0]);
	machine->probe(machine, probes, answers, COUNT(probes));
	assert_int_equal(answers[0].answered, WP_ALL_KINDS);
	assert_int_equal(answers[0].allowed, KR | KX);
	assert_int_equal(answers[0].fault, WP_FAULT_NONE);
	assert_int_equal(answers[0].pa, 0x5001);
	assert_int_equal(answers[1].answered, KR | KW | UR);
	assert_int_equal(answers[1].allowed, KR);
	assert_int_equal(answers[1].fault, WP_FAULT_NONE);
	/* The leaf is fine, and no kind that was asked is allowed. */
	assert_int_equal(answers[2].allowed, 0);
	assert_int_equal(answers[2].fault, WP_FAULT_PERMISSION);
	assert_int_equal(answers[2].pa, 0x5003);
	assert_int_equal(answers[3].answered, KR);
	assert_int_equal(answers[3].fault, WP_FAULT_NOT_PRESENT);
	machine->close(machine);
}

static void open_kinds_are_of_those_asked(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = wp_paper_open(&fixture->memory, WP_AARCH64);
	const struct wp_probe asked = {0, KR | KX};
	struct wp_answer answer;

	use(fixture, "aarch64_low");
	for (unsigned level = 0; level < 3; level++)
		*slot(fixture, level, 0) = fixture->tables[level + 1] | 3;
	*slot(fixture, 3, 0) = 0x403; /* Device memory: both may execute it, or not */
	assert_open(fixture, 0, KX | UX);
	machine->load(machine, &fixture->regime, fixture->tables[0]);
	machine->probe(machine, &asked, &answer, 1);
	assert_int_equal(answer.open, KX);
	machine->close(machine);
}

static void what_is_stored_is_seen_without_a_flush(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t va = map_one_page(fixture);
	struct wp_machine *machine = wp_paper_open(&fixture->memory, WP_X86_64);
	const struct wp_probe asked = {va, WP_ALL_KINDS};
	struct wp_answer answer;

	machine->load(machine, &fixture->regime, fixture->tables[0]);
	machine->probe(machine, &asked, &answer, 1);
	assert_int_equal(answer.pa, 0x5000);
	*slot(fixture, 3, va) = 0x6001;
	machine->probe(machine, &asked, &answer, 1);
	assert_int_equal(answer.pa, 0x6000);
	machine->flush(machine, &va);
	machine->flush(machine, NULL);
	machine->close(machine);
}

static void poison_is_no_translation_on_any_architecture_at_any_level(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < wp_regime_count; i++) {
		const uint64_t va = first_address(&wp_regimes[i]);
		const unsigned shift = wp_regimes[i].arch == WP_RISCV64 ? 2 : 0;
		static const uint64_t table[WP_ARCHS] = {7, 3, 1, 0, 7};

		for (unsigned level = 0; level < wp_regimes[i].levels; level++) {
			use(fixture, wp_regimes[i].name);
			for (unsigned above = 0; above < level; above++)
				*slot(fixture, above, va) = fixture->tables[above + 1] >> shift |
				                            table[wp_regimes[i].arch];
			*slot(fixture, level, va) = WP_POISON;
			assert_int_equal(walk(fixture, va).allowed, 0);
			assert_int_equal(walk(fixture, va).open, 0);
		}
	}
}

/* A small generator of its own, so that a failure comes back. */
static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed ^ *seed >> 29;
}

/* Any entry, or one that leads to one of the tables. */
static void fill_at_random(struct fixture *fixture, uint64_t *seed)
{
	const unsigned shift = fixture->regime.arch == WP_RISCV64 ? 2 : 0;

	for (size_t i = 0; i < fixture->regime.levels; i++) {
		uint64_t *table = wp_memory_at(&fixture->memory, fixture->tables[i], WP_FRAME_SIZE);

		for (size_t k = 0; k < 512; k++) {
			const uint64_t to =
				fixture->tables[next_random(seed) % fixture->regime.levels];
			const uint64_t low = next_random(seed) & 0xff;

			table[k] = next_random(seed) % 4 == 0 ? next_random(seed)
			                                      : to >> shift | low;
		}
	}
}

static void assert_consistent(const struct fixture *fixture, uint64_t va)
{
	const struct wp_answer answer = walk(fixture, va);
	struct wp_step steps[WP_MAX_STEPS];
	const size_t count = wp_paper_steps(&fixture->regime, &fixture->memory, fixture->tables[0],
	                                    va, steps);

	assert_true(count <= fixture->regime.levels);
	assert_true(count == answer.level || count == answer.level + 1u);
	assert_int_equal(answer.allowed & ~answer.answered, 0);
	assert_int_equal(answer.open & ~answer.answered, 0);
	assert_int_equal(answer.fault == WP_FAULT_NONE, answer.allowed != 0);
	if (answer.fault != WP_FAULT_NONE && answer.fault != WP_FAULT_PERMISSION)
		return;
	assert_int_equal(answer.size, wp_regime_span(&fixture->regime, answer.level));
	assert_int_equal(answer.size & ~fixture->regime.leaf_sizes, 0);
	assert_int_equal(answer.pa % WP_FRAME_SIZE, va % WP_FRAME_SIZE);
}

static void a_walk_through_anything_ends_and_writes_nothing(void **state)
{
	static uint8_t before[6 * WP_FRAME_SIZE];
	struct fixture *fixture = *state;
	uint64_t seed = 1;

	for (size_t i = 0; i < 20 * wp_regime_count; i++) {
		uint64_t first[2], last[2];

		use(fixture, wp_regimes[i % wp_regime_count].name);
		fill_at_random(fixture, &seed);
		memcpy(before, wp_memory_at(&fixture->memory, fixture->tables[0], sizeof before),
		       sizeof before);
		wp_regime_ranges(&fixture->regime, first, last);
		for (int k = 0; k < 500; k++)
			assert_consistent(fixture,
			                  first[0] + next_random(&seed) % (last[0] - first[0]));
		assert_memory_equal(
			wp_memory_at(&fixture->memory, fixture->tables[0], sizeof before), before,
			sizeof before);
	}
}

static void every_kind_fault_and_type_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum wp_kind a = 0; a < WP_KINDS; a++)
		for (enum wp_kind b = 0; b < a; b++)
			assert_string_not_equal(wp_kind_name(a), wp_kind_name(b));
	for (enum wp_fault a = 0; a < WP_FAULTS; a++)
		for (enum wp_fault b = 0; b < a; b++)
			assert_string_not_equal(wp_fault_name(a), wp_fault_name(b));
	for (enum wp_memory_type a = 0; a <= WP_TYPE_OTHER; a++)
		for (enum wp_memory_type b = 0; b < a; b++)
			assert_string_not_equal(wp_memory_type_name(a), wp_memory_type_name(b));
	assert_string_equal(wp_kind_name(WP_KERNEL_READ), "kernel read");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_self_test_passes_in_every_regime_and_keeps_no_frame),
		TEST(its_self_test_fails_if_nothing_translates),
		TEST(its_self_test_needs_frames),
		TEST(it_supports_the_regimes_of_its_architecture),
		TEST(a_probe_answers_the_kinds_asked_and_no_others),
		TEST(open_kinds_are_of_those_asked),
		TEST(what_is_stored_is_seen_without_a_flush),
		TEST(poison_is_no_translation_on_any_architecture_at_any_level),
		TEST(a_walk_through_anything_ends_and_writes_nothing),
		cmocka_unit_test(every_kind_fault_and_type_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
