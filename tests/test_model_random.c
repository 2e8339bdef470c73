/* SPDX-License-Identifier: MIT */
/*
 * The model against the naive one: random calls in a window, after each of which
 * the verdicts, the mappings, the table counts and the walks must be the same.
 */
#include "model_check.h"

#include <stdlib.h>

#include "naive_model.h"

/* --------------------------------------------------------------- comparing */

static size_t seen_status[PT_STATUSES];

static void expect_same_verdict(struct wp_verdict a, struct wp_verdict b)
{
	seen_status[a.status]++;
	assert_int_equal(a.status, b.status);
	assert_int_equal(a.allocated, b.allocated);
	assert_int_equal(a.removed, b.removed);
	assert_int_equal(a.size, b.size);
	assert_int_equal(a.mapping.vaddr.value, b.mapping.vaddr.value);
	assert_int_equal(a.mapping.paddr.value, b.mapping.paddr.value);
	assert_int_equal(a.mapping.size, b.mapping.size);
	assert_int_equal(a.mapping.flags, b.mapping.flags);
}

/* Every page is mapped as the runs say, and the runs are as few as can be. */
static void expect_same_pages(unsigned table)
{
	size_t count, page = 0;
	const struct wp_run *runs = wp_model_runs(model, table, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wp_run *run = &runs[i];

		for (; page < naive.pages && va_of(page) != run->va; page++)
			assert_int_equal(seen(table, page).shift, 0);
		if (i && run[-1].va + run[-1].bytes == run->va)
			assert_true(run[-1].pa + run[-1].bytes != run->pa ||
			            run[-1].leaf != run->leaf || run[-1].flags != run->flags);
		for (uint64_t offset = 0; offset < run->bytes; offset += PT_4K, page++) {
			const struct page at = seen(table, page);

			if ((uint64_t)1 << at.shift != run->leaf || at.flags != run->flags ||
			    at.frame != (run->pa + offset) / PT_4K)
				fail_msg("page %#lx differs", va_of(page));
		}
	}
	for (; page < naive.pages; page++)
		assert_int_equal(seen(table, page).shift, 0);
	assert_int_equal(wp_model_tables(model, table), count_tables(table));
}

struct tour {
	unsigned table;
	size_t limit;
	struct wp_visit visits[64];
	size_t count;
	size_t checked;
};

/* Checks the visits of one table, the pages [first, end) of the window. */
static void expect_same_visits(struct tour *tour, unsigned level, size_t first, size_t end)
{
	const unsigned shift = naive.root_shift - 9 * level;
	size_t entries = 0;

	for (size_t i = first; i < end && entries < tour->limit;) {
		const uint64_t slot = va_of(i) >> shift;
		const size_t from = i;
		size_t mapped = SIZE_MAX;

		for (; i < end && va_of(i) >> shift == slot; i++) {
			if (mapped == SIZE_MAX && seen(tour->table, i).shift)
				mapped = i;
		}
		if (mapped == SIZE_MAX || tour->checked == 64)
			continue;
		entries++;
		assert_true(tour->checked < tour->count);
		assert_int_equal(tour->visits[tour->checked].level, level);
		assert_int_equal(tour->visits[tour->checked].va, slot << shift);
		assert_int_equal(tour->visits[tour->checked].index, slot & 511);
		assert_int_equal(tour->visits[tour->checked].leaf,
		                 seen(tour->table, mapped).shift == shift);
		if (!tour->visits[tour->checked++].leaf)
			expect_same_visits(tour, level + 1, from, i);
	}
}

static void expect_same_walk(unsigned table, size_t limit)
{
	struct tour tour = {.table = table, .limit = limit};

	tour.count = wp_model_walk(model, table, limit, tour.visits, 64);
	expect_same_visits(&tour, 0, 0, naive.pages);
	assert_true(tour.count == tour.checked || (tour.count == 65 && tour.checked == 64));
}

/* ------------------------------------------------------------ random calls */

static uint64_t random_state;

static size_t below(size_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (size_t)(random_state >> 16) % bound;
}

