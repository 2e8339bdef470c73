/* SPDX-License-Identifier: MIT */
/* L8 with emulated CPUs: what they record as they walk is told, cleared, and never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "machine_set.h"
#include "subject.h"

#define BASE   WP_WINDOW_BASE
#define FRAMES WP_WINDOW_FRAMES
#define VA     0x40201000ull
#define PA     0x7654321000ull
#define RW     (PT_READ | PT_WRITE)

static const char *const regimes[] = {"x86_64", "x86_64_la57", "riscv64_sv39_svpbmt",
                                      "riscv64_sv57_svpbmt"};

struct bench {
	const struct wp_regime *regime;
	struct wp_memory memory;
	struct pt_platform platform;
	struct pt_table table;
	struct wp_machine_set set;
	struct wp_machine *machine;
};

static bool alloc_frame(void *context, pt_paddr *frame)
{
	return wp_memory_alloc(context, &frame->value);
}

static void free_frame(void *context, pt_paddr frame)
{
	wp_memory_free(context, frame.value);
}

static void flush_address(void *context, pt_vaddr vaddr)
{
	struct bench *bench =
		(struct bench *)(void *)((char *)context - offsetof(struct bench, memory));

	bench->machine->flush(bench->machine, &vaddr.value);
}

static void flush_all(void *context)
{
	struct bench *bench =
		(struct bench *)(void *)((char *)context - offsetof(struct bench, memory));

	bench->machine->flush(bench->machine, NULL);
}

static void open_bench(struct bench *bench, const char *name)
{
	char why[300];

	memset(bench, 0, sizeof *bench);
	bench->regime = wp_regime_find(name);
	assert_non_null(bench->regime);
	assert_true(wp_memory_open(&bench->memory, BASE, FRAMES));
	bench->platform = (struct pt_platform){
		.context = &bench->memory,
		.alloc_frame = alloc_frame,
		.free_frame = free_frame,
		.direct_first = pt_pa(BASE),
		.direct_size = FRAMES * WP_FRAME_SIZE,
		.direct_base = bench->memory.host,
		.flush_address = flush_address,
		.flush_all = flush_all,
	};
	if (!wp_machines_open(&bench->set, &bench->memory, 1u << bench->regime->arch, 0, why,
	                      sizeof why))
		fail_msg("%s", why);
}

/* True: there is one of that kind here, which serves the regime and has an empty table. */
static bool take(struct bench *bench, unsigned kind)
{
	char why[300];

	bench->machine = bench->set.machines[kind][bench->regime->arch];
	if (bench->machine == NULL || !bench->machine->supports(bench->machine, bench->regime))
		return false;
	if (!bench->machine->self_test(bench->machine, bench->regime, why, sizeof why))
		fail_msg("%s", why);
	assert_int_equal(pt_create(&bench->table, wp_library_backend(bench->regime),
	                           &bench->platform, bench->regime->half),
	                 PT_OK);
	bench->machine->load(bench->machine, bench->regime, bench->table.root.value);
	return true;
}

/* Whether the CPU made the access. */
static bool use(struct bench *bench, enum wp_kind kind)
{
	const struct wp_probe probe = {VA, (uint8_t)(1u << kind)};
	struct wp_answer answer;

	bench->machine->probe(bench->machine, &probe, &answer, 1);
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
		struct bench bench;

		open_bench(&bench, regimes[i]);
		for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
			if (!take(&bench, kind))
				continue;
			follow(&bench);
			print_message("%s: followed on %s\n", regimes[i], bench.machine->name);
			assert_int_equal(pt_destroy(&bench.table, NULL), PT_OK);
		}
		wp_machines_close(&bench.set);
		wp_memory_close(&bench.memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_cpu_records_is_told_and_kept_until_it_is_harvested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
