/* SPDX-License-Identifier: MIT */
/*
 * Property: whatever a few frames of memory hold, taken for page tables of any
 * architecture, query() says what the CPU does (L7): it agrees with the paper
 * machine, and the paper machine with Unicorn; query() and walk() write nothing and
 * come to an end (L5).
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_program.h"

static struct wp_memory_runner runner;
static struct wp_scope scope;

/* Machines prove themselves, for each regime, when they are first asked. */
static void warm_up(void)
{
	static uint8_t bytes[WP_MEMORY_BYTES];
	struct wp_random random;
	struct wp_result result;

	wp_random_seed(&random, 1);
	for (unsigned i = 0; i < 8 * scope.count; i++) {
		const uint8_t regime = wp_scope_byte(&scope, scope.regimes[i % scope.count]);

		wp_memory_run(&runner, &scope, bytes,
		              wp_memory_program_random(&random, regime, bytes), &result);
	}
}

/*
 * All frames are written anew, whatever the last input, or a copy of this process, left;
 * and fast machines are made for one regime at a time.
 */
static void settle(void)
{
	static bool warm;

	if (!warm)
		warm_up();
	warm = true;
	runner.fill = NULL;
	for (size_t i = 0; i < scope.count; i++) {
		struct wp_machine *machine =
			runner.set.machines[WP_UNICORN_MACHINE][scope.regimes[i]->arch];

		if (machine && machine->supports(machine, scope.regimes[i]))
			machine->load(machine, scope.regimes[i], runner.first);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct wp_subject *subject;
	char why[200];

	(void)argc;
	(void)argv;
	wp_scope_of(&scope, "");
	subject = wp_target_subject(&scope);
	if (!wp_memory_runner_open(&runner, wp_target_left_out(), why, sizeof why))
		wp_target_refuse(why);
	wp_memory_use(&runner, subject);
	wp_target_settle_by(settle);
	return 0;
}

/* For `xxd -r -p`, as it has no text of its own. */
static void print_input(const uint8_t *bytes, size_t size)
{
	fprintf(stderr, "\nThis input shows it, too (xxd -r -p makes a file of it):\n");
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, "%02x%s", bytes[i], i % WP_MEMORY_RECORD == 0 ? "\n" : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint8_t simpler[WP_MEMORY_BYTES];
	struct wp_result result;

	if (wp_memory_run(&runner, &scope, bytes, size, &result))
		return 0;
	wp_target_say(result.key, &result.finding);
	size = size < sizeof simpler ? size : sizeof simpler; /* more is ignored */
	memcpy(simpler, bytes, size);
	if (wp_memory_shrink(&runner, &scope, simpler, &size, &result, WP_TARGET_SHRINK_RUNS)) {
		fprintf(stderr, "Shrunk: %s.\n\n", result.finding.sentence);
		wp_memory_print(&runner, stderr);
		print_input(simpler, size);
	}
	abort();
}
