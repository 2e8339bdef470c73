/* SPDX-License-Identifier: MIT */
#include "reproducer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "standalone.h"

/* The same path, with .c for .wp; empty, with why, if there is none. */
static void save_c(const struct wp_report *report, const struct wp_subject *subject,
                   struct wp_reproducer *saved)
{
	FILE *file;
	bool written;

	snprintf(saved->c, sizeof saved->c, "%.*s.c", (int)strlen(saved->program) - 3,
	         saved->program);
	file = fopen(saved->c, "w");
	if (file == NULL) {
		fprintf(stderr, "walkproof: can't write %s: %s\n", saved->c, strerror(errno));
		saved->c[0] = '\0';
		return;
	}
	written = wp_standalone_print(report, subject, file, saved->why_no_c,
	                              sizeof saved->why_no_c);
	if (written && !ferror(file) && fclose(file) == 0)
		return;
	if (written)
		snprintf(saved->why_no_c, sizeof saved->why_no_c, "can't write it: %s",
		         strerror(errno));
	else
		fclose(file);
	unlink(saved->c);
	saved->c[0] = '\0';
}

void wp_reproducer_save(const char *directory, const struct wp_report *report,
                        const struct wp_subject *subject, struct wp_reproducer *saved)
{
	const struct wp_file_notes notes = {report->key, report->law, report->sentence,
	                                    subject == &wp_library_subject ? NULL : subject->name,
	                                    report->damaged ? &report->damage : NULL};
	char why[4400];

	memset(saved, 0, sizeof *saved);
	if (wp_file_save(directory, &report->program, &notes, saved->program, sizeof saved->program,
	                 why, sizeof why)) {
		save_c(report, subject, saved);
		return;
	}
	fprintf(stderr, "walkproof: %s; here it is instead:\n", why);
	wp_file_print(&report->program, &notes, saved->program, stderr);
	saved->program[0] = '\0';
}

void wp_reproducer_tell(const struct wp_reproducer *saved, const struct wp_report *report,
                        const struct wp_subject *subject, FILE *out)
{
	const bool planted = subject != &wp_library_subject;

	fprintf(out, "%s\n  breaks %s: %s\n", report->key, report->law, report->sentence);
	if (saved->program[0] == '\0')
		return;
	if (saved->c[0] != '\0')
		fprintf(out, "  %s, and in C %s\n", saved->program, saved->c);
	else
		fprintf(out, "  %s; not in C: %s\n", saved->program, saved->why_no_c);
	fprintf(out, "  walkproof replay %s%s%s%s\n", planted ? "--subject " : "",
	        planted ? subject->name : "", planted ? " " : "", saved->program);
}
