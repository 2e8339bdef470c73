/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "memory.h"

#define BASE   0x80000000u
#define FRAMES 64u

static int open_memory(void **state)
{
	struct wp_memory *memory = malloc(sizeof *memory);

	*state = memory;
	return memory != NULL && wp_memory_open(memory, BASE, FRAMES) ? 0 : -1;
}

static int close_memory(void **state)
{
	wp_memory_close(*state);
	free(*state);
	return 0;
}

static uint64_t alloc(struct wp_memory *memory)
{
	uint64_t frame = 0;

	assert_true(wp_memory_alloc(memory, &frame));
	return frame;
}

static void scribble(struct wp_memory *memory, uint64_t frame, size_t word)
{
	uint64_t *words = wp_memory_at(memory, frame, WP_FRAME_SIZE);

	assert_non_null(words);
	words[word] ^= 1;
}

static void assert_poisoned(const struct wp_memory *memory, uint64_t frame)
{
	const uint64_t *words = wp_memory_at(memory, frame, WP_FRAME_SIZE);

	for (size_t i = 0; i < WP_FRAME_SIZE / 8; i++)
		assert_int_equal(words[i], WP_POISON);
}

static void assert_crime(const struct wp_memory *memory, enum wp_frame_crime crime, uint64_t frame)
{
	assert_int_equal(memory->crime, crime);
	assert_int_equal(memory->crime_frame, frame);
}

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

static void freeing_a_frame_twice_is_a_crime(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t frame = alloc(memory);

	wp_memory_free(memory, frame);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
	wp_memory_free(memory, frame);
	assert_crime(memory, WP_FRAME_FREED_TWICE, frame);
	assert_int_equal(memory->in_use, 0);
	/* It is not on the list twice. */
	assert_int_equal(alloc(memory), frame);
	assert_int_not_equal(alloc(memory), frame);
}

static void freeing_what_was_never_handed_out_is_a_crime(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t foreign[] = {BASE + WP_FRAME_SIZE,          BASE + 8,
	                            BASE - WP_FRAME_SIZE,          0,
	                            BASE + FRAMES * WP_FRAME_SIZE, UINT64_MAX};

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		alloc(memory);
		wp_memory_free(memory, foreign[i]);
		assert_crime(memory, WP_FRAME_FREED_FOREIGN, foreign[i]);
		assert_int_equal(memory->in_use, 1);
		wp_memory_reset(memory);
	}
	wp_memory_free_contiguous(memory, BASE, SIZE_MAX);
	assert_crime(memory, WP_FRAME_FREED_FOREIGN, BASE);
}

static void an_audit_finds_one_disturbed_word_in_a_free_frame(void **state)
{
	static const size_t words[] = {0, 1, 255, 511};
	struct wp_memory *memory = *state;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const uint64_t frames[] = {alloc(memory), alloc(memory)};
		const uint64_t used = frames[i % 2], freed = frames[1 - i % 2];

		wp_memory_free(memory, freed);
		scribble(memory, used, words[i]);
		wp_memory_audit(memory);
		assert_int_equal(memory->crime, WP_FRAME_FINE);
		scribble(memory, freed, words[i]);
		wp_memory_audit(memory);
		assert_crime(memory, WP_FRAME_WRITTEN_AFTER_FREE, freed);
		wp_memory_reset(memory);
	}
}

static void writing_beyond_the_last_frame_is_a_crime_and_undone(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t beyond = alloc(memory) + WP_FRAME_SIZE;

	scribble(memory, beyond, 7);
	wp_memory_audit(memory);
	assert_crime(memory, WP_FRAME_WRITTEN_FOREIGN, beyond);
	wp_memory_reset(memory);
	alloc(memory);
	assert_int_equal(alloc(memory), beyond);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
}

/* Far from all that was handed out nobody looks, unless told to. */
static void what_is_distrusted_is_looked_at_whole(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t far = memory->base + (memory->frames - 1) * WP_FRAME_SIZE;

	scribble(memory, far, 7);
	wp_memory_audit(memory);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
	wp_memory_distrust(memory);
	wp_memory_audit(memory);
	assert_crime(memory, WP_FRAME_WRITTEN_FOREIGN, far);
	wp_memory_reset(memory);
	wp_memory_distrust(memory);
	wp_memory_audit(memory);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
}

static void handing_out_a_disturbed_frame_is_a_crime(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t frame = alloc(memory);

	wp_memory_free(memory, frame);
	scribble(memory, frame, 511);
	assert_int_equal(alloc(memory), frame);
	assert_crime(memory, WP_FRAME_WRITTEN_AFTER_FREE, frame);
}

static void only_the_first_crime_is_recorded(void **state)
{
	struct wp_memory *memory = *state;
	const uint64_t frame = alloc(memory);

	wp_memory_free(memory, frame + 8);
	wp_memory_free(memory, frame);
	wp_memory_free(memory, frame);
	scribble(memory, frame, 0);
	wp_memory_audit(memory);
	assert_crime(memory, WP_FRAME_FREED_FOREIGN, frame + 8);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

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
		TEST(freeing_a_frame_twice_is_a_crime),
		TEST(freeing_what_was_never_handed_out_is_a_crime),
		TEST(an_audit_finds_one_disturbed_word_in_a_free_frame),
		TEST(writing_beyond_the_last_frame_is_a_crime_and_undone),
		TEST(what_is_distrusted_is_looked_at_whole),
		TEST(handing_out_a_disturbed_frame_is_a_crime),
		TEST(only_the_first_crime_is_recorded),
		TEST(one_allocation_is_refused_after_the_successes_granted),
		TEST(all_allocations_are_refused_until_allowed),
		TEST(running_out_of_frames_is_a_refusal),
		TEST(contiguous_frames_are_the_lowest_free_ones_that_are_aligned),
		TEST(contiguous_frames_freed_are_all_free_and_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
