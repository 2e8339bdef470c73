/* SPDX-License-Identifier: MIT */
/* L8: what CPUs record in leaves, also between the library's load and its store, is not lost. */
#include "lib_uses.h"

/* ---- single calls ---- */

static void the_backend_tells_what_its_cpu_records(void **state)
{
	const struct lib *lib = *state;

	assert_int_equal(lib->row->backend->uses, records(lib) ? PT_ACCESSED | PT_DIRTY : 0);
}

static void a_leaf_starts_unused_but_on_riscv(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->large, RW), PT_OK);
	assert_queried(lib->va, starts_used(lib), starts_used(lib));
	expect(map(lib, lib->va + lib->large, PA, lib->page, 0), PT_OK);
	assert_queried(lib->va + lib->large, starts_used(lib), starts_used(lib));
	expect(unmap(lib, lib->va), PT_OK);
	expect(unmap(lib, lib->va + lib->large), PT_OK);
}

static void query_tells_each_use_alone_and_nothing_else_differs(void **state)
{
	struct lib *lib = *state;

	map_unused(lib, lib->va, lib->large);
	assert_queried(lib->va, false, false);
	set_uses(lib, lib->va, accessed_bit(lib->row), 0);
	assert_queried(lib->va + 5, true, false);
	set_uses(lib, lib->va, dirty_bit(lib->row), accessed_bit(lib->row));
	assert_queried(lib->va + 5, false, true);
	assert_maps(&lib->table, lib->va, PA, lib->large, RW);
	expect(map(lib, lib->va, PA, lib->page, RW), PT_MAPPED_TO_HUGE_PAGE);
	assert_int_equal(count_of(lib, STORE), 0);
	expect(unmap(lib, lib->va), PT_OK);
}

static void unmap_tells_what_is_recorded_up_to_its_store(void **state)
{
	struct lib *lib = *state;
	struct pt_mapping removed;

	map_unused(lib, lib->va, lib->page);
	in_between = dirty_bit(lib->row);
	expect(pt_unmap(&lib->table, pt_va(lib->va), &removed, NULL), PT_OK);
	assert_uses(&removed, false, true);
	map_unused(lib, lib->va, lib->large);
	set_uses(lib, lib->va, accessed_bit(lib->row), 0);
	expect(pt_unmap(&lib->table, pt_va(lib->va), &removed, NULL), PT_OK);
	assert_uses(&removed, true, false);
}

static void protect_tells_and_keeps_what_is_recorded_up_to_its_store(void **state)
{
	static const pt_flags flags[] = {PT_READ, RX, 0, RW, PT_READ | PT_DEVICE, RW};
	struct lib *lib = *state;
	struct pt_mapping replaced;

	map_unused(lib, lib->va, lib->page);
	set_uses(lib, lib->va, accessed_bit(lib->row), 0);
	in_between = dirty_bit(lib->row);
	for (size_t i = 0; i < COUNT(flags); i++) {
		expect(pt_protect(&lib->table, pt_va(lib->va), flags[i], &replaced, NULL), PT_OK);
		in_between = 0;
		assert_uses(&replaced, true, true);
		assert_queried(lib->va, true, true);
		assert_maps(&lib->table, lib->va, PA, lib->page, flags[i]);
	}
	expect(unmap(lib, lib->va), PT_OK);
}

static void protect_records_nothing_of_its_own(void **state)
{
	static const pt_flags flags[] = {PT_READ, 0, RW};
	struct lib *lib = *state;
	struct pt_mapping replaced;

	map_unused(lib, lib->va, lib->large);
	for (size_t i = 0; i < COUNT(flags); i++) {
		expect(pt_protect(&lib->table, pt_va(lib->va), flags[i], &replaced, NULL), PT_OK);
		assert_uses(&replaced, false, false);
		assert_queried(lib->va, false, false);
	}
	expect(unmap(lib, lib->va), PT_OK);
}

static void remap_keeps_them_only_with_the_address(void **state)
{
	struct lib *lib = *state;
	struct pt_mapping replaced;

	map_unused(lib, lib->va, lib->page);
	in_between = dirty_bit(lib->row);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(PA), PT_READ, &replaced, NULL), PT_OK);
	in_between = 0;
	assert_uses(&replaced, false, true);
	assert_queried(lib->va, false, true);
	set_uses(lib, lib->va, 0, dirty_bit(lib->row));
	in_between = accessed_bit(lib->row);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(0), PT_READ, &replaced, NULL), PT_OK);
	in_between = 0;
	assert_uses(&replaced, true, false);
	assert_queried(lib->va, starts_used(lib), starts_used(lib));
	expect(unmap(lib, lib->va), PT_OK);
}

static void a_change_to_what_is_there_stores_nothing(void **state)
{
	struct lib *lib = *state;
	struct pt_mapping replaced;

	map_unused(lib, lib->va, lib->page);
	set_uses(lib, lib->va, dirty_bit(lib->row), 0);
	expect(pt_protect(&lib->table, pt_va(lib->va), RW, &replaced, NULL), PT_OK);
	assert_uses(&replaced, false, true);
	expect(pt_remap(&lib->table, pt_va(lib->va), pt_pa(PA), RW, &replaced, NULL), PT_OK);
	assert_uses(&replaced, false, true);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), lib->page, RW, NULL), PT_OK);
	assert_int_equal(count_of(lib, STORE), 0);
	assert_no_flush(lib);
	expect(unmap(lib, lib->va), PT_OK);
}

