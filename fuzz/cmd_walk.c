/* SPDX-License-Identifier: MIT */
/* walkproof walk: what everyone says about one address, side by side. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "witness.h"

struct walk {
	struct wp_cli_from from;
	const char *text; /* of the address */
	uint64_t va;
	unsigned table;
	size_t stop;
	struct wp_program program;
	struct wp_result result;
	struct wp_stats stats;
	struct wp_runner runner;
	struct wp_machine_set set;
	struct wp_testimony said;
};

/* ---- telling ---- */

static void print_steps(const struct walk *walk)
{
	puts("\nentries on the way, as the paper machine reads them:");
	for (size_t i = 0; i < walk->said.step_count; i++)
		printf("  L%u  at %#" PRIx64 "  0x%016" PRIx64 "\n", walk->said.steps[i].level,
		       walk->said.steps[i].entry_pa, walk->said.steps[i].entry);
	if (walk->said.step_count == 0)
		puts("  none: the address is not this table's");
}

static void print_all(const struct walk *walk)
{
	const struct wp_result *result = &walk->result;

	if (result->finding.found)
		printf("%s, operation %zu: %s\nThe table is as it was then.\n\n", result->key,
		       result->op + 1, result->finding.sentence);
	printf("%#" PRIx64 " in table t%u of %s, root at %#" PRIx64 "\n\n", walk->va, walk->table,
	       walk->program.regime->name,
	       walk->from.subject->root(walk->runner.instance, walk->table));
	wp_testimony_print(&walk->said, stdout);
	print_steps(walk);
	putchar('\n');
	for (size_t i = 0; i < walk->said.count; i++) {
		if (walk->said.witnesses[i].finding.found)
			printf("%s differs from the model: %s\n", walk->said.witnesses[i].name,
			       walk->said.witnesses[i].finding.sentence);
	}
	if (!wp_testimony_differs(&walk->said))
		puts("all agree");
}

static json_t *witness_json(const struct walk *walk, const struct wp_witness *witness)
{
	json_t *kinds = json_object();
	char flags[8];
	json_t *json = json_pack("{s:s, s:s, s:b, s:b, s:b, s:s?, s:s?}", "name", witness->name,
	                         "says", witness->status, "mapped", witness->mapped, "accessed",
	                         witness->accessed, "dirty", witness->dirty, "memory",
	                         witness->memory_type, "differs",
	                         witness->finding.found ? witness->finding.sentence : NULL);

	for (unsigned kind = 0; kind < WP_KINDS; kind++) {
		if (wp_regime_kinds(walk->program.regime) >> kind & 1)
			json_object_set_new(kinds, wp_kind_name((enum wp_kind)kind),
			                    json_string(wp_witness_verdict(witness, kind)));
	}
	json_object_set_new(json, "kinds", kinds);
	if (witness->mapped)
		json_object_set_new(json, "physical", wp_cli_hex(witness->pa));
	if (witness->mapped && witness->sees_size)
		json_object_set_new(json, "leaf", wp_cli_hex(witness->size));
	if (witness->mapped && witness->sees_flags)
		json_object_set_new(json, "flags",
		                    json_string(wp_flags_text(witness->flags, flags)));
	return json;
}

static void print_json(const struct walk *walk)
{
	json_t *witnesses = json_array(), *levels = json_array();

	for (size_t i = 0; i < walk->said.count; i++)
		json_array_append_new(witnesses, witness_json(walk, &walk->said.witnesses[i]));
	for (size_t i = 0; i < walk->said.step_count; i++)
		json_array_append_new(levels,
		                      json_pack("{s:i, s:o, s:o}", "level",
		                                (int)walk->said.steps[i].level, "at",
		                                wp_cli_hex(walk->said.steps[i].entry_pa), "entry",
		                                wp_cli_hex(walk->said.steps[i].entry)));
	wp_cli_json(json_pack(
		"{s:s, s:i, s:o, s:s?, s:b, s:o, s:o}", "regime", walk->program.regime->name,
		"table", (int)walk->table, "address", wp_cli_hex(walk->va), "finding",
		walk->result.finding.found ? walk->result.key : NULL, "agree",
		!wp_testimony_differs(&walk->said), "says", witnesses, "levels", levels));
}

/* ---- arguments ---- */

static uint64_t parse_address(const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
		wp_cli_fail("'%s' is no address: a number such as 0x40001234", text);
	return value;
}

enum { KEY_TABLE = WP_KEY_OWN, KEY_AT };

static const struct argp_option options[] = {
	{"table", KEY_TABLE, "0|1", 0, "Which of the program's two tables (default 0)", 0},
	{"at", KEY_AT, "N", 0, "After N operations (default: all of them)", 0},
	WP_OPTION_SUBJECT,
	WP_OPTION_SCOPE,
	WP_OPTIONS_MACHINES,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct walk *walk = state->input;

	switch (key) {
	case KEY_TABLE:
		walk->table = (unsigned)wp_cli_number(value, "--table", 0, WP_MODEL_TABLES - 1);
		return 0;
	case KEY_AT:
		walk->stop = wp_cli_number(value, "--at", 0, WP_PROGRAM_MAX_OPS);
		return 0;
	case ARGP_KEY_ARG:
		if (walk->text != NULL)
			wp_cli_fail(
				"walk takes a file and an address: see 'walkproof walk --help'");
		if (walk->from.path == NULL)
			walk->from.path = value;
		else
			walk->text = value;
		return 0;
	case ARGP_KEY_END:
		if (walk->text == NULL)
			wp_cli_fail(
				"walk which file, to which address? See 'walkproof walk --help'");
		return 0;
	default:
		return wp_cli_option(key, value, &walk->from);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE ADDRESS",
	.doc = "Run a program, then ask query(), the model and every machine about one address, "
	       "and "
	       "show side by side what each says, with the entries on the way.\v"
	       "Exit status: 0 if all agree, 1 if one differs from the model. For example:\n\n"
	       "  walkproof walk findings/x86_64-L1-map-pa-5d2e01c4.wp 0x40001234",
};

static int run(int argc, char **argv)
{
	static struct walk walk;
	bool differs;

	walk.from.subject = &wp_library_subject;
	walk.stop = WP_PROGRAM_MAX_OPS;
	wp_cli_parse(&argp, argc, argv, &walk);
	walk.va = parse_address(walk.text);
	wp_cli_open(&walk.from, &walk.program, &walk.runner, &walk.stats, &walk.set);
	wp_run_until(&walk.runner, &walk.program, walk.stop, &walk.result);
	if (!wp_model_exists(walk.runner.model, walk.table))
		wp_cli_fail("the program has no table t%u at that point: try the other --table",
		            walk.table);
	walk.said = (struct wp_testimony){.runner = &walk.runner,
	                                  .set = &walk.set,
	                                  .regime = walk.program.regime,
	                                  .table = walk.table,
	                                  .va = walk.va};
	wp_testimony_take(&walk.said);
	if (walk.from.json)
		print_json(&walk);
	else
		print_all(&walk);
	differs = wp_testimony_differs(&walk.said) || walk.result.finding.found;
	wp_run_finish(&walk.runner);
	wp_machines_close(&walk.set);
	wp_runner_close(&walk.runner);
	return differs ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_walk = {"walk", "what everyone says about one address", run};
