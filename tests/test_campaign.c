/* SPDX-License-Identifier: MIT */
/* Campaigns on subjects that end the process, hang, or break laws. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/campaign.h"
#include "../fuzz/contain.h"
#include "../fuzz/machine_set.h"

#define PROGRAMS 200

/* What was told, in order. */
static struct wp_report reports[8];
static size_t report_count;

static void found(struct wp_campaign *campaign, const struct wp_report *report)
{
	(void)campaign;
	if (report_count < sizeof reports / sizeof reports[0])
		reports[report_count] = *report;
	report_count++;
}

static void tick(struct wp_campaign *campaign)
{
	(void)campaign;
}

/* The library, but a 1 GiB leaf in the second table does what `end` does. */
static void (*end)(void);

static pt_status map_or_end(struct wp_instance *instance, unsigned table, uint64_t va, uint64_t pa,
                            uint64_t size, pt_flags flags)
{
	if (size == PT_1G && table == 1)
		end();
	return wp_library_subject.map(instance, table, va, pa, size, flags);
}

/* No sanitizer catches this one. */
static void end_process(void)
{
	raise(SIGKILL);
}

static void hang(void)
{
	for (;;)
		pause();
}

static void run_until(struct wp_campaign *campaign, const struct wp_subject *subject, unsigned jobs,
                      bool first_only)
{
	char why[200] = "";

	report_count = 0;
	memset(campaign, 0, sizeof *campaign);
	campaign->subject = subject;
	campaign->programs = PROGRAMS;
	campaign->first_only = first_only;
	campaign->seed = 7;
	campaign->jobs = jobs;
	campaign->patience = 4 * WP_CONTAIN_SECONDS;
	campaign->without = 1u << WP_QEMU_MACHINE | 1u << WP_KVM_MACHINE;
	campaign->found = found;
	campaign->tick = tick;
	if (!wp_campaign_choose(campaign, (const char *const[]){"x86_64", "loongarch64"},
	                        subject->backend == NULL ? 2 : 1, why, sizeof why) ||
	    !wp_campaign_run(campaign, why, sizeof why))
		fail_msg("%s", why);
}

static void run(struct wp_campaign *campaign, const struct wp_subject *subject, unsigned jobs)
{
	run_until(campaign, subject, jobs, false);
}

static const struct wp_campaign_finding *finding(const struct wp_campaign *campaign,
                                                 const char *key)
{
	for (size_t i = 0; i < campaign->finding_count; i++) {
		if (strcmp(campaign->findings[i].key, key) == 0)
			return &campaign->findings[i];
	}
	return NULL;
}

static const struct wp_report *report_of(const char *key)
{
	for (size_t i = 0; i < report_count; i++) {
		if (strcmp(reports[i].key, key) == 0)
			return &reports[i];
	}
	fail_msg("%s was not told", key);
	return NULL;
}

/* ------------------------------------------------------------------------ tests */

static void one_worker_and_three_run_the_same_programs(void **state)
{
	static struct wp_campaign alone, together;
	static struct wp_stats a, b;

	(void)state;
	run(&alone, &wp_library_subject, 1);
	run(&together, &wp_library_subject, 3);
	assert_int_equal(alone.finding_count, 0);
	for (size_t row = 0; row < 2; row++) {
		wp_campaign_stats(&alone, row, &a);
		wp_campaign_stats(&together, row, &b);
		assert_int_equal(a.programs, PROGRAMS);
		assert_true(a.operations > PROGRAMS);
		assert_memory_equal(&a, &b, sizeof a);
	}
	wp_campaign_close(&alone);
	wp_campaign_close(&together);
}

static void a_program_that_ends_the_process_is_a_finding_and_the_others_still_run(void **state)
{
	static struct wp_campaign campaign;
	static struct wp_program program;
	static struct wp_stats stats;
	struct wp_subject subject = wp_library_subject;
	const struct wp_campaign_finding *crash;
	const struct wp_report *report;

	(void)state;
	subject.map = map_or_end;
	end = end_process;
	run(&campaign, &subject, 2);
	crash = finding(&campaign, "x86_64-crash-map-kill");
	assert_non_null(crash);
	assert_true(crash->programs > 1);
	report = report_of("x86_64-crash-map-kill");
	wp_campaign_program(&campaign, crash->row, crash->number, &program);
	assert_true(program.count > 1);
	assert_int_equal(report->program.count, 1); /* shrunk, each candidate in its own process */
	assert_int_equal(report->program.ops[0].opcode, WP_OP_MAP);
	for (size_t row = 0; row < 2; row++) {
		wp_campaign_stats(&campaign, row, &stats);
		assert_int_equal(stats.programs, PROGRAMS);
	}
	assert_int_equal(campaign.finding_count, 2); /* one for each architecture */
	assert_int_equal(report_count, 2);
	wp_campaign_close(&campaign);
}

static void a_program_that_hangs_is_a_finding(void **state)
{
	static struct wp_campaign campaign;
	struct wp_subject subject = wp_library_subject;

	(void)state;
	subject.map = map_or_end;
	end = hang;
	run_until(&campaign, &subject, 2, true);
	assert_non_null(report_of(campaign.findings[0].key));
	assert_non_null(strstr(campaign.findings[0].key, "-hang-map"));
	assert_true(report_of(campaign.findings[0].key)->program.count <= 4);
	wp_campaign_close(&campaign);
}

static void a_bug_is_told_once_for_each_key_and_shrunk(void **state)
{
	static struct wp_campaign campaign;
	uint64_t programs = 0;

	(void)state;
	run(&campaign, wp_planted_subjects[0], 2);
	assert_true(campaign.finding_count > 0);
	assert_int_equal(report_count, campaign.finding_count);
	for (size_t i = 0; i < campaign.finding_count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(campaign.findings[i].key, campaign.findings[j].key);
		programs += campaign.findings[i].programs;
	}
	assert_true(programs > campaign.finding_count);
	for (size_t i = 0; i < report_count && i < 8; i++)
		assert_true(reports[i].program.count <= 4);
	wp_campaign_close(&campaign);
}

static void an_architecture_that_the_subject_does_not_serve_is_refused(void **state)
{
	static struct wp_campaign campaign;
	char why[200];

	(void)state;
	campaign.subject = &wp_library_subject;
	assert_false(
		wp_campaign_choose(&campaign, (const char *const[]){"mips"}, 1, why, sizeof why));
	assert_non_null(strstr(why, "'mips'"));
	assert_true(wp_campaign_choose(&campaign, NULL, 0, why, sizeof why));
	assert_int_equal(campaign.row_count, WP_ARCHS);
	assert_int_equal(wp_campaign_archs(&campaign), (1u << WP_ARCHS) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker_and_three_run_the_same_programs),
		cmocka_unit_test(
			a_program_that_ends_the_process_is_a_finding_and_the_others_still_run),
		cmocka_unit_test(a_program_that_hangs_is_a_finding),
		cmocka_unit_test(a_bug_is_told_once_for_each_key_and_shrunk),
		cmocka_unit_test(an_architecture_that_the_subject_does_not_serve_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
