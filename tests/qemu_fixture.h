/* SPDX-License-Identifier: MIT */
/* What the tests of the QEMU machine share: the window, and a machine with a page in it. */
#ifndef WP_QEMU_FIXTURE_H
#define WP_QEMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "machines/qemu/qemu.h"
#include "machines/scratch.h"

static const char *const regimes[] = {"x86_64", "aarch64_low", "riscv64_sv39_svpbmt",
                                      "loongarch64_low"};
#define REGIMES (sizeof regimes / sizeof regimes[0])

/* What a busy host may add to times; scripts/bench holds them to the numbers themselves. */
#define BUSY 10

static struct wp_memory memory;

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline struct wp_machine *open_machine(const struct wp_regime *regime)
{
	char why[300];
	struct wp_machine *machine = wp_qemu_open(&memory, regime->arch, why, sizeof why);

	if (machine == NULL)
		print_message("%s\n", why);
	return machine;
}

/* A machine with one page of the window mapped; false: no QEMU here. */
static inline bool open_page(struct wp_scratch *scratch, const char *name)
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

static inline void close_page(struct wp_scratch *scratch)
{
	wp_scratch_close(scratch);
	scratch->machine->close(scratch->machine);
}

static inline pid_t pid_of(const struct wp_scratch *scratch)
{
	const struct wp_qemu *qemu = wp_qemu_of(scratch->machine);

	return qemu->processes[qemu->model].pid;
}

/* Every other address is mapped: read, and written by the kernel. */
static inline bool batch_is_right(const struct wp_scratch *scratch, size_t count)
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

static inline int open_memory(void **state)
{
	(void)state;
	return wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES) ? 0 : -1;
}

static inline int close_memory(void **state)
{
	(void)state;
	wp_memory_close(&memory);
	return 0;
}

#endif
