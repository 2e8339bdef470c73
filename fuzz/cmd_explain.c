/* SPDX-License-Identifier: MIT */
/* walkproof explain: what a program breaks, and how it came to that. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contain.h"
#include "files.h"
#include "grid.h"
#include "snapshot.h"
#include "witness.h"

struct explain {
	struct wp_cli_from from;
	struct wp_program program, settled;
	struct wp_damage damage;
	bool damaged, died;
	size_t before; /* operations before the fatal one, or before the damage */
	struct wp_report report;
	struct wp_stats stats;
	struct wp_runner runner;
	struct wp_machine_set set;
	struct wp_snapshot tables[WP_MODEL_TABLES][2]; /* before and after */
	uint64_t roots[WP_MODEL_TABLES];               /* 0: there is no table */
	struct wp_colours colours;
};

/* ---- what happened ---- */

/* Slow machines are asked only if nobody else finds anything. False: it breaks nothing. */
static bool run_program(struct explain *explain)
{
	struct wp_runner *runner = &explain->runner;
	struct wp_contained contained;
	struct wp_result result;
	bool fine;
	char why[200];

	if (!wp_contain_open(&contained, runner, WP_HANG_SECONDS, why, sizeof why))
		wp_cli_fail("%s", why);
	runner->fast_only = true;
	fine = wp_contain_run(&contained, &explain->program, &result, &explain->settled,
	                      &explain->died);
	if (explain->damaged) { /* of the run without the damage it needs the addresses */
		contained.damage = &explain->damage;
		fine = wp_contain_run(&contained, &explain->program, &result, NULL, &explain->died);
	}
	runner->fast_only = false;
	if (fine && !explain->damaged)
		fine = wp_run(runner, &explain->program, &result, &explain->settled);
	wp_contain_report(&contained, &explain->program, &result, explain->died, &explain->report);
	wp_contain_close(&contained);
	return !fine;
}

static void take_tables(struct explain *explain, unsigned moment)
{
	const struct wp_runner *runner = &explain->runner;

	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		if (!wp_model_exists(runner->model, t))
			continue;
		explain->roots[t] = explain->from.subject->root(runner->instance, t);
		if (!wp_snapshot_take(&explain->tables[t][moment], explain->program.regime,
		                      &runner->memory, explain->roots[t]))
			wp_cli_fail("out of memory");
	}
}

/* The tables as they were, and as they are after what breaks it, with which it ends. */
static void run_again(struct explain *explain)
{
	struct wp_damage_stats aside = {0};
	struct wp_result result;

	wp_run_until(&explain->runner, &explain->program, explain->before, &result);
	take_tables(explain, 0);
	if (explain->died)
		return;
	if (explain->damaged)
		wp_damage_run(&explain->runner, &explain->program, &explain->damage, &aside,
		              &result);
	else
		wp_run_until(&explain->runner, &explain->program, explain->report.op + 1, &result);
	take_tables(explain, 1);
}

/* ---- telling ---- */

static void choose_colours(struct wp_colours *colours)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	*colours = (struct wp_colours){"", "", "", "", ""};
	if (!isatty(STDOUT_FILENO) || (no_color != NULL && no_color[0] != '\0') ||
	    (term != NULL && strcmp(term, "dumb") == 0))
		return;
	*colours = (struct wp_colours){"\033[1m", "\033[31m", "\033[32m", "\033[2m", "\033[0m"};
}

static void heading(const struct explain *explain, const char *text)
{
	printf("\n%s%s%s\n", explain->colours.bold, text, explain->colours.off);
}

static void print_finding(const struct explain *explain)
{
	const struct wp_report *report = &explain->report;

	printf("%s%s%s\nbreaks %s:\n%s\n", explain->colours.bold, report->key, explain->colours.off,
	       report->law, report->sentence);
}

/* If it came after so many operations. */
static void print_damage(const struct explain *explain, size_t operations)
{
	if (explain->damaged && explain->damage.at == operations)
		printf("       %s(here its tables are damaged)%s\n", explain->colours.gone,
		       explain->colours.off);
}

static void print_program(const struct explain *explain)
{
	const struct wp_program *program = &explain->program;
	const struct wp_colours *colours = &explain->colours;
	char text[80];

	snprintf(text, sizeof text, "the program, under %s", program->regime->name);
	heading(explain, text);
	for (size_t i = 0; i < program->count; i++) {
		const bool fatal = i == explain->report.op;

		print_damage(explain, i);
		printf("%s%c %2zu  ", fatal ? colours->gone : "", fatal ? '>' : ' ', i + 1);
		wp_op_print(program->regime, &program->ops[i], stdout);
		printf("%s%s\n", fatal ? "   <- here it breaks" : "", fatal ? colours->off : "");
	}
	print_damage(explain, program->count);
	if (explain->report.op >= program->count)
		printf("%s>     the end   <- here it breaks%s\n", colours->gone, colours->off);
}

static uint64_t address_of(const struct explain *explain)
{
	static struct wp_report report;
	uint64_t va[1] = {0};

	report = explain->report;
	if (explain->settled.count > 0)
		report.program = explain->settled;
	return wp_report_addresses(&report, va, 1) > 0 ? va[0] : 0;
}

static unsigned table_of(const struct explain *explain)
{
	const struct wp_program *program = &explain->program;
	const unsigned table = explain->report.op < program->count
	                               ? program->ops[explain->report.op].table
	                               : 0;

	return explain->roots[table] != 0 ? table : 1 - table;
}

static bool changed(const struct explain *explain, unsigned table)
{
	const struct wp_snapshot *pair = explain->tables[table];

	return !explain->died && wp_snapshot_changed(&pair[0], &pair[1], explain->program.regime);
}

