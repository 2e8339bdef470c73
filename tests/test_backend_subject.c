/* SPDX-License-Identifier: MIT */
/*
 * The library with one backend behind the interface of foreign subjects: what a shared
 * object of scripts/check-backend exports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <walkproof/subject.h>

#define PAGE   4096u
#define PAGES  256u
#define BASE   0xc0000000u
#define MAPPED (WP_READ | WP_WRITE)

/* Frames are handed out once, and counted. */
struct memory {
	struct wp_host host;
	unsigned char window[PAGES * PAGE];
	uint64_t next;
	unsigned in_use, stores, flushes, full_flushes, left; /* `left`: until one is refused */
};

static uint64_t alloc(void *context, uint64_t bytes, uint64_t align)
{
	struct memory *memory = context;
	const uint64_t at = (memory->next + align - 1) & ~(align - 1);

	if (memory->left == 0 || at + bytes > BASE + sizeof memory->window)
		return 0;
	memory->left--;
	memory->next = at + bytes;
	memory->in_use += (unsigned)(bytes / PAGE);
	return at;
}

static void give_back(void *context, uint64_t pa, uint64_t bytes)
{
	struct memory *memory = context;

	assert_true(pa >= BASE && pa + bytes <= memory->next);
	memory->in_use -= (unsigned)(bytes / PAGE);
}

static void stored(void *context, const volatile void *entry, uint64_t before, uint64_t after)
{
	struct memory *memory = context;
	const volatile unsigned char *at = entry;

	assert_true(at >= memory->window && at < memory->window + sizeof memory->window);
	assert_true(before != after);
	memory->stores++;
}

static void flush(void *context, uint64_t va)
{
	(void)va;
	((struct memory *)context)->flushes++;
}

static void flush_all(void *context)
{
	((struct memory *)context)->full_flushes++;
}

static int open_memory(void **state)
{
	static struct memory memory;

	memset(&memory, 0, sizeof memory);
	memory.next = BASE;
	memory.left = PAGES;
	memory.host = (struct wp_host){
		.version = WP_SUBJECT_VERSION,
		.bytes = sizeof memory.host,
		.context = &memory,
		.window_pa = BASE,
		.window_bytes = sizeof memory.window,
		.window = memory.window,
		.alloc = alloc,
		.free = give_back,
		.stored = stored,
		.flush = flush,
		.flush_all = flush_all,
	};
	*state = &memory;
	return 0;
}

static const struct wp_subject_calls *const calls = &walkproof_subject;

static void what_is_mapped_is_told_and_every_frame_comes_back(void **state)
{
	struct memory *memory = *state;
	void *table = calls->create(&memory->host, "x86_64");
	struct wp_leaf leaf = {0};

	assert_non_null(table);
	assert_int_equal(memory->in_use, calls->fixed_frames("x86_64"));
	assert_int_equal(calls->root(table), BASE);
	assert_int_equal(calls->map(table, 0x1000, 0x5000, PAGE, MAPPED), WP_OK);
	assert_int_equal(calls->map(table, 0x1000, 0x5000, PAGE, MAPPED), WP_ALREADY_MAPPED);
	assert_true(memory->stores > 0);
	assert_int_equal(calls->query(table, 0x1234, &leaf), WP_OK);
	assert_int_equal(leaf.va, 0x1234);
	assert_int_equal(leaf.pa, 0x5234);
	assert_int_equal(leaf.size, PAGE);
	assert_int_equal(leaf.flags, MAPPED);
	assert_int_equal(calls->protect(table, 0x1000, WP_READ, &leaf), WP_OK);
	assert_int_equal(leaf.flags, MAPPED);
	assert_int_equal(calls->remap(table, 0x1000, 0x7000, WP_READ, &leaf), WP_OK);
	assert_int_equal(leaf.flags, WP_READ);
	assert_int_equal(calls->unmap(table, 0x1000, &leaf), WP_OK);
	assert_int_equal(leaf.pa, 0x7000);
	assert_true(memory->flushes > 0);
	assert_int_equal(calls->query(table, 0x1000, &leaf), WP_NOT_MAPPED);
	assert_int_equal(memory->in_use, calls->fixed_frames("x86_64"));
	assert_int_equal(calls->destroy(table), WP_OK);
	assert_int_equal(memory->in_use, 0);
}

static void a_refused_frame_is_no_memory(void **state)
{
	struct memory *memory = *state;
	void *table = calls->create(&memory->host, "x86_64");

	memory->left = 0;
	assert_int_equal(calls->map(table, 0x1000, 0x5000, PAGE, MAPPED), WP_NO_MEMORY);
	assert_null(calls->create(&memory->host, "x86_64"));
	assert_int_equal(calls->destroy(table), WP_OK);
}

