/* SPDX-License-Identifier: MIT */
/*
 * What `walkproof check` says of a backend: one row for each check, and of each that
 * fails the shortest counterexample, as text and as an HTML page.
 */
#ifndef WP_CHECK_REPORT_H
#define WP_CHECK_REPORT_H

#include <stdio.h>

#include "entry_bits.h"
#include "machine_set.h"

/* Laws of the codec, then what each machine is asked, then the whole library. */
enum wp_check_line {
	WP_LINE_CONSTANTS,
	WP_LINE_EXPRESSES,
	WP_LINE_FLAGS,
	WP_LINE_ADDRESSES,
	WP_LINE_LEAVES,
	WP_LINE_NO_ACCESS,
	WP_LINE_TABLES,
	WP_LINE_COMMUTE,
	WP_LINE_USES,
	WP_LINE_LINKS,
	WP_LINE_BREAK,
	WP_LINE_MATRIX, /* + enum wp_machine_name, here and below */
	WP_LINE_BITS = WP_LINE_MATRIX + WP_MACHINE_KINDS,
	WP_LINE_OPERATIONS = WP_LINE_BITS + WP_MACHINE_KINDS,
	WP_CHECK_LINES,
};

struct wp_counterexample {
	char field[96];     /* what of the form is wrong: "arch_leaf_bits: USER" */
	char said[240];     /* by the backend */
	char found[440];    /* and why that is wrong */
	char right[160];    /* what would be right; "": it isn't known */
	char program[1200]; /* of operations that show it; "" */

	/* The entry that it is about, to be drawn. */
	const struct wp_regime *regime; /* NULL: none */
	enum wp_entry_role role;
	unsigned level;
	uint64_t entry, wrong; /* `wrong`: bits of it to be marked */
};

struct wp_check_row {
	uint64_t compared;
	uint64_t wrong;
	unsigned weight;       /* of the counterexample: a shorter one has less */
	char not_checked[240]; /* why nothing was compared */
	struct wp_counterexample shortest;
};

struct wp_check_report {
	const char *subject; /* "x86_64" */
	char regimes[160];
	struct wp_check_row rows[WP_CHECK_LINES];
};

static inline void wp_check_compared(struct wp_check_report *report, unsigned line, uint64_t count)
{
	report->rows[line].compared += count;
}

/*
 * Something compared is wrong. NULL: a counterexample as short is there already; else it
 * is to be filled in.
 */
struct wp_counterexample *wp_check_wrong(struct wp_check_report *report, unsigned line,
                                         unsigned weight);

/* Why it isn't checked; the first reason stays. */
void wp_check_skipped(struct wp_check_report *report, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether one of the lines from `first` up to `end` failed. */
bool wp_check_failed(const struct wp_check_report *report, unsigned first, unsigned end);

/* "flags, levels and accesses: paper" */
const char *wp_check_line_name(unsigned line, char text[80]);

/* The first line says what is wrong, the next ones why; then the table. */
void wp_check_report_print(const struct wp_check_report *report, FILE *out);
/* One page that needs nothing else. */
void wp_check_report_html(const struct wp_check_report *report, FILE *out);

/* The row that the first line is about; NULL: none failed. */
const struct wp_check_row *wp_check_first_failure(const struct wp_check_report *report);

#endif
