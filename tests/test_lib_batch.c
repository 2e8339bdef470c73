/* SPDX-License-Identifier: MIT */
/* Batches: what is flushed when, and what waits for it. */
#include "lib_fixture.h"

static struct pt_batch begin(struct lib *lib)
{
	struct pt_batch batch;

	pt_batch_begin(&batch, &lib->table);
	clear_log(lib);
	return batch;
}

static void map_pages(struct lib *lib, size_t count)
{
	expect(pt_map_region(&lib->table, pt_va(lib->va), pt_pa(PA), count * lib->page, RW, false,
	                     NULL),
	       PT_OK);
}

static void protect_pages(struct lib *lib, size_t count, struct pt_batch *batch)
{
	for (size_t i = 0; i < count; i++)
		expect(pt_protect(&lib->table, pt_va(lib->va + i * lib->page), PT_READ, NULL,
		                  batch),
		       PT_OK);
}

static void up_to_32_changes_are_flushed_one_by_one(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	map_pages(lib, 40);
	batch = begin(lib);
	protect_pages(lib, 32, &batch);
	assert_no_flush(lib);
	pt_flush(&batch);
	assert_int_equal(count_of(lib, FLUSH), 32);
	assert_int_equal(count_of(lib, FLUSH_ALL), 0);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(nth(lib, FLUSH, i)->at, lib->va + i * lib->page);
	clear_log(lib);
	pt_flush(&batch);
	assert_int_equal(lib->events, 0);
}

static void more_than_32_changes_take_one_full_flush(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	map_pages(lib, 40);
	batch = begin(lib);
	protect_pages(lib, 33, &batch);
	assert_no_flush(lib);
	pt_flush(&batch);
	assert_int_equal(count_of(lib, FLUSH), 0);
	assert_int_equal(count_of(lib, FLUSH_ALL), 1);
	clear_log(lib);
	pt_flush(&batch);
	assert_int_equal(lib->events, 0);
}

static void flush_all_is_one_full_flush_whatever_is_pending(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	map_pages(lib, 2);
	batch = begin(lib);
	pt_flush_all(&batch);
	protect_pages(lib, 2, &batch);
	pt_flush_all(&batch);
	assert_int_equal(count_of(lib, FLUSH), 0);
	assert_int_equal(count_of(lib, FLUSH_ALL), 2);
	clear_log(lib);
	pt_flush(&batch);
	assert_int_equal(lib->events, 0);
}

/* The frames freed, all of them after a flush if there is one. */
static size_t freed_after_flush(const struct lib *lib, bool flush)
{
	size_t freed = 0;
	bool flushed = !flush;

	for (size_t i = 0; i < lib->events; i++) {
		flushed |= lib->log[i].kind == FLUSH || lib->log[i].kind == FLUSH_ALL;
		if (lib->log[i].kind != FREE)
			continue;
		assert_true(flushed);
		freed++;
	}
	return freed;
}

static void a_table_is_given_back_only_after_the_flush_that_unlinks_it(void **state)
{
	struct lib *lib = *state;
	const size_t tables = lib->row->levels - 1u;
	struct pt_batch batch;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	batch = begin(lib);
	expect(pt_unmap(&lib->table, pt_va(lib->va), NULL, &batch), PT_OK);
	assert_int_equal(count_of(lib, FREE), 0);
	pt_flush(&batch);
	assert_int_equal(freed_after_flush(lib, true), tables);
	assert_true(flushed(lib, lib->va));
	if (lib->row->all_for_table)
		assert_int_equal(count_of(lib, FLUSH_ALL), 1);

	/* and without a batch of the caller's own */
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	expect(unmap(lib, lib->va), PT_OK);
	assert_int_equal(freed_after_flush(lib, true), tables);

	/* a no-access leaf was never used, the tables over it may have been */
	expect(map(lib, lib->va, PA, lib->page, 0), PT_OK);
	clear_log(lib);
	expect(unmap(lib, lib->va), PT_OK);
	assert_int_equal(freed_after_flush(lib, true), tables);
}

static void a_region_frees_its_tables_after_a_full_flush(void **state)
{
	struct lib *lib = *state;
	const uint64_t size = 2 * lib->large;
	struct pt_batch batch;
	size_t tables;

	expect(pt_map_region(&lib->table, pt_va(lib->va), pt_pa(PA), size, RW, false, NULL), PT_OK);
	tables = lib->in_use - lib->row->fixed_frames;
	batch = begin(lib);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), size, &batch), PT_OK);
	assert_int_equal(count_of(lib, FREE), 0);
	pt_flush(&batch);
	assert_int_equal(freed_after_flush(lib, true), tables);
	assert_int_equal(count_of(lib, FLUSH_ALL), 1);
}

static void what_waits_faults_in_its_first_slot_and_keeps_the_others(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;
	uint64_t slot;

	expect(map(lib, lib->va + lib->page, PA, lib->page, RW), PT_OK);
	batch = begin(lib);
	expect(pt_unmap(&lib->table, pt_va(lib->va + lib->page), NULL, &batch), PT_OK);
	/* the leaf, then for each table the slot that led to it and its own first one */
	assert_int_equal(count_of(lib, STORE), 1 + 2 * (lib->row->levels - 1u));
	for (size_t i = 2; i < count_of(lib, STORE); i += 2) {
		slot = nth(lib, STORE, i)->at;
		assert_int_equal(slot % lib->page, 0);
	}
	pt_flush(&batch);
}