struct seen {
	unsigned tables, leaves, after;
	struct wp_leaf last;
};

static wp_walk_next before_entry(void *context, const struct wp_entry_seen *entry)
{
	struct seen *seen = context;

	seen->tables += entry->kind == WP_ENTRY_TABLE;
	seen->leaves += entry->kind == WP_ENTRY_LEAF;
	if (entry->kind == WP_ENTRY_LEAF)
		seen->last = entry->leaf;
	return WP_WALK_ON;
}

static wp_walk_next after_entry(void *context, const struct wp_entry_seen *entry)
{
	(void)entry;
	((struct seen *)context)->after++;
	return WP_WALK_ON;
}

static void leaf_seen(void *context, const struct wp_leaf *leaf)
{
	struct seen *seen = context;

	seen->leaves++;
	seen->last = *leaf;
}

static uint64_t page_of(void *context, uint64_t va)
{
	return *(const uint64_t *)context + va;
}

static void regions_walks_and_harvests_go_through(void **state)
{
	struct memory *memory = *state;
	void *table = calls->create(&memory->host, "x86_64");
	uint64_t offset = 0x40000000;
	struct seen seen = {0};

	assert_int_equal(calls->map_region(table, 0x200000, 0x400000, 0x203000, MAPPED, 1), WP_OK);
	assert_int_equal(
		calls->map_region_with(table, 0x10000, page_of, &offset, 2 * PAGE, WP_READ, 0),
		WP_OK);
	calls->walk(table, UINT64_MAX, before_entry, after_entry, &seen);
	assert_int_equal(seen.leaves, 1 + 3 + 2);
	assert_int_equal(seen.after, seen.tables + seen.leaves);
	assert_int_equal(seen.last.pa, 0x602000);
	assert_int_equal(calls->protect_region(table, 0x200000, 0x203000, WP_READ), WP_OK);
	memset(&seen, 0, sizeof seen);
	assert_int_equal(calls->harvest(table, 0x10000, PAGE, WP_ACCESSED, leaf_seen, &seen),
	                 WP_OK);
	assert_int_equal(seen.leaves, 0); /* no CPU used it */
	assert_int_equal(calls->unmap_region_with(table, 0x10000, 2 * PAGE, leaf_seen, &seen),
	                 WP_OK);
	assert_int_equal(seen.leaves, 2);
	assert_int_equal(seen.last.pa, 0x40011000);
	assert_int_equal(calls->unmap_region(table, 0x200000, 0x203000), WP_OK);
	assert_int_equal(calls->destroy(table), WP_OK);
	assert_int_equal(memory->in_use, 0);
}

static void a_batch_holds_its_flushes_and_tables_share_slots(void **state)
{
	const uint64_t slot = (uint64_t)1 << 39;
	struct memory *memory = *state;
	void *table = calls->create(&memory->host, "x86_64");
	void *other = calls->create(&memory->host, "x86_64");
	struct wp_leaf leaf;
	unsigned flushes;

	assert_int_equal(calls->map(other, 0, 0x5000, PAGE, MAPPED), WP_OK);
	assert_int_equal(calls->copy_from(table, other, 0, slot), WP_OK);
	assert_int_equal(calls->query(table, 0, &leaf), WP_OK);
	assert_int_equal(calls->unmap(table, 0, &leaf), WP_BORROWED);
	assert_int_equal(calls->give_back(table, 0, slot), WP_OK);
	flushes = memory->flushes + memory->full_flushes;
	calls->batch_begin(other);
	assert_int_equal(calls->unmap(other, 0, &leaf), WP_OK);
	assert_int_equal(memory->flushes + memory->full_flushes, flushes);
	calls->batch_end(other, WP_BATCH_FLUSH);
	assert_true(memory->flushes + memory->full_flushes > flushes);
	assert_int_equal(calls->destroy(table), WP_OK);
	assert_int_equal(calls->destroy(other), WP_OK);
	assert_int_equal(memory->in_use, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_mapped_is_told_and_every_frame_comes_back,
	                               open_memory),
		cmocka_unit_test_setup(a_refused_frame_is_no_memory, open_memory),
		cmocka_unit_test_setup(regions_walks_and_harvests_go_through, open_memory),
		cmocka_unit_test_setup(a_batch_holds_its_flushes_and_tables_share_slots,
	                               open_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
