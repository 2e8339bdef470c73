/* SPDX-License-Identifier: MIT */
/* L8: pt_harvest(), and a CPU that writes while the library changes its entries. */
#include <pthread.h>

#include "lib_uses.h"

/* ---- harvest ---- */

static void harvest_tells_and_clears_and_flushes_what_it_cleared(void **state)
{
	struct lib *lib = *state;
	struct told told = {0};
	const uint64_t size = 2 * lib->large;

	if (!records(lib))
		return;
	map_unused(lib, lib->va, lib->large);
	map_unused(lib, lib->va + lib->large + lib->page, lib->page);
	map_unused(lib, lib->va + size, lib->page);
	set_uses(lib, lib->va, accessed_bit(lib->row) | dirty_bit(lib->row), 0);
	set_uses(lib, lib->va + size, dirty_bit(lib->row), 0);

	/* what the CPU records just before the entry is changed is told, too */
	in_between = accessed_bit(lib->row);
	expect(pt_harvest(&lib->table, pt_va(lib->va + lib->page), size - lib->page, PT_DIRTY, tell,
	                  &told, NULL),
	       PT_OK);
	in_between = 0;
	assert_int_equal(told.leaves, 1);
	assert_int_equal(told.accessed, 1);
	assert_int_equal(told.dirty, 1);
	assert_int_equal(told.bytes, lib->large);
	assert_int_equal(count_of(lib, STORE), 1);
	assert_int_equal(count_of(lib, FLUSH), 1);
	assert_true(flushed(lib, lib->va));
	assert_queried(lib->va, true, false);
	assert_queried(lib->va + size, false, true);
	assert_maps(&lib->table, lib->va, PA, lib->large, RW);

	expect(pt_harvest(&lib->table, pt_va(lib->va), lib->root, PT_DIRTY | PT_ACCESSED, NULL,
	                  NULL, NULL),
	       PT_OK);
	assert_queried(lib->va, false, false);
	assert_queried(lib->va + size, false, false);
	expect(pt_protect(&lib->table, pt_va(lib->va), 0, NULL, NULL), PT_OK);
	set_uses(lib, lib->va, dirty_bit(lib->row), 0);
	clear_log(lib);
	expect(pt_harvest(&lib->table, pt_va(lib->va), lib->page, PT_DIRTY, tell, &told, NULL),
	       PT_OK);
	assert_int_equal(told.leaves, 2);
	assert_no_flush(lib); /* no CPU remembers a leaf without access */
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), lib->large, NULL), PT_OK);
	expect(unmap(lib, lib->va + lib->large + lib->page), PT_OK);
	expect(unmap(lib, lib->va + size), PT_OK);
}

static void harvest_waits_in_a_batch(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	if (!records(lib))
		return;
	map_unused(lib, lib->va, lib->page);
	set_uses(lib, lib->va, accessed_bit(lib->row), 0);
	pt_batch_begin(&batch, &lib->table);
	expect(pt_harvest(&lib->table, pt_va(lib->va), lib->page, PT_ACCESSED, NULL, NULL, &batch),
	       PT_OK);
	assert_no_flush(lib);
	pt_flush(&batch);
	assert_true(flushed(lib, lib->va));
	expect(unmap(lib, lib->va), PT_OK);
}

static void harvest_refuses_in_the_order_of_the_contract(void **state)
{
	struct lib *lib = *state;
	const uint64_t beyond = (uint64_t)1 << 61;
	const pt_uses none = 0, all = PT_ACCESSED | PT_DIRTY, unknown = 1 << 2;
	struct told told = {0};

#define harvest(va, size, uses)                                                                    \
	pt_harvest(&lib->table, pt_va(va), (size), (uses), tell, &told, NULL)
	expect(harvest(beyond, 0, none), PT_BAD_SIZE);
	expect(harvest(beyond, lib->page + 1, none), PT_BAD_ADDRESS);
	expect(harvest(lib->va, lib->page + 1, none), PT_NOT_ALIGNED);
	expect(harvest(lib->va, lib->page, none), PT_BAD_FLAGS);
	expect(harvest(lib->va, lib->page, all | unknown), PT_BAD_FLAGS);
	expect(harvest(lib->va, lib->page, all), records(lib) ? PT_OK : PT_BAD_FLAGS);
	expect(harvest(lib->va, lib->page, PT_DIRTY), records(lib) ? PT_OK : PT_BAD_FLAGS);
#undef harvest
	assert_int_equal(told.leaves, 0);
}

static void harvest_clears_nothing_if_anything_in_the_range_is_malformed(void **state)
{
	struct lib *lib = *state;
	struct leaf_search search = {.va = lib->va + lib->page, .frames = {lib->table.root.value}};
	uint64_t entry;

	/* on x86_64 no entry of the last level is malformed but one that isn't present */
	if (!records(lib))
		return;
	map_unused(lib, lib->va, lib->page);
	map_unused(lib, lib->va + lib->page, lib->page);
	set_uses(lib, lib->va, dirty_bit(lib->row), 0);
	pt_walk(&lib->table, SIZE_MAX, find_leaf, NULL, &search);
	entry = get_entry(lib, search.frame, search.index);
	set_entry(lib, search.frame, search.index, 1 << 1);
	expect(pt_harvest(&lib->table, pt_va(lib->va), 2 * lib->page, PT_DIRTY, NULL, NULL, NULL),
	       PT_MALFORMED);
	assert_queried(lib->va, false, true);
	set_entry(lib, search.frame, search.index, entry);
	expect(unmap(lib, lib->va), PT_OK);
	expect(unmap(lib, lib->va + lib->page), PT_OK);
}

