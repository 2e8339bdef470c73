/* SPDX-License-Identifier: MIT */
#include "unicorn_fixture.h"

/* --- opening --- */

static void an_older_unicorn_is_refused_with_a_sentence(void **state)
{
	char why[300] = "";

	(void)state;
	assert_false(wp_unicorn_version_serves(0x020001ff, why, sizeof why));
	assert_non_null(strstr(why, "Unicorn 2.0.1 found"));
	assert_non_null(strstr(why, "scripts/setup"));
	assert_false(wp_unicorn_version_serves(0x020103ff, why, sizeof why));
	assert_true(wp_unicorn_version_serves(0x020104ff, why, sizeof why));
	assert_true(wp_unicorn_version_serves(0x030000ff, why, sizeof why));
}

static void loongarch_and_ept_are_refused_with_a_sentence(void **state)
{
	struct fixture *fixture = *state;
	char why[200] = "";

	assert_null(wp_unicorn_open(&fixture->memory, WP_LOONGARCH64, why, sizeof why));
	assert_non_null(strstr(why, "loongarch64: ask QEMU"));
	assert_null(wp_unicorn_open(&fixture->memory, WP_X86_EPT, why, sizeof why));
	assert_string_equal(why, "Unicorn has no x86_ept");
}

static void a_window_that_the_cpu_cannot_name_is_refused(void **state)
{
	struct wp_memory memory;
	char why[200] = "";

	(void)state;
	assert_true(wp_memory_open(&memory, (uint64_t)1 << 40, 4));
	assert_null(wp_unicorn_open(&memory, WP_X86_64, why, sizeof why));
	assert_non_null(strstr(why, "0x10000000000"));
	wp_memory_close(&memory);
	assert_true(wp_memory_open(&memory, ((uint64_t)1 << 44) - 2 * WP_FRAME_SIZE, 4));
	assert_null(wp_unicorn_open(&memory, WP_AARCH64, why, sizeof why));
	wp_memory_close(&memory);
}

static void each_machine_says_what_it_is(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SERVED; i++) {
		assert_string_equal(fixture->machine[i]->name, "unicorn");
		assert_int_equal(fixture->machine[i]->arch, served[i]);
		assert_true(strcmp(fixture->machine[i]->version, "2.1.4") >= 0);
	}
}

/* --- the self-test and the quirks --- */

static void the_self_test_passes_for_every_supported_regime(void **state)
{
	struct fixture *fixture = *state;
	size_t passed = 0;

	for (size_t i = 0; i < wp_regime_count; i++) {
		struct wp_machine *machine = machine_for(fixture, &wp_regimes[i]);
		char why[300] = "";

		if (machine == NULL)
			continue;
		assert_int_equal(machine->supports(machine, &wp_regimes[i]),
		                 !wp_regimes[i].stage_2);
		if (wp_regimes[i].stage_2)
			continue;
		if (!machine->self_test(machine, &wp_regimes[i], why, sizeof why))
			fail_msg("%s", why);
		passed++;
	}
	assert_int_equal(passed, 16);
}

static void each_quirk_is_still_there(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SERVED; i++) {
		struct wp_machine *machine = fixture->machine[i];

		assert_true(machine->quirk_count > 0);
		for (size_t q = 0; q < machine->quirk_count; q++) {
			if (!machine->quirks[q].still_there(machine))
				fail_msg("%s is gone: take it off the list",
				         machine->quirks[q].key);
		}
	}
}

static void self_test_and_quirks_leave_memory_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct wp_memory *memory = &fixture->memory;
	const struct wp_machine *machine = fixture->machine[0];
	char why[300];
	uint64_t before, after;

	assert_true(wp_memory_alloc(memory, &before));
	wp_memory_free(memory, before);
	assert_true(
		machine->self_test(fixture->machine[0], wp_regime_find("x86_64"), why, sizeof why));
	assert_true(machine->quirks[0].still_there(fixture->machine[0]));
	assert_int_equal(memory->in_use, 0);
	assert_int_equal(memory->allocations, 1);
	assert_int_equal(memory->refusals, 0);
	wp_memory_audit(memory);
	assert_int_equal(memory->crime, WP_FRAME_FINE);
	assert_true(wp_memory_alloc(memory, &after));
	assert_true(after == before);
}

static void a_self_test_without_frames_fails_and_keeps_none(void **state)
{
	struct fixture *fixture = *state;
	char why[300] = "";

	for (size_t frames = 0; frames < 5; frames++) {
		wp_memory_refuse(&fixture->memory, frames, false);
		assert_false(fixture->machine[0]->self_test(
			fixture->machine[0], wp_regime_find("x86_64"), why, sizeof why));
		assert_non_null(strstr(why, "no frames"));
		assert_int_equal(fixture->memory.in_use, 0);
	}
	wp_memory_allow(&fixture->memory);
}

/* --- sabotage --- */

static void flush_nothing(struct wp_machine *machine, const uint64_t *va)
{
	(void)machine;
	(void)va;
}

