/* SPDX-License-Identifier: MIT */
/*
 * How fast QEMU and KVM answer: kernel reads of 4 KiB pages spread over tables of
 * their own, in batches; from nothing to the first answer; and what a QEMU that is
 * killed in mid-batch costs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_clock.h"
#include "machine_set.h"
#include "machines/qemu/qemu.h"
#include "machines/scratch.h"

#define BATCH   4096u
#define PAGES   512u
#define SECONDS 1.0

static struct wp_memory memory;
static struct wp_probe probes[BATCH];
static struct wp_answer answers[BATCH];

static void row(const char *machine, const char *arch, const char *what, double value,
                const char *unit, double target, bool at_most)
{
	const bool missed = target != 0 && (at_most ? value > target : value < target);

	printf("%-7s %-12s %-34s %10.1f %-10s", machine, arch, what, value, unit);
	if (target != 0)
		printf(" %8.1f%s", target, missed ? "  missed" : "");
	putchar('\n');
	fflush(stdout);
}

static const struct wp_regime *first_regime(const struct wp_machine *machine)
{
	size_t i = 0;

	while (!machine->supports(machine, &wp_regimes[i]))
		i++;
	return &wp_regimes[i];
}

/* A whole last-level table of pages that lead to no memory. */
static void fill_table(const struct wp_scratch *scratch)
{
	uint64_t *table = wp_memory_at(scratch->machine->memory,
	                               scratch->frame[scratch->regime->levels - 1], WP_FRAME_SIZE);

	for (uint64_t i = 0; i < PAGES; i++)
		table[i] = wp_scratch_leaf_entry(scratch, scratch->regime->levels - 1u,
		                                 0x5a5a000000u + i * 7 * WP_FRAME_SIZE,
		                                 PT_READ | PT_WRITE | PT_EXECUTE);
}

static void ask(const struct wp_scratch *scratch, size_t batch, uint8_t kinds)
{
	const uint64_t first = scratch->va & ~(PT_2M - 1);

	for (size_t i = 0; i < batch; i++)
		probes[i] = (struct wp_probe){first + i * 7 % PAGES * WP_FRAME_SIZE + 0x40, kinds};
	scratch->machine->probe(scratch->machine, probes, answers, batch);
	for (size_t i = 0; i < batch; i++) {
		if (answers[i].allowed == 0) {
			fprintf(stderr, "bench_machines: no access to %#llx\n",
			        (unsigned long long)probes[i].va);
			exit(1);
		}
	}
}

static double rate(const struct wp_scratch *scratch, size_t batch, uint8_t kinds)
{
	const double start = wall_seconds();
	uint64_t answered = 0;

	do {
		ask(scratch, batch, kinds);
		for (size_t i = 0; i < batch; i++)
			answered += (unsigned)__builtin_popcount(answers[i].answered);
	} while (wall_seconds() - start < SECONDS);
	return (double)answered / (wall_seconds() - start) / 1e3;
}

/* In a child: kills QEMU while a batch is under way. */
static double cost_of_a_kill(const struct wp_scratch *scratch)
{
	const struct wp_qemu *qemu = wp_qemu_of(scratch->machine);
	const uint64_t starts = qemu->starts;
	double worst = 0;

	for (useconds_t delay = 200; qemu->starts < starts + 10 && delay < 1000000;
	     delay = delay * 5 / 4) {
		const pid_t victim = qemu->processes[qemu->model].pid;
		double start;

		if (fork() == 0) {
			usleep(delay);
			kill(victim, SIGKILL);
			_exit(0);
		}
		start = wall_seconds();
		ask(scratch, BATCH, 1u << WP_KERNEL_READ);
		if (wall_seconds() - start > worst)
			worst = wall_seconds() - start;
		ask(scratch, 1, 1u << WP_KERNEL_READ);
	}
	return worst;
}

static void bench(enum wp_machine_name kind, enum wp_arch arch)
{
	const char *name = wp_machine_kinds[kind].name, *on = wp_arch_name(arch);
	const double target = arch == WP_LOONGARCH64 ? 150 : 0;
	const uint8_t read = 1u << WP_KERNEL_READ;
	struct wp_scratch scratch;
	struct wp_machine *machine;
	double start;
	char why[300];

	wp_memory_reset(&memory);
	start = wall_seconds();
	machine = wp_machine_kinds[kind].open(&memory, arch, why, sizeof why);
	if (machine == NULL) {
		printf("no %s for %s: %s\n", name, on, why);
		return;
	}
	if (!wp_scratch_open(&scratch, machine, first_regime(machine)))
		exit(1);
	fill_table(&scratch);
	ask(&scratch, 1, read);
	row(name, on, "from nothing to the first answer", (wall_seconds() - start) * 1e3, "ms", 300,
	    true);
	row(name, on, "kernel reads, one by one", rate(&scratch, 1, read), "k/s", 0, false);
	row(name, on, "kernel reads, batches of 64", rate(&scratch, 64, read), "k/s", 0, false);
	row(name, on, "kernel reads, batches of 4096", rate(&scratch, BATCH, read), "k/s", target,
	    false);
	if (kind == WP_QEMU_MACHINE) {
		row(name, on, "three kernel kinds, batches of 4096",
		    rate(&scratch, BATCH, WP_KERNEL_KINDS), "k/s", 0, false);
		row(name, on, "a batch of 4096, killed half-way", cost_of_a_kill(&scratch) * 1e3,
		    "ms", 1000, true);
	}
	wp_scratch_close(&scratch);
	machine->close(machine);
}

int main(void)
{
	if (!wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES))
		return 1;
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		if (wp_machine_kinds[WP_QEMU_MACHINE].archs >> arch & 1)
			bench(WP_QEMU_MACHINE, (enum wp_arch)arch);
	}
#ifdef WP_KVM
	bench(WP_KVM_MACHINE, WP_X86_64);
#endif
	return 0;
}
