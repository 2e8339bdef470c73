/* SPDX-License-Identifier: MIT */
/* What guest memory notices: frames freed wrongly, or written while nobody had them. */
#include "memory_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(freeing_a_frame_twice_is_a_crime),
		TEST(freeing_what_was_never_handed_out_is_a_crime),
		TEST(an_audit_finds_one_disturbed_word_in_a_free_frame),
		TEST(writing_beyond_the_last_frame_is_a_crime_and_undone),
		TEST(what_is_distrusted_is_looked_at_whole),
		TEST(handing_out_a_disturbed_frame_is_a_crime),
		TEST(only_the_first_crime_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
