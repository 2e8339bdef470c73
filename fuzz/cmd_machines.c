/* SPDX-License-Identifier: MIT */
/* walkproof machines: what walks, how well, how fast. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "machine_set.h"
#include "machines/scratch.h"
#include "report.h"

/* How long each machine's speed is measured. */
#define MEASURED_NS 100000000u

struct machines {
	bool json, only_quirks, tables;
	unsigned without;
	struct wp_stats stats;
	struct wp_runner runner;
	struct wp_machine_set set;
	json_t *list;
	bool wrong; /* a self-test fails, or a quirk is gone */
};

/* ---- what each can do ---- */

struct proof {
	size_t passed, regimes;
	char why[200]; /* the first that failed */
};

static struct proof prove(struct wp_machine *machine)
{
	struct proof proof = {0};

	for (size_t i = 0; i < wp_regime_count; i++) {
		char why[200] = "";

		if (!machine->supports(machine, &wp_regimes[i]))
			continue;
		wp_memory_reset(machine->memory);
		proof.regimes++;
		if (machine->self_test(machine, &wp_regimes[i], why, sizeof why))
			proof.passed++;
		else if (proof.why[0] == '\0')
			snprintf(proof.why, sizeof proof.why, "%s", why);
	}
	wp_memory_reset(machine->memory);
	return proof;
}

/* 128 pages and 64 blocks, read, written and executed by both privileges. */
static const char *const tables = "map_region t0 va=0x40000000 pa=0x80000000 size=128x4K "
				  "flags=rw----\n"
				  "map_region t0 va=0x80000000 pa=0x80000000 size=64x2M "
				  "flags=r-x--- huge\n";

static const struct wp_regime *first_regime(const struct wp_machine *machine)
{
	for (size_t i = 0; i < wp_regime_count; i++) {
		if (machine->supports(machine, &wp_regimes[i]))
			return &wp_regimes[i];
	}
	return NULL;
}

static uint64_t probes_per_second(struct machines *machines, struct wp_machine *machine)
{
	static struct wp_program program;
	static struct wp_result result;
	static struct wp_probe probes[1024];
	static struct wp_answer answers[1024];
	const struct wp_regime *regime = first_regime(machine);
	uint64_t answered = 0, started, elapsed;
	char text[400], why[100];

	snprintf(text, sizeof text, "walkproof 1\nregime %s\n%s", regime->name, tables);
	if (!wp_program_parse(&program, text, why, sizeof why) ||
	    !wp_run_until(&machines->runner, &program, program.count, &result))
		return 0;
	for (size_t i = 0; i < 1024; i++) {
		probes[i].va = i % 2 == 0 ? PT_1G + i * 5 % 128 * PT_4K
		                          : 2 * PT_1G + i * 37 % 64 * PT_2M + i * 8;
		probes[i].kinds = WP_ALL_KINDS;
	}
	machine->load(machine, regime,
	              machines->runner.subject->root(machines->runner.instance, 0));
	started = wp_nanoseconds();
	do {
		machine->probe(machine, probes, answers, 1024);
		for (size_t i = 0; i < 1024; i++)
			answered += (uint64_t)__builtin_popcount(answers[i].answered);
		elapsed = wp_nanoseconds() - started;
	} while (elapsed < MEASURED_NS);
	wp_run_finish(&machines->runner);
	return (uint64_t)((double)answered * 1e9 / (double)elapsed);
}

/* Those that this version has; one that must be there and isn't is a mistake of ours. */
static json_t *show_quirks(struct machines *machines, struct wp_machine *machine)
{
	json_t *quirks = json_array();

	for (size_t i = 0; i < machine->quirk_count; i++) {
		const struct wp_quirk *quirk = &machine->quirks[i];
		bool there;

		wp_memory_reset(machine->memory);
		there = quirk->still_there(machine);
		if (!there && machine->quirks_vary)
			continue;
		machines->wrong |= !there;
		json_array_append_new(quirks, json_pack("{s:s, s:s, s:s, s:b}", "key", quirk->key,
		                                        "what", quirk->what, "manual",
		                                        quirk->manual, "still_there", there));
		if (!machines->json)
			printf("  quirk %s%s: %s (%s)\n", quirk->key,
			       there ? "" : " IS GONE, take it out", quirk->what, quirk->manual);
		if (machines->tables && !machines->json) {
			wp_memory_reset(machine->memory);
			wp_scratch_trace(stdout);
			quirk->still_there(machine);
			wp_scratch_trace(NULL);
		}
	}
	wp_memory_reset(machine->memory);
	return quirks;
}

