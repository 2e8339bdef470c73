/* SPDX-License-Identifier: MIT */
/* copy_from and give_back: root slots that tables share. */
#include "lib_fixture.h"

/* `other` owns a page in the root slots 0 and 2; nothing in 1. */
static void make_other(struct lib *lib)
{
	create(lib, &lib->other);
	for (uint64_t i = 0; i <= 2; i += 2)
		expect(pt_map(&lib->other, pt_va(lib->va + i * lib->root), pt_pa(PA), lib->page, RW,
		              NULL),
		       PT_OK);
	clear_log(lib);
}

static pt_status copy(struct lib *lib, struct pt_table *to, struct pt_table *from, unsigned slot,
                      unsigned slots)
{
	return pt_copy_from(to, from, pt_va(lib->va + slot * lib->root), slots * lib->root, NULL);
}

static pt_status give_back(struct lib *lib, unsigned slot, unsigned slots)
{
	return pt_give_back(&lib->table, pt_va(lib->va + slot * lib->root), slots * lib->root,
	                    NULL);
}

static void the_borrower_may_query_and_may_not_change(void **state)
{
	struct lib *lib = *state;
	const pt_vaddr va = pt_va(lib->va);

	make_other(lib);
	expect(copy(lib, &lib->table, &lib->other, 0, 2), PT_OK);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	expect(query_of(&lib->table, lib->va + lib->page), PT_NOT_MAPPED);
	clear_log(lib);
	expect(map(lib, lib->va + lib->large, PA, lib->page, RW), PT_BORROWED);
	expect(unmap(lib, lib->va), PT_BORROWED);
	expect(pt_protect(&lib->table, va, RW, NULL, NULL), PT_BORROWED);
	expect(pt_remap(&lib->table, va, pt_pa(0), RW, NULL, NULL), PT_BORROWED);
	expect(pt_map_region(&lib->table, va, pt_pa(0), lib->page, RW, true, NULL), PT_BORROWED);
	expect(pt_unmap_region(&lib->table, va, lib->page, NULL), PT_BORROWED);
	expect(pt_protect_region(&lib->table, va, lib->page, RW, NULL), PT_BORROWED);
	assert_int_equal(lib->events, 0);
	/* the slot that was empty there is nobody's loan */
	expect(map(lib, lib->va + lib->root, PA, lib->page, RW), PT_OK);
	destroy(lib, &lib->table);
	destroy(lib, &lib->other);
	create(lib, &lib->table);
}

static void the_owner_may_change_what_is_below_a_lent_slot(void **state)
{
	struct lib *lib = *state;

	make_other(lib);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_OK);
	expect(pt_map(&lib->other, pt_va(lib->va + lib->large), pt_pa(PA), lib->large, RW, NULL),
	       PT_OK);
	assert_maps(&lib->table, lib->va + lib->large, PA, lib->large, RW);
	expect(pt_unmap(&lib->other, pt_va(lib->va), NULL, NULL), PT_OK);
	expect(query_of(&lib->table, lib->va), PT_NOT_MAPPED);
	/* the last leaf is the root entry's */
	clear_log(lib);
	expect(pt_unmap(&lib->other, pt_va(lib->va + lib->large), NULL, NULL), PT_BORROWED);
	expect(pt_unmap_region(&lib->other, pt_va(lib->va + lib->large), lib->large, NULL),
	       PT_BORROWED);
	expect(pt_destroy(&lib->other, NULL), PT_BORROWED);
	assert_int_equal(lib->events, 0);
	expect(give_back(lib, 0, 1), PT_OK);
	expect(query_of(&lib->table, lib->va + lib->large), PT_NOT_MAPPED);
	expect(pt_unmap(&lib->other, pt_va(lib->va + lib->large), NULL, NULL), PT_OK);
	destroy(lib, &lib->other);
}

