/* SPDX-License-Identifier: MIT */
/* Tables that others wrote into, and what single entries look like. */
#include "lib_tables.h"

#define MALFORMED 2 /* on every architecture, in every level */
#define OUTSIDE   ((uint64_t)0x3000000)

/* Every call that meets what is now at the start of the range. */
static void assert_every_call_says_malformed(struct lib *lib)
{
	const pt_vaddr va = pt_va(lib->va);

	clear_log(lib);
	expect(query_of(&lib->table, lib->va), PT_MALFORMED);
	expect(map(lib, lib->va, PA, lib->page, RW), PT_MALFORMED);
	expect(unmap(lib, lib->va), PT_MALFORMED);
	expect(pt_protect(&lib->table, va, RW, NULL, NULL), PT_MALFORMED);
	expect(pt_remap(&lib->table, va, pt_pa(0), RW, NULL, NULL), PT_MALFORMED);
	/* before what is or isn't mapped elsewhere in the range */
	expect(pt_map_region(&lib->table, va, pt_pa(PA), 2 * lib->large, RW, false, NULL),
	       PT_MALFORMED);
	expect(pt_unmap_region(&lib->table, va, 2 * lib->large, NULL), PT_MALFORMED);
	expect(pt_protect_region(&lib->table, va, 2 * lib->large, RW, NULL), PT_MALFORMED);
	assert_int_equal(lib->events, 0);
	settle(lib);
}

static void a_malformed_entry_stops_every_call_and_nothing_changes(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	for (unsigned level = 0; level < lib->row->levels; level++) {
		const uint64_t frame = frame_of(&lib->table, level);
		const size_t index = level == 0 ? root_index(lib) : 0;
		const uint64_t entry = get_entry(lib, frame, index);

		set_entry(lib, frame, index, MALFORMED);
		assert_every_call_says_malformed(lib);
		set_entry(lib, frame, index, entry);
	}
	expect(unmap(lib, lib->va), PT_OK);
}

/* LA 4.2.5: a CPU ignores what is above the address, and what it meets is the hole. */
static void only_an_empty_loongarch_slot_leads_to_the_hole(void **state)
{
	struct lib *lib = *state;

	if (lib->row->backend != &pt_loongarch64)
		return;
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	for (unsigned level = 0; level + 1 < lib->row->levels; level++) {
		const uint64_t frame = frame_of(&lib->table, level);
		const size_t index = level == 0 ? root_index(lib) : 0;
		const uint64_t entry = get_entry(lib, frame, index);

		set_entry(lib, frame, index, lib->table.hole.value | (uint64_t)1 << 50);
		assert_every_call_says_malformed(lib);
		set_entry(lib, frame, index, entry);
	}
	expect(unmap(lib, lib->va), PT_OK);
}

static enum pt_walk_next count_visits(void *context, const struct pt_visit *visit)
{
	(void)visit;
	++*(size_t *)context;
	return PT_WALK_ON;
}

static void a_table_that_is_not_memory_is_malformed_and_not_entered(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	for (unsigned level = 0; level + 1 < lib->row->levels; level++) {
		const uint64_t frame = frame_of(&lib->table, level);
		const size_t index = level == 0 ? root_index(lib) : 0;
		const uint64_t entry = get_entry(lib, frame, index);
		size_t visits = 0;

		set_entry(lib, frame, index,
		          redirect(lib, entry, frame_of(&lib->table, level + 1), OUTSIDE));
		assert_every_call_says_malformed(lib);
		pt_walk(&lib->table, SIZE_MAX, count_visits, NULL, &visits);
		assert_int_equal(visits, level + 1);
		set_entry(lib, frame, index, entry);
	}
}

static void destroy_passes_by_a_table_that_is_not_memory(void **state)
{
	struct lib *lib = *state;

	for (unsigned level = 0; level + 1 < lib->row->levels; level++) {
		const size_t orphans = lib->row->levels - 1u - level;
		uint64_t frame;
		size_t index = level == 0 ? root_index(lib) : 0;

		expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
		frame = frame_of(&lib->table, level);
		set_entry(lib, frame, index,
		          redirect(lib, get_entry(lib, frame, index),
		                   frame_of(&lib->table, level + 1), OUTSIDE));
		destroy(lib, &lib->table);
		assert_int_equal(lib->in_use, orphans);
		for (size_t i = 0; i < FRAMES; i++) {
			if (lib->used[i])
				lib_free_frame(lib, pt_pa(WINDOW + i * lib->page));
		}
		create(lib, &lib->table);
	}
}

