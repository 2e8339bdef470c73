/* SPDX-License-Identifier: MIT */
/* What the commands of `walkproof` share: arguments, one-line errors, JSON. */
#ifndef WP_CLI_H
#define WP_CLI_H

#include <argp.h>
#include <jansson.h>

#include "run.h"

enum wp_exit {
	WP_EXIT_FINE = 0,
	WP_EXIT_FINDING = 1,
	WP_EXIT_NOT_STARTED = 2,
};

struct wp_command {
	const char *name;
	const char *what; /* one line */
	int (*run)(int argc, char **argv);
};

extern const struct wp_command wp_command_fuzz, wp_command_replay, wp_command_shrink,
	wp_command_explain, wp_command_show, wp_command_walk, wp_command_coverage,
	wp_command_machines, wp_command_check, wp_command_compare, wp_command_planted;

/*
 * As argp_parse(), with --help, and with one line and exit 2 for whatever is
 * wrong.
 */
void wp_cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* One line on standard error, "walkproof: ...", then exit 2. */
_Noreturn void wp_cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A decimal number from least to most; or fails, naming the option. */
uint64_t wp_cli_number(const char *text, const char *option, uint64_t least, uint64_t most);

/* The library, or the planted bug of that name; or fails. */
const struct wp_subject *wp_cli_subject(const char *name);

/* Loads a program that `subject` serves, or fails. */
void wp_cli_load(const char *path, const char *scope, const struct wp_subject *subject,
                 struct wp_program *program);

/* WP_KEY_WITHOUT adds a bit of enum wp_machine_name; or fails. */
void wp_cli_machine_option(int key, char *value, unsigned *without);

/* Applies --law to the bits of enum wp_check; or fails. */
void wp_cli_checks(const char *text, unsigned *checks);

/* Where programs are from, and what runs them; subject and checks have to be set first. */
struct wp_cli_from {
	const char *command; /* of a command of one file: its name, for what goes wrong... */
	const char *path;    /* ...and the file */
	const char *scope;
	const struct wp_subject *subject;
	unsigned without, checks;
	bool json;
};

/* Takes the options that many commands have, as far as a command lists them. */
error_t wp_cli_option(int key, char *value, struct wp_cli_from *from);
/* And one file. */
error_t wp_cli_file_option(int key, char *value, struct wp_cli_from *from);

struct wp_machine_set;

/* Loads that file, and opens a runner for it, with all machines of its architecture; or fails. */
void wp_cli_open(const struct wp_cli_from *from, struct wp_program *program,
                 struct wp_runner *runner, struct wp_stats *stats, struct wp_machine_set *set);

/* Prints and frees it. */
void wp_cli_json(json_t *json);

/* As JSON has no numbers of 64 bits, addresses and entries are text: "0x1000". */
json_t *wp_cli_hex(uint64_t value);

/* Options that many commands have. All are long: few would remember the letters. */
enum wp_option {
	WP_KEY_JSON = 256,
	WP_KEY_SUBJECT,
	WP_KEY_SCOPE,
	WP_KEY_WITHOUT,
	WP_KEY_QEMU,
	WP_KEY_LAW,
	WP_KEY_OWN, /* a command's own from here on */
};

#define WP_HELP_SUBJECT   "Run a planted bug, or your own ./OBJECT.so, instead of the library"
#define WP_HELP_SCOPE     "Regimes for a binary program, such as riscv64 (default: all)"
#define WP_OPTION_JSON    {"json", WP_KEY_JSON, NULL, 0, "Print JSON, for scripts", 0}
#define WP_OPTION_SUBJECT {"subject", WP_KEY_SUBJECT, "NAME", 0, WP_HELP_SUBJECT, 0}
#define WP_HELP_WITHOUT   "Leave out unicorn, qemu or kvm; may be repeated"
#define WP_HELP_QEMU      "Where qemu-system-... is: a directory, or one itself"
#define WP_OPTIONS_MACHINES                                                                        \
	{"without", WP_KEY_WITHOUT, "MACHINE", 0, WP_HELP_WITHOUT, 0},                             \
		{"qemu", WP_KEY_QEMU, "PATH", 0, WP_HELP_QEMU, 0}
#define WP_HELP_LAW     "Checks to run: -warm, or stale,frames for just those; all, none"
#define WP_OPTION_LAW   {"law", WP_KEY_LAW, "CHECKS", 0, WP_HELP_LAW, 0}
#define WP_OPTION_SCOPE {"scope", WP_KEY_SCOPE, "PREFIX", 0, WP_HELP_SCOPE, 0}

#endif