static void what_the_borrower_held_is_freed_after_a_flush(void **state)
{
	struct lib *lib = *state;
	size_t i = 0;

	make_other(lib);
	expect(map(lib, lib->va + lib->page, PA, lib->page, PT_READ), PT_OK);
	clear_log(lib);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_OK);
	assert_int_equal(count_of(lib, FREE), lib->row->levels - 1u);
	while (lib->log[i].kind != FREE)
		i++;
	assert_int_equal(lib->log[i - 1].kind, FLUSH_ALL);
	expect(query_of(&lib->table, lib->va + lib->page), PT_NOT_MAPPED);
	if (lib->row->breaks) {
		/* empty, flushed, then linked: old leaves and new ones never meet */
		assert_int_equal(lib->log[0].kind, STORE);
		assert_int_equal(lib->log[lib->events - 1 - lib->row->remembers].kind, STORE);
		assert_int_equal(lib->log[lib->events - 1 - lib->row->remembers].at,
		                 lib->log[0].at);
		assert_int_equal(lib->log[lib->events - 1 - lib->row->remembers].before,
		                 lib->log[0].after);
	}
	expect(give_back(lib, 0, 1), PT_OK);
	destroy(lib, &lib->other);
}

static void copying_into_empty_slots_is_flushed_only_where_holes_are_remembered(void **state)
{
	struct lib *lib = *state;

	make_other(lib);
	expect(copy(lib, &lib->table, &lib->other, 0, 3), PT_OK);
	assert_int_equal(count_of(lib, STORE), 2);
	assert_int_equal(count_of(lib, FLUSH_ALL), lib->row->remembers);
	clear_log(lib);
	/* renewed: nothing changes */
	expect(copy(lib, &lib->table, &lib->other, 0, 3), PT_OK);
	assert_int_equal(lib->events, 0);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	expect(give_back(lib, 0, 3), PT_OK);
	assert_int_equal(count_of(lib, FLUSH_ALL), 1);
	destroy(lib, &lib->other);
}

static void a_loan_is_renewed_with_what_the_owner_has_now(void **state)
{
	struct lib *lib = *state;

	make_other(lib);
	expect(copy(lib, &lib->table, &lib->other, 0, 3), PT_OK);
	expect(pt_map(&lib->other, pt_va(lib->va + lib->root), pt_pa(PA), lib->page, RW, NULL),
	       PT_OK);
	expect(query_of(&lib->table, lib->va + lib->root), PT_NOT_MAPPED);
	expect(copy(lib, &lib->table, &lib->other, 0, 3), PT_OK);
	assert_maps(&lib->table, lib->va + lib->root, PA, lib->page, RW);
	expect(give_back(lib, 0, 2), PT_OK);
	expect(pt_destroy(&lib->other, NULL), PT_BORROWED);
	expect(give_back(lib, 2, 1), PT_OK);
	destroy(lib, &lib->other);
}

static void only_whole_root_slots_are_shared(void **state)
{
	struct lib *lib = *state;

	make_other(lib);
	expect(pt_copy_from(&lib->table, &lib->other, pt_va(lib->va + lib->page), lib->root, NULL),
	       PT_NOT_ALIGNED);
	expect(pt_copy_from(&lib->table, &lib->other, pt_va(lib->va), lib->large, NULL),
	       PT_NOT_ALIGNED);
	expect(pt_copy_from(&lib->table, &lib->other, pt_va(lib->va), 0, NULL), PT_BAD_SIZE);
	expect(pt_copy_from(&lib->table, &lib->other, pt_va((uint64_t)1 << 63), lib->root, NULL),
	       PT_BAD_ADDRESS);
	expect(pt_give_back(&lib->table, pt_va(lib->va), lib->large, NULL), PT_NOT_ALIGNED);
	expect(pt_give_back(&lib->table, pt_va(lib->va), 0, NULL), PT_BAD_SIZE);
	assert_int_equal(lib->events, 0);
	destroy(lib, &lib->other);
}

static void a_table_that_copies_from_itself_changes_nothing(void **state)
{
	struct lib *lib = *state;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	clear_log(lib);
	expect(copy(lib, &lib->table, &lib->table, 0, 3), PT_OK);
	assert_int_equal(lib->events, 0);
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	expect(unmap(lib, lib->va), PT_OK);
}

