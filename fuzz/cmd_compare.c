/* SPDX-License-Identifier: MIT */
/* walkproof compare: two implementations, the same programs. */
#include "cli.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "compare.h"

#define MAX_KEYS 64

struct compare {
	const char *names[2];
	const struct wp_subject *subjects[2];
	struct wp_unasked unasked; /* of either */
	const char *scope;
	uint64_t programs, seed;
};

/* What the process that runs the programs leaves behind, however it ends. */
struct shared {
	uint64_t number; /* of the program at hand */
	uint64_t programs, calls, queries, parted;
	size_t differences;
	char why[300];
};

/* What one of them isn't asked for, neither is. */
static struct wp_unasked unasked_of(const struct compare *compare)
{
	const struct wp_unasked one = wp_subject_unasked(compare->subjects[0]);
	const struct wp_unasked other = wp_subject_unasked(compare->subjects[1]);

	return (struct wp_unasked){one.opcodes | other.opcodes, one.profile | other.profile};
}

/* The regimes that both serve. */
static struct wp_scope scope_of(const struct compare *compare)
{
	struct wp_scope all, both = {.count = 0};

	wp_scope_of(&all, compare->scope);
	for (size_t i = 0; i < all.count; i++) {
		if (wp_subject_serves(compare->subjects[0], all.regimes[i]) &&
		    wp_subject_serves(compare->subjects[1], all.regimes[i]))
			both.regimes[both.count++] = all.regimes[i];
	}
	return both;
}

static void generate(const struct compare *compare, const struct wp_scope *scope, uint64_t number,
                     struct wp_program *program)
{
	struct wp_random random;

	wp_random_seed(&random, compare->seed * 0x9e3779b97f4a7c15u + number);
	wp_program_generate_for(program, scope, &compare->unasked, &random);
}

static bool is_new(char keys[MAX_KEYS][80], size_t *count, const char *key)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(keys[i], key) == 0)
			return false;
	}
	if (*count == MAX_KEYS)
		return false;
	snprintf(keys[(*count)++], sizeof keys[0], "%s", key);
	return true;
}

static void print_difference(const struct wp_program *program,
                             const struct wp_difference *difference)
{
	printf("%s\n  operation %zu, %s\n", difference->key, difference->op + 1,
	       difference->sentence);
	fflush(stdout);
	wp_program_print(program, stdout);
	fflush(stdout);
}

_Noreturn static void run_programs(const struct compare *compare, const struct wp_scope *scope,
                                   struct shared *shared)
{
	static struct wp_comparison comparison;
	static struct wp_program program;
	static char keys[MAX_KEYS][80];
	struct wp_difference difference;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!wp_compare_open(&comparison, compare->subjects[0], compare->subjects[1], shared->why,
	                     sizeof shared->why))
		_exit(WP_EXIT_NOT_STARTED);
	for (uint64_t i = 0; i < compare->programs; i++) {
		shared->number = i;
		generate(compare, scope, i, &program);
		wp_compare_run(&comparison, &program, &difference);
		shared->programs = i + 1;
		shared->calls = comparison.calls;
		shared->queries = comparison.queries;
		shared->parted = comparison.parted;
		if (!difference.found || !is_new(keys, &shared->differences, difference.key))
			continue;
		wp_compare_shrink(&comparison, &program, &difference);
		print_difference(&program, &difference);
	}
	_exit(0);
}

static int tell(const struct compare *compare, const struct wp_scope *scope,
                const struct shared *shared, int status)
{
	static struct wp_program program;

	if (shared->why[0] != '\0')
		wp_cli_fail("%s", shared->why);
	if (WIFSIGNALED(status)) {
		printf("ended by a signal (%s) in this program:\n", strsignal(WTERMSIG(status)));
		generate(compare, scope, shared->number, &program);
		wp_program_print(&program, stdout);
	}
	printf("%" PRIu64 " programs, %" PRIu64 " calls and %" PRIu64 " addresses on both; "
	       "%" PRIu64 " programs ended where the deviations allow two outcomes\n",
	       shared->programs, shared->calls, shared->queries, shared->parted);
	if (!WIFSIGNALED(status))
		printf("%zu difference%s\n", shared->differences,
		       shared->differences == 1 ? "" : "s");
	return WIFSIGNALED(status) || shared->differences > 0 ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

static int compare_both(const struct compare *compare)
{
	const struct wp_scope scope = scope_of(compare);
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t child;

	if (scope.count == 0)
		wp_cli_fail("no regime that both '%s' and '%s' serve", compare->names[0],
		            compare->names[1]);
	fflush(stdout);
	child = shared == MAP_FAILED ? -1 : fork();
	if (child < 0)
		wp_cli_fail("can't start a process");
	if (child == 0)
		run_programs(compare, &scope, shared);
	waitpid(child, &status, 0);
	return tell(compare, &scope, shared, status);
}

/* ---- arguments ---- */

enum { KEY_PROGRAMS = WP_KEY_OWN, KEY_REGIME, KEY_SEED };

static const struct argp_option options[] = {
	{"programs", KEY_PROGRAMS, "N", 0, "Run N programs (default 100000)", 0},
	{"regime", KEY_REGIME, "NAME", 0,
         "Only this, such as riscv64 or riscv64_sv48 (default: all that both serve)", 0},
	{"seed", KEY_SEED, "N", 0, "Other programs (default 1)", 0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct compare *compare = state->input;

	switch (key) {
	case KEY_PROGRAMS:
		compare->programs = wp_cli_number(value, "--programs", 1, (uint64_t)1 << 60);
		return 0;
	case KEY_REGIME:
		compare->scope = value;
		return 0;
	case KEY_SEED:
		compare->seed = wp_cli_number(value, "--seed", 0, INT64_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			wp_cli_fail("compare takes two subjects: see 'walkproof compare --help'");
		compare->names[state->arg_num] = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "SUBJECT [SUBJECT]",
	.doc = "Run the same random programs on two subjects (the second is the library unless "
	       "told), and compare what each call says, what query() answers and where the tables "
	       "lead.\v"
	       "What the deviations of either leave open is not compared: not the calls that they "
	       "leave out, and nothing after a call with two right outcomes. Each difference is "
	       "told once, with a short program that shows it. Exit status: 0 without a "
	       "difference, 1 with one, 2 if it could not start.",
};

static int run(int argc, char **argv)
{
	static struct compare compare = {
		.names = {NULL, "library"}, .scope = "", .programs = 100000, .seed = 1};

	wp_cli_parse(&argp, argc, argv, &compare);
	if (compare.names[0] == NULL)
		wp_cli_fail("compare what? See 'walkproof compare --help'");
	for (unsigned i = 0; i < 2; i++)
		compare.subjects[i] = wp_cli_subject(compare.names[i]);
	compare.unasked = unasked_of(&compare);
	return compare_both(&compare);
}

const struct wp_command wp_command_compare = {"compare", "run two subjects against each other",
                                              run};
