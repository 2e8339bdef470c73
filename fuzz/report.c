/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "program_edit.h"

void wp_report_finding(struct wp_report *report, const struct wp_program *program,
                       const struct wp_result *result)
{
	snprintf(report->key, sizeof report->key, "%s", result->key);
	snprintf(report->law, sizeof report->law, "%s", wp_law_name(result->finding.law));
	snprintf(report->sentence, sizeof report->sentence, "%s", result->finding.sentence);
	report->op = result->op;
	wp_program_copy(&report->program, program);
	report->damaged = false;
}

void wp_report_damage(struct wp_report *report, const struct wp_damage *damage)
{
	static const char suffix[] = "-damaged";
	const size_t key = strlen(report->key), said = strlen(report->sentence);

	report->damaged = damage != NULL;
	if (damage == NULL)
		return;
	report->damage = *damage;
	/* a finding has it from wp_damage_run(), a death from nobody yet */
	if (key < sizeof suffix || strcmp(report->key + key + 1 - sizeof suffix, suffix) != 0)
		snprintf(report->key + key, sizeof report->key - key, "%s", suffix);
	snprintf(report->sentence + said, sizeof report->sentence - said,
	         " (--damage %zu:%" PRIu64 ")", damage->at, damage->seed);
}

/* "segv", "abrt", or "exit" for a sanitizer's exit. */
static void name_death(int status, char *name, size_t size)
{
	const char *signal = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	snprintf(name, size, "%s", signal != NULL ? signal : "exit");
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

void wp_report_death(struct wp_report *report, const struct wp_program *program,
                     const struct wp_result *result, int status, unsigned hung)
{
	const char *operation = result->op < program->count ? wp_opcode_name(result->opcode)
	                                                    : "end";
	const char *arch = wp_arch_name(program->regime->arch);
	char name[16], where[64] = "at the end";

	report->op = result->op;
	wp_program_copy(&report->program, program);
	report->damaged = false;
	if (result->op < program->count)
		snprintf(where, sizeof where, "in operation %zu (%s)", result->op + 1, operation);
	if (hung != 0) {
		snprintf(report->key, sizeof report->key, "%s-hang-%s", arch, operation);
		snprintf(report->law, sizeof report->law, "hang: every call returns");
		snprintf(report->sentence, sizeof report->sentence, "still running after %u s, %s",
		         hung, where);
		return;
	}
	name_death(status, name, sizeof name);
	snprintf(report->key, sizeof report->key, "%s-crash-%s-%s", arch, operation, name);
	snprintf(report->law, sizeof report->law, "crash: no program ends the process");
	if (WIFSIGNALED(status))
		snprintf(report->sentence, sizeof report->sentence, "ended by signal %d (%s), %s",
		         WTERMSIG(status), sigdescr_np(WTERMSIG(status)), where);
	else
		snprintf(report->sentence, sizeof report->sentence,
		         "ended by exit %d, as sanitizers do, %s", WEXITSTATUS(status), where);
}

uint64_t wp_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool wp_watch_stalled(struct wp_watch *watch, uint64_t beat, unsigned seconds)
{
	const uint64_t now = wp_nanoseconds();

	if (watch->since == 0 || watch->beat != beat) {
		watch->beat = beat;
		watch->since = now;
	}
	return now - watch->since > seconds * (uint64_t)1000000000;
}
