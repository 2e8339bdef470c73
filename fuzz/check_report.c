/* SPDX-License-Identifier: MIT */
#include "check_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "grid.h"

struct wp_counterexample *wp_check_wrong(struct wp_check_report *report, unsigned line,
                                         unsigned weight)
{
	struct wp_check_row *row = &report->rows[line];

	if (row->wrong++ > 0 && row->weight <= weight)
		return NULL;
	row->weight = weight;
	memset(&row->shortest, 0, sizeof row->shortest);
	return &row->shortest;
}

void wp_check_skipped(struct wp_check_report *report, unsigned line, const char *format, ...)
{
	struct wp_check_row *row = &report->rows[line];
	va_list arguments;

	if (row->not_checked[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(row->not_checked, sizeof row->not_checked, format, arguments);
	va_end(arguments);
}

bool wp_check_failed(const struct wp_check_report *report, unsigned first, unsigned end)
{
	for (unsigned line = first; line < end; line++) {
		if (report->rows[line].wrong > 0)
			return true;
	}
	return false;
}

const struct wp_check_row *wp_check_first_failure(const struct wp_check_report *report)
{
	for (unsigned line = 0; line < WP_CHECK_LINES; line++) {
		if (report->rows[line].wrong > 0)
			return &report->rows[line];
	}
	return NULL;
}

static uint64_t total(const struct wp_check_report *report, unsigned *rows, unsigned *skipped)
{
	uint64_t compared = 0;

	*rows = *skipped = 0;
	for (unsigned line = 0; line < WP_CHECK_LINES; line++) {
		compared += report->rows[line].compared;
		*rows += report->rows[line].compared > 0;
		*skipped += report->rows[line].compared == 0;
	}
	return compared;
}

const char *wp_check_line_name(unsigned line, char text[80])
{
	static const char *const names[] = {
		[WP_LINE_CONSTANTS] = "levels, sizes and widths are those of the regime",
		[WP_LINE_EXPRESSES] = "what the contract refuses is refused, and no more",
		[WP_LINE_FLAGS] = "flags decode to what was encoded",
		[WP_LINE_ADDRESSES] = "addresses decode to what was encoded",
		[WP_LINE_LEAVES] = "a leaf is a leaf: no table, no hole, not malformed",
		[WP_LINE_NO_ACCESS] = "a no-access leaf is one, no hole, no table, not valid",
		[WP_LINE_TABLES] = "a table is a table, no leaf, and takes no right away",
		[WP_LINE_COMMUTE] = "setting the address and setting flags commute",
		[WP_LINE_USES] = "accessed and dirty change nothing else",
		[WP_LINE_LINKS] = "a link faults at every level and holds its address",
		[WP_LINE_BREAK] = "break-before-make wherever the manual asks for it",
		[WP_LINE_OPERATIONS] = "operations, by all the laws",
	};
	const bool bits = line >= WP_LINE_BITS;
	const unsigned kind = line - (bits ? WP_LINE_BITS : WP_LINE_MATRIX);

	if (line < sizeof names / sizeof names[0] && names[line] != NULL)
		snprintf(text, 80, "%s", names[line]);
	else
		snprintf(text, 80, "%s: %s",
		         bits ? "each bit flipped, alone and in pairs"
		              : "every flag set, level and access",
		         wp_machine_kinds[kind].name);
	return text;
}

/* ---- in a terminal ---- */

static void print_counterexample(const struct wp_counterexample *example, const char *indent,
                                 FILE *out)
{
	const char *const lines[] = {example->said, example->found, example->right};

	for (unsigned i = 0; i < 3; i++) {
		if (lines[i][0] != '\0')
			fprintf(out, "%s%s\n", indent, lines[i]);
	}
	for (const char *at = example->program; *at != '\0';) {
		const size_t length = strcspn(at, "\n");

		fprintf(out, "%s  %.*s\n", indent, (int)length, at);
		at += length + (at[length] == '\n');
	}
}

static void print_row(const struct wp_check_row *row, unsigned line, FILE *out)
{
	char name[80];

	wp_check_line_name(line, name);
	if (row->compared == 0 && row->wrong == 0)
		fprintf(out, "     %-54s %14s  not checked: %s\n", name, "",
		        row->not_checked[0] != '\0' ? row->not_checked : "nothing to compare");
	else
		fprintf(out, "%s %-54s %14s\n", row->wrong > 0 ? "FAIL" : "PASS", name,
		        wp_number(row->compared));
}

/* Machines that find the same are not quoted one by one. */
static bool is_told(const struct wp_check_report *report, unsigned line)
{
	const struct wp_counterexample *example = &report->rows[line].shortest;

	for (unsigned before = 0; before < line; before++) {
		if (report->rows[before].wrong > 0 &&
		    strcmp(report->rows[before].shortest.said, example->said) == 0)
			return true;
	}
	return false;
}

void wp_check_report_print(const struct wp_check_report *report, FILE *out)
{
	const struct wp_check_row *first = wp_check_first_failure(report);
	unsigned rows, skipped;
	const uint64_t compared = total(report, &rows, &skipped);

	if (first != NULL) {
		fprintf(out, "%s: FAIL: %s\n", report->subject, first->shortest.field);
		print_counterexample(&first->shortest, "  ", out);
	} else {
		fprintf(out, "%s: PASS: %s comparisons in %u checks%s\n", report->subject,
		        wp_number(compared), rows,
		        skipped > 0 ? ", others were not made, see below" : "");
	}
	fprintf(out, "\n     %-54s %14s\n", report->regimes, "compared");
	for (unsigned line = 0; line < WP_CHECK_LINES; line++) {
		const struct wp_check_row *row = &report->rows[line];

		print_row(row, line, out);
		if (row->wrong == 0 || row == first)
			continue;
		fprintf(out, "       %s%s\n", row->shortest.field,
		        is_told(report, line) ? ", the same entry" : "");
		if (!is_told(report, line))
			print_counterexample(&row->shortest, "         ", out);
	}
}
