/* SPDX-License-Identifier: MIT */
/* A QEMU that is killed or hangs in the middle of a batch: it is brought back, and nothing is lost. */
#include "qemu_fixture.h"

/* In a child: kills QEMU while the parent waits for a batch. */
static pid_t killer(pid_t victim, useconds_t delay, int signal)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	usleep(delay);
	kill(victim, signal);
	_exit(0);
}

/* Executions patch code for a moment, and on x86_64 a root entry is lent: none may stay. */
static void one_killed_in_mid_batch_leaves_guest_memory_as_it_was(void **state)
{
	static uint8_t before[16 * WP_FRAME_SIZE];
	static struct wp_probe probes[WP_MAILBOX_BATCH];
	static struct wp_answer answers[WP_MAILBOX_BATCH];

	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;
		unsigned killed = 0;

		if (!open_page(&scratch, regimes[i]))
			continue;
		wp_scratch_map(&scratch, scratch.page, PT_READ | PT_WRITE | PT_EXECUTE);
		for (size_t k = 0; k < WP_MAILBOX_BATCH; k++)
			probes[k] = (struct wp_probe){scratch.va, WP_KERNEL_KINDS};
		scratch.machine->probe(scratch.machine, probes, answers, WP_MAILBOX_BATCH);
		memcpy(before, memory.host, sizeof before);
		for (useconds_t delay = 1000; killed < 20; delay += 500) {
			const uint64_t starts = wp_qemu_of(scratch.machine)->starts;
			const pid_t child = killer(pid_of(&scratch), delay, SIGKILL);

			scratch.machine->probe(scratch.machine, probes, answers, WP_MAILBOX_BATCH);
			waitpid(child, NULL, 0);
			killed += wp_qemu_of(scratch.machine)->starts != starts;
			assert_memory_equal(before, memory.host, sizeof before);
			assert_true(batch_is_right(&scratch, 2));
			if (delay > 1000000)
				break;
		}
		assert_true(killed >= 5);
		close_page(&scratch);
	}
}

static void one_killed_in_mid_batch_costs_less_than_a_second_and_no_wrong_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;
		unsigned killed = 0;
		double worst = 0;

		if (!open_page(&scratch, regimes[i]))
			continue;
		assert_true(batch_is_right(&scratch, 2));
		for (useconds_t delay = 100; killed < 10; delay = delay * 5 / 4) {
			const uint64_t starts = wp_qemu_of(scratch.machine)->starts;
			const pid_t child = killer(pid_of(&scratch), delay, SIGKILL);
			const double started = now();
			double took;

			assert_true(batch_is_right(&scratch, WP_MAILBOX_BATCH));
			took = now() - started;
			waitpid(child, NULL, 0);
			assert_true(batch_is_right(&scratch, 2));
			killed += wp_qemu_of(scratch.machine)->starts != starts;
			worst = took > worst ? took : worst;
			if (delay > 1000000)
				break;
		}
		print_message("%s: killed %u times, at worst %.0f ms for the batch\n", regimes[i],
		              killed, worst * 1e3);
		assert_true(killed >= 5);
		assert_int_equal(scratch.machine->hangs, 0);
		assert_true(worst < 1 * BUSY);
		close_page(&scratch);
	}
}

/* Its threads stop one by one: only when it is told to the parent do all of them. */
static void stop(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

static void one_that_hangs_is_restarted_and_the_access_is_told_of(void **state)
{
	(void)state;
	for (size_t i = 0; i < 1; i++) {
		struct wp_scratch scratch;
		struct wp_probe probe;
		struct wp_answer answer;

		if (!open_page(&scratch, regimes[i]))
			continue;
		assert_true(batch_is_right(&scratch, 2));
		stop(pid_of(&scratch)); /* no rest: nobody wakes it */
		probe = (struct wp_probe){scratch.va, 1u << WP_KERNEL_READ};
		scratch.machine->probe(scratch.machine, &probe, &answer, 1);
		assert_int_equal(answer.answered, 0);
		assert_int_equal(scratch.machine->hangs, 1);
		assert_non_null(strstr(scratch.machine->hung_by, "kernel read"));
		assert_true(batch_is_right(&scratch, 64));
		assert_int_equal(wp_qemu_of(scratch.machine)->starts, 2);
		close_page(&scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_killed_in_mid_batch_costs_less_than_a_second_and_no_wrong_verdict),
		cmocka_unit_test(one_killed_in_mid_batch_leaves_guest_memory_as_it_was),
		cmocka_unit_test(one_that_hangs_is_restarted_and_the_access_is_told_of),
	};

	return cmocka_run_group_tests(tests, open_memory, close_memory);
}
