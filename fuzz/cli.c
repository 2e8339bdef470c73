/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "files.h"
#include "machine_set.h"

/* ---- errors ---- */

void wp_cli_fail(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("walkproof: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(WP_EXIT_NOT_STARTED);
}

/* ---- arguments ---- */

#define KEY_HELP 'h'

static const struct argp_option help_options[] = {
	{"help", KEY_HELP, NULL, 0, "Show this", -1},
	{0},
};

struct parse {
	const struct argp *argp;
	const char *name; /* "walkproof fuzz" */
};

static const char *offending(const struct argp_state *state)
{
	const char *last = state->next > 1 ? state->argv[state->next - 1] : "";

	if (last[0] != '-' && state->next < state->argc)
		return state->argv[state->next];
	return last;
}

static error_t parse_help(int key, char *value, struct argp_state *state)
{
	const struct parse *parse = state->input;

	(void)value;
	if (key == KEY_HELP) {
		argp_help(parse->argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK,
		          (char *)parse->name);
		fflush(stdout);
		exit(ferror(stdout) ? WP_EXIT_NOT_STARTED : WP_EXIT_FINE);
	}
	if (key == ARGP_KEY_ERROR)
		wp_cli_fail("can't make sense of '%s', or it lacks its value: see '%s --help'",
		            offending(state), parse->name);
	return ARGP_ERR_UNKNOWN;
}

static const struct argp help_argp = {.options = help_options, .parser = parse_help};

/*
 * argp's own errors take two lines and exit 64: so they are off, its --help with
 * them, and the parser above stands in for both.
 */
struct input {
	const struct argp *command;
	void *command_input;
	struct parse parse;
};

static error_t pass_on(int key, char *value, struct argp_state *state)
{
	struct input *input = state->input;

	(void)value;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = input->command_input;
	state->child_inputs[1] = &input->parse;
	return 0;
}

void wp_cli_parse(const struct argp *argp, int argc, char **argv, void *command_input)
{
	const struct argp_child children[] = {{argp, 0, NULL, 0}, {&help_argp, 0, NULL, 0}, {0}};
	const struct argp_child help_child[] = {{&help_argp, 0, NULL, 0}, {0}};
	struct argp with_help = *argp;
	const struct argp whole = {.parser = pass_on, .children = children};
	struct input input = {argp, command_input, {&with_help, argv[0]}};

	with_help.children = help_child;
	argp_parse(&whole, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &input);
}

uint64_t wp_cli_number(const char *text, const char *option, uint64_t least, uint64_t most)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least ||
	    number > most) {
		if (most == UINT64_MAX)
			wp_cli_fail("%s is a number from %" PRIu64 " on, not '%s'", option, least,
			            text);
		wp_cli_fail("%s is a number from %" PRIu64 " to %" PRIu64 ", not '%s'", option,
		            least, most, text);
	}
	return number;
}

const struct wp_subject *wp_cli_subject(const char *name)
{
	char why[600];
	const struct wp_subject *subject = wp_subject_find(name, why, sizeof why);

	if (subject == NULL)
		wp_cli_fail("%s", why);
	return subject;
}

void wp_cli_load(const char *path, const char *scope, const struct wp_subject *subject,
                 struct wp_program *program)
{
	struct wp_scope regimes;
	char why[300];

	if (scope != NULL) {
		wp_scope_of(&regimes, scope);
		if (regimes.count == 0)
			wp_cli_fail("no regime is '%s' or starts with it: such as riscv64 or "
			            "riscv64_sv48",
			            scope);
	}
	if (!wp_file_load(path, scope, program, why, sizeof why))
		wp_cli_fail("%s: %s", path, why);
	if (!wp_subject_serves(subject, program->regime))
		wp_cli_fail("%s: the subject '%s' doesn't serve the regime %s", path, subject->name,
		            program->regime->name);
}

/* ---- JSON ---- */

void wp_cli_json(json_t *json)
{
	if (json == NULL || json_dumpf(json, stdout, JSON_INDENT(2)) != 0)
		wp_cli_fail("can't write JSON: %s",
		            json == NULL ? "out of memory" : strerror(errno));
	putchar('\n');
	json_decref(json);
}

json_t *wp_cli_hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

void wp_cli_machine_option(int key, char *value, unsigned *without)
{
	const enum wp_machine_name kind = wp_machine_find(value);

	if (key == WP_KEY_QEMU) {
		if (access(value, X_OK) != 0)
			wp_cli_fail("--qemu %s: %s", value, strerror(errno));
		wp_qemu_choose(value);
		return;
	}
	if (kind == WP_MACHINE_KINDS)
		wp_cli_fail("--without %s: there is unicorn, qemu and kvm", value);
	*without |= 1u << kind;
}

void wp_cli_checks(const char *text, unsigned *checks)
{
	char why[200];

	if (!wp_checks_parse(text, checks, why, sizeof why))
		wp_cli_fail("--law %s: %s", text, why);
}

error_t wp_cli_option(int key, char *value, struct wp_cli_from *from)
{
	switch (key) {
	case WP_KEY_SUBJECT:
		from->subject = wp_cli_subject(value);
		return 0;
	case WP_KEY_SCOPE:
		from->scope = value;
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &from->without);
		return 0;
	case WP_KEY_LAW:
		wp_cli_checks(value, &from->checks);
		return 0;
	case WP_KEY_JSON:
		from->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t wp_cli_file_option(int key, char *value, struct wp_cli_from *from)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (from->path != NULL)
			wp_cli_fail("%s takes one file: see 'walkproof %s --help'", from->command,
			            from->command);
		from->path = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		wp_cli_fail("%s which file? See 'walkproof %s --help'", from->command,
		            from->command);
	default:
		return wp_cli_option(key, value, from);
	}
}

void wp_cli_open(const struct wp_cli_from *from, struct wp_program *program,
                 struct wp_runner *runner, struct wp_stats *stats, struct wp_machine_set *set)
{
	char why[300];

	wp_cli_load(from->path, from->scope, from->subject, program);
	if (!wp_runner_open(runner, from->subject, stats, why, sizeof why) ||
	    !wp_machines_open(set, &runner->memory, 1u << program->regime->arch, from->without, why,
	                      sizeof why) ||
	    !wp_machines_prove(set, true, why, sizeof why))
		wp_cli_fail("%s", why);
}