/* ---- regions ---- */

static void protect_region_keeps_what_is_recorded_up_to_its_stores(void **state)
{
	struct lib *lib = *state;

	map_unused(lib, lib->va, lib->page);
	map_unused(lib, lib->va + 2 * lib->page, lib->page);
	set_uses(lib, lib->va, accessed_bit(lib->row), 0);
	in_between = dirty_bit(lib->row);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), 3 * lib->page, PT_READ, NULL), PT_OK);
	in_between = 0;
	assert_queried(lib->va, true, true);
	assert_queried(lib->va + 2 * lib->page, false, true);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), lib->page, PT_DEVICE, NULL), PT_OK);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), lib->page, RX, NULL), PT_OK);
	assert_queried(lib->va, true, true);
	expect(unmap(lib, lib->va), PT_OK);
	expect(unmap(lib, lib->va + 2 * lib->page), PT_OK);
}

static void each_part_of_a_split_leaf_is_as_used_as_it_was(void **state)
{
	struct lib *lib = *state;
	const uint64_t inside = lib->va + 3 * lib->page;

	for (unsigned huge = 0; huge < 2; huge++) {
		const uint64_t size = huge ? (uint64_t)1 << 30 : lib->large;

		if (!(lib->row->backend->leaf_sizes & size))
			continue;
		map_unused(lib, lib->va, size);
		set_uses(lib, lib->va, accessed_bit(lib->row), 0);
		in_between = dirty_bit(lib->row);
		expect(pt_protect_region(&lib->table, pt_va(inside), lib->page, PT_READ, NULL),
		       PT_OK);
		in_between = 0;
		assert_queried(lib->va, true, true);
		assert_queried(inside, true, true);
		assert_queried(lib->va + size - 1, true, true);
		assert_maps(&lib->table, inside, PA + 3 * lib->page, lib->page, PT_READ);
		expect(pt_unmap_region(&lib->table, pt_va(lib->va), size, NULL), PT_OK);
	}
}

static void a_split_records_nothing_of_its_own(void **state)
{
	struct lib *lib = *state;

	map_unused(lib, lib->va, lib->large);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), lib->page, NULL), PT_OK);
	assert_queried(lib->va + lib->page, false, false);
	assert_queried(lib->va + lib->large - 1, false, false);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va + lib->page), lib->large - lib->page,
	                       NULL),
	       PT_OK);
}

static void unmap_region_with_tells_of_every_leaf_that_goes(void **state)
{
	struct lib *lib = *state;
	struct told told = {0};
	const uint64_t size = 3 * lib->large;

	map_unused(lib, lib->va + lib->large, lib->large);
	for (uint64_t at = 0; at < lib->large; at += lib->page)
		map_unused(lib, lib->va + 2 * lib->large + at, lib->page);
	map_unused(lib, lib->va, lib->large);
	set_uses(lib, lib->va + size - lib->page, accessed_bit(lib->row), 0);
	in_between = dirty_bit(lib->row);
	/* a part of a large leaf, a whole one, and a whole table of pages */
	expect(pt_unmap_region_with(&lib->table, pt_va(lib->va + lib->page), size - lib->page, tell,
	                            &told, NULL),
	       PT_OK);
	in_between = 0;
	assert_int_equal(told.bytes, size - lib->page);
	assert_int_equal(told.leaves, 2 * (lib->large / lib->page));
	assert_int_equal(told.dirty, records(lib) ? told.leaves : 0);
	assert_int_equal(told.accessed, records(lib) ? 1 : 0);
	assert_true(told.in_order);
	assert_queried(lib->va, false, true);
	assert_true(flushed(lib, lib->va + lib->page));
	expect(unmap(lib, lib->va), PT_OK);
	assert_int_equal(lib->in_use, lib->row->fixed_frames);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_backend_tells_what_its_cpu_records),
		cmocka_unit_test(a_leaf_starts_unused_but_on_riscv),
		cmocka_unit_test(query_tells_each_use_alone_and_nothing_else_differs),
		cmocka_unit_test(unmap_tells_what_is_recorded_up_to_its_store),
		cmocka_unit_test(protect_tells_and_keeps_what_is_recorded_up_to_its_store),
		cmocka_unit_test(protect_records_nothing_of_its_own),
		cmocka_unit_test(remap_keeps_them_only_with_the_address),
		cmocka_unit_test(a_change_to_what_is_there_stores_nothing),
		cmocka_unit_test(protect_region_keeps_what_is_recorded_up_to_its_stores),
		cmocka_unit_test(each_part_of_a_split_leaf_is_as_used_as_it_was),
		cmocka_unit_test(a_split_records_nothing_of_its_own),
		cmocka_unit_test(unmap_region_with_tells_of_every_leaf_that_goes),
	};

	return run_over_backends("accessed", tests, COUNT(tests));
}