/* ", not for riscv64_sv39x4": regimes of its architecture that it can't walk. */
static void print_left_out(const struct wp_machine *machine)
{
	const char *before = ", not for ";

	for (size_t i = 0; i < wp_regime_count; i++) {
		const struct wp_regime *regime = &wp_regimes[i];

		if (regime->arch != machine->arch || machine->supports(machine, regime))
			continue;
		printf("%s%s", before, regime->name);
		before = ", ";
	}
}

static void print_machine(const struct wp_machine *machine, const struct proof *proof,
                          uint64_t speed)
{
	printf("%s %s, %s: ", machine->name, wp_arch_name(machine->arch), machine->version);
	if (proof->passed != proof->regimes) {
		printf("FAILS its self-test: %s\n", proof->why);
		return;
	}
	printf("proves itself for %zu regime%s", proof->regimes, proof->regimes == 1 ? "" : "s");
	print_left_out(machine);
	printf(", %s probes/s\n", wp_number(speed));
}

static void show_machine(struct machines *machines, struct wp_machine *machine)
{
	const struct proof proof = prove(machine);
	const bool proved = proof.passed == proof.regimes;
	const uint64_t speed = proved && !machines->only_quirks
	                               ? probes_per_second(machines, machine)
	                               : 0;
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:i, s:s?, s:I}", "machine", machine->name,
	                         "architecture", wp_arch_name(machine->arch), "version",
	                         machine->version, "proved", proved, "regimes", (int)proof.regimes,
	                         "why", proved ? NULL : proof.why, "probes_per_second",
	                         (json_int_t)speed);

	machines->wrong |= !proved;
	if (machines->only_quirks && !machines->json && machine->quirk_count > 0)
		printf("%s %s, %s:\n", machine->name, wp_arch_name(machine->arch),
		       machine->version);
	else if (!machines->json && !machines->only_quirks)
		print_machine(machine, &proof, speed);
	json_object_set_new(json, "quirks", show_quirks(machines, machine));
	json_array_append_new(machines->list, json);
	if (machine->rest != NULL)
		machine->rest(machine);
}

static void show_all(struct machines *machines)
{
	const struct wp_machine_set *set = &machines->set;

	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
			if (set->machines[kind][arch] != NULL)
				show_machine(machines, set->machines[kind][arch]);
		}
	}
	if (!machines->json && !machines->only_quirks)
		wp_machines_lacking(set, WP_ALL_ARCHS, stdout);
}

/* ---- arguments ---- */

enum {
	KEY_QUIRKS = WP_KEY_OWN,
	KEY_TABLES,
};

static const struct argp_option options[] = {
	{"quirks", KEY_QUIRKS, NULL, 0, "Only the quirks", 0},
	{"tables", KEY_TABLES, NULL, 0, "With each quirk, the program that shows it", 0},
	WP_OPTIONS_MACHINES,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct machines *machines = state->input;

	if (key == WP_KEY_JSON) {
		machines->json = true;
		return 0;
	}
	if (key == KEY_QUIRKS) {
		machines->only_quirks = true;
		return 0;
	}
	if (key == KEY_TABLES) {
		machines->tables = true;
		return 0;
	}
	if (key == WP_KEY_WITHOUT || key == WP_KEY_QEMU) {
		wp_cli_machine_option(key, value, &machines->without);
		return 0;
	}
	if (key == ARGP_KEY_ARG)
		wp_cli_fail("machines takes no '%s': see 'walkproof machines --help'", value);
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show every machine: its version, whether it proves that it really translates, how "
	       "many probes it answers in a second, and its quirks, the known ways in which it "
	       "differs from the architecture.\v"
	       "Exit status: 0 if all is well, 1 if a self-test fails or a quirk is gone. For "
	       "example, which machines are there for RISC-V, and what a QEMU of your own gets "
	       "wrong:\n\n"
	       "  walkproof machines | grep riscv64\n"
	       "  walkproof machines --quirks --qemu ~/qemu/build",
};

static int run(int argc, char **argv)
{
	static struct machines machines;
	char why[300];

	wp_cli_parse(&argp, argc, argv, &machines);
	machines.list = json_array();
	if (!wp_runner_open(&machines.runner, &wp_library_subject, &machines.stats, why,
	                    sizeof why) ||
	    !wp_machines_open(&machines.set, &machines.runner.memory, WP_ALL_ARCHS,
	                      machines.without, why, sizeof why))
		wp_cli_fail("%s", why);
	show_all(&machines);
	if (machines.json)
		wp_cli_json(machines.list);
	wp_machines_close(&machines.set);
	wp_runner_close(&machines.runner);
	return machines.wrong ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_machines = {"machines", "what walks, how well and how fast",
                                               run};
