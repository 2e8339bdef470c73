/* SPDX-License-Identifier: MIT */
#include "check_subject.h"

#include <errno.h>
#include <string.h>

#include "contain.h"

/* ---- a run: up to the first finding that is new ---- */

/* Seconds that an operation may take before it hangs: nothing here takes a hundredth of one. */
#define PATIENCE 2u

struct round {
	struct wp_campaign campaign; /* first: found() is given this */
	bool found;
	struct wp_report report;
};

static void found(struct wp_campaign *campaign, const struct wp_report *report)
{
	struct round *round = (struct round *)campaign;

	if (round->found)
		return; /* it turns up again */
	round->found = true;
	round->report = *report;
}

static void tick(struct wp_campaign *campaign)
{
	(void)campaign;
}

static void plan_round(const struct wp_check_subject *check, struct round *round)
{
	memset(round, 0, sizeof *round);
	round->campaign = (struct wp_campaign){
		.subject = check->subject,
		.seed = check->seed,
		.programs = check->programs,
		.seconds = check->seconds,
		.jobs = 1, /* so that the first finding is the first */
		.patience = PATIENCE,
		.without = check->without,
		.checks = WP_ALL_CHECKS,
		.sample = WP_SAMPLE,
		.first_only = true,
		.found = found,
		.tick = tick,
	};
}

static void count_round(struct wp_check_subject *check, const struct round *round)
{
	static struct wp_stats row;

	memset(&check->stats, 0, sizeof check->stats);
	for (size_t i = 0; i < round->campaign.row_count; i++) {
		wp_campaign_stats(&round->campaign, i, &row);
		wp_stats_add(&check->stats, &row);
	}
}

static bool run_round(struct wp_check_subject *check, struct round *round, char *why,
                      size_t why_size)
{
	char known[WP_CHECK_BUGS][96];

	plan_round(check, round);
	if (!wp_campaign_choose(&round->campaign, &check->scope, check->scope != NULL, why,
	                        why_size))
		return false;
	for (size_t i = 0; i < check->bug_count; i++)
		snprintf(known[i], sizeof known[i], "%s", check->bugs[i].report.key);
	round->campaign.known = (const char(*)[96])known;
	round->campaign.known_count = check->bug_count;
	if (!wp_campaign_run(&round->campaign, why, why_size)) {
		wp_campaign_close(&round->campaign);
		return false;
	}
	check->interrupted |= round->campaign.interrupted;
	count_round(check, round);
	wp_campaign_close(&round->campaign);
	return true;
}

/* ---- which deviation forgives it ---- */

struct trial {
	struct wp_check_subject *check;
	struct wp_runner *runner;
	struct wp_contained contained;
	struct wp_machine_set set;
	struct wp_stats stats;
};

/* Whether nothing is wrong with the program under that profile. */
static bool is_fine_under(struct trial *trial, const struct wp_report *report, wp_profile profile)
{
	struct wp_subject *subject = trial->check->subject;
	const wp_profile before = subject->profile;
	struct wp_damage damage = report->damage;
	struct wp_result result;
	bool fine;

	subject->profile = profile;
	trial->contained.damage = report->damaged ? &damage : NULL;
	fine = wp_contain_run(&trial->contained, &report->program, &result, NULL, NULL);
	subject->profile = before;
	return fine;
}

static bool forgives(struct trial *trial, const struct wp_report *report, unsigned deviation)
{
	const wp_profile had = trial->check->subject->profile;
	const wp_profile one = (wp_profile)1 << deviation;

	return (had & one) == 0 && is_fine_under(trial, report, had | one);
}

/*
 * The deviation by which nobody asks for what ends the process. From the end of the list,
 * where the likely ones are: each that isn't it may cost a hang.
 */
static wp_profile find_avoiding(struct trial *trial, const struct wp_report *report)
{
	for (unsigned i = WP_NOT_PROPOSED; i-- > 0;) {
		if (wp_deviations[i].unasked && forgives(trial, report, i))
			return (wp_profile)1 << i;
	}
	return 0;
}

