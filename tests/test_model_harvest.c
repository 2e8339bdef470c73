/* SPDX-License-Identifier: MIT */
/* The model against the contract: harvest. */
#include "model_check.h"

static void harvest_refuses_size_address_alignment_and_uses_in_order(void **state)
{
	const pt_uses both = PT_ACCESSED | PT_DIRTY;
	const struct {
		uint64_t va, size;
		pt_uses uses;
		pt_status status;
	} rows[] = {
		{128 * T + 1, 0, 0, PT_BAD_SIZE},
		{128 * T - 4 * K, 8 * K + 1, 0, PT_BAD_ADDRESS},
		{4 * K, UINT64_MAX, 0, PT_BAD_ADDRESS},
		{0, 0 - 4 * K, 0, PT_BAD_ADDRESS},
		{1, 4 * K, 0, PT_NOT_ALIGNED},
		{0, 4 * K + 1, 0, PT_NOT_ALIGNED},
		{0, 4 * K, 0, PT_BAD_FLAGS},
		{0, 4 * K, 1 << 2, PT_BAD_FLAGS},
		{0, 4 * K, both | 1 << 7, PT_BAD_FLAGS},
		{0, 4 * K, PT_ACCESSED, PT_OK},
		{0, 4 * K, PT_DIRTY, PT_OK},
		{0, 128 * T, both, PT_OK},
		{0 - 4 * K, 4 * K, both, PT_OK},
	};
	(void)state;

	use("x86_64");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(wp_model_harvest(model, 0, rows[i].va, rows[i].size, rows[i].uses),
		       rows[i].status);
}

/* AArch64 with HA = HD = 0, LoongArch: pt_backend.uses is 0. */
static void harvest_is_asked_for_what_the_cpu_records_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_regime *regime = &wp_regimes[i];
		const bool none = regime->arch == WP_AARCH64 || regime->arch == WP_LOONGARCH64;
		const uint64_t page = wp_regime_page(regime);
		uint64_t first[2], last[2];

		wp_regime_ranges(regime, first, last);
		use(regime->name);
		for (pt_uses uses = 1; uses < 4; uses++)
			expect(wp_model_harvest(model, 0, first[0], page, uses),
			       none ? PT_BAD_FLAGS : PT_OK);
		expect(wp_model_harvest(model, 0, first[0] + 1, page, 1), PT_NOT_ALIGNED);
	}
}

static void harvest_skips_holes_and_takes_leaves_whole_and_changes_no_mapping(void **state)
{
	const size_t frames = 3;
	(void)state;

	use("x86_64");
	expect(wp_model_map(model, 0, 2 * M, 4 * M, PT_2M, RW, ALL), PT_OK);
	expect(wp_model_map(model, 0, 8 * M, 0, PT_2M, RW, ALL), PT_OK);
	assert_int_equal(wp_model_tables(model, 0), frames);
	/* from the middle of one leaf, over a hole, into the next */
	expect_frames(wp_model_harvest(model, 0, 3 * M, 5 * M + 4 * K, PT_DIRTY), 0, 0);
	expect_frames(wp_model_harvest(model, 0, 1 * G, 4 * K, PT_DIRTY), 0, 0);
	assert_int_equal(wp_model_tables(model, 0), frames);
	expect_runs(0, {2 * M, 4 * M, 2 * M, PT_2M, RW}, {8 * M, 0, 2 * M, PT_2M, RW});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harvest_refuses_size_address_alignment_and_uses_in_order),
		cmocka_unit_test(harvest_is_asked_for_what_the_cpu_records_alone),
		cmocka_unit_test(harvest_skips_holes_and_takes_leaves_whole_and_changes_no_mapping),
	};

	return cmocka_run_group_tests(tests, open_model, close_model);
}
