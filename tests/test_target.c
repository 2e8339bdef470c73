/* SPDX-License-Identifier: MIT */
/*
 * Targets under engines that copy the process, and compare what inputs show: no input
 * leaves anything to the next.
 */
#include "program_fixture.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/targets/target.h"

#define INPUTS 40

static struct {
	size_t size;
	uint8_t bytes[WP_PROGRAM_MAX_BYTES];
} inputs[INPUTS];

static int open_target(void **state)
{
	static struct wp_program program;
	struct wp_random random;

	(void)state;
	setenv("WALKPROOF_WITHOUT", "qemu kvm", 1);
	wp_target_open("x86_64");
	wp_random_seed(&random, 1);
	for (size_t i = 0; i < INPUTS; i++) {
		do
			wp_program_generate(&program, wp_target_scope(), &random);
		while (program.count < 16);
		inputs[i].size = wp_program_encode(&program, wp_target_scope(), inputs[i].bytes,
		                                   sizeof inputs[i].bytes);
	}
	wp_target_settle();
	return 0;
}

static void run(size_t i)
{
	wp_target_settle();
	wp_target_run(inputs[i].bytes, inputs[i].size);
}

static void what_an_input_shows_does_not_depend_on_those_before_it(void **state)
{
	static struct wp_stats first[INPUTS];
	const struct wp_stats *stats = wp_target_runner()->stats;

	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		run(i);
		first[i] = *stats;
	}
	for (size_t i = INPUTS; i-- > 0;) {
		run(i);
		assert_memory_equal(&first[i], stats, sizeof *stats);
	}
}

/* In a copy of the process, that is ended after so many microseconds; 0: never. */
static int run_in_copy(size_t first, size_t count, suseconds_t microseconds)
{
	const struct itimerval timer = {.it_value = {.tv_usec = microseconds}};
	const pid_t copy = fork();
	int status;

	assert_true(copy >= 0);
	if (copy == 0) {
		signal(SIGABRT, SIG_DFL);
		wp_target_forked();
		setitimer(ITIMER_REAL, &timer, NULL);
		for (size_t i = first; i < first + count; i++)
			run(i % INPUTS);
		_exit(0);
	}
	assert_int_equal(waitpid(copy, &status, 0), copy);
	return status;
}

/* The memory is one for all copies. */
static void a_copy_that_ends_in_the_middle_of_an_input_is_no_finding_in_the_next(void **state)
{
	unsigned ended = 0;

	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		const int status = run_in_copy(i, INPUTS, (suseconds_t)(200 + 50 * i));

		ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		assert_int_equal(run_in_copy(i + 1, 3, 0), 0);
	}
	assert_true(ended > INPUTS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_input_shows_does_not_depend_on_those_before_it),
		cmocka_unit_test(
			a_copy_that_ends_in_the_middle_of_an_input_is_no_finding_in_the_next),
	};

	return cmocka_run_group_tests(tests, open_target, NULL);
}
