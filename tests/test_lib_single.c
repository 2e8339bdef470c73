/* SPDX-License-Identifier: MIT */
/* The calls on one leaf, over every backend. */
#include "lib_fixture.h"

static bool is_expressible(const struct row *row, pt_flags flags)
{
	if ((flags & PT_DEVICE) && (flags & PT_UNCACHED))
		return false;
	if (row->one_privilege && (flags & PT_USER))
		return false;
	if (flags & PT_READ)
		return true;
	return !((flags & PT_WRITE) && !row->write_alone) &&
	       !((flags & PT_EXECUTE) && row->read_with_execute);
}

static void map_is_faithful_for_every_flag_set_and_size_or_refuses(void **state)
{
	struct lib *lib = *state;

	for (uint64_t size = lib->page; size <= PA; size <<= 1) {
		if (!(lib->row->backend->leaf_sizes & size)) {
			expect(map(lib, lib->va, PA, size, RW), PT_BAD_SIZE);
			continue;
		}
		for (pt_flags flags = 0; flags <= PT_FLAGS_ALL + 1; flags++) {
			const bool good = flags <= PT_FLAGS_ALL && is_expressible(lib->row, flags);

			expect(map(lib, lib->va, PA, size, flags), good ? PT_OK : PT_BAD_FLAGS);
			expect(query_of(&lib->table, lib->va), good ? PT_OK : PT_NOT_MAPPED);
			if (!good)
				continue;
			assert_maps(&lib->table, lib->va, PA, size, flags);
			assert_maps(&lib->table, lib->va + size - 1, PA + size - 1, size, flags);
			expect(query_of(&lib->table, lib->va + size), PT_NOT_MAPPED);
			expect(unmap(lib, lib->va), PT_OK);
			clear_log(lib);
		}
	}
}

/* What can be wrong with a map(), in the order of the contract. */
enum {
	WRONG_SIZE = 1,
	WRONG_ADDRESS = 2,
	WRONG_ALIGNMENT = 4,
	WRONG_FLAGS = 8,
	WRONG_OWNER = 16,
};

static pt_status wrong_map(struct lib *lib, unsigned wrong)
{
	const uint64_t va = lib->va + (wrong & WRONG_OWNER ? lib->root : 0);
	const uint64_t wide = (uint64_t)1 << lib->row->backend->paddr_bits;

	return pt_map(&lib->table, pt_va(va + (wrong & WRONG_ALIGNMENT ? 8 : 0)),
	              pt_pa(wrong & WRONG_ADDRESS ? wide : PA),
	              wrong & WRONG_SIZE ? 2 * lib->page : lib->page,
	              wrong & WRONG_FLAGS ? PT_DEVICE | PT_UNCACHED : RW, NULL);
}

static void of_several_statuses_the_first_in_the_order_is_returned(void **state)
{
	static const pt_status first[] = {PT_BAD_SIZE, PT_BAD_ADDRESS, PT_NOT_ALIGNED, PT_BAD_FLAGS,
	                                  PT_BORROWED};
	struct lib *lib = *state;

	create(lib, &lib->other);
	expect(pt_map(&lib->other, pt_va(lib->va + lib->root), pt_pa(PA), lib->page, RW, NULL),
	       PT_OK);
	expect(pt_copy_from(&lib->table, &lib->other, pt_va(lib->va + lib->root), lib->root, NULL),
	       PT_OK);
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	lib->allocations = 0;
	for (unsigned wrong = 1; wrong < 32; wrong++)
		expect(wrong_map(lib, wrong), first[__builtin_ctz(wrong)]);
	/* the mapping's state comes before the memory */
	expect(wrong_map(lib, 0), PT_ALREADY_MAPPED);
	expect(map(lib, lib->va + lib->large, PA, lib->page, RW), PT_NO_MEMORY);
	assert_int_equal(lib->events, 0);
	expect(pt_destroy(&lib->table, NULL), PT_OK);
	expect(pt_destroy(&lib->other, NULL), PT_OK);
	lib->allocations = SIZE_MAX;
	create(lib, &lib->table);
}

static void an_address_outside_of_the_half_is_bad_for_every_call(void **state)
{
	struct lib *lib = *state;
	const bool high = lib->va >> 63;
	const uint64_t bad[] = {
		(uint64_t)1 << 63,
		lib->row->half == PT_WHOLE ? (uint64_t)1 << 62 : lib->va ^ ~(uint64_t)0 << 62,
		high && lib->row->half == PT_HIGH ? 0 : (uint64_t)1 << 61,
	};
	struct pt_mapping replaced;

	for (size_t i = 0; i < COUNT(bad); i++) {
		expect(map(lib, bad[i], PA, lib->page, RW), PT_BAD_ADDRESS);
		expect(unmap(lib, bad[i]), PT_BAD_ADDRESS);
		expect(pt_protect(&lib->table, pt_va(bad[i]), RW, &replaced, NULL), PT_BAD_ADDRESS);
		expect(pt_remap(&lib->table, pt_va(bad[i]), pt_pa(0), RW, &replaced, NULL),
		       PT_BAD_ADDRESS);
		expect(query_of(&lib->table, bad[i]), PT_BAD_ADDRESS);
		expect(pt_map_region(&lib->table, pt_va(bad[i]), pt_pa(0), lib->page, RW, true,
		                     NULL),
		       PT_BAD_ADDRESS);
		expect(pt_unmap_region(&lib->table, pt_va(bad[i]), lib->page, NULL),
		       PT_BAD_ADDRESS);
		expect(pt_protect_region(&lib->table, pt_va(bad[i]), lib->page, RW, NULL),
		       PT_BAD_ADDRESS);
		expect(pt_give_back(&lib->table, pt_va(bad[i]), lib->root, NULL), PT_BAD_ADDRESS);
	}
}

