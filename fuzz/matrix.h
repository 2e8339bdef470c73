/* SPDX-License-Identifier: MIT */
/* Which checks and machines find which planted bug, and whether each has its share. */
#ifndef WP_MATRIX_H
#define WP_MATRIX_H

#include <jansson.h>

#include "campaign.h"

/* The judge, which can't be switched off; each check; each machine but paper. */
#define WP_MATRIX_COLUMNS 16

struct wp_matrix_column {
	const char *name;
	unsigned checks, without; /* as a campaign has them... */
	uint64_t programs;        /* ...and this */
	unsigned found;           /* bugs that it finds and the judge doesn't... */
	unsigned alone;           /* ...nor any other column */
	unsigned found_wanted, alone_wanted;
};

struct wp_matrix {
	struct wp_campaign campaign; /* its found() and tick() do nothing */
	bool json;
	size_t count;
	struct wp_matrix_column columns[WP_MATRIX_COLUMNS];
	unsigned unfound; /* bugs that no column finds */
	json_t *bugs;
};

/* Machines with a bit in `without` have no column, and no part in any. */
void wp_matrix_open(struct wp_matrix *matrix, uint64_t seed, unsigned without, bool json);

/*
 * Prints the heading, and a row for each bug as it is known. Fails if a column finds
 * something in the library itself.
 */
void wp_matrix_heading(struct wp_matrix *matrix);
void wp_matrix_row(struct wp_matrix *matrix, const struct wp_subject *subject);

/* Prints how many bugs each column finds. False: one finds too few, or a bug is found by none. */
bool wp_matrix_total(struct wp_matrix *matrix);

#endif