/* A page near a multiple of a leaf's size, so that calls meet. */
static size_t random_page(void)
{
	static const size_t units[] = {1, 512, 512, 262144};
	const size_t unit = units[below(4)];
	const size_t page = below(naive.pages / unit + 1) * unit + below(3) - 1;

	return page < naive.pages ? page : below(naive.pages);
}

/* What a random call is made of; each kind of call takes what it needs. */
struct call {
	unsigned table;
	size_t first, count; /* pages of the window */
	uint64_t va, pa, size;
	unsigned shift; /* of a leaf */
	pt_flags flags;
	size_t available;
	uint64_t *frames; /* room for the window's */
};

static void fill_frames(const struct call *call, size_t count)
{
	for (size_t i = 0; i < count; i++)
		call->frames[i] = call->pa + i * PT_4K;
}

static void call_map(struct call *c)
{
	const size_t pages = (size_t)1 << (c->shift - 12);
	const size_t offset = (size_t)(c->va / PT_4K) % pages;

	if (offset > c->first || c->first - offset + pages > naive.pages)
		return;
	c->va -= offset * PT_4K;
	c->pa &= ~(((uint64_t)1 << c->shift) - 1);
	fill_frames(c, pages);
	expect_same_verdict(
		wp_model_map(model, c->table, c->va, c->pa, pages * PT_4K, c->flags, c->available),
		naive_map_region(c->table, c->first - offset, c->frames, pages, c->flags, true,
	                         c->available));
}

static void call_map_region(struct call *c)
{
	const bool huge = below(4) != 0;

	c->pa += below(2) ? c->va % PT_1G : 0;
	fill_frames(c, c->count);
	expect_same_verdict(wp_model_map_region(model, c->table, c->va, c->pa, c->size, c->flags,
	                                        huge, c->available),
	                    naive_map_region(c->table, c->first, c->frames, c->count, c->flags,
	                                     huge, c->available));
}

static void call_map_region_with(struct call *c)
{
	const bool huge = below(4) != 0;

	c->pa += c->va % PT_1G;
	fill_frames(c, c->count);
	for (size_t breaks = below(4); breaks > 0; breaks--)
		c->frames[below(c->count)] = below(16) * PT_4K;
	expect_same_verdict(wp_model_map_region_with(model, c->table, c->va, c->frames, c->size,
	                                             c->flags, huge, c->available),
	                    naive_map_region(c->table, c->first, c->frames, c->count, c->flags,
	                                     huge, c->available));
}

static void call_unmap_region(struct call *c)
{
	expect_same_verdict(wp_model_unmap_region(model, c->table, c->va, c->size, c->available),
	                    naive_change(c->table, c->first, c->count, NULL, c->available));
}

static void call_protect_region(struct call *c)
{
	expect_same_verdict(
		wp_model_protect_region(model, c->table, c->va, c->size, c->flags, c->available),
		naive_change(c->table, c->first, c->count, &c->flags, c->available));
}

static void call_unmap(struct call *c)
{
	expect_same_verdict(wp_model_unmap(model, c->table, c->va),
	                    naive_leaf(c->table, c->first, NULL, NULL));
}

static void call_protect(struct call *c)
{
	expect_same_verdict(wp_model_protect(model, c->table, c->va, c->flags),
	                    naive_leaf(c->table, c->first, NULL, &c->flags));
}

static void call_remap(struct call *c)
{
	expect_same_verdict(wp_model_remap(model, c->table, c->va, c->pa, c->flags),
	                    naive_leaf(c->table, c->first, &c->pa, &c->flags));
}

/* copy_from or give_back. */
static void call_share(struct call *c)
{
	const uint64_t span = (uint64_t)1 << naive.root_shift;
	const size_t slots = slot_of(naive.pages - 1) + 1;
	const size_t slot = below(slots), end = slot + 1 + below(slots - slot);
	const uint64_t va = (naive.base & ~(span - 1)) + slot * span;
	const uint64_t size = (end - slot) * span;
	const bool give_back = below(2);

	expect_same_verdict(give_back ? wp_model_give_back(model, c->table, va, size)
	                              : wp_model_copy_from(model, c->table, 1 - c->table, va, size),
	                    naive_share(c->table, slot, end, give_back));
}

