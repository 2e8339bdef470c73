/* SPDX-License-Identifier: MIT */
/* The report as one page: no script, no image, nothing from elsewhere. */
#include "check_report.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"

static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<style>\n"
	":root { --text: #1d2125; --back: #fff; --line: #d4d9de; --soft: #5c6670; --pass: "
	"#1a7f37;\n"
	"  --fail: #c62828; --mark: #ffd6d1; --set: #eef3f8; }\n"
	"@media (prefers-color-scheme: dark) { :root { --text: #e3e7eb; --back: #16191d;\n"
	"  --line: #3a4149; --soft: #98a3ae; --pass: #57c776; --fail: #ff8a80; --mark: #6b2020;\n"
	"  --set: #27303a; } }\n"
	"body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: "
	"var(--back);\n"
	"  max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }\n"
	"h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }\n"
	"table { border-collapse: collapse; } code, pre { font: 13px/1.5 ui-monospace, monospace; "
	"}\n"
	"pre { border-left: 3px solid var(--line); padding-left: .8rem; overflow-x: auto; }\n"
	".checks { width: 100%; } .checks td, .checks th { text-align: left; padding: .25rem "
	".6rem;\n"
	"  border-bottom: 1px solid var(--line); vertical-align: top; }\n"
	".checks td:nth-child(2) { width: 55%; } .checks { margin-top: 2rem; }\n"
	".checks .count { text-align: right; font-variant-numeric: tabular-nums; }\n"
	".PASS { color: var(--pass); font-weight: 600; } .FAIL { color: var(--fail);\n"
	"  font-weight: 600; } .none { color: var(--soft); }\n"
	".bits { margin: .6rem 0; table-layout: fixed; width: 100%; } .bits td {\n"
	"  border: 1px solid var(--line); text-align: center; padding: .15rem 0; line-height: "
	"1.3;\n"
	"  overflow-wrap: anywhere; font: 11px/1.4 ui-monospace, monospace; }\n"
	".bits small { display: block; color: var(--soft); font-size: 9px; }\n"
	".bits .set { background: var(--set); font-weight: 700; }\n"
	".bits .wrong { background: var(--mark); outline: 2px solid var(--fail);\n"
	"  outline-offset: -2px; font-weight: 700; }\n"
	"</style>\n";

static void escape(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void element(const char *tag, const char *text, FILE *out)
{
	if (text[0] == '\0')
		return;
	fprintf(out, "<%s>", tag);
	escape(text, out);
	fprintf(out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* ---- an entry, bit by bit ---- */

#define ROW_BITS 16u

static void draw_bit(const struct wp_counterexample *example, unsigned bit, FILE *out)
{
	const bool set = (example->entry >> bit & 1) != 0;
	const bool wrong = (example->wrong >> bit & 1) != 0;
	char name[WP_BIT_NAME];

	wp_entry_bit_name(example->regime, example->role, bit, name);
	fprintf(out, "<td class=\"%s%s\" title=\"bit %u ", set ? "set " : "", wrong ? "wrong" : "",
	        bit);
	escape(name, out);
	fprintf(out, "\"><small>%u</small>%d<small>", bit, set);
	name[strcspn(name, "[")] = '\0'; /* the bit is numbered already */
	escape(strcmp(name, "address") == 0 ? "addr" : name, out);
	fputs("</small></td>", out);
}

static void draw_entry(const struct wp_counterexample *example, FILE *out)
{
	if (example->regime == NULL)
		return;
	fprintf(out,
	        "<p>The entry <code>0x%016" PRIx64 "</code>, at level %u%s</p>\n"
	        "<table class=\"bits\">\n",
	        example->entry, example->level,
	        example->wrong != 0 ? "; what it is about is marked:" : ":");
	for (unsigned high = 64; high > 0; high -= ROW_BITS) {
		fputs("<tr>", out);
		for (unsigned bit = high; bit-- > high - ROW_BITS;)
			draw_bit(example, bit, out);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

/* ---- the page ---- */

static void print_failure(const struct wp_check_row *row, unsigned line, FILE *out)
{
	char name[80];

	fprintf(out, "<h2 id=\"check%u\">", line);
	escape(wp_check_line_name(line, name), out);
	fputs("</h2>\n<p><strong>", out);
	escape(row->shortest.field, out);
	fprintf(out, "</strong>, wrong %s times, at the shortest here:</p>\n",
	        wp_number(row->wrong));
	element("p", row->shortest.said, out);
	element("p", row->shortest.found, out);
	element("p", row->shortest.right, out);
	element("pre", row->shortest.program, out);
	draw_entry(&row->shortest, out);
}

static void print_row(const struct wp_check_row *row, unsigned line, FILE *out)
{
	const bool checked = row->compared > 0 || row->wrong > 0;
	const char *verdict = row->wrong > 0 ? "FAIL" : "PASS";
	char name[80];

	fprintf(out, "<tr><td class=\"%s\">%s</td><td>", checked ? verdict : "none",
	        checked ? verdict : "not checked");
	escape(wp_check_line_name(line, name), out);
	fputs("</td><td class=\"count\">", out);
	if (checked)
		fputs(wp_number(row->compared), out);
	fputs("</td><td>", out);
	if (row->wrong > 0) {
		fprintf(out, "<a href=\"#check%u\">", line);
		escape(row->shortest.field, out);
		fputs("</a>", out);
	} else if (!checked) {
		escape(row->not_checked[0] != '\0' ? row->not_checked : "nothing to compare", out);
	}
	fputs("</td></tr>\n", out);
}

static void print_heading(const struct wp_check_report *report, FILE *out)
{
	const struct wp_check_row *first = wp_check_first_failure(report);
	const char *verdict = first != NULL ? "FAIL" : "PASS";

	fputs(head, out);
	element("title", report->subject, out);
	fputs("</head><body>\n<h1>", out);
	escape(report->subject, out);
	fprintf(out, ": <span class=\"%s\">%s</span>", verdict, verdict);
	if (first != NULL) {
		fputs(": ", out);
		escape(first->shortest.field, out);
	}
	fputs("</h1>\n<p>walkproof " WP_VERSION ", ", out);
	escape(report->regimes, out);
	fputs("</p>\n", out);
}

/* What is wrong first of all, then the table, then whatever else is wrong. */
void wp_check_report_html(const struct wp_check_report *report, FILE *out)
{
	const struct wp_check_row *first = wp_check_first_failure(report);

	print_heading(report, out);
	if (first != NULL)
		print_failure(first, (unsigned)(first - report->rows), out);
	fputs("<table class=\"checks\">\n"
	      "<tr><th></th><th>check</th><th class=\"count\">compared</th><th></th></tr>\n",
	      out);
	for (unsigned line = 0; line < WP_CHECK_LINES; line++)
		print_row(&report->rows[line], line, out);
	fputs("</table>\n", out);
	for (unsigned line = 0; line < WP_CHECK_LINES; line++) {
		const struct wp_check_row *row = &report->rows[line];

		if (row->wrong > 0 && row != first)
			print_failure(row, line, out);
	}
	fputs("</body></html>\n", out);
}
