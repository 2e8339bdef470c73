/* SPDX-License-Identifier: MIT */
/* What the model's tests share: one model, and expectations on its verdicts. */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"

#define K   ((uint64_t)1 << 10)
#define M   ((uint64_t)1 << 20)
#define G   ((uint64_t)1 << 30)
#define T   ((uint64_t)1 << 40)
#define R   PT_READ
#define W   PT_WRITE
#define X   PT_EXECUTE
#define U   PT_USER
#define RW  (PT_READ | PT_WRITE)
#define ALL SIZE_MAX

static struct wp_model *model;

static inline int open_model(void **state)
{
	(void)state;
	model = wp_model_new();
	return 0;
}

static inline int close_model(void **state)
{
	(void)state;
	wp_model_free(model);
	return 0;
}

/* A fresh model under `regime` with both tables. */
static inline void use(const char *regime)
{
	wp_model_reset(model, wp_regime_find(regime), 1);
	assert_int_equal(wp_model_create(model, 0, ALL).status, PT_OK);
	assert_int_equal(wp_model_create(model, 1, ALL).status, PT_OK);
}

static inline void expect_status_at(struct wp_verdict verdict, pt_status status, const char *file,
                                    int line)
{
	if (verdict.status != status) {
		print_error("status %d, not %d\n", (int)verdict.status, (int)status);
		_fail(file, line);
	}
	if (status == PT_OK)
		return;
	if (verdict.allocated || verdict.removed || verdict.size || verdict.mapping.size) {
		print_error("a refused call has outputs\n");
		_fail(file, line);
	}
}

static inline void expect_frames_at(struct wp_verdict verdict, size_t allocated, size_t removed,
                                    const char *file, int line)
{
	expect_status_at(verdict, PT_OK, file, line);
	if (verdict.allocated != allocated || verdict.removed != removed) {
		print_error("%zu allocated and %zu removed, not %zu and %zu\n", verdict.allocated,
		            verdict.removed, allocated, removed);
		_fail(file, line);
	}
}

/* Macros for the line that failed. */
#define expect(verdict, status) expect_status_at((verdict), (status), __FILE__, __LINE__)
#define expect_frames(verdict, allocated, removed)                                                 \
	expect_frames_at((verdict), (allocated), (removed), __FILE__, __LINE__)

/* The runs of `table` are exactly these. */
static inline void expect_runs_at(unsigned table, const struct wp_run *runs, size_t count,
                                  const char *file, int line)
{
	size_t actual;
	const struct wp_run *at = wp_model_runs(model, table, &actual);

	for (size_t i = 0; i < count && i < actual; i++) {
		if (at[i].va == runs[i].va && at[i].pa == runs[i].pa &&
		    at[i].bytes == runs[i].bytes && at[i].leaf == runs[i].leaf &&
		    at[i].flags == runs[i].flags)
			continue;
		print_error("run %zu: %#lx to %#lx, %#lx bytes of %#lx, flags %#x\n", i, at[i].va,
		            at[i].pa, at[i].bytes, at[i].leaf, at[i].flags);
		_fail(file, line);
	}
	if (actual != count) {
		print_error("%zu runs, not %zu\n", actual, count);
		_fail(file, line);
	}
}
#define expect_runs(table, ...)                                                                    \
	do {                                                                                       \
		const struct wp_run expected_[] = {__VA_ARGS__};                                   \
		expect_runs_at((table), expected_, sizeof expected_ / sizeof expected_[0],         \
		               __FILE__, __LINE__);                                                \
	} while (0)

static inline struct wp_verdict map(unsigned table, uint64_t va, uint64_t pa, uint64_t size)
{
	return wp_model_map(model, table, va, pa, size, RW, ALL);
}

#endif