static void the_last_page_of_the_half_can_be_mapped_and_no_byte_more(void **state)
{
	struct lib *lib = *state;
	const uint64_t half = lib->row->half == PT_LOW || lib->va >> 63 == 0 ? 0 : 1;
	uint64_t last = half ? 0 - lib->page : lib->va;

	/* upward until the canonical range ends */
	for (uint64_t step = (uint64_t)1 << 60; !half && step >= lib->page; step >>= 1) {
		if (query_of(&lib->table, last + step) != PT_BAD_ADDRESS)
			last += step;
	}
	expect(map(lib, last, PA, lib->page, RW), PT_OK);
	assert_maps(&lib->table, last + lib->page - 1, PA + lib->page - 1, lib->page, RW);
	expect(query_of(&lib->table, last + lib->page),
	       half && lib->row->half == PT_WHOLE ? PT_NOT_MAPPED : PT_BAD_ADDRESS);
	expect(pt_map_region(&lib->table, pt_va(last), pt_pa(PA), 2 * lib->page, RW, false, NULL),
	       PT_BAD_ADDRESS);
	expect(pt_unmap_region(&lib->table, pt_va(last), lib->page, NULL), PT_OK);
}

static void a_call_inside_of_a_leaf_is_not_aligned(void **state)
{
	struct lib *lib = *state;
	struct pt_mapping removed = {.size = 7};
	struct pt_mapping replaced = {.size = 7};
	const pt_vaddr inside = pt_va(lib->va + lib->page);

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	expect(pt_unmap(&lib->table, inside, &removed, NULL), PT_NOT_ALIGNED);
	expect(pt_protect(&lib->table, inside, RW, &replaced, NULL), PT_NOT_ALIGNED);
	expect(pt_remap(&lib->table, inside, pt_pa(PA), RW, &replaced, NULL), PT_NOT_ALIGNED);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(PA + lib->page), RW, &replaced, NULL),
	       PT_NOT_ALIGNED);
	expect(map(lib, inside.value, PA, lib->page, RW), PT_MAPPED_TO_HUGE_PAGE);
	assert_int_equal(removed.size + replaced.size, 14);
}

static void unmap_protect_and_remap_tell_what_they_did(void **state)
{
	struct lib *lib = *state;
	struct pt_mapping removed;
	struct pt_mapping replaced;

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	expect(pt_protect(&lib->table, pt_va(lib->va), PT_READ, &replaced, NULL), PT_OK);
	assert_int_equal(replaced.vaddr.value, lib->va);
	assert_int_equal(replaced.paddr.value, PA);
	assert_int_equal(replaced.size, lib->large);
	assert_int_equal(replaced.flags, RW);
	assert_maps(&lib->table, lib->va, PA, lib->large, PT_READ);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(0), PT_DEVICE, &replaced, NULL), PT_OK);
	assert_maps(&lib->table, lib->va + 5, 5, lib->large, PT_DEVICE);
	expect(pt_unmap(&lib->table, pt_va(lib->va), &removed, NULL), PT_OK);
	assert_int_equal(removed.vaddr.value, lib->va);
	assert_int_equal(removed.paddr.value, 0);
	assert_int_equal(removed.size, lib->large);
	assert_int_equal(removed.flags, PT_DEVICE);
	expect(unmap(lib, lib->va), PT_NOT_MAPPED);
	expect(pt_protect(&lib->table, pt_va(lib->va), RW, NULL, NULL), PT_NOT_MAPPED);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(0), RW, NULL, NULL), PT_NOT_MAPPED);
}

static void a_table_that_loses_its_last_entry_is_freed(void **state)
{
	struct lib *lib = *state;
	const size_t before = lib->in_use;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va + lib->page, PA, lib->page, 0), PT_OK);
	assert_int_equal(lib->in_use, before + lib->row->levels - 1);
	expect(unmap(lib, lib->va), PT_OK);
	assert_int_equal(lib->in_use, before + lib->row->levels - 1);
	expect(unmap(lib, lib->va + lib->page), PT_OK);
	assert_int_equal(lib->in_use, before);
}

