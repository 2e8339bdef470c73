/* SPDX-License-Identifier: MIT */
/* L8 with emulated CPUs: what they record as they walk is told, cleared, and never lost. */
#include "machine_bench.h"

#define VA 0x40201000ull
#define PA 0x7654321000ull
#define RW (PT_READ | PT_WRITE)

static const char *const regimes[] = {"x86_64", "x86_64_la57", "riscv64_sv39_svpbmt",
                                      "riscv64_sv57_svpbmt"};

/* Whether the CPU made the access. */
static bool use(struct bench *bench, enum wp_kind kind)
{
	const struct wp_probe probe = {VA, (uint8_t)(1u << kind)};
	struct wp_answer answer;

	bench->flushed->probe(bench->flushed, &probe, &answer, 1);
	return (answer.answered & answer.allowed & probe.kinds) != 0;
}

static void assert_says(struct bench *bench, bool accessed, bool dirty)
{
	struct pt_mapping mapping;

	assert_int_equal(pt_query(&bench->table, pt_va(VA), &mapping), PT_OK);
	assert_int_equal(mapping.accessed, accessed);
	assert_int_equal(mapping.dirty, dirty);
}

static void note_leaf(void *context, const struct pt_mapping *mapping)
{
	*(struct pt_mapping *)context = *mapping;
}

static void clear(struct bench *bench, bool accessed, bool dirty)
{
	struct pt_mapping was = {0};

	assert_int_equal(pt_harvest(&bench->table, pt_va(VA), 4096, PT_ACCESSED | PT_DIRTY,
	                            note_leaf, &was, NULL),
	                 PT_OK);
	assert_int_equal(was.accessed, accessed);
	assert_int_equal(was.dirty, dirty);
}

/* A page is read, written, harvested, protected and unmapped by turns. */
static void follow(struct bench *bench)
{
	struct pt_mapping was;

	assert_int_equal(pt_map(&bench->table, pt_va(VA), pt_pa(PA), 4096, RW, NULL), PT_OK);
	if (bench->regime->arch == WP_RISCV64)
		clear(bench, true, true);
	assert_says(bench, false, false);
	assert_true(use(bench, WP_KERNEL_READ));
	assert_says(bench, true, false);
	assert_true(use(bench, WP_KERNEL_WRITE));
	assert_says(bench, true, true);
	clear(bench, true, true);
	assert_says(bench, false, false);
	assert_true(use(bench, WP_KERNEL_WRITE));
	assert_int_equal(pt_protect(&bench->table, pt_va(VA), PT_READ, &was, NULL), PT_OK);
	assert_true(was.accessed && was.dirty);
	assert_false(use(bench, WP_KERNEL_WRITE));
	assert_says(bench, true, true);
	assert_int_equal(pt_unmap(&bench->table, pt_va(VA), &was, NULL), PT_OK);
	assert_true(was.accessed && was.dirty);
	assert_false(use(bench, WP_KERNEL_READ));
}

static void what_a_cpu_records_is_told_and_kept_until_it_is_harvested(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof regimes / sizeof *regimes; i++) {
		const struct wp_regime *const regime = wp_regime_find(regimes[i]);
		struct bench bench;

		assert_non_null(regime);
		bench_open(&bench, regime);
		for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
			bench.flushed = *bench_machine(&bench, kind);
			if (bench.flushed == NULL)
				continue;
			bench_create(&bench);
			bench.flushed->load(bench.flushed, regime, bench.table.root.value);
			follow(&bench);
			print_message("%s: followed on %s\n", regime->name, bench.flushed->name);
			bench_destroy(&bench);
		}
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_cpu_records_is_told_and_kept_until_it_is_harvested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
