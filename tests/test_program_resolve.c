/* SPDX-License-Identifier: MIT */
/* What operations come to: addresses, lengths, sources. */
#include "program_fixture.h"

static const struct wp_regime *regime_named(const char *name)
{
	const struct wp_regime *regime = wp_regime_find(name);

	assert_non_null(regime);
	return regime;
}

static unsigned distinct(const uint64_t *values, unsigned count)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned j = 0;

		while (j < i && values[j] != values[i])
			j++;
		found += j == i;
	}
	return found;
}

static void every_hot_address_is_one_that_can_be_mapped(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const struct wp_regime *regime = &wp_regimes[r];
		uint64_t vas[WP_SPOTS], pas[WP_SPOTS];

		for (unsigned i = 0; i < WP_SPOTS; i++) {
			vas[i] = wp_hot_va(regime, i);
			pas[i] = wp_hot_pa(regime, i);
			assert_true(wp_regime_canonical(regime, vas[i]));
			assert_int_equal(vas[i] % wp_regime_page(regime), 0);
			assert_int_equal(pas[i] >> regime->pa_bits, 0);
			assert_int_equal(pas[i] % wp_regime_page(regime), 0);
			assert_int_equal(wp_hot_va(regime, i + WP_SPOTS), vas[i]);
		}
		/* with three levels, and with one range, some are the same */
		assert_true(distinct(vas, WP_SPOTS) >= 13);
		assert_true(distinct(pas, WP_SPOTS) >= 15);
	}
}

/* So that an offset in the leaf's own unit makes an address that map() takes. */
static void every_leaf_size_has_aligned_hot_addresses(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const struct wp_regime *regime = &wp_regimes[r];

		for (uint64_t leaf = PT_2M; leaf <= regime->leaf_sizes; leaf <<= 9) {
			unsigned vas = 0, pas = 0;

			for (unsigned i = 0; i < WP_SPOTS; i++) {
				vas += wp_hot_va(regime, i) % leaf == 0;
				pas += wp_hot_pa(regime, i) % leaf == 0;
			}
			assert_true(vas >= 5);
			assert_true(pas >= 2);
		}
	}
}

/* Pairs of hot addresses whose walks part at each level, and at none. */
static void hot_addresses_meet_in_tables_of_every_level(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const struct wp_regime *regime = &wp_regimes[r];

		for (unsigned level = 0; level < regime->levels; level++) {
			const uint64_t span = wp_regime_span(regime, level);
			unsigned pairs = 0;

			for (unsigned i = 0; i < WP_SPOTS * WP_SPOTS; i++) {
				const uint64_t a = wp_hot_va(regime, i / WP_SPOTS) / span;
				const uint64_t b = wp_hot_va(regime, i % WP_SPOTS) / span;

				pairs += a != b && (level == 0 || a >> regime->index_bits ==
				                                          b >> regime->index_bits);
			}
			assert_true(pairs > 0);
		}
	}
}

static void hot_and_edge_addresses_reach_both_ends_of_each_range(void **state)
{
	(void)state;
	for (size_t r = 0; r < wp_regime_count; r++) {
		const struct wp_regime *regime = &wp_regimes[r];
		const uint64_t slot = wp_regime_span(regime, 0);
		uint64_t first[2], last[2];
		const size_t ranges = wp_regime_ranges(regime, first, last);
		unsigned wrong = 0;

		for (size_t range = 0; range < ranges; range++) {
			bool hot_first = false, hot_last = false, last_page = false;

			for (unsigned i = 0; i < WP_SPOTS; i++) {
				const uint64_t va = wp_hot_va(regime, i);

				hot_first |= va - first[range] < slot;
				hot_last |= last[range] - va < 2 * slot;
				last_page |= wp_edge_va(regime, i) ==
				             last[range] - (wp_regime_page(regime) - 1);
			}
			assert_true(hot_first && hot_last && last_page);
		}
		for (unsigned i = 0; i < WP_SPOTS; i++)
			wrong += !wp_regime_canonical(regime, wp_edge_va(regime, i));
		assert_true(wrong >= 2);
	}
}

static struct wp_call resolve(const struct wp_regime *regime, const struct wp_model *model,
                              struct wp_op op)
{
	struct wp_call call;

	wp_op_resolve(&op, regime, model, &call);
	return call;
}