/* One deviation, or else two, in the order of the list; 0: none. */
static wp_profile find_forgiving(struct trial *trial, const struct wp_report *report)
{
	const wp_profile had = trial->check->subject->profile;

	for (unsigned i = 0; i < WP_NOT_PROPOSED; i++) {
		if (forgives(trial, report, i))
			return (wp_profile)1 << i;
	}
	for (unsigned i = 0; i < WP_NOT_PROPOSED; i++) {
		for (unsigned j = i + 1; j < WP_NOT_PROPOSED; j++) {
			const wp_profile two = (wp_profile)1 << i | (wp_profile)1 << j;

			if ((had & two) == 0 && is_fine_under(trial, report, had | two))
				return two;
		}
	}
	return 0;
}

/* Whether all that was adopted so far is forgiven by that profile too. */
static bool forgives_all(struct trial *trial, wp_profile profile)
{
	const struct wp_check_subject *check = trial->check;

	for (size_t i = 0; i < check->adoption_count; i++) {
		if (!is_fine_under(trial, &check->adoptions[i].report, profile))
			return false;
	}
	return true;
}

/*
 * What was adopted before may have been too little: the one that the list names in its place
 * forgives this program too, and the profile is no longer for it. 0: it isn't so.
 */
static wp_profile revise(struct trial *trial, const struct wp_report *report)
{
	struct wp_check_subject *check = trial->check;

	for (size_t i = check->adoption_count; i-- > 0;) {
		for (unsigned j = 0; j < WP_DEVIATIONS; j++) {
			const wp_profile weak = (wp_profile)1 << j;
			const wp_profile strong = (wp_profile)1 << wp_deviations[j].stronger;
			const wp_profile revised = (check->subject->profile & ~weak) | strong;

			if ((check->adoptions[i].added & weak) == 0 ||
			    wp_deviations[j].stronger == WP_DEVIATIONS ||
			    !is_fine_under(trial, report, revised) || !forgives_all(trial, revised))
				continue;
			check->adoptions[i].added ^= weak | strong;
			check->subject->profile = revised;
			return strong;
		}
	}
	return 0;
}

static void tell_progress(const struct wp_check_subject *check, const struct wp_report *report,
                          const char *verdict, wp_profile profile)
{
	char text[600];

	if (check->progress == NULL)
		return;
	wp_profile_text(profile, text, sizeof text);
	fprintf(check->progress, "  %-40s %s%s\n", report->key, verdict, text);
	fflush(check->progress);
}

/* Neither a crash nor a hang is an outcome that anybody means, on tables that are whole. */
static bool is_death(const struct wp_report *report)
{
	return !report->damaged &&
	       (strstr(report->key, "-crash-") != NULL || strstr(report->key, "-hang-") != NULL);
}

static bool keep_bug(struct trial *trial, const struct wp_report *report, wp_profile hint)
{
	struct wp_check_subject *check = trial->check;

	tell_progress(check, report, "a bug", 0);
	if (check->bug_count == WP_CHECK_BUGS)
		return false;
	check->bugs[check->bug_count++] = (struct wp_bug){*report, hint};
	return true;
}

/*
 * Each program that hangs costs seconds: what one of them asked for isn't asked again, or
 * the run ends here.
 */
static bool keep_death(struct trial *trial, const struct wp_report *report)
{
	struct wp_check_subject *check = trial->check;
	const wp_profile hint = find_avoiding(trial, report);

	if (!keep_bug(trial, report, hint))
		return false;
	if (strstr(report->key, "-hang-") == NULL)
		return true;
	check->masked |= hint;
	check->subject->profile |= hint;
	return hint != 0;
}

/* Any other would forgive damage by leaving out what made the tables. */
static wp_profile find_for_damage(struct trial *trial, const struct wp_report *report)
{
	return forgives(trial, report, WP_TRUSTS_TABLES) ? (wp_profile)1 << WP_TRUSTS_TABLES : 0;
}

