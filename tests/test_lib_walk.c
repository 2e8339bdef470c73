/* SPDX-License-Identifier: MIT */
/* walk: what is visited, in which order, and where it stops. */
#include "lib_tables.h"

struct trace {
	struct pt_visit visits[256];
	bool post[256];
	size_t count;
	unsigned stop_level, skip_level;
};

static enum pt_walk_next note(struct trace *trace, const struct pt_visit *visit, bool post)
{
	assert_true(trace->count < COUNT(trace->visits));
	trace->visits[trace->count] = *visit;
	trace->post[trace->count++] = post;
	if (visit->level == trace->stop_level)
		return PT_WALK_STOP;
	return visit->level == trace->skip_level ? PT_WALK_SKIP : PT_WALK_ON;
}

static enum pt_walk_next note_pre(void *context, const struct pt_visit *visit)
{
	return note(context, visit, false);
}

static enum pt_walk_next note_post(void *context, const struct pt_visit *visit)
{
	return note(context, visit, true);
}

static struct trace walk(struct lib *lib, size_t limit, bool pre, bool post, unsigned stop,
                         unsigned skip)
{
	struct trace trace = {.stop_level = stop, .skip_level = skip};

	clear_log(lib);
	pt_walk(&lib->table, limit, pre ? note_pre : NULL, post ? note_post : NULL, &trace);
	settle(lib);
	assert_int_equal(lib->events, 0);
	return trace;
}

#define NEVER 99

/* Two pages in one table, a large leaf after them, and a page in the next root slot. */
static void map_four(struct lib *lib)
{
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va + 3 * lib->page, PA, lib->page, 0), PT_OK);
	expect(map(lib, lib->va + 2 * lib->large, PA, lib->large, PT_READ), PT_OK);
	expect(map(lib, lib->va + lib->root, PA, lib->page, RW), PT_OK);
}

static void every_present_entry_is_visited_in_address_order(void **state)
{
	struct lib *lib = *state;
	const unsigned last = lib->row->levels - 1;
	struct trace trace;
	uint64_t before = 0;
	size_t leaves = 0;

	map_four(lib);
	trace = walk(lib, SIZE_MAX, true, false, NEVER, NEVER);
	assert_int_equal(trace.count, 2 * last + 4);
	for (size_t i = 0; i < trace.count; i++) {
		const struct pt_visit *visit = &trace.visits[i];

		assert_true(visit->vaddr.value >= before);
		before = visit->vaddr.value;
		leaves += visit->kind == PT_ENTRY_LEAF;
		if (visit->kind == PT_ENTRY_TABLE) {
			assert_int_equal(visit->mapping.size, 0);
			assert_int_equal(visit->level + 1, trace.visits[i + 1].level);
		} else {
			assert_int_equal(visit->kind, PT_ENTRY_LEAF);
			assert_int_equal(visit->next.value, 0);
		}
	}
	assert_int_equal(leaves, 4);
}

static void a_visit_tells_level_index_canonical_address_and_mapping(void **state)
{
	struct lib *lib = *state;
	const unsigned last = lib->row->levels - 1;
	struct trace trace;

	map_four(lib);
	trace = walk(lib, SIZE_MAX, true, false, NEVER, NEVER);
	assert_int_equal(trace.visits[0].level, 0);
	assert_int_equal(trace.visits[0].index, root_index(lib));
	assert_int_equal(trace.visits[0].vaddr.value, lib->va);
	assert_int_equal(trace.visits[0].entry,
	                 get_entry(lib, lib->table.root.value, root_index(lib)));
	assert_int_equal(trace.visits[last + 1].level, last);
	assert_int_equal(trace.visits[last + 1].index, 3);
	assert_int_equal(trace.visits[last + 1].vaddr.value, lib->va + 3 * lib->page);
	assert_int_equal(trace.visits[last + 1].mapping.vaddr.value, lib->va + 3 * lib->page);
	assert_int_equal(trace.visits[last + 1].mapping.flags, 0);
	assert_int_equal(trace.visits[last + 2].level, last - 1);
	assert_int_equal(trace.visits[last + 2].mapping.size, lib->large);
	assert_int_equal(trace.visits[last + 2].mapping.paddr.value, PA);
	assert_int_equal(trace.visits[last + 2].mapping.flags, PT_READ);
	assert_int_equal(trace.visits[last + 3].vaddr.value, lib->va + lib->root);
}