static void offsets_and_lengths_count_in_units_and_wrap(void **state)
{
	const struct wp_regime *regime = regime_named("x86_64");
	struct wp_call call;

	(void)state;
	call = resolve(
		regime, NULL,
		(struct wp_op){
			.opcode = WP_OP_MAP,
			.va = {.base = WP_BASE_HOT, .index = 0, .offset = -3, .unit = WP_UNIT_2M},
			.pa = {.base = WP_BASE_RAW, .value = 0x1234567},
			.length = {.unit = WP_UNIT_4K, .count = 3},
			.flags = 0xc1,
		});
	assert_int_equal(call.va, PT_512G - 3 * PT_2M);
	assert_int_equal(call.pa, 0x1234567);
	assert_int_equal(call.size, 3 * PT_4K);
	assert_int_equal(call.flags, 0xc1);
	call = resolve(regime, NULL,
	               (struct wp_op){
			       .opcode = WP_OP_UNMAP,
			       .va = {.base = WP_BASE_EDGE,
	                              .index = 0,
	                              .offset = -5,
	                              .unit = WP_UNIT_BYTE},
		       });
	assert_int_equal(call.va, UINT64_MAX - 4);
	call = resolve(regime, NULL,
	               (struct wp_op){
			       .opcode = WP_OP_UNMAP_REGION,
			       .length = {.unit = WP_UNITS, .value = (uint64_t)1 << 63},
		       });
	assert_int_equal(call.size, (uint64_t)1 << 63);
	call = resolve(regime, NULL, (struct wp_op){.opcode = WP_OP_WALK, .count = 0xffff});
	assert_true(call.count == SIZE_MAX);
}

static void live_addresses_follow_the_runs_of_the_operations_table(void **state)
{
	const struct wp_regime *regime = regime_named("riscv64_sv39");
	struct wp_model *model = wp_model_new();
	struct wp_op op = {.opcode = WP_OP_REMAP, .va = {.base = WP_BASE_LIVE, .index = 2}};
	struct wp_call call;

	(void)state;
	op.pa = op.va;
	wp_model_reset(model, regime, 1);
	call = resolve(regime, model, op); /* no table */
	assert_int_equal(call.va, wp_hot_va(regime, 2));
	assert_int_equal(call.pa, wp_hot_pa(regime, 2));

	wp_model_create(model, 0, SIZE_MAX);
	wp_model_create(model, 1, SIZE_MAX);
	wp_model_map(model, 1, 0x5000, 0x80009000, PT_4K, PT_READ, SIZE_MAX);
	wp_model_map(model, 1, PT_2M, 5 * PT_2M, PT_2M, PT_READ, SIZE_MAX);
	wp_model_map(model, 1, PT_1G, 7 * PT_2M, PT_2M, PT_READ, SIZE_MAX);
	call = resolve(regime, model, op); /* nothing in table 0 */
	assert_int_equal(call.va, wp_hot_va(regime, 2));

	op.table = 1;
	call = resolve(regime, model, op);
	assert_int_equal(call.va, PT_1G);
	assert_int_equal(call.pa, 7 * PT_2M);
	op.va.index = op.pa.index = 3; /* modulo 3 runs */
	call = resolve(regime, model, op);
	assert_int_equal(call.va, 0x5000);
	assert_int_equal(call.pa, 0x80009000);
	op.va.index = op.pa.index = 7;
	op.va.base = op.pa.base = WP_BASE_LIVE_END;
	call = resolve(regime, model, op);
	assert_int_equal(call.va, 2 * PT_2M);
	assert_int_equal(call.pa, 6 * PT_2M);
	wp_model_free(model);
}

/* Leaves of a linear region, one by one as the contract says it. */
static uint64_t count_leaves(const struct wp_regime *regime, const struct wp_call *call)
{
	uint64_t leaves = 0;

	for (uint64_t done = 0, leaf; done < call->size; done += leaf, leaves++) {
		leaf = wp_regime_page(regime);
		for (uint64_t larger = leaf << regime->index_bits;
		     call->allow_huge && larger <= regime->leaf_sizes;
		     larger <<= regime->index_bits) {
			if ((call->va + done) % larger == 0 && (call->pa + done) % larger == 0 &&
			    larger <= call->size - done)
				leaf = larger;
		}
	}
	return leaves;
}

static void long_regions_are_cut_to_the_most_leaves(void **state)
{
	struct wp_random random;
	unsigned cut = 0;

	(void)state;
	wp_random_seed(&random, 9);
	for (unsigned round = 0; round < 3000; round++) {
		const struct wp_regime *regime = &wp_regimes[round % wp_regime_count];
		struct wp_op op = {.opcode = WP_OP_MAP_REGION, .allow_huge = round % 3 != 0};
		struct wp_call call;
		uint64_t asked, leaves;

		op.va.index = (uint8_t)wp_random_next(&random);
		op.va.offset = (int8_t)wp_random_below(&random, 9);
		op.pa.index = (uint8_t)wp_random_next(&random);
		op.pa.offset = op.va.offset;
		op.length.unit = (uint8_t)wp_random_below(&random, WP_UNIT_512G);
		op.length.count = (uint16_t)wp_random_below(&random, 5000);
		asked = op.length.count * wp_unit_bytes(regime, op.length.unit);
		call = resolve(regime, NULL, op);
		assert_true(call.size <= asked);
		if (!wp_regime_canonical(regime, call.va + asked - 1) || call.va + asked < call.va)
			continue;
		leaves = count_leaves(regime, &call);
		assert_true(leaves <= WP_MAX_LEAVES);
		if (call.size < asked) {
			assert_int_equal(leaves, WP_MAX_LEAVES);
			cut++;
		}
		op.opcode = WP_OP_MAP_REGION_WITH;
		call = resolve(regime, NULL, op);
		assert_true(call.size <= WP_MAX_LEAVES * wp_regime_page(regime));
		assert_true(call.size == asked ||
		            call.size == WP_MAX_LEAVES * wp_regime_page(regime));
	}
	assert_true(cut > 500);
}

