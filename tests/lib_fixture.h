/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the library share: a small platform over malloc'ed memory that
 * logs all that the library does.
 */
#ifndef LIB_FIXTURE_H
#define LIB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib_rows.h"

#define FRAMES 160u
#define WINDOW ((uint64_t)0x7000000)  /* physical address of the platform's memory */
#define PA     ((uint64_t)0x40000000) /* what the tests map: aligned to 1 GiB */
#define RW     (PT_READ | PT_WRITE)
#define RX     (PT_READ | PT_EXECUTE)

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum event_kind {
	ALLOC,
	FREE,
	FLUSH,
	FLUSH_ALL,
	STORE,
};

struct event {
	enum event_kind kind;
	uint64_t at; /* a frame, a flushed address, or the physical address of a slot */
	uint64_t before, after;
};

struct lib {
	const struct row *row;
	uint64_t va, page, large, root; /* sizes; `va` is the row's */
	struct pt_platform platform;
	struct pt_table table, other;

	uint8_t *memory, *shadow;
	bool used[FRAMES];
	bool fresh[FRAMES]; /* handed out since the last settle() */
	size_t in_use;
	size_t allocations;   /* left until all are refused */
	size_t several;       /* calls of alloc_frames */
	uint64_t unreachable; /* phys_to_virt says no from here on; 0: never */

	struct event log[65536];
	size_t events;
	void (*watch)(struct lib *lib, const struct event *store);
};

/* --------------------------------------------------------------- platform */

static inline void record(struct lib *lib, struct event event)
{
	assert_true(lib->events < COUNT(lib->log));
	lib->log[lib->events++] = event;
	if (event.kind == STORE && lib->watch)
		lib->watch(lib, &event);
}

static inline bool lib_alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	struct lib *lib = context;

	lib->several += count > 1;
	if (lib->allocations == 0)
		return false;
	for (size_t i = 0; i + count <= FRAMES; i++) {
		size_t free = 0;

		while (free < count && !lib->used[i + free])
			free++;
		if (free < count || (WINDOW + i * lib->page) % align != 0)
			continue;
		lib->allocations--;
		lib->in_use += count;
		*first = pt_pa(WINDOW + i * lib->page);
		for (size_t j = i; j < i + count; j++)
			lib->used[j] = lib->fresh[j] = true;
		for (size_t at = 0; at < count * lib->page; at += lib->row->entry_bytes)
			memcpy(lib->memory + i * lib->page + at, &lib->row->dirty,
			       lib->row->entry_bytes);
		record(lib, (struct event){ALLOC, first->value, count, 0});
		return true;
	}
	fail_msg("out of frames");
	return false;
}

static inline bool lib_alloc_frame(void *context, pt_paddr *frame)
{
	const struct lib *lib = context;

	return lib_alloc_frames(context, 1, lib->page, frame);
}

static inline void lib_free_frames(void *context, pt_paddr first, size_t count)
{
	struct lib *lib = context;

	assert_in_range(first.value, WINDOW, WINDOW + (FRAMES - count) * lib->page);
	assert_int_equal(first.value % lib->page, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(lib->used[(first.value - WINDOW) / lib->page + i]);
		lib->used[(first.value - WINDOW) / lib->page + i] = false;
	}
	lib->in_use -= count;
	record(lib, (struct event){FREE, first.value, count, 0});
}

static inline void lib_free_frame(void *context, pt_paddr frame)
{
	lib_free_frames(context, frame, 1);
}

static inline void *lib_at(void *context, pt_paddr paddr)
{
	struct lib *lib = context;
	const uint64_t offset = paddr.value - WINDOW;

	if (offset >= FRAMES * lib->page || (lib->unreachable && paddr.value >= lib->unreachable))
		return NULL;
	return lib->memory + offset;
}

static inline void lib_flush_address(void *context, pt_vaddr vaddr)
{
	record(context, (struct event){FLUSH, vaddr.value, 0, 0});
}

static inline void lib_flush_all(void *context)
{
	record(context, (struct event){FLUSH_ALL, 0, 0, 0});
}