static void ignore_flushes_nothing_and_frees_what_waited(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	batch = begin(lib);
	expect(pt_unmap(&lib->table, pt_va(lib->va), NULL, &batch), PT_OK);
	pt_ignore(&batch);
	assert_no_flush(lib);
	assert_int_equal(freed_after_flush(lib, false), lib->row->levels - 1u);
	clear_log(lib);
	pt_flush(&batch);
	assert_int_equal(lib->events, 0);
}

static void a_call_that_fails_leaves_the_batch_alone(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	map_pages(lib, 2);
	expect(map(lib, lib->va + lib->large, PA, lib->large, RW), PT_OK);
	batch = begin(lib);
	protect_pages(lib, 1, &batch);
	clear_log(lib);
	lib->allocations = 0;
	expect(pt_map(&lib->table, pt_va(lib->va), pt_pa(PA), lib->page, RW, &batch),
	       PT_ALREADY_MAPPED);
	expect(pt_map(&lib->table, pt_va(lib->va + 2 * lib->large), pt_pa(PA), lib->page, RW,
	              &batch),
	       PT_NO_MEMORY);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va + lib->large), lib->page, &batch),
	       PT_NO_MEMORY);
	expect(pt_protect_region(&lib->table, pt_va(lib->va + lib->large), lib->page, PT_READ,
	                         &batch),
	       PT_NO_MEMORY);
	assert_int_equal(lib->events, 0);
	pt_flush(&batch);
	assert_int_equal(count_of(lib, FLUSH), 1);
	assert_int_equal(lib->events, 1);
}

/* Unmaps `old`, then maps a page at `va`, in one batch: was the flush early? */
static bool flushes_early(struct lib *lib, uint64_t old, uint64_t va)
{
	struct pt_batch batch = begin(lib);
	size_t i;

	expect(pt_unmap(&lib->table, pt_va(old), NULL, &batch), PT_OK);
	assert_no_flush(lib);
	i = lib->events;
	expect(pt_map(&lib->table, pt_va(va), pt_pa(PA), lib->page, RW, &batch), PT_OK);
	while (i < lib->events && lib->log[i].kind == ALLOC)
		i++;
	pt_flush(&batch);
	return lib->log[i].kind == FLUSH || lib->log[i].kind == FLUSH_ALL;
}

static void a_pending_flush_comes_before_a_mapping_where_old_and_new_must_not_meet(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va + lib->large, PA, lib->page, RW), PT_OK); /* keeps the tables */
	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	assert_int_equal(flushes_early(lib, lib->va, lib->va + lib->page), lib->row->breaks);
}

static void a_pending_flush_far_away_is_not_hurried(void **state)
{
	struct lib *lib = *state;
	const uint64_t keep = lib->va + lib->page;

	expect(map(lib, keep, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va + lib->root + lib->page, PA, lib->page, RW), PT_OK);
	assert_false(flushes_early(lib, lib->va, lib->va + lib->root));
}

static void the_flush_of_a_table_comes_before_another_hangs_in_the_same_slot(void **state)
{
	struct lib *lib = *state;

	/* the one table of the root slot goes, with all below it */
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	assert_int_equal(flushes_early(lib, lib->va, lib->va + lib->root - lib->page),
	                 lib->row->breaks);
}

static void what_is_mapped_again_in_one_batch_is_mapped(void **state)
{
	struct lib *lib = *state;
	struct pt_batch batch;

	map_pages(lib, 3);
	batch = begin(lib);
	for (size_t i = 0; i < 3; i++) {
		expect(pt_unmap(&lib->table, pt_va(lib->va), NULL, &batch), PT_OK);
		expect(pt_map(&lib->table, pt_va(lib->va), pt_pa(PA + i * lib->page), lib->page,
		              PT_READ, &batch),
		       PT_OK);
	}
	pt_flush(&batch);
	assert_true(flushed(lib, lib->va));
	assert_maps(&lib->table, lib->va, PA + 2 * lib->page, lib->page, PT_READ);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_to_32_changes_are_flushed_one_by_one),
		cmocka_unit_test(more_than_32_changes_take_one_full_flush),
		cmocka_unit_test(flush_all_is_one_full_flush_whatever_is_pending),
		cmocka_unit_test(a_table_is_given_back_only_after_the_flush_that_unlinks_it),
		cmocka_unit_test(a_region_frees_its_tables_after_a_full_flush),
		cmocka_unit_test(what_waits_faults_in_its_first_slot_and_keeps_the_others),
		cmocka_unit_test(ignore_flushes_nothing_and_frees_what_waited),
		cmocka_unit_test(a_call_that_fails_leaves_the_batch_alone),
		cmocka_unit_test(
			a_pending_flush_comes_before_a_mapping_where_old_and_new_must_not_meet),
		cmocka_unit_test(a_pending_flush_far_away_is_not_hurried),
		cmocka_unit_test(the_flush_of_a_table_comes_before_another_hangs_in_the_same_slot),
		cmocka_unit_test(what_is_mapped_again_in_one_batch_is_mapped),
	};

	return run_over_backends("batch", tests, COUNT(tests));
}
