/* SPDX-License-Identifier: MIT */
/* walkproof coverage: the coverpoints that programs come to, and those they never do. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "grid.h"
#include "operands.h"

#define PROGRAMS 2000
#define NEVER    8 /* names, of what was never reached */

struct coverage {
	char **files;
	size_t count;
	struct wp_cli_from from;
	uint64_t programs, seed;
	bool never;
	bool found;
	struct wp_runner runner;
	struct wp_stats stats;
	struct wp_program program;
};

static void run_program(struct coverage *coverage, const char *name)
{
	struct wp_result result;

	if (wp_run(&coverage->runner, &coverage->program, &result, NULL))
		return;
	coverage->found = true;
	fprintf(stderr, "walkproof: %s: %s: %s\n", name, result.key, result.finding.sentence);
}

/* ---- files ---- */

/* The regimes that a folder such as corpus/fuzz_riscv64_sv39 is for; NULL: not a target's. */
static const char *scope_of_folder(const char *path, size_t length)
{
	static char name[64];
	struct wp_scope regimes;
	size_t start;

	while (length > 0 && path[length - 1] == '/')
		length--;
	for (start = length; start > 0 && path[start - 1] != '/';)
		start--;
	snprintf(name, sizeof name, "%.*s", (int)(length - start), path + start);
	if (strncmp(name, "fuzz_", 5) != 0)
		return NULL;
	wp_scope_of(&regimes, name + 5);
	return regimes.count == 0 ? NULL : name + 5;
}