static void malformed_root_entries_are_neither_lent_nor_replaced(void **state)
{
	struct lib *lib = *state;
	struct pt_table *const bad[] = {&lib->table, &lib->other};

	create(lib, &lib->other);
	expect(pt_map(&lib->other, pt_va(lib->va), pt_pa(PA), lib->page, RW, NULL), PT_OK);
	for (size_t i = 0; i < COUNT(bad); i++) {
		const uint64_t root = bad[i]->root.value;
		const uint64_t entry = get_entry(lib, root, root_index(lib));

		set_entry(lib, root, root_index(lib), MALFORMED);
		clear_log(lib);
		expect(pt_copy_from(&lib->table, &lib->other, pt_va(lib->va), lib->root, NULL),
		       PT_MALFORMED);
		assert_int_equal(lib->events, 0);
		set_entry(lib, root, root_index(lib), entry);
	}
	destroy(lib, &lib->other);
}

/*
 * The last table under one slot of an upper table is also what the next slot leads to,
 * one level up: what a region call stores there as leaves, it would meet again as tables.
 */
static void a_table_at_two_levels_is_malformed_to_region_calls(void **state)
{
	struct lib *lib = *state;
	const unsigned upper = lib->row->levels - 3u;
	const size_t slot = upper == 0 ? root_index(lib) : 0;
	const uint64_t span = (uint64_t)1 << (lib->row->root_shift - 9 * upper);
	const pt_vaddr va = pt_va(lib->va + span - lib->large);
	const uint64_t size = lib->large + 2 * lib->page;
	uint64_t frame, entry;

	expect(map(lib, va.value + 5 * lib->page, PA, lib->page, RW), PT_OK);
	frame = frame_of(&lib->table, upper);
	entry = get_entry(lib, frame, slot + 1);
	set_entry(lib, frame, slot + 1,
	          redirect(lib, get_entry(lib, frame, slot), frame_of(&lib->table, upper + 1),
	                   frame_of(&lib->table, upper + 2)));
	clear_log(lib);
	expect(pt_map_region(&lib->table, va, pt_pa(PA), size, RW, false, NULL), PT_MALFORMED);
	expect(pt_unmap_region(&lib->table, va, size, NULL), PT_MALFORMED);
	expect(pt_protect_region(&lib->table, va, size, RW, NULL), PT_MALFORMED);
	assert_int_equal(lib->events, 0);
	set_entry(lib, frame, slot + 1, entry);
	expect(unmap(lib, va.value + 5 * lib->page), PT_OK);
}

static void a_table_that_takes_rights_away_can_be_queried_and_not_changed(void **state)
{
	struct lib *lib = *state;
	const uint64_t root = lib->table.root.value;
	const bool x86 = strncmp(lib->row->backend->name, "x86", 3) == 0;
	const bool arm = strncmp(lib->row->backend->name, "aarch64", 7) == 0;
	/* R/W; APTable[1] */
	const uint64_t change = x86 ? 2 : arm ? (uint64_t)1 << 62 : 0;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va + lib->page, PA, lib->page, 0), PT_OK);
	if (change == 0)
		return;
	set_entry(lib, root, root_index(lib), get_entry(lib, root, root_index(lib)) ^ change);
	clear_log(lib);
	assert_maps(&lib->table, lib->va, PA, lib->page, PT_READ);
	expect(map(lib, lib->va + 2 * lib->page, PA, lib->page, RW), PT_MALFORMED);
	expect(unmap(lib, lib->va), PT_MALFORMED);
	expect(pt_protect(&lib->table, pt_va(lib->va), RW, NULL, NULL), PT_MALFORMED);
	expect(pt_map_region(&lib->table, pt_va(lib->va + lib->large), pt_pa(PA), lib->page, RW,
	                     false, NULL),
	       PT_MALFORMED);
	expect(pt_unmap_region(&lib->table, pt_va(lib->va), lib->page, NULL), PT_MALFORMED);
	expect(pt_protect_region(&lib->table, pt_va(lib->va), lib->page, RW, NULL), PT_MALFORMED);
	assert_int_equal(lib->events, 0);
}