static void call_renew(struct call *c)
{
	if (below(4))
		return;
	expect_same_verdict(wp_model_destroy(model, c->table), naive_destroy(c->table));
	if (!wp_model_exists(model, c->table))
		expect(wp_model_create(model, c->table, ALL), PT_OK);
}

static void random_call(uint64_t *frames)
{
	static void (*const calls[])(struct call *) = {
		call_map,          call_map,   call_map_region,     call_map_region_with,
		call_unmap_region, call_unmap, call_protect_region, call_protect,
		call_remap,        call_share, call_renew,
	};
	static const unsigned shifts[] = {12, 12, 21, 30};
	static const pt_flags flags[] = {PT_READ, RW, PT_USER, PT_READ | PT_EXECUTE};
	const size_t a = random_page(), b = random_page();
	struct call call = {
		.table = (unsigned)below(2),
		.first = a < b ? a : b,
		.count = a < b ? b - a : a - b + 1,
		.pa = below(8) * PT_1G + below(3) * PT_2M + below(3) / 2 * PT_4K,
		.shift = shifts[below(4)],
		.flags = flags[below(4)],
		.available = below(4) ? ALL : below(4),
		.frames = frames,
	};

	if (below(3) == 0) {
		const size_t room = naive.pages - call.first;

		call.count = 1 + below(room < 600 ? room : 600);
	}
	call.va = va_of(call.first);
	call.size = call.count * PT_4K;
	calls[below(sizeof calls / sizeof calls[0])](&call);
}

static void the_model_is_the_contract_page_by_page(void **state)
{
	static const struct {
		const char *regime;
		uint64_t base;
		size_t pages;
		size_t calls;
	} rows[] = {
		/* Two root slots, with root leaves. */
		{"riscv64_sv39", G, 524288, 250},
		/* Both sides of a border between root slots; the top of the addresses. */
		{"riscv64_sv39", 3 * G - 4 * M, 3072, 6000},
		{"x86_64", 512 * G - 4 * M, 3072, 6000},
		{"loongarch64_high", 0 - 8 * M, 2048, 6000},
	};
	const unsigned reached = 1u << PT_OK | 1u << PT_NO_MEMORY | 1u << PT_NOT_ALIGNED |
	                         1u << PT_NOT_MAPPED | 1u << PT_ALREADY_MAPPED |
	                         1u << PT_MAPPED_TO_HUGE_PAGE | 1u << PT_BORROWED;
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t *frames = calloc(rows[i].pages, sizeof *frames);

		naive.regime = wp_regime_find(rows[i].regime);
		naive.base = rows[i].base;
		naive.pages = rows[i].pages;
		naive.root_shift = 12 + 9 * (naive.regime->levels - 1u);
		naive.table[0] = calloc(naive.pages, sizeof naive.before[0]);
		naive.table[1] = calloc(naive.pages, sizeof naive.before[0]);
		naive.before = calloc(naive.pages, sizeof naive.before[0]);
		memset(naive.lent, 0, sizeof naive.lent);
		assert_true(frames && naive.table[0] && naive.table[1] && naive.before);
		memset(seen_status, 0, sizeof seen_status);
		random_state = 88172645463325252u + i;
		use(rows[i].regime);
		for (size_t call = 0; call < rows[i].calls; call++) {
			random_call(frames);
			for (unsigned table = 0; table < 2; table++) {
				expect_same_pages(table);
				expect_same_walk(table, call % 4 ? call % 4 : ALL);
			}
		}
		/* Random calls that never get this far would prove nothing. */
		for (size_t status = 0; status < PT_STATUSES; status++) {
			if (reached >> status & 1)
				assert_true(seen_status[status] > rows[i].calls / 200);
		}
		free(naive.before);
		free(naive.table[1]);
		free(naive.table[0]);
		free(frames);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_is_the_contract_page_by_page),
	};

	return cmocka_run_group_tests(tests, open_model, close_model);
}