/* False: there is no point in going on. */
static bool classify(struct trial *trial, const struct wp_report *report)
{
	struct wp_check_subject *check = trial->check;
	wp_profile forgiving;

	if (is_death(report))
		return keep_death(trial, report);
	forgiving = report->damaged ? 0 : revise(trial, report);
	if (forgiving != 0) {
		tell_progress(check, report, "rather ", forgiving);
		return true;
	}
	forgiving = report->damaged ? find_for_damage(trial, report)
	                            : find_forgiving(trial, report);
	if (forgiving == 0)
		return keep_bug(trial, report, 0);
	tell_progress(check, report, "", forgiving);
	check->subject->profile |= forgiving;
	check->adoptions[check->adoption_count++] = (struct wp_adoption){forgiving, *report};
	return true;
}

/* Some of what was taken for a bug may be forgiven by what was adopted since. */
static void drop_forgiven(struct trial *trial)
{
	struct wp_check_subject *check = trial->check;
	size_t kept = 0;

	for (size_t i = 0; i < check->bug_count; i++) {
		const struct wp_bug *bug = &check->bugs[i];

		if (is_death(&bug->report) ||
		    !is_fine_under(trial, &bug->report, check->subject->profile))
			check->bugs[kept++] = *bug;
	}
	check->bug_count = kept;
}

/* ---- all of it ---- */

static bool open_trial(struct trial *trial, struct wp_check_subject *check, char *why,
                       size_t why_size)
{
	trial->check = check;
	if (!wp_runner_open(trial->runner, check->subject, &trial->stats, why, why_size) ||
	    !wp_machines_open(&trial->set, &trial->runner->memory, WP_ALL_ARCHS, check->without,
	                      why, why_size) ||
	    !wp_machines_prove(&trial->set, false, why, why_size) ||
	    !wp_contain_open(&trial->contained, trial->runner, PATIENCE, why, why_size))
		return false;
	wp_machines_add_to(&trial->set, trial->runner);
	trial->runner->fast_only = true;
	trial->runner->sample = 1;
	return true;
}

/* Not kept for the next: a worker may need the window at the same place. */
static void close_trial(struct trial *trial)
{
	wp_contain_close(&trial->contained);
	wp_machines_close(&trial->set);
	wp_runner_close(trial->runner);
}

/* The rounds, each with all the time, until one finds nothing new. */
static bool run_rounds(struct trial *trial, struct wp_check_subject *check, char *why,
                       size_t why_size)
{
	static struct round round;
	bool going = true;

	while (going) {
		if (!run_round(check, &round, why, why_size))
			return false;
		if (!round.found || check->interrupted)
			return true;
		if (!open_trial(trial, check, why, why_size))
			return false;
		going = classify(trial, &round.report);
		close_trial(trial);
	}
	return true;
}

/* What was adopted first may be needless since: true, if one was, and is no more. */
static bool drop_needless(struct trial *trial)
{
	struct wp_check_subject *check = trial->check;

	for (size_t i = 0; i < check->adoption_count; i++) {
		const wp_profile less = check->subject->profile & ~check->adoptions[i].added;

		if (!forgives_all(trial, less))
			continue;
		check->subject->profile = less;
		check->adoption_count--;
		memmove(&check->adoptions[i], &check->adoptions[i + 1],
		        (check->adoption_count - i) * sizeof check->adoptions[0]);
		return true;
	}
	return false;
}

/* Rounds, until what they lead to has nothing needless in it. */
static bool find_profile(struct trial *trial, struct wp_check_subject *check, char *why,
                         size_t why_size)
{
	bool dropped = true;

	while (dropped) {
		if (!run_rounds(trial, check, why, why_size))
			return false;
		if (check->adoption_count < 2 || check->interrupted)
			return true;
		if (!open_trial(trial, check, why, why_size))
			return false;
		dropped = drop_needless(trial);
		close_trial(trial);
	}
	return true;
}

bool wp_check_subject(struct wp_check_subject *check, char *why, size_t why_size)
{
	static struct wp_runner runner;
	static struct trial trial = {.runner = &runner};

	check->declared = check->subject->profile;
	if (!find_profile(&trial, check, why, why_size))
		return false;
	check->subject->profile = wp_check_profile(check);
	if (check->bug_count == 0)
		return true;
	if (!open_trial(&trial, check, why, why_size))
		return false;
	drop_forgiven(&trial);
	close_trial(&trial);
	return true;
}
