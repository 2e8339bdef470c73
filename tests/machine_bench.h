/* SPDX-License-Identifier: MIT */
/* The library over guest memory, and every machine of its architecture that is here. */
#ifndef MACHINE_BENCH_H
#define MACHINE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "machine_set.h"
#include "subject.h"

struct bench {
	const struct wp_regime *regime;
	struct wp_memory memory;
	struct pt_platform platform;
	struct pt_table table;
	struct wp_machine_set set;
	struct wp_machine *flushed; /* by the table; NULL: none is */
};

static inline struct wp_machine **bench_machine(struct bench *bench, unsigned kind)
{
	return &bench->set.machines[kind][bench->regime->arch];
}

static inline bool bench_alloc_frame(void *context, pt_paddr *frame)
{
	struct bench *bench = context;

	return wp_memory_alloc(&bench->memory, &frame->value);
}

static inline bool bench_alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	struct bench *bench = context;

	return wp_memory_alloc_contiguous(&bench->memory, count, align, &first->value);
}

static inline void bench_free_frame(void *context, pt_paddr frame)
{
	struct bench *bench = context;

	wp_memory_free(&bench->memory, frame.value);
}

static inline void bench_free_frames(void *context, pt_paddr first, size_t count)
{
	struct bench *bench = context;

	wp_memory_free_contiguous(&bench->memory, first.value, count);
}

static inline void bench_flush_address(void *context, pt_vaddr vaddr)
{
	struct bench *bench = context;

	if (bench->flushed)
		bench->flushed->flush(bench->flushed, &vaddr.value);
}

static inline void bench_flush_all(void *context)
{
	struct bench *bench = context;

	if (bench->flushed)
		bench->flushed->flush(bench->flushed, NULL);
}

/* Of every machine: it serves the regime and proves so, or it isn't there. */
static inline void bench_prove_machines(struct bench *bench)
{
	char why[300];

	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		struct wp_machine **machine = bench_machine(bench, kind);

		if (*machine == NULL)
			continue;
		if (!(*machine)->supports(*machine, bench->regime)) {
			(*machine)->close(*machine);
			*machine = NULL;
		} else if (!(*machine)->self_test(*machine, bench->regime, why, sizeof why)) {
			fail_msg("%s", why);
		}
	}
}

/* Without a table yet. */
static inline void bench_open(struct bench *bench, const struct wp_regime *regime)
{
	char why[300];

	memset(bench, 0, sizeof *bench);
	bench->regime = regime;
	assert_true(wp_memory_open(&bench->memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES));
	wp_memory_cut(&bench->memory, regime->granule_shift);
	bench->platform = (struct pt_platform){
		.context = bench,
		.alloc_frame = bench_alloc_frame,
		.alloc_frames = bench_alloc_frames,
		.free_frames = bench_free_frames,
		.free_frame = bench_free_frame,
		.direct_first = pt_pa(WP_WINDOW_BASE),
		.direct_size = WP_WINDOW_FRAMES * WP_FRAME_SIZE,
		.direct_base = bench->memory.host,
		.flush_address = bench_flush_address,
		.flush_all = bench_flush_all,
	};
	if (!wp_machines_open(&bench->set, &bench->memory, 1u << regime->arch, 0, why, sizeof why))
		fail_msg("%s", why);
	bench_prove_machines(bench);
}

static inline void bench_create(struct bench *bench)
{
	assert_int_equal(pt_create(&bench->table, wp_library_backend(bench->regime),
	                           &bench->platform, bench->regime->half),
	                 PT_OK);
}

/* The table is gone without a trace. */
static inline void bench_destroy(struct bench *bench)
{
	assert_int_equal(pt_destroy(&bench->table, NULL), PT_OK);
	assert_int_equal(bench->memory.in_use, 0);
}

static inline void bench_close(struct bench *bench)
{
	wp_machines_close(&bench->set);
	wp_memory_close(&bench->memory);
}

#endif
