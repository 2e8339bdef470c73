/* SPDX-License-Identifier: MIT */
/* What each deviation changes of the model's answer, and that nothing else changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "predict.h"

#define BIT(deviation) ((wp_profile)1 << (deviation))

static struct wp_model *model, *before;

/* 4 KiB at 0 and at 8 KiB, a hole between them; 2 MiB at 2 MiB. */
static void start(wp_profile profile)
{
	const pt_flags flags = PT_READ | PT_WRITE;

	wp_model_reset(model, wp_regime_find("x86_64"), 1);
	wp_model_limit_leaves(model, wp_profile_leaf_sizes(profile, wp_regime_find("x86_64")));
	wp_model_create(model, 0, SIZE_MAX);
	wp_model_map(model, 0, 0, PT_1G, PT_4K, flags, SIZE_MAX);
	wp_model_map(model, 0, 2 * PT_4K, PT_1G, PT_4K, flags, SIZE_MAX);
	wp_model_map(model, 0, PT_2M, PT_1G, PT_2M, flags, SIZE_MAX);
}

static pt_status predict(wp_profile profile, struct wp_call call, size_t available, uint64_t *done)
{
	wp_profile_align(profile, model, &call);
	return wp_predict_as(model, profile, &call, available, before, done).status;
}

static bool is_mapped(uint64_t va)
{
	return wp_model_find(model, 0, va) != NULL;
}

static const struct wp_call four_pages = {
	.opcode = WP_OP_MAP_REGION,
	.va = 12 * PT_4K,
	.pa = PT_1G,
	.size = 4 * PT_4K,
	.flags = PT_READ,
};

static int open_models(void **state)
{
	(void)state;
	model = wp_model_new();
	before = wp_model_new();
	return 0;
}

static int close_models(void **state)
{
	(void)state;
	wp_model_free(model);
	wp_model_free(before);
	return 0;
}

/* ------------------------------------------------------------------------ tests */

static void a_misaligned_address_is_the_leaf_that_it_is_in(void **state)
{
	const struct wp_call unmap = {.opcode = WP_OP_UNMAP, .va = PT_2M + 511 * PT_4K};
	uint64_t done;

	(void)state;
	start(0);
	assert_int_equal(predict(0, unmap, SIZE_MAX, &done), PT_NOT_ALIGNED);
	assert_true(is_mapped(PT_2M));
	assert_int_equal(predict(BIT(WP_ALIGNS_DOWN), unmap, SIZE_MAX, &done), PT_OK);
	assert_false(is_mapped(PT_2M));
}

static void without_a_size_map_refuses_it_and_regions_take_the_next(void **state)
{
	struct wp_call region = {.opcode = WP_OP_MAP_REGION,
	                         .va = PT_1G,
	                         .pa = PT_1G,
	                         .size = PT_1G,
	                         .flags = PT_READ,
	                         .allow_huge = true};
	const struct wp_call map = {
		.opcode = WP_OP_MAP, .va = 2 * PT_1G, .pa = PT_1G, .size = PT_1G, .flags = PT_READ};
	uint64_t done;

	(void)state;
	start(0);
	assert_int_equal(predict(0, map, SIZE_MAX, &done), PT_OK);
	assert_int_equal(predict(0, region, SIZE_MAX, &done), PT_OK);
	assert_int_equal(wp_model_find(model, 0, PT_1G)->leaf, PT_1G);
	start(BIT(WP_NO_1G));
	assert_int_equal(predict(BIT(WP_NO_1G), map, SIZE_MAX, &done), PT_BAD_SIZE);
	assert_int_equal(predict(BIT(WP_NO_1G), region, SIZE_MAX, &done), PT_OK);
	assert_int_equal(wp_model_find(model, 0, PT_1G)->leaf, PT_2M);
	start(BIT(WP_NO_HUGE));
	region.size = PT_2M;
	assert_int_equal(predict(BIT(WP_NO_HUGE), region, SIZE_MAX, &done), PT_OK);
	assert_int_equal(wp_model_find(model, 0, PT_1G)->leaf, PT_4K);
}