/* Each store is one whole, aligned entry of a frame that is in use. */
static inline void lib_stored(void *context, const void *entry, uint64_t before, uint64_t after)
{
	struct lib *lib = context;
	const size_t offset = (size_t)((const uint8_t *)entry - lib->memory);
	uint64_t now = 0;

	assert_true(offset < FRAMES * lib->page && offset % lib->row->entry_bytes == 0);
	assert_true(lib->used[offset / lib->page]);
	memcpy(&now, entry, lib->row->entry_bytes);
	assert_int_equal(now, after);
	if (!lib->fresh[offset / lib->page])
		assert_memory_equal(lib->shadow + offset, &before, lib->row->entry_bytes);
	memcpy(lib->shadow + offset, entry, lib->row->entry_bytes);
	record(lib, (struct event){STORE, WINDOW + offset, before, after});
}

/* Between calls: every change of a table that was there before came as a store. */
static inline void settle(struct lib *lib)
{
	for (size_t i = 0; i < FRAMES; i++) {
		if (lib->used[i] && !lib->fresh[i])
			assert_memory_equal(lib->memory + i * lib->page,
			                    lib->shadow + i * lib->page, lib->page);
		if (lib->used[i])
			memcpy(lib->shadow + i * lib->page, lib->memory + i * lib->page, lib->page);
		lib->fresh[i] = false;
	}
}

/* -------------------------------------------------------------------- log */

static inline void clear_log(struct lib *lib)
{
	settle(lib);
	lib->events = 0;
}

static inline size_t count_of(const struct lib *lib, enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < lib->events; i++)
		count += lib->log[i].kind == kind;
	return count;
}

/* The n-th event of a kind, from 0. */
static inline const struct event *nth(const struct lib *lib, enum event_kind kind, size_t n)
{
	for (size_t i = 0; i < lib->events; i++) {
		if (lib->log[i].kind == kind && n-- == 0)
			return &lib->log[i];
	}
	fail_msg("no such event");
	return NULL;
}

static inline bool flushed(const struct lib *lib, uint64_t va)
{
	for (size_t i = 0; i < lib->events; i++) {
		if (lib->log[i].kind == FLUSH_ALL ||
		    (lib->log[i].kind == FLUSH && lib->log[i].at == va))
			return true;
	}
	return false;
}

static inline void assert_no_flush(const struct lib *lib)
{
	assert_int_equal(count_of(lib, FLUSH) + count_of(lib, FLUSH_ALL), 0);
}

/* ------------------------------------------------------------------ calls */

static inline void expect_at(const struct lib *lib, pt_status actual, pt_status status,
                             const char *file, int line)
{
	if (actual == status)
		return;
	print_error("%s: %s, not %s\n", lib->row->backend->name, pt_status_name(actual),
	            pt_status_name(status));
	_fail(file, line);
}
#define expect(actual, status) expect_at(lib, (actual), (status), __FILE__, __LINE__)

static inline pt_status map(struct lib *lib, uint64_t va, uint64_t pa, uint64_t size,
                            pt_flags flags)
{
	return pt_map(&lib->table, pt_va(va), pt_pa(pa), size, flags, NULL);
}

static inline pt_status unmap(struct lib *lib, uint64_t va)
{
	return pt_unmap(&lib->table, pt_va(va), NULL, NULL);
}

static inline pt_status query_of(const struct pt_table *table, uint64_t va)
{
	struct pt_mapping mapping;

	return pt_query(table, pt_va(va), &mapping);
}

static inline void assert_maps_at(const struct lib *lib, const struct pt_table *table, uint64_t va,
                                  uint64_t pa, uint64_t size, pt_flags flags, const char *file,
                                  int line)
{
	struct pt_mapping mapping;

	expect_at(lib, pt_query(table, pt_va(va), &mapping), PT_OK, file, line);
	if (mapping.vaddr.value == va && mapping.paddr.value == pa && mapping.size == size &&
	    mapping.flags == flags)
		return;
	print_error("%s: %#llx leads to %#llx, size %#llx, flags %#x\n", lib->row->backend->name,
	            (unsigned long long)va, (unsigned long long)mapping.paddr.value,
	            (unsigned long long)mapping.size, mapping.flags);
	_fail(file, line);
}
#define assert_maps(table, va, pa, size, flags)                                                    \
	assert_maps_at(lib, (table), (va), (pa), (size), (flags), __FILE__, __LINE__)

