/* SPDX-License-Identifier: MIT */
/* Guest memory: its window, and the frames that it hands out, refuses and takes back. */
#include "memory_fixture.h"

#include <errno.h>
#include <sys/mman.h>

static void a_window_must_be_aligned_not_empty_and_must_not_wrap(void **state)
{
	struct wp_memory memory;

	(void)state;
	errno = 0;
	assert_false(wp_memory_open(&memory, BASE + 8, 1));
	assert_int_equal(errno, EINVAL);
	assert_false(wp_memory_open(&memory, BASE, 0));
	assert_false(wp_memory_open(&memory, 0 - (uint64_t)WP_FRAME_SIZE, 2));
	assert_true(wp_memory_open(&memory, 0 - (uint64_t)WP_FRAME_SIZE, 1));
	wp_memory_close(&memory);
}

static void poison_read_as_a_directory_leads_outside_of_every_window(void **state)
{
	const uint64_t table = WP_POISON & 0xfffffffff000u;
	struct wp_memory memory;

	(void)state;
	assert_false(wp_memory_open(&memory, table, 1));
	assert_false(wp_memory_open(&memory, table - WP_FRAME_SIZE, 2));
	assert_true(wp_memory_open(&memory, table - WP_FRAME_SIZE, 1));
	wp_memory_close(&memory);
}

static void the_memory_file_shows_what_the_window_holds(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t *window = wp_memory_at(memory, BASE + 5 * WP_FRAME_SIZE, 8);
	const uint64_t *other = mmap(NULL, FRAMES * WP_FRAME_SIZE, PROT_READ, MAP_SHARED,
	                             memory->fd, 0);

	assert_true(other != MAP_FAILED);
	*window = 0x1234;
	assert_int_equal(other[5 * WP_FRAME_SIZE / 8], 0x1234);
	munmap((void *)(uintptr_t)other, FRAMES * WP_FRAME_SIZE);
}

static void an_address_is_in_the_window_only_with_all_of_its_length(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t end = BASE + FRAMES * WP_FRAME_SIZE;

	assert_ptr_equal(wp_memory_at(memory, BASE, 8), memory->host);
	assert_null(wp_memory_at(memory, BASE - 8, 8));
	assert_non_null(wp_memory_at(memory, end - 8, 8));
	assert_null(wp_memory_at(memory, end - 4, 8));
	assert_null(wp_memory_at(memory, end, 1));
	assert_null(wp_memory_at(memory, BASE, FRAMES * WP_FRAME_SIZE + 1));
	assert_null(wp_memory_at(memory, UINT64_MAX, 8));
}

static void frames_come_lowest_first_and_the_last_freed_comes_next(void **state)
{
	struct wp_memory *memory = *state;

	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(alloc(memory), BASE + i * WP_FRAME_SIZE);
	wp_memory_free(memory, BASE + WP_FRAME_SIZE);
	wp_memory_free(memory, BASE);
	assert_int_equal(alloc(memory), BASE);
	assert_int_equal(alloc(memory), BASE + WP_FRAME_SIZE);
	assert_int_equal(alloc(memory), BASE + 4 * WP_FRAME_SIZE);
}

static void after_a_reset_the_same_calls_get_the_same_addresses(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t first;

	alloc(memory);
	assert_true(wp_memory_alloc_contiguous(memory, 4, 4 * WP_FRAME_SIZE, &first));
	alloc(memory);
	wp_memory_free(memory, first + WP_FRAME_SIZE);
	wp_memory_free(memory, BASE);
	wp_memory_reset(memory);
	for (uint64_t i = 0; i < FRAMES; i++)
		assert_int_equal(alloc(memory), BASE + i * WP_FRAME_SIZE);
}

static void a_frame_is_handed_out_full_of_poison_and_poisoned_again_when_freed(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t frame = alloc(memory);

	assert_poisoned(memory, frame);
	memset(wp_memory_at(memory, frame, WP_FRAME_SIZE), 0, WP_FRAME_SIZE);
	wp_memory_free(memory, frame);
	assert_poisoned(memory, frame);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
}

static void a_reset_poisons_every_frame_and_clears_every_counter(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t kept = alloc(memory), freed = alloc(memory);

	scribble(memory, kept, 0);
	wp_memory_free(memory, freed);
	scribble(memory, freed, 511);
	wp_memory_free(memory, freed);
	wp_memory_refuse(memory, 0, false);
	assert_false(wp_memory_alloc(memory, &(uint64_t){0}));
	wp_memory_reset(memory);
	assert_poisoned(memory, kept);
	assert_poisoned(memory, freed);
	assert_crime(memory, WP_FRAME_FINE, 0);
	assert_int_equal(memory->in_use, 0);
	assert_int_equal(memory->allocations, 0);
	assert_int_equal(memory->refusals, 0);
	assert_int_equal(wp_memory_available(memory), FRAMES);
	assert_false(wp_memory_is_used(memory, kept));
}

