/* SPDX-License-Identifier: MIT */
/*
 * A campaign: random programs on one subject, by as many worker processes as
 * asked for. Program `number` of a row is the same whatever the workers do, so
 * the same seed and number of programs give the same statistics.
 */
#ifndef WP_CAMPAIGN_H
#define WP_CAMPAIGN_H

#include "machine_set.h"
#include "report.h"

#define WP_MAX_ROWS     8
#define WP_MAX_FINDINGS 256 /* different keys; more are counted only */

/* What programs are drawn from; each row gets the same share of the time. */
struct wp_row {
	const char *name;
	struct wp_scope scope;
};

/* One key, however many programs show it. */
struct wp_campaign_finding {
	char key[96];
	size_t row;
	uint64_t number; /* of the program that showed it first */
	uint64_t programs;
};

struct wp_campaign {
	const struct wp_subject *subject;
	struct wp_row rows[WP_MAX_ROWS];
	size_t row_count;
	uint64_t seed;
	uint64_t programs; /* of each row; UINT64_MAX: until the time is up */
	uint64_t seconds;
	unsigned jobs;
	unsigned patience;                /* seconds for one program, before it hangs */
	unsigned without;                 /* bits of enum wp_machine_name: left out */
	uint8_t absent[WP_MACHINE_KINDS]; /* ...and of these, architectures: not proven */
	unsigned checks;                  /* bits of enum wp_check */
	unsigned sample;                  /* slow machines are asked about one program in so many */
	bool first_only;                  /* ends at the first finding... */
	const char (*known)[96];          /* ...with another key than these, which are counted */
	size_t known_count;
	bool as_found; /* findings aren't shrunk */
	bool vary_all; /* every program is refused and damaged, not one in so many */

	/* Called when a new key turns up, shrunk, and ten times a second. */
	void (*found)(struct wp_campaign *campaign, const struct wp_report *report);
	void (*tick)(struct wp_campaign *campaign);
	void *context;

	/* What came of it. */
	struct wp_unasked unasked; /* as the run starts */
	uint64_t started;          /* wp_nanoseconds() */
	bool interrupted;
	struct wp_campaign_finding findings[WP_MAX_FINDINGS];
	size_t finding_count;
	uint64_t unlisted; /* programs with a finding beyond those */
	struct wp_board *board;
};

/*
 * The rows for a subject: those of `names` (prefixes of regimes' names), or one
 * for each architecture that it serves if there are none. False: `why` names the
 * one that has no regime.
 */
bool wp_campaign_choose(struct wp_campaign *campaign, const char *const *names, size_t count,
                        char *why, size_t why_size);

/* Bits of the architectures in the rows. */
unsigned wp_campaign_archs(const struct wp_campaign *campaign);

/* Program `number` of a row, from the start of the run on. */
void wp_campaign_program(const struct wp_campaign *campaign, size_t row, uint64_t number,
                         struct wp_program *program);

/* False: it could not start; `why` says what is missing. */
bool wp_campaign_run(struct wp_campaign *campaign, char *why, size_t why_size);

/* The statistics of a row so far, over all workers; valid until the close. */
void wp_campaign_stats(const struct wp_campaign *campaign, size_t row, struct wp_stats *stats);
void wp_campaign_close(struct wp_campaign *campaign);

#endif
