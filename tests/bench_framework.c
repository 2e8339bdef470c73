/* SPDX-License-Identifier: MIT */
/*
 * How fast the framework is, one core: walks of the paper machine, probes of
 * Unicorn inside a campaign, programs a second, start-up, memory. Numbers of a
 * sanitized build are those of a fuzz target.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench_clock.h"
#include "bench_unjudged.h"
#include "damage.h"
#include "machine_set.h"
#include "refusals.h"
#include "run.h"

#ifdef SANITIZED
#define TITLE "framework, sanitized"
#else
#define TITLE "framework"
#endif

#define SECONDS_EACH 2.0

static struct wp_stats stats;
static struct wp_runner runner;
static struct wp_program program;

static void row(const char *what, const char *arch, double value, const char *unit, double target,
                bool at_most)
{
	const bool missed = target != 0 && (at_most ? value > target : value < target);

	printf("%-34s %-12s %10.1f %-12s", what, arch, value, unit);
	if (target != 0)
		printf(" %8.1f%s", target, missed ? "  missed" : "");
	printf("\n");
	fflush(stdout);
}

static void die(const char *why)
{
	fprintf(stderr, "bench_framework: %s\n", why);
	exit(1);
}

/* As a campaign's worker does, variants included. */
static void run_one(void)
{
	static struct wp_program refused;
	struct wp_damage damage;
	struct wp_result result;
	const uint64_t programs = stats.programs + 1;

	if (!wp_run(&runner, &program, &result, NULL) ||
	    !wp_refuse_some(&runner, &program, &refused, &result) ||
	    !wp_damage_some(&runner, &program, &damage, &result))
		die(result.finding.sentence);
	stats.programs = programs; /* variants don't count */
}

/* Runs programs of one architecture; returns how long a program took on average. */
static double campaign(const char *arch, bool unicorn, unsigned checks)
{
	struct wp_scope scope;
	struct wp_random random;
	char why[200];
	double start, end;

	memset(&stats, 0, sizeof stats);
	wp_scope_of(&scope, arch);
	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		die(why);
	runner.checks = checks;
	runner.sample = WP_SAMPLE;
#ifdef WP_UNICORN
	if (unicorn)
		wp_runner_add(&runner, wp_unicorn_open(&runner.memory, scope.regimes[0]->arch, why,
		                                       sizeof why));
#else
	(void)unicorn;
#endif
	wp_random_seed(&random, 1);
	start = wall_seconds();
	do {
		wp_program_generate(&program, &scope, &random);
		run_one();
		end = wall_seconds();
	} while (end - start < SECONDS_EACH);
	for (size_t i = 0; i < runner.machine_count; i++)
		runner.machines[i]->close(runner.machines[i]);
	wp_runner_close(&runner);
	return (end - start) / (double)stats.programs;
}

