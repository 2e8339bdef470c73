/* SPDX-License-Identifier: MIT */
/* Coverpoints: each call comes to those that its situation says, and to no other. */
#include "runner_fixture.h"

static struct wp_program program;

/* Runs the program; what its calls came to. */
static const struct wp_points *points_of(const char *regime, const char *operations)
{
	struct wp_result result;

	parse(&program, regime, operations);
	memset(&stats, 0, sizeof stats);
	assert_true(wp_run(&runner, &program, &result, NULL));
	return &stats.points[program.regime->arch];
}

static size_t count(const struct wp_points *points)
{
	size_t seen = 0;

	for (size_t i = 0; i < WP_POINTS; i++)
		seen += wp_points_has(points, i);
	return seen;
}

static void the_first_leaf_meets_a_hole_as_high_as_the_root(void **state)
{
	const struct wp_points *points =
		points_of("x86_64", "map t0 va=0x40000000 pa=0x1000 size=4K flags=rw----\n");

	(void)state;
	assert_true(wp_points_has(points, wp_call_point(WP_OP_MAP, PT_OK, 3, 0)));
	assert_true(wp_points_has(points, wp_leaf_point(PT_READ | PT_WRITE, 0)));
	assert_true(wp_points_has(points, wp_meeting_point(WP_OP_MAP, WP_MET_HOLE, true)));
	assert_int_equal(count(points), 3);
}