static void a_region_that_fails_is_done_up_to_the_leaf_that_fails(void **state)
{
	struct wp_call call = four_pages;
	uint64_t done;

	(void)state;
	start(0);
	wp_model_map(model, 0, 14 * PT_4K, 0, PT_4K, PT_READ, SIZE_MAX);
	assert_int_equal(predict(0, call, SIZE_MAX, &done), PT_ALREADY_MAPPED);
	assert_false(is_mapped(12 * PT_4K));
	assert_int_equal(predict(BIT(WP_PARTIAL_REGIONS), call, SIZE_MAX, &done),
	                 PT_ALREADY_MAPPED);
	assert_int_equal(done, 2 * PT_4K);
	assert_true(is_mapped(13 * PT_4K));
	assert_false(is_mapped(15 * PT_4K));

	/* and so it is where frames run out: one table, of two */
	start(0);
	call.va = PT_1G + PT_2M - 2 * PT_4K;
	assert_int_equal(predict(BIT(WP_PARTIAL_REGIONS), call, 2, &done), PT_NO_MEMORY);
	assert_int_equal(done, 2 * PT_4K);

	/* what is wrong with the range itself is found before anything is done */
	call.size++;
	assert_int_equal(predict(BIT(WP_PARTIAL_REGIONS), call, SIZE_MAX, &done), PT_NOT_ALIGNED);
	assert_int_equal(done, 0);
}

static void an_unmap_that_skips_holes_takes_what_there_is(void **state)
{
	const struct wp_call call = {.opcode = WP_OP_UNMAP_REGION, .size = 3 * PT_4K};
	const struct wp_call all = {.opcode = WP_OP_UNMAP_REGION, .size = (uint64_t)1 << 47};
	uint64_t done;

	(void)state;
	start(0);
	assert_int_equal(predict(0, call, SIZE_MAX, &done), PT_NOT_MAPPED);
	assert_true(is_mapped(0));
	assert_int_equal(predict(BIT(WP_UNMAP_SKIPS_HOLES), call, SIZE_MAX, &done), PT_OK);
	assert_false(is_mapped(0));
	assert_false(is_mapped(2 * PT_4K));

	/* a hole of any length is one step */
	start(0);
	assert_int_equal(predict(BIT(WP_UNMAP_SKIPS_HOLES), all, SIZE_MAX, &done), PT_OK);
	assert_false(is_mapped(PT_2M));
}

static void a_protect_that_refuses_holes_changes_nothing(void **state)
{
	const struct wp_call call = {
		.opcode = WP_OP_PROTECT_REGION, .size = 3 * PT_4K, .flags = PT_READ};
	const struct wp_call splits = {.opcode = WP_OP_PROTECT_REGION,
	                               .va = PT_2M + PT_4K,
	                               .size = PT_2M,
	                               .flags = PT_READ};
	const wp_profile refuses = BIT(WP_PROTECT_REFUSES_HOLES);
	uint64_t done;

	(void)state;
	start(0);
	assert_int_equal(predict(refuses, call, SIZE_MAX, &done), PT_NOT_MAPPED);
	assert_int_equal(wp_model_find(model, 0, 0)->flags, PT_READ | PT_WRITE);
	/* the state of the mapping comes before the lack of a frame */
	assert_int_equal(predict(refuses, splits, 0, &done), PT_NOT_MAPPED);
	assert_int_equal(predict(0, splits, 0, &done), PT_NO_MEMORY);
	assert_int_equal(predict(0, call, SIZE_MAX, &done), PT_OK);
	assert_int_equal(wp_model_find(model, 0, 0)->flags, PT_READ);
}

static void what_isnt_asked_for_is_left_out_by_its_deviation_alone(void **state)
{
	static const struct {
		enum wp_deviation deviation;
		struct wp_call call;
	} rows[] = {
		{WP_NO_NO_ACCESS, {.opcode = WP_OP_MAP, .size = PT_4K}},
		{WP_NO_MEMORY_TYPES, {.opcode = WP_OP_PROTECT, .flags = PT_READ | PT_DEVICE}},
		{WP_REGIONS_OF_4K,
	         {.opcode = WP_OP_MAP_REGION, .size = PT_2M, .flags = PT_READ, .allow_huge = true}},
		{WP_NO_SPLIT, {.opcode = WP_OP_UNMAP_REGION, .va = PT_2M, .size = PT_4K}},
		{WP_ASSUMES_MEMORY, {.opcode = WP_OP_REFUSE}},
	};

	(void)state;
	start(0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned j = 0; j < WP_DEVIATIONS; j++)
			assert_int_equal(wp_profile_leaves_out(BIT(j), model, &rows[i].call),
			                 j == rows[i].deviation);
	}
}