/* The same programs, judged by nobody: the library's own share. */
static void bench_alone(const char *arch)
{
	const size_t count = 2000;
	struct wp_program *settled = calloc(count, sizeof *settled);
	struct wp_result result;
	struct wp_scope scope;
	struct wp_random random;
	char why[200];

	wp_scope_of(&scope, arch);
	if (!settled || !wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		die(settled ? why : "out of memory");
	wp_random_seed(&random, 1);
	for (size_t i = 0; i < count; i++) {
		wp_program_generate(&program, &scope, &random);
		if (!wp_run(&runner, &program, &result, &settled[i]))
			die(result.finding.sentence);
	}
	wp_runner_close(&runner);
	row("programs, the library alone", arch, (double)count / bench_unjudged(settled, count),
	    "/s", 0, false);
	free(settled);
}

/* Walks of every live address of one program, over and over. */
static void bench_paper(const char *arch)
{
	struct wp_scope scope;
	struct wp_random random;
	struct wp_result result;
	struct wp_answer answer;
	const struct wp_run *runs = NULL;
	uint64_t walks = 0, root;
	size_t count = 0;
	char why[200];
	double start;

	wp_scope_of(&scope, arch);
	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		die(why);
	wp_random_seed(&random, 7);
	do {
		wp_program_generate(&program, &scope, &random);
		wp_run_until(&runner, &program, program.count, &result);
		if (wp_model_exists(runner.model, 0))
			runs = wp_model_runs(runner.model, 0, &count);
	} while (count < 20);
	root = runner.subject->root(runner.instance, 0);
	start = wall_seconds();
	do {
		for (size_t i = 0; i < 100000; i++, walks++) {
			const struct wp_run *r = &runs[i % count];

			wp_paper_walk(program.regime, &runner.memory, root,
			              r->va + i * 4096 % r->bytes, &answer);
		}
	} while (wall_seconds() - start < SECONDS_EACH / 4);
	row("paper machine, six kinds a walk", arch, (double)walks / (wall_seconds() - start) / 1e6,
	    "M walks/s", 20, false);
	wp_run_finish(&runner);
	wp_runner_close(&runner);
}

/* What each check costs: programs a second with all of them, and without each. */
static void bench_checks(const char *arch)
{
	const double all = campaign(arch, true, WP_ALL_CHECKS);

	row("programs, every check", arch, 1 / all, "/s", 0, false);
	for (unsigned i = 0; i < WP_CHECKS; i++) {
		const double without = campaign(arch, true, WP_ALL_CHECKS & ~(1u << i));
		char what[64];

		snprintf(what, sizeof what, "  --law=-%s", wp_check_name(i));
		row(what, arch, 1 / without, "/s", 0, false);
		snprintf(what, sizeof what, "  so '%s' costs", wp_check_name(i));
		row(what, arch, (all - without) / all * 100, "% of all", 20, true);
	}
	row("programs, no check", arch, 1 / campaign(arch, true, 0), "/s", 0, false);
}

/* L2: every allocation of a program of 32 operations refused; the slowest of fifty. */
static void bench_refusals(void)
{
	static struct wp_program refused;
	struct wp_scope scope;
	struct wp_random random;
	double worst = 0, total = 0;
	unsigned programs = 0;
	char why[200];

	wp_scope_of(&scope, "");
	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		die(why);
	wp_random_seed(&random, 3);
	while (programs < 50) {
		struct wp_refusals count;
		struct wp_result result;
		double start;

		wp_program_generate(&program, &scope, &random);
		if (program.count < 32)
			continue;
		program.count = 32;
		start = wall_seconds();
		if (!wp_refuse_each(&runner, &program, &wp_refuse_all, &refused, &result, &count))
			die(result.finding.sentence);
		start = wall_seconds() - start;
		worst = start > worst ? start : worst;
		total += start;
		programs++;
	}
	row("refusals, 32 operations, mean", "all", total / programs * 1e3, "ms", 50, true);
	row("refusals, 32 operations, at most", "all", worst * 1e3, "ms", 50, true);
	wp_runner_close(&runner);
}

/* What a fuzz target does before its first program. */
static void bench_start(void)
{
	char why[200] = "";
	const double start = wall_seconds();

	if (!wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		die(why);
#ifdef WP_UNICORN
	for (unsigned arch = 0; arch < WP_LOONGARCH64; arch++) {
		struct wp_machine *machine = wp_unicorn_open(&runner.memory, arch, why, sizeof why);

		for (size_t i = 0; machine && i < wp_regime_count; i++) {
			if (machine->supports(machine, &wp_regimes[i]) &&
			    !machine->self_test(machine, &wp_regimes[i], why, sizeof why))
				die(why);
		}
		if (machine)
			machine->close(machine);
	}
#endif
	row("start, with every self-test", "all", (wall_seconds() - start) * 1e3, "ms", 100, true);
	wp_runner_close(&runner);
}

int main(void)
{
	struct rusage usage;

	printf("%-34s %-12s %10s %-12s %8s\n", TITLE, "", "here", "", "target");
	bench_start();
	for (unsigned i = 0; i < WP_ARCHS; i++) {
		const char *name = wp_arch_name((enum wp_arch)i);
		double paper, both;

		bench_paper(name);
		bench_alone(name);
		paper = campaign(name, false, WP_ALL_CHECKS);
		row("programs, judged by paper", name, 1 / paper, "/s", 20000, false);
		if (!(wp_machine_kinds[WP_UNICORN_MACHINE].archs >> i & 1))
			continue;
		both = campaign(name, true, WP_ALL_CHECKS);
		row("programs, Unicorn at the end", name, 1 / both, "/s", 10000, false);
		row("Unicorn, within a campaign", name,
		    (double)stats.machines[1].answered / (double)stats.programs / (both - paper) /
		            1e6,
		    "M probes/s", 5, false);
	}
	bench_refusals();
	bench_checks("x86_64");
	getrusage(RUSAGE_SELF, &usage);
	row("memory, at most", "all", (double)usage.ru_maxrss / 1024, "MiB", 512, true);
	return 0;
}