static void a_hole_is_as_high_as_nothing_is_mapped_below(void **state)
{
	static const struct {
		const char *va;
		unsigned height;
	} rows[] = {
		{"0x40001000", 0},
		{"0x40200000", 1},
		{"0x80000000", 2},
		{"0x8000000000", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[200];
		const struct wp_points *points;

		snprintf(text, sizeof text,
		         "map t0 va=0x40000000 pa=0x1000 size=4K flags=rw----\nquery t0 va=%s\n",
		         rows[i].va);
		/* on LoongArch every empty slot leads on, to a table of holes */
		points = points_of(i % 2 ? "x86_64" : "loongarch64_low", text);
		for (unsigned height = 0; height < WP_HEIGHTS; height++)
			assert_int_equal(
				wp_points_has(points, wp_call_point(WP_OP_QUERY, PT_NOT_MAPPED,
			                                            height, WP_NO_SIZE)),
				height == rows[i].height);
	}
}

static void what_stands_in_the_slot_is_told_apart(void **state)
{
	static const struct {
		const char *before, *call;
		enum wp_opcode opcode;
		enum wp_met met;
		bool access;
	} rows[] = {
		{"map t0 va=0x200000 pa=0 size=4K flags=r-----",
	         "map t0 va=0x200000 pa=0 size=2M flags=r-----", WP_OP_MAP, WP_MET_TABLE, true},
		{"map t0 va=0x201000 pa=0 size=4K flags=r-----",
	         "map t0 va=0x200000 pa=0 size=2M flags=------", WP_OP_MAP, WP_MET_TABLE, false},
		{"map t0 va=0x200000 pa=0 size=4K flags=r-----",
	         "map t0 va=0x200000 pa=0 size=4K flags=r-----", WP_OP_MAP, WP_MET_LEAF, true},
		{"map t0 va=0x200000 pa=0 size=2M flags=r-----",
	         "map t0 va=0x201000 pa=0 size=4K flags=r-----", WP_OP_MAP, WP_MET_LARGER, true},
		{"map t0 va=0x200000 pa=0 size=4K flags=------", "unmap t0 va=0x200000",
	         WP_OP_UNMAP, WP_MET_NO_ACCESS, false},
		{"map t0 va=0x200000 pa=0 size=2M flags=r-----",
	         "unmap_region t0 va=0x201000 size=4K", WP_OP_UNMAP_REGION, WP_MET_LARGER, false},
		{"map t0 va=0x200000 pa=0 size=2M flags=r-----",
	         "unmap_region t0 va=0x200000 size=2M", WP_OP_UNMAP_REGION, WP_MET_LEAF, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[300];
		const struct wp_points *points;

		snprintf(text, sizeof text, "%s\n%s\n", rows[i].before, rows[i].call);
		points = points_of("riscv64_sv48", text);
		for (unsigned met = WP_MET_HOLE; met < WP_METS; met++) {
			const bool has = wp_points_has(
				points,
				wp_meeting_point(rows[i].opcode, (enum wp_met)met, rows[i].access));
			/* the first map of two meets a hole */
			const bool first = rows[i].opcode == WP_OP_MAP && met == WP_MET_HOLE &&
			                   rows[i].access;

			if (has != (met == rows[i].met || first))
				fail_msg("%s: %s is %sreached", rows[i].call,
				         wp_met_name((enum wp_met)met), has ? "" : "not ");
		}
	}
}

static void an_address_that_is_not_canonical_meets_nothing(void **state)
{
	const struct wp_points *points = points_of("x86_64", "query t0 va=0x800000000000\n");

	(void)state;
	assert_true(wp_points_has(
		points, wp_call_point(WP_OP_QUERY, PT_BAD_ADDRESS, WP_NO_HEIGHT, WP_NO_SIZE)));
	assert_int_equal(count(points), 1);
}

static void an_engine_counts_what_a_program_comes_to(void **state)
{
	static uint8_t counters[WP_POINTS];
	const struct wp_points *points;
	size_t counted = 0;

	(void)state;
	runner.point_counters = counters;
	points = points_of("x86_64", "map t0 va=0x40000000 pa=0x1000 size=4K flags=rw----\n");
	runner.point_counters = NULL;
	for (size_t i = 0; i < WP_POINTS; i++) {
		counted += counters[i] != 0;
		assert_int_equal(counters[i] != 0, wp_points_has(points, i));
	}
	assert_int_equal(counted, 3);
}

/* What the generator can't reach, no engine that starts from it will. */
static void generated_programs_meet_all_there_is_in_every_leaf_there_is(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof stats);
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		const struct wp_points *points = &stats.points[arch];
		struct wp_random random;
		struct wp_scope scope;
		struct wp_result result;

		wp_scope_of(&scope, wp_arch_name((enum wp_arch)arch));
		wp_random_seed(&random, 1);
		for (unsigned i = 0; i < 4000; i++) {
			wp_program_generate(&program, &scope, &random);
			assert_true(wp_run(&runner, &program, &result, NULL));
		}
		for (unsigned i = 0; i < WP_FLAG_SETS * WP_LEAF_SIZES; i++) {
			const pt_flags flags = i / WP_LEAF_SIZES;
			const unsigned size = i % WP_LEAF_SIZES;

			if (wp_points_has(points, wp_leaf_point(flags, size)) !=
			    wp_leaf_is_possible((enum wp_arch)arch, flags, size))
				fail_msg("%s: a leaf of %s with flags %#x",
				         wp_arch_name((enum wp_arch)arch),
				         wp_rank_name((enum wp_arch)arch, size), flags);
		}
		for (unsigned i = 0; i < WP_MEETING_POINTS; i++) {
			const enum wp_opcode op = (enum wp_opcode)(i / 2 / WP_METS);
			const enum wp_met met = (enum wp_met)(i / 2 % WP_METS);
			const bool possible = wp_meeting_is_possible(op, met, i % 2);
			/* a few in a hundred thousand: a copy of what is no whole slot */
			const bool rare = met == WP_MET_LARGER &&
			                  (op == WP_OP_COPY_FROM || op == WP_OP_GIVE_BACK);

			if (wp_points_has(points, wp_meeting_point(op, met, i % 2)) != possible &&
			    !(possible && rare))
				fail_msg("%s: %s meets %s%s", wp_arch_name((enum wp_arch)arch),
				         wp_opcode_name(op), wp_met_name(met),
				         i % 2 ? ", with access" : "");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_leaf_meets_a_hole_as_high_as_the_root),
		cmocka_unit_test(a_hole_is_as_high_as_nothing_is_mapped_below),
		cmocka_unit_test(what_stands_in_the_slot_is_told_apart),
		cmocka_unit_test(an_address_that_is_not_canonical_meets_nothing),
		cmocka_unit_test(an_engine_counts_what_a_program_comes_to),
		cmocka_unit_test(generated_programs_meet_all_there_is_in_every_leaf_there_is),
	};

	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