static void run_file(struct coverage *coverage, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *scope = coverage->from.scope;

	if (scope == NULL && slash != NULL)
		scope = scope_of_folder(path, (size_t)(slash - path));
	wp_cli_load(path, scope, &wp_library_subject, &coverage->program);
	run_program(coverage, path);
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_folder(struct coverage *coverage, const char *path)
{
	struct dirent **entries;
	const int count = scandir(path, &entries, is_shown, alphasort);

	if (count < 0)
		wp_cli_fail("%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char file[4200];

		snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
		run_file(coverage, file);
		free(entries[i]);
	}
	free(entries);
}

static void run_path(struct coverage *coverage, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		wp_cli_fail("%s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		run_folder(coverage, path);
	else
		run_file(coverage, path);
}

static void run_drawn(struct coverage *coverage)
{
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		struct wp_random random;
		struct wp_scope scope;

		wp_scope_of(&scope, wp_arch_name((enum wp_arch)arch));
		wp_random_seed(&random, coverage->seed);
		for (uint64_t i = 0; i < coverage->programs; i++) {
			wp_program_generate(&coverage->program, &scope, &random);
			run_program(coverage, "a generated program");
		}
	}
}

/* ---- what was reached ---- */

/* Of an operation and a status: the pairs of height and size that it came with. */
static size_t situations(const struct wp_points *points, unsigned opcode, unsigned status)
{
	size_t count = 0;

	for (unsigned height = 0; height < WP_HEIGHTS; height++) {
		for (unsigned size = 0; size < WP_SIZES; size++)
			count += wp_points_has(points,
			                       wp_call_point((enum wp_opcode)opcode,
			                                     (pt_status)status, height, size));
	}
	return count;
}

static void print_calls(const struct wp_points *points, enum wp_arch arch)
{
	static const char *const columns[PT_STATUSES] = {
		"ok",   "memory", "aligned", "not mapped", "mapped",   "huge",
		"addr", "size",   "flags",   "malformed",  "borrowed",
	};
	struct wp_grid grid = {0};

	wp_grid_row(&grid);
	wp_grid_cell(&grid, "%s", wp_arch_name(arch));
	for (unsigned status = 0; status < PT_STATUSES; status++) {
		if (status != PT_MALFORMED)
			wp_grid_cell(&grid, "%s", columns[status]);
	}
	for (unsigned opcode = 0; opcode < WP_OPCODES; opcode++) {
		if (!wp_status_is_listed(arch, (enum wp_opcode)opcode, PT_BAD_ADDRESS) &&
		    !wp_status_is_listed(arch, (enum wp_opcode)opcode, PT_OK))
			continue;
		wp_grid_row(&grid);
		wp_grid_cell(&grid, "%s", wp_opcode_name((enum wp_opcode)opcode));
		for (unsigned status = 0; status < PT_STATUSES; status++) {
			const size_t count = situations(points, opcode, status);

			if (status == PT_MALFORMED)
				continue;
			if (count == 0 &&
			    !wp_status_is_listed(arch, (enum wp_opcode)opcode, (pt_status)status))
				wp_grid_cell(&grid, "%s", "");
			else if (count == 0)
				wp_grid_cell(&grid, "never");
			else
				wp_grid_cell(&grid, "%zu", count);
		}
	}
	wp_grid_print(&grid, stdout);
}

static void print_leaves(const struct wp_points *points, enum wp_arch arch)
{
	printf("leaves, flags of those that can be:");
	for (unsigned size = 0; size < WP_LEAF_SIZES; size++) {
		size_t seen = 0, possible = 0;

		for (pt_flags flags = 0; flags < WP_FLAG_SETS; flags++) {
			possible += wp_leaf_is_possible(arch, flags, size);
			seen += wp_points_has(points, wp_leaf_point(flags, size));
		}
		if (possible > 0)
			printf("  %s %zu of %zu", wp_rank_name(arch, size), seen, possible);
	}
	putchar('\n');
}

/* Calls `never` for each point that there is and that nothing came to. */
static void each_never(const struct wp_points *points, enum wp_arch arch,
                       void (*never)(const char *name, void *context), void *context)
{
	char name[120], flags[8];

	for (unsigned op = 0; op < WP_OPCODES; op++) {
		for (unsigned status = 0; status < PT_STATUSES; status++) {
			if (!wp_status_is_listed(arch, (enum wp_opcode)op, (pt_status)status) ||
			    situations(points, op, status) > 0)
				continue;
			snprintf(name, sizeof name, "%s returns %s",
			         wp_opcode_name((enum wp_opcode)op),
			         pt_status_name((pt_status)status));
			never(name, context);
		}
		for (unsigned i = 0; i < WP_METS * 2; i++) {
			const enum wp_met met = (enum wp_met)(i / 2);
			const bool access = i % 2 != 0;

			if (!wp_meeting_is_possible((enum wp_opcode)op, met, access) ||
			    wp_points_has(points,
			                  wp_meeting_point((enum wp_opcode)op, met, access)))
				continue;
			snprintf(name, sizeof name, "%s%s meets a %s",
			         wp_opcode_name((enum wp_opcode)op), access ? " with access" : "",
			         wp_met_name(met));
			never(name, context);
		}
	}
	for (unsigned i = 0; i < WP_FLAG_SETS * WP_LEAF_SIZES; i++) {
		const pt_flags set = i / WP_LEAF_SIZES;
		const unsigned size = i % WP_LEAF_SIZES;

		if (!wp_leaf_is_possible(arch, set, size) ||
		    wp_points_has(points, wp_leaf_point(set, size)))
			continue;
		snprintf(name, sizeof name, "a leaf of %s with %s", wp_rank_name(arch, size),
		         wp_flags_text(set, flags));
		never(name, context);
	}
}

struct never {
	size_t count, most;
};

static void print_never(const char *name, void *context)
{
	struct never *never = context;

	if (never->count++ < never->most)
		printf("%s%s", never->count > 1 ? "; " : "never reached: ", name);
}

static size_t points_of(const struct wp_points *points)
{
	size_t count = 0;

	for (size_t point = 0; point < WP_POINTS; point++)
		count += wp_points_has(points, point);
	return count;
}

static void print_harvested(const struct wp_harvested *harvested)
{
	if (harvested->leaves > 0)
		printf("harvested: %" PRIu64 " leaves told of, %" PRIu64 " accessed, %" PRIu64
		       " dirty\n",
		       harvested->leaves, harvested->accessed, harvested->dirty);
}

static void print_arch(const struct coverage *coverage, enum wp_arch arch)
{
	const struct wp_points *points = &coverage->stats.points[arch];
	struct never never = {0, coverage->never ? SIZE_MAX : NEVER};

	print_calls(points, arch);
	print_leaves(points, arch);
	print_harvested(&coverage->stats.harvested[arch]);
	each_never(points, arch, print_never, &never);
	if (never.count > never.most)
		printf("; and %zu more: see --never", never.count - never.most);
	printf("%s%zu coverpoints\n\n", never.count > 0 ? "\n" : "", points_of(points));
}

static void list_never(const char *name, void *context)
{
	json_array_append_new(context, json_string(name));
}

static json_t *arch_json(const struct coverage *coverage, enum wp_arch arch)
{
	const struct wp_points *points = &coverage->stats.points[arch];
	const struct wp_harvested *harvested = &coverage->stats.harvested[arch];
	json_t *never = json_array(), *calls = json_object();

	for (unsigned op = 0; op < WP_OPCODES; op++) {
		json_t *statuses = json_object();

		for (unsigned status = 0; status < PT_STATUSES; status++) {
			const size_t count = situations(points, op, status);

			if (count > 0)
				json_object_set_new(statuses, pt_status_name((pt_status)status),
				                    json_integer((json_int_t)count));
		}
		json_object_set_new(calls, wp_opcode_name((enum wp_opcode)op), statuses);
	}
	each_never(points, arch, list_never, never);
	return json_pack("{s:s, s:I, s:o, s:{s:I, s:I, s:I}, s:o}", "architecture",
	                 wp_arch_name(arch), "coverpoints", (json_int_t)points_of(points), "calls",
	                 calls, "harvested", "leaves", (json_int_t)harvested->leaves, "accessed",
	                 (json_int_t)harvested->accessed, "dirty", (json_int_t)harvested->dirty,
	                 "never", never);
}

static void tell(const struct coverage *coverage)
{
	json_t *list = json_array();
	size_t reached = 0;

	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		if (points_of(&coverage->stats.points[arch]) == 0)
			continue;
		reached++;
		if (coverage->from.json)
			json_array_append_new(list, arch_json(coverage, (enum wp_arch)arch));
		else
			print_arch(coverage, (enum wp_arch)arch);
	}
	if (coverage->from.json)
		wp_cli_json(list);
	else
		json_decref(list);
	if (reached == 0 && !coverage->from.json)
		puts("no coverpoint reached");
}