static void print_tables(struct explain *explain, uint64_t va)
{
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		const struct wp_snapshot *pair = explain->tables[t];
		const bool both = !explain->died;
		char text[120];

		if (explain->roots[t] == 0 || (t != table_of(explain) && !changed(explain, t)))
			continue;
		snprintf(text, sizeof text, "table t%u, root at %#" PRIx64 "%s", t,
		         explain->roots[t],
		         !both                 ? ", before it ended"
		         : changed(explain, t) ? ": - before, + after"
		         : explain->damaged    ? ", not changed by the damage"
		                               : ", not changed");
		heading(explain, text);
		wp_snapshot_compare(&pair[0], &pair[both ? 1 : 0], explain->program.regime, va,
		                    &explain->colours, stdout);
	}
}

/* The walk to `va`, before and after, a row for each level. */
static void print_levels(const struct explain *explain, unsigned table, uint64_t va)
{
	const struct wp_regime *regime = explain->program.regime;
	static struct wp_grid grid;
	char text[80], meaning[WP_MEANING];

	snprintf(text, sizeof text, "0x%" PRIx64 " in t%u, level by level", va, table);
	heading(explain, text);
	grid = (struct wp_grid){.left = true};
	wp_grid_row(&grid);
	for (size_t i = 0; i < 4; i++)
		wp_grid_cell(&grid, "%s",
		             (const char *const[]){"level", "entry before", "entry after",
		                                   explain->died ? "which was" : "which is"}[i]);
	for (unsigned level = 0; level < regime->levels; level++) {
		const struct wp_snapshot_entry *old = wp_snapshot_find(&explain->tables[table][0],
		                                                       regime, level, va);
		const struct wp_snapshot_entry *new = wp_snapshot_find(&explain->tables[table][1],
		                                                       regime, level, va);
		const uint64_t a = old != NULL ? old->value : 0, b = new != NULL ? new->value : 0;

		if (old == NULL && new == NULL && level > 0)
			break;
		wp_grid_row(&grid);
		wp_grid_cell(&grid, "L%u[%u]", level, (unsigned)wp_regime_index(regime, level, va));
		wp_grid_cell(&grid, "0x%016" PRIx64, a);
		wp_grid_cell(&grid, explain->died ? "-" : a == b ? "same" : "0x%016" PRIx64, b);
		wp_grid_cell(&grid, "%s", wp_entry_meaning(explain->died ? old : new, meaning));
	}
	wp_grid_print(&grid, stdout);
}

static void print_witnesses(struct explain *explain, unsigned table, uint64_t va)
{
	static struct wp_testimony said;

	if (explain->died || !wp_model_exists(explain->runner.model, table))
		return;
	said = (struct wp_testimony){.runner = &explain->runner,
	                             .set = &explain->set,
	                             .regime = explain->program.regime,
	                             .table = table,
	                             .va = va,
	                             .damaged = explain->damaged};
	wp_testimony_take(&said);
	heading(explain, "what everyone says of it now");
	wp_testimony_print(&said, stdout);
	if (explain->damaged)
		return;
	for (size_t i = 0; i < said.count; i++) {
		if (said.witnesses[i].finding.found)
			printf("%s%s differs from the model:%s %s\n", explain->colours.gone,
			       said.witnesses[i].name, explain->colours.off,
			       said.witnesses[i].finding.sentence);
	}
	if (!wp_testimony_differs(&said))
		puts("all agree: what is wrong is on the way there, or with flushes and frames");
}

static void tell(struct explain *explain)
{
	const uint64_t va = address_of(explain);
	const unsigned table = table_of(explain);

	print_finding(explain);
	print_program(explain);
	print_tables(explain, va);
	if (explain->roots[table] != 0) {
		print_levels(explain, table, va);
		print_witnesses(explain, table, va);
	}
}

/* ---- arguments ---- */

static const struct argp_option options[] = {
	WP_OPTION_SUBJECT, WP_OPTION_SCOPE, WP_OPTIONS_MACHINES, WP_OPTION_LAW, {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct explain *explain = state->input;

	return wp_cli_file_option(key, value, &explain->from);
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Tell the story of a program that breaks a law: the operation at which it breaks, "
	       "the tables before and after as trees with what changed, and what query(), the "
	       "model and every machine say of the address, level by level.\v"
	       "In colour on a terminal, unless NO_COLOR is set. Exit status: 1 with a finding, 0 "
	       "if the program breaks nothing, 2 if it could not start. For example:\n\n"
	       "  walkproof explain findings/x86_64-L3-unmap-stale-21268745.wp",
};

static int run(int argc, char **argv)
{
	static struct explain explain;
	bool found;

	explain.from.command = "explain";
	explain.from.subject = &wp_library_subject;
	explain.from.checks = WP_ALL_CHECKS;
	wp_cli_parse(&argp, argc, argv, &explain);
	wp_cli_open(&explain.from, &explain.program, &explain.runner, &explain.stats, &explain.set);
	wp_machines_add_to(&explain.set, &explain.runner);
	explain.runner.checks = explain.from.checks;
	choose_colours(&explain.colours);
	explain.damaged = wp_file_damage(explain.from.path, &explain.damage);
	found = run_program(&explain);
	if (found) {
		explain.before = explain.damaged ? explain.damage.at : explain.report.op;
		run_again(&explain);
		tell(&explain);
	} else {
		printf("%s: fine, so there is nothing to explain; 'walkproof show' prints it\n",
		       explain.from.path);
	}
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		wp_snapshot_free(&explain.tables[t][0]);
		wp_snapshot_free(&explain.tables[t][1]);
	}
	wp_machines_close(&explain.set);
	wp_runner_close(&explain.runner);
	return found ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_explain = {"explain", "tell what a program breaks, and how",
                                              run};
