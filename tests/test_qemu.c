/* SPDX-License-Identifier: MIT */
/*
 * The QEMU machine as a process: starts when it is asked, is shared by nobody, dies
 * with its host, and is brought back when it dies; whatever the architecture.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "machines/qemu/firmware/loongarch64.h"
#include "machines/qemu/qemu.h"
#include "machines/scratch.h"

static const char *const regimes[] = {"x86_64", "aarch64_low", "riscv64_sv39_svpbmt",
                                      "loongarch64_low"};
#define REGIMES (sizeof regimes / sizeof regimes[0])

/* What a busy host may add to times; scripts/bench holds them to the numbers themselves. */
#define BUSY 10

static struct wp_memory memory;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct wp_machine *open_machine(const struct wp_regime *regime)
{
	char why[300];
	struct wp_machine *machine = wp_qemu_open(&memory, regime->arch, why, sizeof why);

	if (machine == NULL)
		print_message("%s\n", why);
	return machine;
}

/* A machine with one page of the window mapped; false: no QEMU here. */
static bool open_page(struct wp_scratch *scratch, const char *name)
{
	const struct wp_regime *regime = wp_regime_find(name);
	struct wp_machine *machine = open_machine(regime);

	if (machine == NULL)
		return false;
	wp_memory_reset(&memory);
	assert_true(wp_scratch_open(scratch, machine, regime));
	wp_scratch_map(scratch, scratch->page, PT_READ | PT_WRITE);
	return true;
}

static void close_page(struct wp_scratch *scratch)
{
	wp_scratch_close(scratch);
	scratch->machine->close(scratch->machine);
}

static pid_t pid_of(const struct wp_scratch *scratch)
{
	const struct wp_qemu *qemu = wp_qemu_of(scratch->machine);

	return qemu->processes[qemu->model].pid;
}

/* Every other address is mapped: read, and written by the kernel. */
static bool batch_is_right(const struct wp_scratch *scratch, size_t count)
{
	static struct wp_probe probes[WP_MAILBOX_BATCH];
	static struct wp_answer answers[WP_MAILBOX_BATCH];
	const uint8_t right = 1u << WP_KERNEL_READ | 1u << WP_KERNEL_WRITE;

	for (size_t i = 0; i < count; i++)
		probes[i] = (struct wp_probe){scratch->va + i % 2 * PT_4K, right};
	scratch->machine->probe(scratch->machine, probes, answers, count);
	for (size_t i = 0; i < count; i++) {
		if (answers[i].answered != right || answers[i].allowed != (i % 2 == 0 ? right : 0))
			return false;
	}
	return true;
}

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

/* The firmware compares what its loads find there with what LDDIR and LDPTE make of it. */
static void where_0_holds_zeros_a_loongarch_walk_goes_there_and_finds_nothing(void **state)
{
	struct wp_scratch scratch;
	const struct wp_qemu *qemu;
	const uint64_t *found;
	uint64_t compared, differences;

	(void)state;
	if (!open_page(&scratch, "loongarch64_low"))
		return;
	qemu = wp_qemu_of(scratch.machine);
	for (unsigned level = 0; level < 3; level++) {
		const uint64_t table = *scratch.entry[level];
		struct wp_answer answer;

		*scratch.entry[level] = 0;
		answer = wp_scratch_ask(&scratch, WP_KERNEL_READ);
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
		assert_int_equal(answer.fault, WP_FAULT_BUS);
		found = qemu->processes[qemu->model].mailbox->found;
		compared = found[WP_LA_COMPARED];
		differences = found[WP_LA_DIFFERENCES];
		memory.zeros_at_0 = true;
		answer = wp_scratch_ask(&scratch, WP_KERNEL_READ);
		memory.zeros_at_0 = false;
		assert_int_equal(answer.allowed, 0);
		assert_int_equal(answer.fault, WP_FAULT_NOT_PRESENT);
		assert_int_equal(answer.level, level + 1);
		assert_true(found[WP_LA_COMPARED] > compared);
		assert_int_equal(found[WP_LA_DIFFERENCES], differences);
		*scratch.entry[level] = table;
	}
	close_page(&scratch);
}

/* Versions that are known to hang aren't asked; this one is, once. */
static void executing_the_last_byte_of_the_address_space_hangs_x86_64_and_is_not_asked(void **state)
{
	const struct wp_probe probe = {UINT64_MAX, 1u << WP_KERNEL_EXECUTE | 1u << WP_KERNEL_READ};
	struct wp_scratch scratch;
	struct wp_answer answer;
	unsigned major = 0;
	char why[300];

	(void)state;
	if (!open_page(&scratch, "x86_64"))
		return;
	assert_true(scratch.machine->self_test(scratch.machine, scratch.regime, why, sizeof why));
	scratch.machine->load(scratch.machine, scratch.regime, scratch.frame[0]);
	for (unsigned level = 0; level < 4; level++) {
		uint64_t *table = wp_memory_at(&memory, scratch.frame[level], WP_FRAME_SIZE);

		table[511] = level < 3 ? wp_scratch_table_entry(&scratch, scratch.frame[level + 1])
		                       : wp_scratch_leaf_entry(&scratch, level, scratch.page,
		                                               PT_READ | PT_EXECUTE);
	}
	scratch.machine->probe(scratch.machine, &probe, &answer, 1);
	assert_int_equal(scratch.machine->hangs, 0);
	assert_int_equal(answer.allowed, answer.answered);
	sscanf(scratch.machine->version, "%u", &major);
	if (major < 8) {
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
		scratch.machine->incautious = true;
		scratch.machine->probe(scratch.machine, &probe, &answer, 1);
		assert_int_equal(scratch.machine->hangs, 1);
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
	}
	close_page(&scratch);
}

static int open_memory(void **state)
{
	(void)state;
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES) ? 0 : -1;
}

static int close_memory(void **state)
{
	(void)state;
	wp_memory_close(&memory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(what_it_does_not_emulate_is_refused_with_a_sentence),
		cmocka_unit_test(it_starts_as_it_is_first_asked_and_answers_within_300_ms),
		cmocka_unit_test(closing_ends_it_cleanly),
		cmocka_unit_test(after_a_rest_it_answers_again),
		cmocka_unit_test(
			one_killed_in_mid_batch_costs_less_than_a_second_and_no_wrong_verdict),
		cmocka_unit_test(one_killed_in_mid_batch_leaves_guest_memory_as_it_was),
		cmocka_unit_test(one_that_hangs_is_restarted_and_the_access_is_told_of),
		cmocka_unit_test(after_a_fork_each_process_has_its_own),
		cmocka_unit_test(a_killed_host_leaves_no_process_behind),
		cmocka_unit_test(
			executing_the_last_byte_of_the_address_space_hangs_x86_64_and_is_not_asked),
		cmocka_unit_test(where_0_holds_zeros_a_loongarch_walk_goes_there_and_finds_nothing),
	};

	return cmocka_run_group_tests(tests, open_memory, close_memory);
}
