/* SPDX-License-Identifier: MIT */
/* The KVM machine. Where KVM can't be used, all that is tested is that it says so. */
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_fixture.h"

/* --- opening --- */

static void an_absent_kvm_is_told_in_one_line(void **state)
{
	const char *device = wp_kvm_device;
	struct wp_memory memory;
	char why[300] = "";

	(void)state;
	assert_true(wp_memory_open(&memory, WP_WINDOW_BASE, FRAMES));
	wp_kvm_device = "/nonexistent/kvm";
	assert_null(wp_kvm_open(&memory, WP_X86_64, why, sizeof why));
	assert_non_null(strstr(why, "/nonexistent/kvm: No such file"));
	assert_null(strchr(why, '\n'));
	wp_kvm_device = "/dev/null"; /* opens, and is something else */
	assert_null(wp_kvm_open(&memory, WP_X86_64, why, sizeof why));
	assert_non_null(strstr(why, "KVM can't start a virtual machine"));
	wp_kvm_device = device;
	wp_memory_close(&memory);
}

static void other_architectures_are_refused(void **state)
{
	struct wp_memory memory;
	char why[300] = "";

	(void)state;
	assert_true(wp_memory_open(&memory, WP_WINDOW_BASE, FRAMES));
	assert_null(wp_kvm_open(&memory, WP_RISCV64, why, sizeof why));
	assert_non_null(strstr(why, "riscv64"));
	wp_memory_close(&memory);
}

static void a_window_over_the_stub_is_refused(void **state)
{
	struct wp_memory memory;
	char why[300] = "";

	(void)state;
	assert_true(wp_memory_open(&memory, WP_KVM_STUB_PA - WP_FRAME_SIZE, 4));
	assert_null(wp_kvm_open(&memory, WP_X86_64, why, sizeof why));
	assert_non_null(strstr(why, "0xedcc00000"));
	wp_memory_close(&memory);
}

static void it_says_what_it_runs_on(void **state)
{
	const struct fixture *fixture = *state;

	assert_string_equal(fixture->machine->name, "kvm");
	assert_int_equal(strncmp(fixture->machine->version, "kvm", 3), 0);
	assert_non_null(strstr(fixture->machine->version, ", Linux "));
}

static void the_self_test_passes_for_every_supported_regime(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = fixture->machine;
	const size_t in_use = fixture->memory.in_use;
	char why[300] = "";

	for (size_t i = 0; i < wp_regime_count; i++) {
		if (!machine->supports(machine, &wp_regimes[i]))
			continue;
		if (!machine->self_test(machine, &wp_regimes[i], why, sizeof why))
			fail_msg("%s", why);
	}
	assert_true(machine->supports(machine, wp_regime_find("x86_64")));
	assert_false(machine->supports(machine, wp_regime_find("riscv64_sv48")));
	assert_int_equal(machine->hangs, 0);
	assert_true(fixture->memory.in_use == in_use);
}

static void each_quirk_is_still_there(void **state)
{
	const struct fixture *fixture = *state;
	struct wp_machine *machine = fixture->machine;

	assert_true(machine->quirk_count > 0);
	for (size_t i = 0; i < machine->quirk_count; i++) {
		if (!machine->quirks[i].still_there(machine))
			fail_msg("%s is gone: take it off the list", machine->quirks[i].key);
	}
}

/* --- what may go wrong --- */

static bool reads(struct fixture *fixture)
{
	wp_scratch_map(&fixture->scratch, ELSEWHERE, PT_READ);
	return ask(fixture, fixture->scratch.va, KR).pa == ELSEWHERE;
}

static void a_child_has_its_own(void **state)
{
	struct fixture *fixture = *state;
	int status;
	pid_t child;

	assert_true(reads(fixture));
	child = fork();
	if (child == 0)
		_exit(reads(fixture) && fixture->machine->hangs == 0 ? 0 : 1);
	assert_true(child > 0);
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(reads(fixture));
}

static void one_that_hangs_is_given_up_and_started_again(void **state)
{
	static const uint8_t forever[] = {0xeb, 0xfe}, undefined[] = {0x0f, 0x0b};
	static const char *const how[] = {"it does not come back", "an exception"};
	struct fixture *fixture = *state;
	struct wp_kvm *kvm = wp_kvm_of(fixture->machine);

	for (unsigned i = 0; i < 2; i++) {
		assert_true(reads(fixture));
		kvm->patience = 100;
		memcpy(kvm->vm.stub + WP_KVM_CODE * WP_FRAME_SIZE +
		               (wp_kvm_stub_read - wp_kvm_stub),
		       i == 0 ? forever : undefined, 2);
		assert_int_equal(ask(fixture, fixture->scratch.va, KR).answered, 0);
		assert_int_equal(fixture->machine->hangs, i + 1);
		assert_non_null(strstr(fixture->machine->hung_by, how[i]));
		kvm->patience = 10000;
	}
	assert_non_null(strstr(fixture->machine->hung_by, "kernel read"));
	assert_true(reads(fixture));
}

/* --- sabotage --- */

static void load_nothing(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	(void)machine;
	(void)regime;
	(void)root;
}

static bool serves(struct fixture *fixture)
{
	char why[300];

	return fixture->machine->self_test(fixture->machine, wp_regime_find("x86_64"), why,
	                                   sizeof why);
}

static void a_broken_machine_refuses_to_serve(void **state)
{
	struct fixture *fixture = *state;
	struct wp_machine *machine = fixture->machine;
	const struct wp_machine sound = *machine;
	struct wp_memory other;

	assert_true(serves(fixture));
	machine->load(machine, fixture->scratch.regime, fixture->scratch.frame[0]);
	machine->load = load_nothing;
	assert_false(serves(fixture));
	*machine = sound;
	assert_true(wp_memory_open(&other, WP_WINDOW_BASE, FRAMES));
	assert_true(serves(fixture));
	machine->memory = &other; /* what is built there, the virtual machine doesn't see */
	assert_false(serves(fixture));
	*machine = sound;
	wp_kvm_stop(wp_kvm_of(machine)); /* it may have been started again over there */
	wp_memory_close(&other);
	assert_true(serves(fixture));
}

int main(void)
{
	const struct CMUnitTest anywhere[] = {
		cmocka_unit_test(an_absent_kvm_is_told_in_one_line),
		cmocka_unit_test(other_architectures_are_refused),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_over_the_stub_is_refused),
		TEST(it_says_what_it_runs_on),
		TEST(the_self_test_passes_for_every_supported_regime),
		TEST(each_quirk_is_still_there),
		TEST(a_child_has_its_own),
		TEST(one_that_hangs_is_given_up_and_started_again),
		TEST(a_broken_machine_refuses_to_serve),
	};
	const int failed = cmocka_run_group_tests_name("kvm anywhere", anywhere, NULL, NULL);

	if (!is_usable())
		return failed;
	return failed + cmocka_run_group_tests_name("kvm", tests, NULL, NULL);
}