/* ---- arguments ---- */

enum { KEY_PROGRAMS = WP_KEY_OWN, KEY_SEED, KEY_NEVER };

static const struct argp_option options[] = {
	{"programs", KEY_PROGRAMS, "N", 0,
         "Without a file: generate N programs of each architecture (default: 2000)", 0},
	{"seed", KEY_SEED, "N", 0, "Which ones (default: 1)", 0},
	{"never", KEY_NEVER, NULL, 0, "Name all that was never reached", 0},
	WP_OPTION_SCOPE,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct coverage *coverage = state->input;

	switch (key) {
	case KEY_PROGRAMS:
		coverage->programs = wp_cli_number(value, "--programs", 1, UINT64_MAX);
		return 0;
	case KEY_SEED:
		coverage->seed = wp_cli_number(value, "--seed", 0, UINT64_MAX);
		return 0;
	case KEY_NEVER:
		coverage->never = true;
		return 0;
	case ARGP_KEY_ARG:
		return ARGP_ERR_UNKNOWN; /* all of them at once, below */
	case ARGP_KEY_ARGS:
		coverage->files = state->argv + state->next;
		coverage->count = (size_t)(state->argc - state->next);
		return 0;
	default:
		return wp_cli_option(key, value, &coverage->from);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|FOLDER...]",
	.doc = "Run programs, those of a corpus or freshly generated ones, and print which "
	       "situations they came to: for each operation and status, in how many combinations "
	       "of the height of the slot that it met and the size of the leaf; which flags in "
	       "which leaves; and what was never reached.\v"
	       "A folder of a target, such as corpus/fuzz_riscv64_sv39, tells its regimes by its "
	       "name. For example, what the committed corpus of x86_64 reaches:\n\n"
	       "  walkproof coverage corpus/fuzz_x86_64",
};

static int run(int argc, char **argv)
{
	static struct coverage coverage;
	char why[300];

	coverage.programs = PROGRAMS;
	coverage.seed = 1;
	wp_cli_parse(&argp, argc, argv, &coverage);
	if (!wp_runner_open(&coverage.runner, &wp_library_subject, &coverage.stats, why,
	                    sizeof why))
		wp_cli_fail("%s", why);
	for (size_t i = 0; i < coverage.count; i++)
		run_path(&coverage, coverage.files[i]);
	if (coverage.count == 0)
		run_drawn(&coverage);
	wp_runner_close(&coverage.runner);
	tell(&coverage);
	return coverage.found ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_coverage = {"coverage", "print which situations programs reach",
                                               run};
