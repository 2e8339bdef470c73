/* SPDX-License-Identifier: MIT */
/* walkproof show: a program as text, and the tables at its end. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "tree.h"

struct show {
	struct wp_cli_from from;
	size_t stop;
	struct wp_program program;
	struct wp_result result;
	struct wp_stats stats;
	struct wp_runner runner;
};

static void print_finding(const struct wp_result *result, const struct wp_program *program)
{
	if (!result->finding.found)
		return;
	printf("\n%s\n  breaks %s\n  operation %zu (%s): %s\n  The tables are as they were then.\n",
	       result->key, wp_law_name(result->finding.law), result->op + 1,
	       wp_opcode_name((enum wp_opcode)program->ops[result->op].opcode),
	       result->finding.sentence);
}

static void print_table(struct show *show, unsigned table)
{
	size_t count;
	uint64_t mapped = 0;
	const struct wp_run *runs = wp_model_runs(show->runner.model, table, &count);
	const uint64_t root = show->from.subject->root(show->runner.instance, table);
	const size_t tables = wp_model_tables(show->runner.model, table);

	for (size_t i = 0; i < count; i++)
		mapped += runs[i].bytes / runs[i].leaf;
	printf("\ntable t%u: root at %#" PRIx64 ", %zu table frame%s, %s leaves\n", table, root,
	       tables, tables == 1 ? "" : "s", wp_number(mapped));
	wp_tree_print(&show->runner, table, stdout);
}

static void print_text(struct show *show)
{
	wp_program_print(&show->program, stdout);
	fflush(stdout); /* the program may end the process */
}

static json_t *program_json(const struct wp_program *program)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < program->count; i++) {
		char line[256] = "";
		FILE *out = fmemopen(line, sizeof line, "w");

		if (out == NULL)
			break;
		wp_op_print(program->regime, &program->ops[i], out);
		fclose(out);
		json_array_append_new(lines, json_string(line));
	}
	return lines;
}

static void print_json(struct show *show)
{
	json_t *tables = json_array();
	const struct wp_result *result = &show->result;

	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		if (!wp_model_exists(show->runner.model, table))
			continue;
		json_array_append_new(
			tables, json_pack("{s:i, s:o, s:o}", "table", (int)table, "root",
		                          wp_cli_hex(show->from.subject->root(show->runner.instance,
		                                                              table)),
		                          "entries", wp_tree_json(&show->runner, table)));
	}
	wp_cli_json(json_pack("{s:s, s:o, s:s?, s:o}", "regime", show->program.regime->name,
	                      "operations", program_json(&show->program), "finding",
	                      result->finding.found ? result->key : NULL, "tables", tables));
}

/* ---- arguments ---- */

enum { KEY_AT = WP_KEY_OWN };

static const struct argp_option options[] = {
	{"at", KEY_AT, "N", 0, "The tables after N operations (default: all of them)", 0},
	WP_OPTION_SUBJECT,
	WP_OPTION_SCOPE,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct show *show = state->input;

	switch (key) {
	case KEY_AT:
		show->stop = wp_cli_number(value, "--at", 0, WP_PROGRAM_MAX_OPS);
		return 0;
	default:
		return wp_cli_file_option(key, value, &show->from);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Print a program as text, run it, and print the tables that it leaves as trees: of "
	       "each entry the level and index, the virtual address, the entry itself, and where "
	       "it leads.\v"
	       "Flags are read, write, execute, user, device, non-cacheable. Leaves that continue "
	       "each other are folded. For example:\n\n"
	       "  walkproof show corpus/x86_64/split.wp\n"
	       "  walkproof show --at 2 findings/x86_64-L1-map-pa-5d2e01c4.wp",
};

static int run(int argc, char **argv)
{
	static struct show show;
	char why[300];

	show.from.command = "show";
	show.from.subject = &wp_library_subject;
	show.stop = WP_PROGRAM_MAX_OPS;
	wp_cli_parse(&argp, argc, argv, &show);
	wp_cli_load(show.from.path, show.from.scope, show.from.subject, &show.program);
	if (!show.from.json)
		print_text(&show);
	if (!wp_runner_open(&show.runner, show.from.subject, &show.stats, why, sizeof why))
		wp_cli_fail("%s", why);
	wp_run_until(&show.runner, &show.program, show.stop, &show.result);
	if (show.from.json) {
		print_json(&show);
	} else {
		print_finding(&show.result, &show.program);
		for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
			if (wp_model_exists(show.runner.model, table))
				print_table(&show, table);
		}
		if (!wp_model_exists(show.runner.model, 0) &&
		    !wp_model_exists(show.runner.model, 1))
			puts("\nno table exists");
	}
	wp_run_finish(&show.runner);
	wp_runner_close(&show.runner);
	return show.result.finding.found ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_show = {"show", "print a program and the tables it leaves", run};
