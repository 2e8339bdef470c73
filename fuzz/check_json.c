/* SPDX-License-Identifier: MIT */
/* What walkproof check says, as JSON. */
#include "check_json.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "reproducer.h"

/* ---- a backend ---- */

/* An empty text is left out, as null. */
static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static json_t *counterexample(const struct wp_counterexample *example)
{
	json_t *json = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "field", example->field, "said",
	                         or_null(example->said), "found", or_null(example->found), "right",
	                         or_null(example->right), "program", or_null(example->program));

	if (example->regime != NULL) {
		json_object_set_new(json, "regime", json_string(example->regime->name));
		json_object_set_new(json, "level", json_integer(example->level));
		json_object_set_new(json, "entry", wp_cli_hex(example->entry));
		json_object_set_new(json, "wrong_bits", wp_cli_hex(example->wrong));
	}
	return json;
}

static json_t *row_of(const struct wp_check_row *row, unsigned line)
{
	const bool made = row->compared > 0 || row->wrong > 0;
	char name[80];

	return json_pack("{s:s, s:s, s:I, s:s*, s:o*}", "check", wp_check_line_name(line, name),
	                 "result",
	                 row->wrong > 0 ? "fail"
	                 : made         ? "pass"
	                                : "not checked",
	                 "compared", (json_int_t)row->compared, "why",
	                 made ? NULL : or_null(row->not_checked), "counterexample",
	                 row->wrong > 0 ? counterexample(&row->shortest) : NULL);
}

/* Of "as x86_64, x86_64_la57". */
static json_t *regimes_of(const struct wp_check_report *report)
{
	json_t *names = json_array();
	char words[sizeof report->regimes], *rest = words;

	snprintf(words, sizeof words, "%s", report->regimes);
	for (char *word; (word = strtok_r(rest, ", ", &rest)) != NULL;) {
		if (strcmp(word, "as") != 0)
			json_array_append_new(names, json_string(word));
	}
	return names;
}

void wp_check_report_json(const struct wp_check_report *report)
{
	json_t *rows = json_array();

	for (unsigned line = 0; line < WP_CHECK_LINES; line++)
		json_array_append_new(rows, row_of(&report->rows[line], line));
	wp_cli_json(json_pack("{s:s, s:o, s:b, s:o}", "backend", report->subject, "regimes",
	                      regimes_of(report), "passed",
	                      !wp_check_failed(report, 0, WP_CHECK_LINES), "checks", rows));
}

/* ---- a subject ---- */

static json_t *names_of(wp_profile profile)
{
	json_t *names = json_array();

	for (unsigned i = 0; i < WP_DEVIATIONS; i++) {
		if (wp_deviates(profile, (enum wp_deviation)i))
			json_array_append_new(names, json_string(wp_deviations[i].name));
	}
	return names;
}

/* The finding, with its program as text. */
static json_t *finding_of(const struct wp_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	if (out != NULL) {
		wp_program_print(&report->program, out);
		fclose(out);
	}
	json = json_pack("{s:s, s:s, s:s, s:s*}", "key", report->key, "law", report->law,
	                 "sentence", report->sentence, "program", text);
	free(text);
	return json;
}

static json_t *adoptions_of(const struct wp_check_subject *check)
{
	json_t *all = json_array();

	for (size_t i = 0; i < check->adoption_count; i++) {
		json_t *json = finding_of(&check->adoptions[i].report);

		json_object_set_new(json, "deviations", names_of(check->adoptions[i].added));
		json_array_append_new(all, json);
	}
	return all;
}

static json_t *bugs_of(const struct wp_check_subject *check)
{
	json_t *all = json_array();

	for (size_t i = 0; i < check->bug_count; i++) {
		const struct wp_bug *bug = &check->bugs[i];
		json_t *json = finding_of(&bug->report);
		struct wp_reproducer saved;

		wp_reproducer_save(check->directory, &bug->report, check->subject, &saved);
		if (saved.program[0] != '\0')
			json_object_set_new(json, "path", json_string(saved.program));
		if (saved.c[0] != '\0')
			json_object_set_new(json, "c", json_string(saved.c));
		if (bug->hint != 0)
			json_object_set_new(json, "not_asked_for_with", names_of(bug->hint));
		json_array_append_new(all, json);
	}
	return all;
}

void wp_check_subject_json(const struct wp_check_subject *check)
{
	wp_cli_json(json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "subject",
	                      check->subject->name, "title", wp_subject_title(check->subject),
	                      "passed", wp_check_passes(check), "interrupted", check->interrupted,
	                      "declared", names_of(check->declared), "profile",
	                      names_of(check->subject->profile), "undeclared", adoptions_of(check),
	                      "bugs", bugs_of(check), "seed", (json_int_t)check->seed, "programs",
	                      (json_int_t)check->stats.programs, "operations",
	                      (json_int_t)check->stats.operations));
}
