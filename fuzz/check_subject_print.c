/* SPDX-License-Identifier: MIT */
/* What walkproof check tells of a shared object. */
#include "check_subject.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"
#include "reproducer.h"

/* ---- what it lacks ---- */

static void print_missing_calls(const struct wp_subject *s, FILE *out)
{
	const struct {
		bool there;
		const char *name;
	} calls[] = {
		{s->protect, "protect"},
		{s->remap, "remap"},
		{s->map_region, "map_region"},
		{s->map_region_with, "map_region_with"},
		{s->unmap_region, "unmap_region"},
		{s->protect_region, "protect_region"},
		{s->walk, "walk"},
		{s->copy_from, "copy_from with give_back"},
		{s->batch_begin, "batch_begin with batch_end"},
	};
	const char *before = "programs do without ";
	size_t column = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (calls[i].there)
			continue;
		if (column > 70)
			column = (size_t)fprintf(out, ",\n  %s", calls[i].name);
		else
			column += (size_t)fprintf(out, "%s%s", before, calls[i].name);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(", which it hasn't\n", out);
}

void wp_check_print_offers(const struct wp_subject *subject, FILE *out)
{
	char profile[600];

	if (subject->calls == NULL)
		return;
	print_missing_calls(subject, out);
	if (!subject->reports_stores)
		fputs("it reports no stores: L4 (every store is walkable), and which tables are "
		      "freed "
		      "while\n  something leads to them, are not judged\n",
		      out);
	if (!subject->reports_flushes)
		fputs("it reports no flushes: L3 (no stale walk) is not judged\n", out);
	if (subject->harvest == NULL)
		fputs("it doesn't tell of accessed and dirty bits: L8 is not judged\n", out);
	wp_profile_text(subject->profile, profile, sizeof profile);
	if (profile[0] != '\0')
		fprintf(out, "it declares: %s\n", profile);
}

/* ---- what came of it ---- */

static void print_program(const struct wp_program *program, FILE *out)
{
	fprintf(out, "      regime %s\n", program->regime->name);
	for (size_t i = 0; i < program->count; i++) {
		fputs("      ", out);
		wp_op_print(&program->ops[i], out);
		fputc('\n', out);
	}
}

static void print_adoption(const struct wp_adoption *adoption, FILE *out)
{
	for (unsigned i = 0; i < WP_DEVIATIONS; i++) {
		if (wp_deviates(adoption->added, (enum wp_deviation)i))
			fprintf(out, "  %s: %s%s\n", wp_deviations[i].name,
			        wp_deviations[i].unasked ? "not asked for are " : "",
			        wp_deviations[i].forgives);
	}
	fprintf(out, "    %s\n", adoption->report.sentence);
	print_program(&adoption->report.program, out);
}

static void print_adoptions(const struct wp_check_subject *check, FILE *out)
{
	char profile[600];

	if (check->adoption_count == 0)
		return;
	wp_profile_text(check->subject->profile, profile, sizeof profile);
	fputs("\nDeviations that it needs and doesn't declare, with the shortest program that "
	      "shows "
	      "each:\n\n",
	      out);
	for (size_t i = 0; i < check->adoption_count; i++)
		print_adoption(&check->adoptions[i], out);
	fprintf(out,
	        "\nIf all of them are on purpose, this is its profile:\n\n  .deviations = "
	        "\"%s\",\n",
	        profile);
}

static void print_bug(const struct wp_check_subject *check, const struct wp_bug *bug, FILE *out)
{
	struct wp_reproducer saved;
	char hint[300];

	wp_reproducer_save(check->directory, &bug->report, check->subject, &saved);
	fprintf(out, "  %s\n    breaks %s: %s\n", bug->report.key, bug->report.law,
	        bug->report.sentence);
	print_program(&bug->report.program, out);
	if (saved.program[0] != '\0')
		fprintf(out, "    walkproof explain --subject %s %s\n", check->subject->name,
		        saved.program);
	wp_profile_text(bug->hint, hint, sizeof hint);
	if (hint[0] != '\0')
		fprintf(out, "    Declare %s if nobody may ask for that%s.\n", hint,
		        (bug->hint & check->masked) != 0 ? "; the rest of the run didn't" : "");
}

void wp_check_print(const struct wp_check_subject *check, FILE *out)
{
	const unsigned undeclared = (unsigned)__builtin_popcount(check->subject->profile &
	                                                         ~check->declared);

	print_adoptions(check, out);
	if (check->bug_count > 0)
		fputs("\nBugs, which no deviation forgives:\n\n", out);
	for (size_t i = 0; i < check->bug_count; i++)
		print_bug(check, &check->bugs[i], out);
	fprintf(out, "\n%s: ", wp_check_passes(check) ? "PASS" : "FAIL");
	if (!wp_check_passes(check))
		fprintf(out, "%zu bug%s, %u deviation%s not declared; ", check->bug_count,
		        check->bug_count == 1 ? "" : "s", undeclared, undeclared == 1 ? "" : "s");
	fprintf(out, "%s programs", wp_number(check->stats.programs));
	fprintf(out, " with %s operations", wp_number(check->stats.operations));
	fprintf(out, "%s%s\n", wp_check_passes(check) ? ", and nothing found" : " in the last run",
	        check->interrupted ? " (interrupted)" : "");
}