static void a_slot_is_lent_once_over_and_by_one_owner_at_a_time(void **state)
{
	struct lib *lib = *state;
	struct pt_table third;

	make_other(lib);
	create(lib, &third);
	expect(pt_map(&third, pt_va(lib->va + lib->root), pt_pa(PA), lib->page, RW, NULL), PT_OK);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_OK);
	clear_log(lib);
	expect(copy(lib, &lib->table, &third, 1, 1), PT_BORROWED); /* has a loan elsewhere */
	expect(copy(lib, &third, &lib->table, 0, 1), PT_BORROWED); /* is a loan itself */
	expect(copy(lib, &lib->other, &third, 0, 1), PT_BORROWED); /* is lent */
	assert_int_equal(lib->events, 0);
	/* two borrowers of one slot */
	expect(copy(lib, &third, &lib->other, 0, 1), PT_OK);
	assert_maps(&third, lib->va, PA, lib->page, RW);
	destroy(lib, &third); /* gives back; the other loan stays */
	assert_maps(&lib->table, lib->va, PA, lib->page, RW);
	expect(pt_destroy(&lib->other, NULL), PT_BORROWED);
	destroy(lib, &lib->table);
	destroy(lib, &lib->other);
	create(lib, &lib->table);
}

static void tables_of_another_backend_half_or_platform_do_not_share(void **state)
{
	struct lib *lib = *state;
	struct pt_platform platform = lib->platform;

	expect(pt_create(&lib->other, lib->row->backend, &platform, lib->row->half), PT_OK);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_BAD_ADDRESS);
	destroy(lib, &lib->other);
	if (lib->row->backend != &pt_aarch64)
		return;
	expect(pt_create(&lib->other, &pt_aarch64_el2, &lib->platform, PT_LOW), PT_OK);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_BAD_ADDRESS);
	destroy(lib, &lib->other);
}

static void a_lent_root_leaf_stays_whole(void **state)
{
	struct lib *lib = *state;

	if (!(lib->row->backend->leaf_sizes & lib->root))
		return;
	create(lib, &lib->other);
	expect(pt_map(&lib->other, pt_va(lib->va), pt_pa(0), lib->root, RW, NULL), PT_OK);
	expect(copy(lib, &lib->table, &lib->other, 0, 1), PT_OK);
	assert_maps(&lib->table, lib->va + 1, 1, lib->root, RW);
	clear_log(lib);
	expect(pt_protect(&lib->other, pt_va(lib->va), RX, NULL, NULL), PT_BORROWED);
	expect(pt_remap(&lib->other, pt_va(lib->va), pt_pa(0), RX, NULL, NULL), PT_BORROWED);
	expect(pt_unmap(&lib->other, pt_va(lib->va), NULL, NULL), PT_BORROWED);
	expect(pt_protect_region(&lib->other, pt_va(lib->va), lib->page, RX, NULL), PT_BORROWED);
	expect(pt_unmap_region(&lib->other, pt_va(lib->va), lib->page, NULL), PT_BORROWED);
	assert_int_equal(lib->events, 0);
	expect(give_back(lib, 0, 1), PT_OK);
	destroy(lib, &lib->other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_borrower_may_query_and_may_not_change),
		cmocka_unit_test(the_owner_may_change_what_is_below_a_lent_slot),
		cmocka_unit_test(what_the_borrower_held_is_freed_after_a_flush),
		cmocka_unit_test(
			copying_into_empty_slots_is_flushed_only_where_holes_are_remembered),
		cmocka_unit_test(a_loan_is_renewed_with_what_the_owner_has_now),
		cmocka_unit_test(only_whole_root_slots_are_shared),
		cmocka_unit_test(a_table_that_copies_from_itself_changes_nothing),
		cmocka_unit_test(a_slot_is_lent_once_over_and_by_one_owner_at_a_time),
		cmocka_unit_test(tables_of_another_backend_half_or_platform_do_not_share),
		cmocka_unit_test(a_lent_root_leaf_stays_whole),
	};

	return run_over_backends("share", tests, COUNT(tests));
}