static void a_refused_frame_leaves_nothing_behind_whichever_it_is(void **state)
{
	struct lib *lib = *state;
	const size_t before = lib->in_use;

	for (size_t k = 0; k < lib->row->levels - 1u; k++) {
		clear_log(lib);
		lib->allocations = k;
		expect(map(lib, lib->va, PA, lib->page, RW), PT_NO_MEMORY);
		assert_int_equal(lib->in_use, before);
		assert_int_equal(count_of(lib, STORE), 0);
		assert_no_flush(lib);
		expect(query_of(&lib->table, lib->va), PT_NOT_MAPPED);
	}
	lib->allocations = lib->row->levels - 1u;
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	assert_int_equal(lib->in_use, before + lib->row->levels - 1);
}

/* ------------------------------------------------------------- the stores */

static void goes_before_or_after(struct lib *lib, const struct event *store)
{
	const pt_status status = query_of(&lib->table, lib->va);

	(void)store;
	if (status == PT_OK)
		assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	else
		expect(status, PT_NOT_MAPPED);
	/* frames come full of pages: a table linked before it is cleared would show them */
	expect(query_of(&lib->table, lib->va + lib->page), PT_NOT_MAPPED);
	expect(query_of(&lib->table, lib->va + lib->large), PT_NOT_MAPPED);
}

static void a_table_is_linked_only_when_it_is_complete(void **state)
{
	struct lib *lib = *state;

	lib->watch = goes_before_or_after;
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	assert_int_equal(count_of(lib, STORE), lib->row->levels);
	clear_log(lib);
	expect(unmap(lib, lib->va), PT_OK);
	settle(lib);
}

/* The store that makes, after the store that breaks and its flush. */
static void assert_broken_before_made(struct lib *lib, uint64_t va)
{
	const struct event *log = lib->log;

	assert_true(lib->events >= 3);
	assert_int_equal(log[0].kind, STORE);
	assert_int_equal(log[1].kind, FLUSH);
	assert_int_equal(log[1].at, va);
	assert_int_equal(log[2].kind, STORE);
	assert_int_equal(log[0].at, log[2].at);
	assert_int_equal(log[0].after, log[2].before);
}

static void a_new_address_is_broken_before_made_where_the_architecture_demands_it(void **state)
{
	struct lib *lib = *state;
	const bool demands = lib->row->breaks && lib->row->backend != &pt_loongarch64;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(PA + lib->page), RW, NULL, NULL), PT_OK);
	if (demands)
		assert_broken_before_made(lib, lib->va);
	else
		assert_int_equal(count_of(lib, STORE), 1);
	assert_true(flushed(lib, lib->va));
}

static void fewer_rights_take_one_store_and_a_flush(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	expect(pt_protect(&lib->table, pt_va(lib->va), PT_READ, NULL, NULL), PT_OK);
	assert_int_equal(lib->events, 2);
	assert_int_equal(lib->log[0].kind, STORE);
	assert_int_equal(lib->log[1].kind, FLUSH);
	assert_int_equal(lib->log[1].at, lib->va);
	clear_log(lib);
	/* what is so already needs neither */
	expect(pt_protect(&lib->table, pt_va(lib->va), PT_READ, NULL, NULL), PT_OK);
	assert_int_equal(lib->events, 0);
}

static void mapping_a_hole_is_flushed_only_where_the_cpu_remembers_holes(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	if (!lib->row->remembers && !lib->row->all_for_table)
		assert_no_flush(lib);
	if (lib->row->all_for_table)
		assert_int_equal(count_of(lib, FLUSH_ALL), 1); /* new tables */
	clear_log(lib);
	expect(map(lib, lib->va + lib->page, PA, lib->page, RW), PT_OK);
	assert_int_equal(count_of(lib, FLUSH), lib->row->remembers);
	assert_int_equal(count_of(lib, FLUSH_ALL), 0);
	clear_log(lib);
	expect(map(lib, lib->va + lib->large, PA, lib->large, RW), PT_OK);
	assert_int_equal(count_of(lib, FLUSH_ALL), lib->row->remembers && lib->row->hole_frame);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_is_faithful_for_every_flag_set_and_size_or_refuses),
		cmocka_unit_test(of_several_statuses_the_first_in_the_order_is_returned),
		cmocka_unit_test(an_address_outside_of_the_half_is_bad_for_every_call),
		cmocka_unit_test(the_last_page_of_the_half_can_be_mapped_and_no_byte_more),
		cmocka_unit_test(a_call_inside_of_a_leaf_is_not_aligned),
		cmocka_unit_test(unmap_protect_and_remap_tell_what_they_did),
		cmocka_unit_test(a_table_that_loses_its_last_entry_is_freed),
		cmocka_unit_test(a_refused_frame_leaves_nothing_behind_whichever_it_is),
		cmocka_unit_test(a_table_is_linked_only_when_it_is_complete),
		cmocka_unit_test(
			a_new_address_is_broken_before_made_where_the_architecture_demands_it),
		cmocka_unit_test(fewer_rights_take_one_store_and_a_flush),
		cmocka_unit_test(mapping_a_hole_is_flushed_only_where_the_cpu_remembers_holes),
	};

	return run_over_backends("single", tests, COUNT(tests));
}
