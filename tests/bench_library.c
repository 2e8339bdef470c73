/* SPDX-License-Identifier: MIT */
/*
 * usage: bench_library [CRATE_NS...]
 *
 * Nanoseconds per call of the library as a kernel gets it, x86_64 with 4 levels,
 * beside those of the crate page_table_multiarch: what bench_crate just measured,
 * or else its figures on a 2.8 GHz Xeon. No flush instruction on either side.
 */
#include <stdio.h>
#include <stdlib.h>

#include <walkproof/pt.h>

#include "bench_clock.h"

#define FRAMES 2048u
#define PAGES  (PT_1G / PT_4K)

static uint8_t *memory;
static size_t next_frame = 1;
static uint64_t free_list[FRAMES];
static size_t free_count;

static bool alloc_frame(void *context, pt_paddr *frame)
{
	(void)context;
	*frame = pt_pa(free_count != 0 ? free_list[--free_count] : PT_4K * next_frame++);
	return next_frame < FRAMES;
}

static void free_frame(void *context, pt_paddr frame)
{
	(void)context;
	free_list[free_count++] = frame.value;
}

static void flush_address(void *context, pt_vaddr vaddr)
{
	(void)context;
	(void)vaddr;
}

static void flush_all(void *context)
{
	(void)context;
}

static struct pt_table table;
static struct pt_batch batch;
static uint32_t order[PAGES];

/* A page of each table stays mapped, so that single calls meet tables in place. */
static bool stays(uint64_t page)
{
	return page % 512 == 511;
}

static void check(pt_status status)
{
	if (status == PT_OK)
		return;
	fprintf(stderr, "bench_library: %s\n", pt_status_name(status));
	exit(1);
}

typedef void (*page_call)(uint64_t page);

static void map_page(uint64_t page)
{
	if (!stays(page))
		check(pt_map(&table, pt_va(page * PT_4K), pt_pa(page * PT_4K), PT_4K,
		             PT_READ | PT_WRITE, &batch));
}

static void unmap_page(uint64_t page)
{
	if (!stays(page))
		check(pt_unmap(&table, pt_va(page * PT_4K), NULL, &batch));
}

static void query_page(uint64_t page)
{
	struct pt_mapping mapping;

	check(pt_query(&table, pt_va(page * PT_4K), &mapping));
}

static void protect_page(uint64_t page)
{
	static unsigned turn;

	check(pt_protect(&table, pt_va(page * PT_4K), ++turn & 1 ? PT_READ : PT_READ | PT_WRITE,
	                 NULL, &batch));
}

static double time_pages(page_call call, bool random)
{
	const double start = cpu_seconds();

	for (uint64_t i = 0; i < PAGES; i++)
		call(random ? order[i] : i);
	return (cpu_seconds() - start) / (double)PAGES * 1e9;
}

enum row {
	MAP,
	QUERY,
	PROTECT,
	UNMAP,
	MAP_RANDOM,
	QUERY_RANDOM,
	UNMAP_RANDOM,
	MAP_REGION,
	PROTECT_REGION,
	UNMAP_REGION, /* to here the crate has them, too, in this order */
	PROTECT_REGION_USED,
	SWAP_ALONE,
	ROWS,
};

static struct {
	const char *what;
	double crate;  /* 0: no figure */
	double target; /* 0: no slower than the crate, if that has a figure */
} rows[ROWS] = {
	[MAP] = {"map, in sequence", 7.5, 0},
	[QUERY] = {"query, in sequence", 5, 0},
	[PROTECT] = {"protect, in sequence", 0, 0},
	[UNMAP] = {"unmap, in sequence", 4.1, 0},
	[MAP_RANDOM] = {"map, random over 1 GiB", 16, 0},
	[QUERY_RANDOM] = {"query, random over 1 GiB", 16, 0},
	[UNMAP_RANDOM] = {"unmap, random over 1 GiB", 16, 0},
	[MAP_REGION] = {"map_region, per 4 KiB page", 11, 1.5},
	[PROTECT_REGION] = {"protect_region, per 4 KiB page", 5, 1.5},
	[UNMAP_REGION] = {"unmap_region, per 4 KiB page", 5.3, 1.5},
	[PROTECT_REGION_USED] = {"protect_region, of used pages", 0, 1.5},
	[SWAP_ALONE] = {"a compare-and-swap by itself", 0, 0},
};

static double best[ROWS];

static void keep(enum row row, double nanoseconds)
{
	if (best[row] == 0 || nanoseconds < best[row])
		best[row] = nanoseconds;
}