static void flush_the_neighbour(struct wp_machine *machine, const uint64_t *va)
{
	const uint64_t other = va != NULL ? *va + PT_4K : 0;
	char why[200];
	struct wp_machine *real = wp_unicorn_open(machine->memory, machine->arch, why, sizeof why);

	machine->flush = real->flush;
	machine->flush(machine, va != NULL ? &other : NULL);
	machine->flush = flush_the_neighbour;
	real->close(real);
}

static void answer_with_the_address_itself(struct wp_machine *machine,
                                           const struct wp_probe *probes, struct wp_answer *answers,
                                           size_t count)
{
	(void)machine;
	for (size_t i = 0; i < count; i++)
		answers[i] = (struct wp_answer){.answered = probes[i].kinds,
		                                .allowed = probes[i].kinds,
		                                .pa = probes[i].va};
}

static void load_nothing(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	(void)machine;
	(void)regime;
	(void)root;
}

static bool refuses(struct wp_machine *machine, const char *regime, const char *sentence)
{
	char why[300] = "";

	if (machine->self_test(machine, wp_regime_find(regime), why, sizeof why))
		return false;
	if (strstr(why, sentence) != NULL)
		return true;
	print_error("refused, but for: %s\n", why);
	return false;
}

static void a_machine_whose_flush_does_nothing_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SERVED; i++)
		fixture->machine[i]->flush = flush_nothing;
	assert_true(refuses(fixture->machine[0], "x86_64", "survives a flush of everything"));
	assert_true(refuses(fixture->machine[1], "aarch64_high", "survives a flush of everything"));
	assert_true(refuses(fixture->machine[2], "riscv64_sv57", "survives a flush of everything"));
}

static void a_machine_that_flushes_another_address_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;

	fixture->machine[0]->flush = flush_the_neighbour;
	fixture->machine[1]->flush = flush_the_neighbour;
	assert_true(refuses(fixture->machine[0], "x86_64", "survives a flush of its address"));
	assert_true(refuses(fixture->machine[1], "aarch64_low", "survives a flush of its address"));
	assert_true(refuses(fixture->machine[1], "aarch64_el2", "survives a flush of its address"));
}

static void a_machine_that_translates_nothing_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SERVED; i++)
		fixture->machine[i]->probe = answer_with_the_address_itself;
	assert_true(refuses(fixture->machine[0], "x86_64", "an empty entry faults"));
	assert_true(refuses(fixture->machine[1], "aarch64_low", "an empty entry faults"));
	assert_true(refuses(fixture->machine[2], "riscv64_sv39", "an empty entry faults"));
}

/* Another window at the same address: what is built in it, no engine sees. */
static void a_machine_that_does_not_share_the_window_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;
	struct wp_memory other;

	assert_true(wp_memory_open(&other, BASE, FRAMES));
	for (size_t i = 0; i < SERVED; i++)
		fixture->machine[i]->memory = &other;
	assert_true(refuses(fixture->machine[0], "x86_64_la57", "a kernel page is read"));
	assert_true(refuses(fixture->machine[1], "aarch64_el2", "a kernel page is read"));
	assert_true(refuses(fixture->machine[2], "riscv64_sv48", "a kernel page is read"));
	wp_memory_close(&other);
}

static void a_machine_that_ignores_the_root_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = fixture->machine[0];
	uint64_t root;

	assert_true(wp_memory_alloc(&fixture->memory, &root));
	memset(wp_memory_at(&fixture->memory, root, WP_FRAME_SIZE), 0, WP_FRAME_SIZE);
	machine->load(machine, wp_regime_find("x86_64"), root);
	machine->load = load_nothing;
	assert_true(refuses(machine, "x86_64", "a kernel page is read"));
}

static void a_machine_that_never_leaves_the_kernel_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;
	struct wp_unicorn *unicorn = wp_unicorn_of(fixture->machine[0]);
	uc_engine *user = unicorn->engine[WP_USER];

	unicorn->engine[WP_USER] = unicorn->engine[WP_KERNEL];
	assert_true(refuses(fixture->machine[0], "x86_64", "by the kernel alone"));
	unicorn->engine[WP_USER] = user;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_older_unicorn_is_refused_with_a_sentence),
		TEST(loongarch_and_ept_are_refused_with_a_sentence),
		TEST(a_window_that_the_cpu_cannot_name_is_refused),
		TEST(each_machine_says_what_it_is),
		TEST(the_self_test_passes_for_every_supported_regime),
		TEST(each_quirk_is_still_there),
		TEST(self_test_and_quirks_leave_memory_as_it_was),
		TEST(a_self_test_without_frames_fails_and_keeps_none),
		TEST(a_machine_whose_flush_does_nothing_refuses_to_serve),
		TEST(a_machine_that_flushes_another_address_refuses_to_serve),
		TEST(a_machine_that_translates_nothing_refuses_to_serve),
		TEST(a_machine_that_does_not_share_the_window_refuses_to_serve),
		TEST(a_machine_that_ignores_the_root_refuses_to_serve),
		TEST(a_machine_that_never_leaves_the_kernel_refuses_to_serve),
	};

	return cmocka_run_group_tests_name("unicorn", tests, NULL, NULL);
}
