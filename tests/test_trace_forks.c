/* SPDX-License-Identifier: MIT */
/*
 * The trace of stores knows where a table stands, and when it may stand elsewhere too:
 * what is stored to such a one changes more than the one place tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace.h"

#define BASE   0x80000000u
#define FRAMES 16u

/* SDM vol. 3, 4.5: present, writable. */
#define ENTRY 3u

struct fixture {
	struct wp_memory memory;
	struct wp_trace trace;
	uint64_t root, upper, middle, last; /* one table a level; nothing leads to any */
};

static uint64_t table(struct fixture *fixture)
{
	uint64_t frame;

	assert_true(wp_memory_alloc(&fixture->memory, &frame));
	memset(wp_memory_at(&fixture->memory, frame, WP_FRAME_SIZE), 0, WP_FRAME_SIZE);
	wp_trace_fresh(&fixture->trace, frame);
	return frame;
}

static int open_fixture(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	*state = fixture;
	if (fixture == NULL || !wp_memory_open(&fixture->memory, BASE, FRAMES) ||
	    !wp_trace_open(&fixture->trace, &fixture->memory))
		return -1;
	wp_trace_reset(&fixture->trace, wp_regime_find("x86_64"));
	fixture->root = table(fixture);
	fixture->upper = table(fixture);
	fixture->middle = table(fixture);
	fixture->last = table(fixture);
	fixture->trace.roots[0] = fixture->root;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *fixture = *state;

	wp_trace_close(&fixture->trace);
	wp_memory_close(&fixture->memory);
	free(fixture);
	return 0;
}

/* From now on that entry of a table leads to another one; 0: to nothing. */
static void lead(struct fixture *fixture, uint64_t from, unsigned index, uint64_t to)
{
	const uint64_t at = from + index * 8u, after = to == 0 ? 0 : to | ENTRY;
	uint64_t *entry = wp_memory_at(&fixture->memory, at, 8);
	const uint64_t before = *entry;

	*entry = after;
	assert_true(wp_trace_store(&fixture->trace, at, before, after, 1));
}

static void lead_all_the_way(struct fixture *fixture)
{
	lead(fixture, fixture->root, 0, fixture->upper);
	lead(fixture, fixture->upper, 0, fixture->middle);
	lead(fixture, fixture->middle, 0, fixture->last);
}

/* Where the second entry of a table stands. */
static struct wp_place place_in(const struct fixture *fixture, uint64_t frame)
{
	struct wp_place place = {.forked = true};

	assert_true(wp_trace_place(&fixture->trace, frame + 8, &place));
	return place;
}

static void a_table_that_one_entry_leads_to_has_one_place(void **state)
{
	struct fixture *fixture = *state;
	struct wp_place place;

	lead_all_the_way(fixture);
	lead(fixture, fixture->middle, 0, fixture->last); /* the same once more */
	place = place_in(fixture, fixture->last);
	assert_false(place.forked);
	assert_int_equal(place.level, 3);
	assert_int_equal(place.root, fixture->root);
	assert_int_equal(place.first, 0x1000);
	assert_int_equal(place.last, 0x1fff);
}

static void one_that_two_entries_lead_to_is_forked_and_keeps_its_place(void **state)
{
	struct fixture *fixture = *state;
	struct wp_place place;

	lead_all_the_way(fixture);
	lead(fixture, fixture->middle, 5, fixture->last);
	place = place_in(fixture, fixture->last);
	assert_true(place.forked);
	assert_int_equal(place.first, 0x1000);
	assert_false(place_in(fixture, fixture->middle).forked);
}

static void so_is_all_that_is_below_it(void **state)
{
	struct fixture *fixture = *state;

	lead_all_the_way(fixture);
	lead(fixture, fixture->root, 7, fixture->upper);
	assert_true(place_in(fixture, fixture->upper).forked);
	assert_true(place_in(fixture, fixture->middle).forked);
	assert_true(place_in(fixture, fixture->last).forked);
	assert_false(place_in(fixture, fixture->root).forked);
}

static void one_that_moves_from_entry_to_entry_is_not(void **state)
{
	struct fixture *fixture = *state;
	struct wp_place place;

	lead_all_the_way(fixture);
	lead(fixture, fixture->middle, 0, 0);
	lead(fixture, fixture->middle, 5, fixture->last);
	place = place_in(fixture, fixture->last);
	assert_false(place.forked);
	assert_int_equal(place.first, 0xa01000);
}

static void two_roots_that_share_a_slot_fork_nothing(void **state)
{
	struct fixture *fixture = *state;

	lead_all_the_way(fixture);
	fixture->trace.roots[1] = table(fixture);
	lead(fixture, fixture->trace.roots[1], 0, fixture->upper);
	assert_false(place_in(fixture, fixture->upper).forked);
	assert_false(place_in(fixture, fixture->last).forked);
	lead(fixture, fixture->trace.roots[1], 1, fixture->upper);
	assert_true(place_in(fixture, fixture->last).forked);
}

/* The place that was known is gone, and there may be another. */
static void one_that_loses_the_place_it_had_may_have_another(void **state)
{
	struct fixture *fixture = *state;
	struct wp_place place = {.forked = false};

	lead_all_the_way(fixture);
	lead(fixture, fixture->middle, 5, fixture->last);
	lead(fixture, fixture->middle, 0, 0);
	assert_false(wp_trace_place(&fixture->trace, fixture->last + 8, &place));
	assert_true(place.forked);
	wp_trace_reset(&fixture->trace, fixture->trace.regime);
	assert_false(wp_trace_place(&fixture->trace, fixture->last + 8, &place));
	assert_false(place.forked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_table_that_one_entry_leads_to_has_one_place),
		TEST(one_that_two_entries_lead_to_is_forked_and_keeps_its_place),
		TEST(so_is_all_that_is_below_it),
		TEST(one_that_moves_from_entry_to_entry_is_not),
		TEST(two_roots_that_share_a_slot_fork_nothing),
		TEST(one_that_loses_the_place_it_had_may_have_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
