/* SPDX-License-Identifier: MIT */
/*
 * What a shared object's process says on standard error before it dies: an assertion, a
 * panic. It is kept in a memory file, and becomes part of the finding.
 */
#ifndef WP_LAST_WORDS_H
#define WP_LAST_WORDS_H

#include "report.h"

struct wp_words {
	int fd; /* -1: nobody listens */
};

/* For processes that are started from now on. Listens to shared objects only. */
void wp_words_open(struct wp_words *words, const struct wp_subject *subject);
void wp_words_close(struct wp_words *words);

/* In the process: its standard error goes there. */
void wp_words_redirect(const struct wp_words *words);

/* What was said so far was no last word. */
void wp_words_forget(const struct wp_words *words);

/* Adds what was said to the sentence of a report of its death. */
void wp_words_tell(const struct wp_words *words, struct wp_report *report);

#endif
