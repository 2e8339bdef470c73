/* SPDX-License-Identifier: MIT */
/* walkproof check, of a backend: its codec by laws and machines, then operations. */
#ifndef WP_CHECK_BACKEND_H
#define WP_CHECK_BACKEND_H

#include "codecs.h"
#include "subject.h"

struct wp_check_options {
	const char *what;             /* as the report calls it */
	const struct wp_codec *codec; /* NULL: it has none, or it isn't asked about */
	const char *regime;           /* or a backend's name: what it is judged as */
	const struct wp_subject
		*subject;  /* for operations; NULL: there is nothing to run them on */
	unsigned without;  /* bits of enum wp_machine_name */
	unsigned jobs;     /* worker processes */
	uint64_t seconds;  /* of operations... */
	uint64_t programs; /* ...or, if not 0, so many programs, always the same */
	const char *html;  /* a file for the page; NULL: none */
	bool json;         /* the report is printed as JSON */
};

/* Prints the report; returns an exit code. */
int wp_check_backend(const struct wp_check_options *options);

#endif