static void an_answer_that_isnt_asked_for_belongs_to_one_deviation(void **state)
{
	static const struct {
		enum wp_deviation deviation;
		pt_status status;
	} rows[] = {
		{WP_TRUNCATES_ADDRESSES, PT_BAD_ADDRESS},
		{WP_ASSUMES_ALIGNED, PT_NOT_ALIGNED},
		{WP_ASSUMES_SIZES, PT_BAD_SIZE},
		{WP_APPROXIMATES_FLAGS, PT_BAD_FLAGS},
		{WP_ASSUMES_UNMAPPED, PT_ALREADY_MAPPED},
		{WP_ASSUMES_MAPPED, PT_NOT_MAPPED},
		{WP_ASSUMES_UNMAPPED, PT_MAPPED_TO_HUGE_PAGE},
	};
	const struct wp_call map = {.opcode = WP_OP_MAP}, query = {.opcode = WP_OP_QUERY};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned j = 0; j < WP_DEVIATIONS; j++)
			assert_int_equal(wp_profile_avoids(BIT(j), &map, rows[i].status),
			                 j == rows[i].deviation);
	}
	for (unsigned j = 0; j < WP_DEVIATIONS; j++) {
		assert_false(wp_profile_avoids(BIT(j), &map, PT_OK));
		/* a hole is always asked for */
		assert_false(wp_profile_avoids(BIT(j), &query, PT_NOT_MAPPED));
	}
}

static void without_deviations_it_is_the_contract(void **state)
{
	struct wp_model *other = wp_model_new();
	uint64_t done;

	(void)state;
	start(0);
	wp_model_copy(other, model);
	for (uint64_t va = 0; va < 4 * PT_2M; va += PT_2M / 4) {
		for (unsigned opcode = WP_OP_MAP; opcode <= WP_OP_HARVEST; opcode++) {
			const struct wp_call call = {.opcode = (enum wp_opcode)opcode,
			                             .va = va,
			                             .pa = va,
			                             .size = PT_2M,
			                             .flags = PT_READ,
			                             .uses = PT_DIRTY};
			const struct wp_verdict right = wp_predict(other, &call, 3);
			const struct wp_verdict said = wp_predict_as(model, 0, &call, 3, before,
			                                             &done);
			size_t count, same;
			const struct wp_run *a = wp_model_runs(model, 0, &count);
			const struct wp_run *b = wp_model_runs(other, 0, &same);

			assert_int_equal(said.status, right.status);
			assert_int_equal(count, same);
			for (size_t i = 0; i < count; i++) {
				assert_int_equal(a[i].va, b[i].va);
				assert_int_equal(a[i].pa, b[i].pa);
				assert_int_equal(a[i].bytes, b[i].bytes);
				assert_int_equal(a[i].leaf, b[i].leaf);
				assert_int_equal(a[i].flags, b[i].flags);
			}
		}
	}
	wp_model_free(other);
}

static void words_make_a_profile_and_a_profile_words(void **state)
{
	char text[600], unknown[40];
	wp_profile profile;

	(void)state;
	assert_true(wp_profile_parse(" own-status  no-1g ", &profile, unknown, sizeof unknown));
	assert_int_equal(profile, BIT(WP_OWN_STATUS) | BIT(WP_NO_1G));
	wp_profile_text(profile, text, sizeof text);
	assert_string_equal(text, "no-1g own-status");
	assert_false(wp_profile_parse("own-status no-1", &profile, unknown, sizeof unknown));
	assert_string_equal(unknown, "no-1");
	wp_profile_text(BIT(WP_DEVIATIONS) - 1, text, sizeof text);
	assert_true(wp_profile_parse(text, &profile, unknown, sizeof unknown));
	assert_int_equal(profile, BIT(WP_DEVIATIONS) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misaligned_address_is_the_leaf_that_it_is_in),
		cmocka_unit_test(without_a_size_map_refuses_it_and_regions_take_the_next),
		cmocka_unit_test(a_region_that_fails_is_done_up_to_the_leaf_that_fails),
		cmocka_unit_test(an_unmap_that_skips_holes_takes_what_there_is),
		cmocka_unit_test(a_protect_that_refuses_holes_changes_nothing),
		cmocka_unit_test(what_isnt_asked_for_is_left_out_by_its_deviation_alone),
		cmocka_unit_test(an_answer_that_isnt_asked_for_belongs_to_one_deviation),
		cmocka_unit_test(without_deviations_it_is_the_contract),
		cmocka_unit_test(words_make_a_profile_and_a_profile_words),
	};

	return cmocka_run_group_tests(tests, open_models, close_models);
}
