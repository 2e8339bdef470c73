/* SPDX-License-Identifier: MIT */
/* walkproof: the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct wp_command *const commands[] = {
	&wp_command_fuzz,    &wp_command_replay, &wp_command_shrink,   &wp_command_explain,
	&wp_command_show,    &wp_command_walk,   &wp_command_coverage, &wp_command_machines,
	&wp_command_planted, &wp_command_check,
};
#define COMMANDS (sizeof commands / sizeof commands[0])

/* Unicorn leaves its emulator by a long jump; see machines/unicorn.c. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}

static void print_help(void)
{
	puts("Usage: walkproof COMMAND [OPTION...]\n"
	     "Proves a page-table library against emulated CPUs.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s%s\n", commands[i]->name, commands[i]->what);
	puts("\nFor example:\n"
	     "  walkproof fuzz --seconds 60           fuzz every architecture for a minute\n"
	     "  walkproof replay findings/*.wp        are they still there?\n"
	     "  walkproof explain FINDING.wp          what broke, and how\n"
	     "  walkproof walk PROGRAM.wp 0x40001234  who says what about one address\n\n"
	     "'walkproof COMMAND --help' tells more. Exit status: 0 fine, 1 a finding, 2 it could\n"
	     "not start. A program is a text file of operations, such as:\n\n"
	     "  walkproof 1\n"
	     "  regime x86_64\n"
	     "  map t0 va=0x40000000 pa=0x1000 size=4K flags=rw----\n"
	     "  protect t0 va=0x40000000 flags=r-----");
}

static const struct wp_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

/* What was printed must have arrived: a full disk is no success. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "walkproof: can't write the output: %s\n", strerror(errno));
	return WP_EXIT_NOT_STARTED;
}

int main(int argc, char **argv)
{
	const struct wp_command *command;
	char name[64];

	if (argc < 2)
		wp_cli_fail("which command? See 'walkproof --help'");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help();
		return finish(WP_EXIT_FINE);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("walkproof " WP_VERSION);
		return finish(WP_EXIT_FINE);
	}
	command = find_command(argv[1]);
	if (command == NULL)
		wp_cli_fail("no command '%s': see 'walkproof --help'", argv[1]);
	snprintf(name, sizeof name, "walkproof %s", command->name);
	argv[1] = name;
	return finish(command->run(argc - 1, argv + 1));
}
