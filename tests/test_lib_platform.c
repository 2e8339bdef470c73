/* SPDX-License-Identifier: MIT */
/* What create() and destroy() ask of the platform. */
#include "lib_fixture.h"

static pt_status try_create(struct lib *lib, const struct pt_platform *platform)
{
	const size_t before = lib->in_use;
	const pt_status status = pt_create(&lib->other, lib->row->backend, platform,
	                                   lib->row->half);

	if (status != PT_OK)
		assert_int_equal(lib->in_use, before);
	return status;
}

static void a_platform_that_lacks_a_function_is_refused(void **state)
{
	struct lib *lib = *state;
	struct pt_platform platform = lib->platform;

	platform.alloc_frame = NULL;
	expect(try_create(lib, &platform), PT_BAD_FLAGS);
	platform = lib->platform;
	platform.free_frame = NULL;
	expect(try_create(lib, &platform), PT_BAD_FLAGS);
	platform = lib->platform;
	platform.flush_address = NULL;
	expect(try_create(lib, &platform), PT_BAD_FLAGS);
	platform = lib->platform;
	platform.flush_all = NULL;
	expect(try_create(lib, &platform), PT_BAD_FLAGS);
}

static void a_root_of_one_frame_needs_no_alloc_frames_and_a_larger_one_does(void **state)
{
	struct lib *lib = *state;
	struct pt_platform platform = lib->platform;
	const bool larger = lib->row->root_frames > 1;

	platform.alloc_frames = NULL;
	expect(try_create(lib, &platform), larger ? PT_BAD_FLAGS : PT_OK);
	if (!larger)
		expect(pt_destroy(&lib->other, NULL), PT_OK);
	platform = lib->platform;
	platform.free_frames = NULL;
	expect(try_create(lib, &platform), larger ? PT_BAD_FLAGS : PT_OK);
	if (!larger)
		expect(pt_destroy(&lib->other, NULL), PT_OK);
	assert_int_equal(lib->several, larger);
}

static void a_half_that_the_backend_lacks_is_a_bad_address(void **state)
{
	struct lib *lib = *state;
	const struct pt_backend *backend = lib->row->backend;

	for (unsigned half = 0; half <= PT_HIGH + 1u; half++) {
		const bool has = half <= PT_HIGH && (backend->halves >> half & 1);

		expect(pt_create(&lib->other, backend, &lib->platform, (enum pt_half)half),
		       has ? PT_OK : PT_BAD_ADDRESS);
		if (has)
			expect(pt_destroy(&lib->other, NULL), PT_OK);
	}
}

static void create_that_is_refused_a_frame_keeps_none(void **state)
{
	struct lib *lib = *state;
	const size_t calls = lib->row->hole_frame ? 2 : 1;

	for (size_t k = 0; k < calls; k++) {
		lib->allocations = k;
		expect(try_create(lib, &lib->platform), PT_NO_MEMORY);
	}
	lib->allocations = calls;
	expect(try_create(lib, &lib->platform), PT_OK);
	expect(pt_destroy(&lib->other, NULL), PT_OK);
}

static void a_frame_that_is_not_memory_counts_as_refused(void **state)
{
	struct lib *lib = *state;
	const size_t before = lib->in_use;

	if (!lib->platform.phys_to_virt)
		return;
	for (uint64_t frame = before; frame < before + lib->row->levels - 1; frame++) {
		lib->unreachable = WINDOW + frame * lib->page;
		expect(map(lib, lib->va, PA, lib->page, RW), PT_NO_MEMORY);
		assert_int_equal(lib->in_use, before);
	}
	lib->unreachable = WINDOW + before * lib->page;
	expect(try_create(lib, &lib->platform), PT_NO_MEMORY);
	lib->unreachable = 0;
}

static void addresses_outside_of_the_direct_map_go_to_the_callback(void **state)
{
	struct lib *lib = *state;

	lib->platform.phys_to_virt = lib_at;
	lib->platform.direct_size = 5 * lib->page;
	for (uint64_t i = 0; i < 4; i++)
		expect(map(lib, lib->va + i * lib->root / 4, PA, lib->page, RW), PT_OK);
	assert_true(lib->in_use > 5);
	for (uint64_t i = 0; i < 4; i++)
		assert_maps(&lib->table, lib->va + i * lib->root / 4, PA, lib->page, RW);
}

static void create_and_destroy_use_the_frames_that_the_backend_says(void **state)
{
	struct lib *lib = *state;

	assert_int_equal(lib->row->backend->fixed_frames, lib->row->fixed_frames);
	assert_int_equal(lib->in_use, lib->row->fixed_frames);
	assert_int_equal(lib->table.root.value % (lib->row->root_frames * lib->page), 0);
	expect(map(lib, lib->va, PA, lib->page, RW), PT_OK);
	expect(map(lib, lib->va + lib->root, PA, lib->large, 0), PT_OK);
	expect(map(lib, lib->va + lib->root + lib->large, PA, lib->page, 0), PT_OK);
	clear_log(lib);
	destroy(lib, &lib->table);
	assert_int_equal(lib->in_use, 0);
	assert_int_equal(count_of(lib, FLUSH_ALL), 1);
	/* nothing is freed before the flush */
	for (size_t i = 0; lib->log[i].kind != FLUSH_ALL; i++)
		assert_int_equal(lib->log[i].kind, STORE);
	create(lib, &lib->table);
}

static void every_status_has_a_name(void **state)
{
	struct lib *lib = *state;

	(void)lib;
	assert_string_equal(pt_status_name(PT_OK), "PT_OK");
	assert_string_equal(pt_status_name(PT_BORROWED), "PT_BORROWED");
	assert_string_equal(pt_status_name((pt_status)PT_STATUSES), "unknown status");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_platform_that_lacks_a_function_is_refused),
		cmocka_unit_test(a_root_of_one_frame_needs_no_alloc_frames_and_a_larger_one_does),
		cmocka_unit_test(a_half_that_the_backend_lacks_is_a_bad_address),
		cmocka_unit_test(create_that_is_refused_a_frame_keeps_none),
		cmocka_unit_test(a_frame_that_is_not_memory_counts_as_refused),
		cmocka_unit_test(addresses_outside_of_the_direct_map_go_to_the_callback),
		cmocka_unit_test(create_and_destroy_use_the_frames_that_the_backend_says),
		cmocka_unit_test(every_status_has_a_name),
	};

	return run_over_backends("platform", tests, COUNT(tests));
}