static void lengths_wrong_on_purpose_stay(void **state)
{
	static const uint64_t wrong[] = {0, 5, PT_1G + 8, (uint64_t)1 << 63, UINT64_MAX};
	const struct wp_regime *regime = regime_named("aarch64_high");
	struct wp_op op = {.opcode = WP_OP_MAP_REGION, .length = {.unit = WP_UNITS}};
	struct wp_call call;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		op.length.value = wrong[i];
		assert_int_equal(resolve(regime, NULL, op).size, wrong[i]);
	}
	/* A source would be asked for each page: few of them, and still not aligned. */
	op.opcode = WP_OP_MAP_REGION_WITH;
	op.length.value = PT_1G + 8;
	call = resolve(regime, NULL, op);
	assert_true(call.size < WP_MAX_LEAVES * wp_regime_page(regime));
	assert_int_equal(call.size % PT_4K, 8);
	/* These cost by the table, not by the page. */
	op.opcode = WP_OP_UNMAP_REGION;
	op.length.value = PT_512G;
	assert_int_equal(resolve(regime, NULL, op).size, PT_512G);
}

/* A call, as an operation on its own, comes to the same call with no model at all. */
static void an_operation_from_a_call_depends_on_nothing(void **state)
{
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 10);
	for (unsigned round = 0; round < 20000; round++) {
		const struct wp_regime *regime = &wp_regimes[round % wp_regime_count];
		const struct wp_op op = any_op(&random);
		struct wp_call call, again;
		struct wp_op raw;

		wp_op_resolve(&op, regime, NULL, &call);
		wp_op_from_call(&call, &raw);
		if (wp_opcode_shapes[op.opcode].operands & WP_ARG_VA)
			assert_int_equal(raw.va.base, WP_BASE_RAW);
		wp_op_resolve(&raw, regime, NULL, &again);
		assert_int_equal(call.opcode, again.opcode);
		assert_int_equal(call.table, again.table);
		assert_int_equal(call.va, again.va);
		assert_int_equal(call.pa, again.pa);
		assert_int_equal(call.size, again.size);
		assert_int_equal(call.flags, again.flags);
		assert_int_equal(call.allow_huge, again.allow_huge);
		assert_int_equal(call.once, again.once);
		assert_int_equal(call.source, again.source);
		assert_true(call.count == again.count);
	}
}

static void sources_scatter_pages_as_their_names_say(void **state)
{
	static const uint64_t expected[WP_SOURCES][5] = {
		[WP_SOURCE_LINEAR] = {0, 1, 2, 3, 4},  [WP_SOURCE_REVERSED] = {4, 3, 2, 1, 0},
		[WP_SOURCE_SWAPPED] = {1, 0, 3, 2, 4}, [WP_SOURCE_SAME] = {0, 0, 0, 0, 0},
		[WP_SOURCE_BROKEN] = {0, 1, 3, 3, 4},  [WP_SOURCE_UNALIGNED] = {0, 1, 2, 3, 4},
	};
	const uint64_t pa = 0x7000;

	(void)state;
	for (unsigned source = 0; source < WP_SOURCES; source++) {
		for (uint64_t i = 0; i < 5; i++) {
			const bool off = source == WP_SOURCE_UNALIGNED && i == 4;

			assert_int_equal(
				wp_source_page(wp_regimes, (enum wp_source)source, pa, i, 5),
				pa + expected[source][i] * PT_4K + (off ? 8 : 0));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hot_address_is_one_that_can_be_mapped),
		cmocka_unit_test(every_leaf_size_has_aligned_hot_addresses),
		cmocka_unit_test(hot_addresses_meet_in_tables_of_every_level),
		cmocka_unit_test(hot_and_edge_addresses_reach_both_ends_of_each_range),
		cmocka_unit_test(offsets_and_lengths_count_in_units_and_wrap),
		cmocka_unit_test(live_addresses_follow_the_runs_of_the_operations_table),
		cmocka_unit_test(long_regions_are_cut_to_the_most_leaves),
		cmocka_unit_test(lengths_wrong_on_purpose_stay),
		cmocka_unit_test(an_operation_from_a_call_depends_on_nothing),
		cmocka_unit_test(sources_scatter_pages_as_their_names_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