static void one_allocation_is_refused_after_the_successes_granted(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t frame = 0x77;

	wp_memory_refuse(memory, 2, true);
	assert_int_equal(wp_memory_available(memory), 2);
	alloc(memory);
	assert_int_equal(wp_memory_available(memory), 1);
	alloc(memory);
	assert_int_equal(wp_memory_available(memory), 0);
	assert_false(wp_memory_alloc(memory, &frame));
	assert_int_equal(frame, 0x77);
	assert_int_equal(wp_memory_available(memory), FRAMES - 2);
	alloc(memory);
	assert_int_equal(memory->allocations, 3);
	assert_int_equal(memory->refusals, 1);
	assert_int_equal(memory->in_use, 3);
}

static void all_allocations_are_refused_until_allowed(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t frame;

	wp_memory_refuse(memory, 1, false);
	alloc(memory);
	for (int i = 0; i < 5; i++)
		assert_false(wp_memory_alloc(memory, &frame));
	assert_false(wp_memory_alloc_contiguous(memory, 2, 1, &frame));
	assert_int_equal(memory->refusals, 6);
	wp_memory_allow(memory);
	alloc(memory);
}

static void running_out_of_frames_is_a_refusal(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t frame;

	for (size_t i = 0; i < FRAMES; i++) {
		assert_int_equal(wp_memory_available(memory), FRAMES - i);
		alloc(memory);
	}
	assert_false(wp_memory_alloc(memory, &frame));
	assert_int_equal(memory->refusals, 1);
	assert_int_equal(memory->allocations, FRAMES);
	wp_memory_free(memory, BASE + 7 * WP_FRAME_SIZE);
	assert_int_equal(alloc(memory), BASE + 7 * WP_FRAME_SIZE);
}

static void contiguous_frames_are_the_lowest_free_ones_that_are_aligned(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t first;

	alloc(memory);
	assert_true(wp_memory_alloc_contiguous(memory, 4, 4 * WP_FRAME_SIZE, &first));
	assert_int_equal(first, BASE + 4 * WP_FRAME_SIZE);
	assert_int_equal(memory->in_use, 5);
	assert_int_equal(memory->allocations, 2);
	assert_true(wp_memory_is_used(memory, first + 3 * WP_FRAME_SIZE));
	/* Single frames take what was skipped, then go around. */
	for (uint64_t i = 1; i < 4; i++)
		assert_int_equal(alloc(memory), BASE + i * WP_FRAME_SIZE);
	assert_int_equal(alloc(memory), BASE + 8 * WP_FRAME_SIZE);
	/* A run too short is passed over. */
	wp_memory_free(memory, BASE + WP_FRAME_SIZE);
	assert_true(wp_memory_alloc_contiguous(memory, 2, WP_FRAME_SIZE, &first));
	assert_int_equal(first, BASE + 9 * WP_FRAME_SIZE);
	assert_false(wp_memory_alloc_contiguous(memory, FRAMES, WP_FRAME_SIZE, &first));
	assert_false(wp_memory_alloc_contiguous(memory, 54, WP_FRAME_SIZE, &first));
	assert_int_equal(memory->refusals, 2);
}

static void contiguous_frames_freed_are_all_free_and_poisoned(void **state)
{
	struct wp_memory *memory = *state;
	uint64_t first, again;

	assert_true(wp_memory_alloc_contiguous(memory, 4, 4 * WP_FRAME_SIZE, &first));
	assert_int_equal(first, BASE);
	memset(wp_memory_at(memory, first, 4 * WP_FRAME_SIZE), 0, 4 * WP_FRAME_SIZE);
	wp_memory_free_contiguous(memory, first, 4);
	assert_int_equal(memory->in_use, 0);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
	for (uint64_t i = 0; i < 4; i++)
		assert_poisoned(memory, first + i * WP_FRAME_SIZE);
	assert_true(wp_memory_alloc_contiguous(memory, 4, 4 * WP_FRAME_SIZE, &again));
	assert_int_equal(again, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_must_be_aligned_not_empty_and_must_not_wrap),
		cmocka_unit_test(poison_read_as_a_directory_leads_outside_of_every_window),
		TEST(the_memory_file_shows_what_the_window_holds),
		TEST(an_address_is_in_the_window_only_with_all_of_its_length),
		TEST(frames_come_lowest_first_and_the_last_freed_comes_next),
		TEST(after_a_reset_the_same_calls_get_the_same_addresses),
		TEST(a_frame_is_handed_out_full_of_poison_and_poisoned_again_when_freed),
		TEST(a_reset_poisons_every_frame_and_clears_every_counter),
		TEST(one_allocation_is_refused_after_the_successes_granted),
		TEST(all_allocations_are_refused_until_allowed),
		TEST(running_out_of_frames_is_a_refusal),
		TEST(contiguous_frames_are_the_lowest_free_ones_that_are_aligned),
		TEST(contiguous_frames_freed_are_all_free_and_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