static void only_the_owner_harvests_a_shared_slot(void **state)
{
	struct lib *lib = *state;
	const pt_vaddr va = pt_va(lib->va);

	if (!records(lib))
		return;
	map_unused(lib, lib->va, lib->page);
	set_uses(lib, lib->va, dirty_bit(lib->row), 0);
	create(lib, &lib->other);
	expect(pt_copy_from(&lib->other, &lib->table, va, lib->root, NULL), PT_OK);
	expect(pt_harvest(&lib->other, va, lib->page, PT_DIRTY, NULL, NULL, NULL), PT_BORROWED);
	assert_queried(lib->va, false, true);
	expect(pt_harvest(&lib->table, va, lib->page, PT_DIRTY, NULL, NULL, NULL), PT_OK);
	assert_queried(lib->va, false, false);
	expect(pt_give_back(&lib->other, va, lib->root, NULL), PT_OK);
	destroy(lib, &lib->other);
	expect(unmap(lib, lib->va), PT_OK);
}

/* ---- a CPU that writes at the same time ---- */

#define RACE_PAGES  4
#define RACE_ROUNDS 20000

/* Finds each entry through this; writes to it as x86_64 does: nothing but A and D, atomically. */
struct race {
	uint64_t *entries;
	bool done;
	size_t recorded; /* D bits that went from 0 to 1 */
};

static void *record_writes(void *context)
{
	struct race *race = context;

	while (!__atomic_load_n(&race->done, __ATOMIC_RELAXED)) {
		for (size_t i = 0; i < RACE_PAGES; i++) {
			uint64_t entry = __atomic_load_n(&race->entries[i], __ATOMIC_RELAXED);

			/* SDM 4.8: present, writable, not dirty yet */
			if ((entry & (3 | 1 << 6)) == 3)
				race->recorded += __atomic_compare_exchange_n(
					&race->entries[i], &entry, entry | 3 << 5, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

static void race_flush(void *context)
{
	(void)context;
}

static void race_flush_address(void *context, pt_vaddr va)
{
	(void)context;
	(void)va;
}

static size_t take_dirty(struct lib *lib, size_t round)
{
	const uint64_t va = lib->va + round % RACE_PAGES * lib->page;
	struct told told = {0};
	struct pt_mapping removed;

	/* neither of these takes anything */
	expect(pt_protect(&lib->table, pt_va(va), PT_READ, NULL, NULL), PT_OK);
	expect(pt_protect(&lib->table, pt_va(va), RW, NULL, NULL), PT_OK);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), RACE_PAGES * lib->page,
	                         round & 1 ? RW : RW | PT_USER, NULL),
	       PT_OK);
	if (round % 3 == 0) {
		expect(pt_harvest(&lib->table, pt_va(va), lib->page, PT_DIRTY, tell, &told, NULL),
		       PT_OK);
		return told.dirty;
	}
	expect(pt_unmap(&lib->table, pt_va(va), &removed, NULL), PT_OK);
	expect(map(lib, va, PA, lib->page, RW), PT_OK);
	return removed.dirty;
}

static void no_write_of_another_cpu_is_lost(void **state)
{
	struct lib *lib = *state;
	struct race race = {0};
	struct leaf_search search = {.va = lib->va, .frames = {lib->table.root.value}};
	size_t told = 0, left = 0;
	pthread_t cpu;

	if (lib->row->backend != &pt_x86_64)
		return;
	for (uint64_t i = 0; i < RACE_PAGES; i++)
		expect(map(lib, lib->va + i * lib->page, PA, lib->page, RW), PT_OK);
	pt_walk(&lib->table, SIZE_MAX, find_leaf, NULL, &search);
	race.entries = (uint64_t *)(void *)(lib->memory + (search.frame - WINDOW)) + search.index;
	/* this log is no place for two writers */
	lib->platform.stored = NULL;
	lib->platform.flush_all = race_flush;
	lib->platform.flush_address = race_flush_address;

	assert_int_equal(pthread_create(&cpu, NULL, record_writes, &race), 0);
	for (size_t round = 0; round < RACE_ROUNDS || told < RACE_ROUNDS / 100; round++)
		told += take_dirty(lib, round);
	__atomic_store_n(&race.done, true, __ATOMIC_RELAXED);
	pthread_join(cpu, NULL);

	for (uint64_t i = 0; i < RACE_PAGES; i++)
		left += query(lib, lib->va + i * lib->page).dirty;
	if (race.recorded != told + left)
		print_error("recorded %zu, told %zu, left %zu\n", race.recorded, told, left);
	assert_int_equal(race.recorded, told + left);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), RACE_PAGES * lib->page, NULL), PT_OK);
	memcpy(lib->shadow, lib->memory, FRAMES * lib->page);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(harvest_tells_and_clears_and_flushes_what_it_cleared),
		cmocka_unit_test(harvest_waits_in_a_batch),
		cmocka_unit_test(harvest_refuses_in_the_order_of_the_contract),
		cmocka_unit_test(harvest_clears_nothing_if_anything_in_the_range_is_malformed),
		cmocka_unit_test(only_the_owner_harvests_a_shared_slot),
		cmocka_unit_test(no_write_of_another_cpu_is_lost),
	};

	return run_over_backends("harvest", tests, COUNT(tests));
}