static void pre_comes_before_what_lies_below_and_post_after(void **state)
{
	struct lib *lib = *state;
	const unsigned levels = lib->row->levels;
	struct trace trace;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	trace = walk(lib, SIZE_MAX, true, true, NEVER, NEVER);
	assert_int_equal(trace.count, 2 * levels);
	for (unsigned i = 0; i < levels; i++) {
		assert_int_equal(trace.visits[i].level, i);
		assert_false(trace.post[i]);
		assert_int_equal(trace.visits[2 * levels - 1 - i].level, i);
		assert_true(trace.post[2 * levels - 1 - i]);
	}
	assert_int_equal(walk(lib, SIZE_MAX, false, true, NEVER, NEVER).count, levels);
	assert_int_equal(walk(lib, SIZE_MAX, false, false, NEVER, NEVER).count, 0);
}

static void the_limit_bounds_the_entries_visited_in_each_table(void **state)
{
	struct lib *lib = *state;
	const unsigned last = lib->row->levels - 1;

	map_four(lib);
	assert_int_equal(walk(lib, 0, true, true, NEVER, NEVER).count, 0);
	assert_int_equal(walk(lib, 1, true, false, NEVER, NEVER).count, last + 1);
	assert_int_equal(walk(lib, 2, true, false, NEVER, NEVER).count, 2 * last + 4);
}

static void skip_spares_what_is_below_and_stop_ends_it_all(void **state)
{
	struct lib *lib = *state;

	map_four(lib);
	assert_int_equal(walk(lib, SIZE_MAX, true, false, NEVER, 0).count, 2);
	assert_int_equal(walk(lib, SIZE_MAX, true, true, NEVER, 0).count, 4);
	assert_int_equal(walk(lib, SIZE_MAX, true, true, 0, NEVER).count, 1);
	/* post: the first leaf that is left */
	assert_int_equal(walk(lib, SIZE_MAX, false, true, lib->row->levels - 1u, NEVER).count, 1);
}

static void slots_that_no_address_of_the_half_leads_to_are_not_visited(void **state)
{
	struct lib *lib = *state;
	const size_t slots = lib->row->root_slots;
	const size_t index = root_index(lib);
	uint64_t empty;

	if (lib->row->backend != &pt_loongarch64)
		return; /* elsewhere each slot has its addresses */
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	empty = get_entry(lib, lib->table.root.value, index ^ slots / 2);
	set_entry(lib, lib->table.root.value, index ^ slots / 2,
	          get_entry(lib, lib->table.root.value, index));
	assert_int_equal(walk(lib, SIZE_MAX, true, false, NEVER, NEVER).count, lib->row->levels);
	set_entry(lib, lib->table.root.value, index ^ slots / 2, empty);
}

static void an_empty_table_shows_nothing(void **state)
{
	assert_int_equal(walk(*state, SIZE_MAX, true, true, NEVER, NEVER).count, 0);
}

static void tables_that_lead_to_themselves_end(void **state)
{
	struct lib *lib = *state;
	const uint64_t root = lib->table.root.value;
	const size_t index = root_index(lib);
	uint64_t entry;
	struct trace trace;

	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	entry = get_entry(lib, root, index);
	set_entry(lib, root, index, redirect(lib, entry, frame_of(&lib->table, 1), root));
	for (uint64_t offset = 0; offset < lib->root; offset += lib->root / 64)
		assert_int_not_equal(query_of(&lib->table, lib->va + offset), PT_BAD_ADDRESS);
	trace = walk(lib, 2, true, false, NEVER, NEVER);
	assert_in_range(trace.count, 1, 64);
	assert_int_equal(trace.visits[0].next.value, root);
	set_entry(lib, root, index, entry);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_present_entry_is_visited_in_address_order),
		cmocka_unit_test(a_visit_tells_level_index_canonical_address_and_mapping),
		cmocka_unit_test(pre_comes_before_what_lies_below_and_post_after),
		cmocka_unit_test(the_limit_bounds_the_entries_visited_in_each_table),
		cmocka_unit_test(skip_spares_what_is_below_and_stop_ends_it_all),
		cmocka_unit_test(slots_that_no_address_of_the_half_leads_to_are_not_visited),
		cmocka_unit_test(an_empty_table_shows_nothing),
		cmocka_unit_test(tables_that_lead_to_themselves_end),
	};

	return run_over_backends("walk", tests, COUNT(tests));
}