/* ------------------------------------------------------------ single entries */

static uint64_t page_entry(struct lib *lib, pt_flags flags)
{
	clear_log(lib);
	expect(map(lib, lib->va, PA, lib->page, flags), PT_OK);
	return get_entry(lib, frame_of(&lib->table, lib->row->levels - 1u), 0);
}

static void a_no_access_leaf_names_no_memory_on_x86(void **state)
{
	struct lib *lib = *state;

	if (strncmp(lib->row->backend->name, "x86", 3) != 0)
		return;
	/* CVE-2018-3620: P = 0, and no bit of the address as it is */
	assert_int_equal(page_entry(lib, 0) & 0x000ffffffffff001, ~PA & 0x000ffffffffff000);
	assert_maps(&lib->table, lib->va, PA, lib->page, 0);
}

static void a_user_mapping_is_never_global(void **state)
{
	struct lib *lib = *state;
	const char *name = lib->row->backend->name;
	bool global = true;
	uint64_t entry;

	if (lib->row->one_privilege || strncmp(name, "fake", 4) == 0)
		return;
	entry = page_entry(lib, RW | PT_USER);
	if (name[0] == 'x')
		global = entry >> 8 & 1; /* G */
	else if (name[0] == 'a')
		global = !(entry >> 11 & 1); /* nG */
	else if (name[0] == 'r')
		global = entry >> 5 & 1; /* G */
	else if (name[0] == 'l')
		global = entry >> 6 & 1; /* G */
	assert_false(global);
}

static void empty_loongarch_directories_lead_to_the_hole_and_never_to_address_zero(void **state)
{
	struct lib *lib = *state;
	const unsigned entries = 512;

	if (lib->row->backend != &pt_loongarch64)
		return;
	expect(map(lib, lib->va + 5 * lib->page, PA, lib->page, RW), PT_OK);
	for (unsigned level = 0; level < 3; level++) {
		const uint64_t frame = frame_of(&lib->table, level);

		for (unsigned i = 0; i < entries; i++) {
			const uint64_t entry = get_entry(lib, frame, i);

			assert_int_not_equal(entry, 0);
			assert_true(entry == lib->table.hole.value ||
			            entry == frame_of(&lib->table, level + 1));
		}
	}
	/* from there every walk faults: as a directory it leads to itself, as a page V = 0 */
	for (unsigned i = 0; i < entries; i++)
		assert_int_equal(get_entry(lib, lib->table.hole.value, i), lib->table.hole.value);
	expect(unmap(lib, lib->va + 5 * lib->page), PT_OK);
	assert_int_equal(get_entry(lib, lib->table.root.value, root_index(lib)),
	                 lib->table.hole.value);
}

static void the_hole_leads_to_itself_from_every_slot_of_its_frame(void **state)
{
	struct lib *lib = *state;
	const uint64_t empty = get_entry(lib, lib->table.root.value, root_index(lib));

	if (!lib->row->hole_frame)
		return;
	assert_int_equal(empty & ~(uint64_t)(lib->page - 1), lib->table.hole.value);
	for (size_t i = 0; i < lib->page / lib->row->entry_bytes; i++)
		assert_int_equal(get_entry(lib, lib->table.hole.value, i), empty);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_malformed_entry_stops_every_call_and_nothing_changes),
		cmocka_unit_test(only_an_empty_loongarch_slot_leads_to_the_hole),
		cmocka_unit_test(a_table_that_is_not_memory_is_malformed_and_not_entered),
		cmocka_unit_test(destroy_passes_by_a_table_that_is_not_memory),
		cmocka_unit_test(malformed_root_entries_are_neither_lent_nor_replaced),
		cmocka_unit_test(a_table_at_two_levels_is_malformed_to_region_calls),
		cmocka_unit_test(a_table_that_takes_rights_away_can_be_queried_and_not_changed),
		cmocka_unit_test(a_no_access_leaf_names_no_memory_on_x86),
		cmocka_unit_test(a_user_mapping_is_never_global),
		cmocka_unit_test(the_hole_leads_to_itself_from_every_slot_of_its_frame),
		cmocka_unit_test(
			empty_loongarch_directories_lead_to_the_hole_and_never_to_address_zero),
	};

	return run_over_backends("malformed", tests, COUNT(tests));
}
