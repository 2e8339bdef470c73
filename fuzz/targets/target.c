/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct wp_runner runner;
static struct wp_stats stats;
static struct wp_scope scope;

/*
 * Leaving Unicorn is a siglongjmp(), for which AddressSanitizer would look through
 * all of its fake stacks: programs that flush would run twenty times slower. And
 * Unicorn frees large TLBs often, of which 256 MiB would be kept in quarantine.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0:quarantine_size_mb=16";
}

void wp_target_refuse(const char *why)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
	exit(2);
}

static void prove(struct wp_machine *machine)
{
	char why[200] = "out of memory";

	for (size_t i = 0; i < scope.count; i++) {
		if (!machine || !machine->self_test(machine, scope.regimes[i], why, sizeof why))
			wp_target_refuse(why);
	}
}

void wp_target_open(const char *prefix)
{
	char why[200] = "no regime of that name";
	struct wp_machine *paper;

	wp_scope_of(&scope, prefix);
	if (scope.count == 0 ||
	    !wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why))
		wp_target_refuse(why);
	paper = wp_paper_open(&runner.memory, scope.regimes[0]->arch);
	prove(paper);
	paper->close(paper);
#ifdef WP_UNICORN
	if (scope.regimes[0]->arch != WP_LOONGARCH64) { /* Unicorn has none */
		struct wp_machine *unicorn = wp_unicorn_open(&runner.memory, scope.regimes[0]->arch,
		                                             why, sizeof why);

		if (!unicorn)
			wp_target_refuse(why);
		prove(unicorn);
		wp_runner_add(&runner, unicorn);
	}
#endif
}

/* False: a text that isn't a program. Any other bytes are one. */
static bool read_program(struct wp_program *program, const uint8_t *bytes, size_t size)
{
	char why[200];
	bool read;
	char *text;

	if (!wp_program_is_text(bytes, size)) {
		wp_program_decode(program, &scope, bytes, size);
		return true;
	}
	text = strndup((const char *)bytes, size);
	read = text && wp_program_parse(program, text, why, sizeof why) &&
	       program->regime->arch == scope.regimes[0]->arch;
	free(text);
	return read;
}

void wp_target_say(const char *key, const struct wp_finding *finding)
{
	fprintf(stderr, "\nFINDING %s\n%s: %s.\n\n", key, wp_law_name(finding->law),
	        finding->sentence);
}

void wp_target_run(const uint8_t *bytes, size_t size)
{
	static struct wp_program program, settled;
	struct wp_result result;

	if (!read_program(&program, bytes, size) || wp_run(&runner, &program, &result, NULL))
		return;
	wp_run(&runner, &program, &result, &settled);
	wp_target_say(result.key, &result.finding);
	wp_program_print(&settled, stderr);
	abort();
}