static void single_calls(void)
{
	for (uint64_t page = 511; page < PAGES; page += 512)
		check(pt_map(&table, pt_va(page * PT_4K), pt_pa(page * PT_4K), PT_4K, PT_READ,
		             &batch));
	keep(MAP, time_pages(map_page, false));
	keep(QUERY, time_pages(query_page, false));
	keep(QUERY_RANDOM, time_pages(query_page, true));
	keep(PROTECT, time_pages(protect_page, false));
	pt_ignore(&batch);
	keep(UNMAP, time_pages(unmap_page, false));
	pt_ignore(&batch);
	keep(MAP_RANDOM, time_pages(map_page, true));
	keep(UNMAP_RANDOM, time_pages(unmap_page, true));
	for (uint64_t page = 511; page < PAGES; page += 512)
		check(pt_unmap(&table, pt_va(page * PT_4K), NULL, &batch));
	pt_ignore(&batch);
}

/* As a CPU does that has read and written each page. */
static void use_all_pages(void)
{
	const uint64_t present = 1, accessed_and_dirty = 0x60;
	uint64_t *entries = (uint64_t *)(void *)memory;

	for (size_t i = 0; i < next_frame * (PT_4K / sizeof *entries); i++) {
		if (entries[i] & present)
			entries[i] |= accessed_and_dirty;
	}
}

static void protect_used_pages(void)
{
	double start;

	check(pt_map_region(&table, pt_va(0), pt_pa(0), PT_1G, PT_READ | PT_WRITE, false, &batch));
	use_all_pages();
	start = cpu_seconds();
	check(pt_protect_region(&table, pt_va(0), PT_1G, PT_READ, &batch));
	keep(PROTECT_REGION_USED, (cpu_seconds() - start) / (double)PAGES * 1e9);
	check(pt_unmap_region(&table, pt_va(0), PT_1G, &batch));
	pt_ignore(&batch);
}

/*
 * What no entry can be changed without that a CPU may yet record a use in (L8): the
 * floor of protect_region, whose own share is what comes on top.
 */
static void swap_alone(void)
{
	static uint64_t entries[PAGES];
	const double start = cpu_seconds();

	for (size_t i = 0; i < PAGES; i++) {
		uint64_t before = __atomic_load_n(&entries[i], __ATOMIC_RELAXED);

		__atomic_compare_exchange_n(&entries[i], &before, before ^ 2, false,
		                            __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
	keep(SWAP_ALONE, (cpu_seconds() - start) / (double)PAGES * 1e9);
}

static void region_calls(void)
{
	double start = cpu_seconds();

	check(pt_map_region(&table, pt_va(0), pt_pa(0), PT_1G, PT_READ | PT_WRITE, false, &batch));
	keep(MAP_REGION, (cpu_seconds() - start) / (double)PAGES * 1e9);
	start = cpu_seconds();
	check(pt_protect_region(&table, pt_va(0), PT_1G, PT_READ, &batch));
	keep(PROTECT_REGION, (cpu_seconds() - start) / (double)PAGES * 1e9);
	start = cpu_seconds();
	check(pt_unmap_region(&table, pt_va(0), PT_1G, &batch));
	keep(UNMAP_REGION, (cpu_seconds() - start) / (double)PAGES * 1e9);
	pt_ignore(&batch);
}

int main(int argc, char **argv)
{
	static struct pt_platform platform = {
		.alloc_frame = alloc_frame,
		.free_frame = free_frame,
		.flush_address = flush_address,
		.flush_all = flush_all,
		.direct_size = (uint64_t)FRAMES * PT_4K,
	};

	for (int i = 1; i < argc && i <= ROWS; i++)
		rows[i - 1].crate = atof(argv[i]);
	memory = aligned_alloc(PT_4K, FRAMES * PT_4K);
	if (!memory) {
		fprintf(stderr, "bench_library: out of memory\n");
		return 1;
	}
	platform.direct_base = memory;
	for (uint32_t i = 0; i < PAGES; i++)
		order[i] = i;
	for (uint32_t i = PAGES - 1; i > 0; i--) {
		const uint32_t j = (uint32_t)((i * 2654435761u) % (i + 1));
		const uint32_t swapped = order[i];

		order[i] = order[j];
		order[j] = swapped;
	}
	check(pt_create(&table, &pt_x86_64, &platform, PT_WHOLE));
	pt_batch_begin(&batch, &table);
	for (unsigned i = 0; i < 7; i++) {
		single_calls();
		region_calls();
		protect_used_pages();
		swap_alone();
	}
	printf("%-34s %8s %8s %8s\n", "library, ns", "here", "crate", "target");
	for (unsigned i = 0; i < ROWS; i++) {
		const double target = rows[i].target != 0 ? rows[i].target : rows[i].crate;

		printf("%-34s %8.1f", rows[i].what, best[i]);
		if (rows[i].crate != 0)
			printf(" %8.1f", rows[i].crate);
		else if (target != 0)
			printf(" %8s", "");
		if (target != 0)
			printf(" %8.1f%s", target, best[i] > target ? "  missed" : "");
		printf("\n");
	}
	return 0;
}
