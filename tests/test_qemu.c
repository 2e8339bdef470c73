/* SPDX-License-Identifier: MIT */
/*
 * The QEMU machine as a process: starts when it is asked, is shared by nobody, and dies
 * with its host; whatever the architecture.
 */
#include "qemu_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

static void it_starts_as_it_is_first_asked_and_answers_within_300_ms(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;
		double started, took, best = 1e9;

		for (int turn = 0; turn < 3; turn++) {
			if (!open_page(&scratch, regimes[i]))
				break;
			assert_int_equal(pid_of(&scratch), 0);
			started = now();
			assert_true(batch_is_right(&scratch, 2));
			took = now() - started;
			best = took < best ? took : best;
			assert_int_equal(wp_qemu_of(scratch.machine)->starts, 1);
			close_page(&scratch);
		}
		print_message("%s: %.0f ms from nothing to the first answer\n", regimes[i],
		              best * 1e3);
		assert_true(best < 0.3 * BUSY || best > 1e8);
	}
}

static void closing_ends_it_cleanly(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;
		pid_t pid;

		if (!open_page(&scratch, regimes[i]))
			continue;
		assert_true(batch_is_right(&scratch, 2));
		pid = pid_of(&scratch);
		scratch.machine->rest(scratch.machine);
		close_page(&scratch);
		assert_int_equal(kill(pid, 0), -1);
		assert_int_equal(errno, ESRCH);
	}
}

static void after_a_rest_it_answers_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;

		if (!open_page(&scratch, regimes[i]))
			continue;
		for (int turn = 0; turn < 10; turn++) {
			assert_true(batch_is_right(&scratch, 64));
			scratch.machine->rest(scratch.machine);
		}
		assert_int_equal(wp_qemu_of(scratch.machine)->starts, 1);
		close_page(&scratch);
	}
}

static void after_a_fork_each_process_has_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGIMES; i++) {
		struct wp_scratch scratch;
		pid_t ours, child;
		int status;

		if (!open_page(&scratch, regimes[i]))
			continue;
		assert_true(batch_is_right(&scratch, 2));
		ours = pid_of(&scratch);
		child = fork();
		if (child == 0) {
			const bool right = batch_is_right(&scratch, 64);
			const bool own = pid_of(&scratch) != ours;

			scratch.machine->close(scratch.machine);
			_exit(right && own ? 0 : 1);
		}
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
		assert_true(batch_is_right(&scratch, 64));
		assert_int_equal(pid_of(&scratch), ours);
		assert_int_equal(wp_qemu_of(scratch.machine)->starts, 1);
		close_page(&scratch);
	}
}

#define HOSTS 100

/* What a host tells of its QEMU before it is killed. */
static volatile pid_t *told;

static void be_a_host(const char *regime)
{
	struct wp_scratch scratch;

	if (!wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES) ||
	    !open_page(&scratch, regime))
		_exit(1);
	for (;;) {
		if (!batch_is_right(&scratch, 64))
			_exit(1);
		*told = pid_of(&scratch);
	}
}

/* It doesn't run: whoever inherits it may not have taken note of its end yet. */
static bool has_ended(pid_t pid)
{
	char path[64], state = 'X';
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(file);
	return state == 'Z' || state == 'X';
}

static bool is_gone(pid_t pid)
{
	for (int turn = 0; turn < 1000; turn++) {
		if (has_ended(pid))
			return true;
		usleep(1000);
	}
	return false;
}

static void a_killed_host_leaves_no_process_behind(void **state)
{
	struct wp_scratch scratch;
	unsigned gone = 0;

	(void)state;
	if (!open_page(&scratch, regimes[0]))
		skip();
	close_page(&scratch);
	wp_memory_close(&memory);
	for (int i = 0; i < HOSTS; i++) {
		const char *regime = regimes[(size_t)i % REGIMES];
		pid_t host;

		*told = 0;
		host = fork();
		if (host == 0)
			be_a_host(regime);
		while (*told == 0 && waitpid(host, NULL, WNOHANG) == 0)
			usleep(500);
		usleep((useconds_t)(i * 97 % 3000)); /* at rest, in a batch, between two */
		assert_int_not_equal(*told, 0);      /* or the host could not start one */
		kill(host, SIGKILL);
		waitpid(host, NULL, 0);
		if (is_gone(*told))
			gone++;
		else
			kill(*told, SIGKILL); /* told of below, and not left to burn a core */
	}
	print_message("%u of %u killed hosts left nothing behind\n", gone, HOSTS);
	assert_int_equal(gone, HOSTS);
	assert_true(wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES));
}

static void what_is_missing_is_said(void **state)
{
	struct wp_memory small;
	char why[300], path[] = "PATH=/nowhere", *before = strdup(getenv("PATH"));

	(void)state;
	assert_true(wp_memory_open(&small, WP_WINDOW_BASE - WP_FRAME_SIZE, 256));
	assert_null(wp_qemu_open(&small, WP_RISCV64, why, sizeof why));
	assert_non_null(strstr(why, "0xc0000000"));
	wp_memory_close(&small);
	putenv(path);
	assert_null(wp_qemu_open(&memory, WP_RISCV64, why, sizeof why));
	assert_non_null(strstr(why, "install qemu-system-misc"));
	setenv("PATH", before, 1);
	free(before);
}

static void what_it_does_not_emulate_is_refused_with_a_sentence(void **state)
{
	char why[200] = "";

	(void)state;
	assert_null(wp_qemu_open(&memory, WP_X86_EPT, why, sizeof why));
	assert_non_null(strstr(why, "x86_ept"));
}

static int open_shared(void **state)
{
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return open_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(what_it_does_not_emulate_is_refused_with_a_sentence),
		cmocka_unit_test(it_starts_as_it_is_first_asked_and_answers_within_300_ms),
		cmocka_unit_test(closing_ends_it_cleanly),
		cmocka_unit_test(after_a_rest_it_answers_again),
		cmocka_unit_test(after_a_fork_each_process_has_its_own),
		cmocka_unit_test(a_killed_host_leaves_no_process_behind),
	};

	return cmocka_run_group_tests(tests, open_shared, close_memory);
}