/* ------------------------------------------------------------------ set-up */

static inline struct lib *lib_open(const struct row *row, bool direct)
{
	struct lib *lib = calloc(1, sizeof *lib);

	assert_non_null(lib);
	lib->row = row;
	lib->va = row->va;
	lib->page = (uint64_t)1 << row->page_shift;
	lib->large = (uint64_t)1 << row->large_shift;
	lib->root = (uint64_t)1 << row->root_shift;
	lib->allocations = SIZE_MAX;
	lib->memory = calloc(FRAMES, lib->page);
	lib->shadow = calloc(FRAMES, lib->page);
	lib->platform = (struct pt_platform){
		.context = lib,
		.alloc_frame = lib_alloc_frame,
		.free_frame = lib_free_frame,
		.alloc_frames = row->root_frames > 1 ? lib_alloc_frames : NULL,
		.free_frames = row->root_frames > 1 ? lib_free_frames : NULL,
		.phys_to_virt = direct ? NULL : lib_at,
		.direct_first = {WINDOW},
		.direct_size = direct ? FRAMES * lib->page : 0,
		.direct_base = lib->memory,
		.flush_address = lib_flush_address,
		.flush_all = lib_flush_all,
		.stored = lib_stored,
	};
	return lib;
}

static inline void lib_close(struct lib *lib)
{
	free(lib->memory);
	free(lib->shadow);
	free(lib);
}

static inline void create(struct lib *lib, struct pt_table *table)
{
	expect(pt_create(table, lib->row->backend, &lib->platform, lib->row->half), PT_OK);
	clear_log(lib);
}

static inline void destroy(struct lib *lib, struct pt_table *table)
{
	expect(pt_destroy(table, NULL), PT_OK);
}

struct variant {
	const struct row *row;
	bool direct;
};

/* A fresh `table`, which each test must leave with its frames accounted for. */
static inline int lib_setup(void **state)
{
	const struct variant *variant = *state;
	struct lib *lib = lib_open(variant->row, variant->direct);

	*state = lib;
	create(lib, &lib->table);
	return 0;
}

static inline int lib_teardown(void **state)
{
	struct lib *lib = *state;

	lib->watch = NULL;
	lib->allocations = SIZE_MAX;
	destroy(lib, &lib->table);
	assert_int_equal(lib->in_use, 0);
	lib_close(lib);
	return 0;
}

/* Each test under each row and with both ways to reach memory. */
static inline int run_over_backends(const char *group, const struct CMUnitTest *tests, size_t count)
{
	static struct variant variants[COUNT(rows) * 2];
	struct CMUnitTest *all = calloc(count * COUNT(variants), sizeof *all);
	size_t n = 0;
	int failed;

	assert_non_null(all);
	for (size_t v = 0; v < COUNT(variants); v++) {
		const struct row *row = &rows[v / 2];

		variants[v] = (struct variant){row, v % 2 == 0};
		for (size_t t = 0; t < count; t++) {
			char *name = malloc(256);

			assert_non_null(name);
			snprintf(name, 256, "%s%s%s: %s", row->backend->name,
			         row->half == PT_HIGH ? " high" : "",
			         v % 2 == 0 ? "" : " by callback", tests[t].name);
			all[n++] = (struct CMUnitTest){name, tests[t].test_func, lib_setup,
			                               lib_teardown, &variants[v]};
		}
	}
	failed = _cmocka_run_group_tests(group, all, n, NULL, NULL);
	while (n > 0)
		free((void *)(uintptr_t)all[--n].name);
	free(all);
	return failed;
}

#endif
