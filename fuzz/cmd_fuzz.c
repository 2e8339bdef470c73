/* SPDX-License-Identifier: MIT */
/* walkproof fuzz: our own engine over every regime. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check_subject.h"
#include "fuzz_table.h"
#include "grid.h"
#include "machine_set.h"
#include "reproducer.h"

#define MAX_JOBS 512

/* ---- statistics ---- */

static uint64_t probes_of(const struct wp_stats *stats)
{
	uint64_t probes = 0;

	for (size_t i = 0; i < WP_MAX_MACHINES; i++)
		probes += stats->machines[i].answered;
	return probes;
}

/* ---- while it runs ---- */

static void print_progress(struct wp_fuzz *fuzz, uint64_t elapsed)
{
	static struct wp_stats stats;
	const double seconds = (double)(elapsed - fuzz->last_time) / 1e9;
	uint64_t probes;

	wp_fuzz_total(fuzz, &stats);
	probes = probes_of(&stats);
	printf("%s%4.0f s  %s programs/s  %s probes/s  %s coverpoints  %zu finding%s%s",
	       fuzz->terminal ? "\r\033[K" : "", (double)elapsed / 1e9,
	       wp_number((uint64_t)((double)(stats.programs - fuzz->last_programs) / seconds)),
	       wp_number((uint64_t)((double)(probes - fuzz->last_probes) / seconds)),
	       wp_number(stats.point_count), fuzz->campaign.finding_count,
	       fuzz->campaign.finding_count == 1 ? "" : "s", fuzz->terminal ? "" : "\n");
	fflush(stdout);
	fuzz->last_time = elapsed;
	fuzz->last_programs = stats.programs;
	fuzz->last_probes = probes;
}

static void tick(struct wp_campaign *campaign)
{
	struct wp_fuzz *fuzz = (struct wp_fuzz *)campaign;
	const uint64_t elapsed = wp_nanoseconds() - campaign->started;

	if (fuzz->json || elapsed < fuzz->next_line)
		return;
	print_progress(fuzz, elapsed);
	fuzz->next_line = elapsed + (fuzz->terminal ? 500000000u : 10000000000u);
}

static void found(struct wp_campaign *campaign, const struct wp_report *report)
{
	struct wp_fuzz *fuzz = (struct wp_fuzz *)campaign;
	struct wp_reproducer saved;

	wp_reproducer_save(fuzz->directory, report, campaign->subject, &saved);
	json_array_append_new(fuzz->findings,
	                      json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "key", report->key, "law",
	                                report->law, "sentence", report->sentence, "path",
	                                saved.program[0] != '\0' ? saved.program : NULL, "c",
	                                saved.c[0] != '\0' ? saved.c : NULL));
	if (fuzz->json)
		return;
	fputs(fuzz->terminal ? "\r\033[K" : "", stdout);
	wp_reproducer_tell(&saved, report, campaign->subject, stdout);
	fflush(stdout);
}

/* ---- the start ---- */

/* Those that don't prove themselves are left out by the workers. */
static void prove_machines(struct wp_fuzz *fuzz)
{
	const unsigned archs = wp_campaign_archs(&fuzz->campaign);
	struct wp_machine_set set;
	struct wp_memory memory;
	char why[300];

	if (!wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES))
		wp_cli_fail("no guest memory: %s", strerror(errno));
	if (!wp_machines_open(&set, &memory, archs, fuzz->campaign.without, why, sizeof why) ||
	    !wp_machines_prove(&set, true, why, sizeof why))
		wp_cli_fail("%s", why);
	if (!fuzz->json)
		wp_machines_describe(&set, archs, stdout);
	wp_machines_absent(&set, fuzz->campaign.absent);
	wp_machines_close(&set);
	wp_memory_close(&memory);
}

static void print_seed(const struct wp_fuzz *fuzz)
{
	const struct wp_campaign *campaign = &fuzz->campaign;

	if (fuzz->json)
		return;
	printf("seed %" PRIu64 ": repeat with --seed %" PRIu64 "\n", campaign->seed,
	       campaign->seed);
	fflush(stdout);
}

/* ---- arguments ---- */

enum { KEY_SECONDS = WP_KEY_OWN, KEY_PROGRAMS, KEY_ARCH, KEY_JOBS, KEY_SEED, KEY_OUT, KEY_SAMPLE };

static const struct argp_option options[] = {
	{"seconds", KEY_SECONDS, "N", 0, "Stop after N seconds (default 60)", 0},
	{"programs", KEY_PROGRAMS, "N", 0, "Run N programs of each architecture instead", 0},
	{"arch", KEY_ARCH, "NAME", 0,
         "Only this: x86_64, aarch64, riscv64, loongarch64, or a regime such as riscv64_sv48; may "
         "be repeated",
         0},
	{"jobs", KEY_JOBS, "N", 0, "Worker processes (default: one for each core)", 0},
	{"seed", KEY_SEED, "N", 0, "Same seed, same programs (default: from the clock)", 0},
	{"out", KEY_OUT, "DIR", 0, "Where reproducers go (default: findings)", 0},
	{"sample", KEY_SAMPLE, "N", 0,
         "Ask QEMU and KVM about one program in N (default 64; 1: about all)", 0},
	WP_OPTIONS_MACHINES,
	WP_OPTION_LAW,
	WP_OPTION_SUBJECT,
	WP_OPTION_JSON,
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct wp_fuzz *fuzz = state->input;
	struct wp_campaign *campaign = &fuzz->campaign;

	switch (key) {
	case KEY_SECONDS:
		campaign->seconds = wp_cli_number(value, "--seconds", 1, 1000000000);
		return 0;
	case KEY_PROGRAMS:
		campaign->programs = wp_cli_number(value, "--programs", 1, (uint64_t)1 << 60);
		return 0;
	case KEY_ARCH:
		if (fuzz->arch_count == WP_MAX_ROWS)
			wp_cli_fail("--arch at most %d times", WP_MAX_ROWS);
		fuzz->archs[fuzz->arch_count++] = value;
		return 0;
	case KEY_JOBS:
		campaign->jobs = (unsigned)wp_cli_number(value, "--jobs", 1, MAX_JOBS);
		return 0;
	case KEY_SEED:
		campaign->seed = wp_cli_number(value, "--seed", 0, INT64_MAX);
		fuzz->seeded = true;
		return 0;
	case KEY_OUT:
		fuzz->directory = value;
		return 0;
	case KEY_SAMPLE:
		campaign->sample = (unsigned)wp_cli_number(value, "--sample", 1, 1000000000);
		return 0;
	case WP_KEY_LAW:
		wp_cli_checks(value, &campaign->checks);
		return 0;
	case WP_KEY_WITHOUT:
	case WP_KEY_QEMU:
		wp_cli_machine_option(key, value, &campaign->without);
		return 0;
	case WP_KEY_SUBJECT:
		campaign->subject = wp_cli_subject(value);
		return 0;
	case WP_KEY_JSON:
		fuzz->json = true;
		return 0;
	case ARGP_KEY_ARG:
		wp_cli_fail("fuzz takes options only, not '%s': see 'walkproof fuzz --help'",
		            value);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Run random programs on the library and let the model, the laws and every machine "
	       "judge each operation.\v"
	       "Each architecture gets the same share of the time. A finding is shrunk and written "
	       "to DIR/KEY-HASH.wp, a text program, and beside it as a C file. Exit status: 0 "
	       "without a finding, 1 with one, "
	       "2 "
	       "if it could not start.\n\n"
	       "For example, a quarter of an hour on RISC-V and LoongArch:\n\n"
	       "  walkproof fuzz --seconds 900 --arch riscv64 --arch loongarch64\n\n"
	       "and the same 1000 programs of each architecture, every time:\n\n"
	       "  walkproof fuzz --programs 1000 --seed 1",
};

static unsigned cores(void)
{
	const long count = sysconf(_SC_NPROCESSORS_ONLN);

	if (count < 1)
		return 1;
	return count > MAX_JOBS ? MAX_JOBS : (unsigned)count;
}

static int run(int argc, char **argv)
{
	static struct wp_fuzz fuzz;
	struct wp_campaign *campaign = &fuzz.campaign;
	char why[300];
	bool any;

	*campaign = (struct wp_campaign){
		.subject = &wp_library_subject,
		.programs = UINT64_MAX,
		.seconds = 60,
		.jobs = cores(),
		.patience = WP_HANG_SECONDS,
		.sample = WP_SAMPLE,
		.checks = WP_ALL_CHECKS,
		.found = found,
		.tick = tick,
	};
	fuzz.directory = "findings";
	wp_cli_parse(&argp, argc, argv, &fuzz);
	if (!fuzz.seeded)
		campaign->seed = (uint64_t)time(NULL);
	if (!wp_campaign_choose(campaign, fuzz.archs, fuzz.arch_count, why, sizeof why))
		wp_cli_fail("%s", why);
	fuzz.terminal = !fuzz.json && isatty(STDOUT_FILENO);
	fuzz.next_line = fuzz.terminal ? 500000000u : 10000000000u;
	fuzz.findings = json_array();
	prove_machines(&fuzz);
	if (!fuzz.json)
		wp_check_print_offers(campaign->subject, stdout);
	print_seed(&fuzz);
	if (!wp_campaign_run(campaign, why, sizeof why))
		wp_cli_fail("%s", why);
	any = campaign->finding_count > 0;
	if (fuzz.json)
		wp_fuzz_print_json(&fuzz);
	else
		wp_fuzz_print_end(&fuzz);
	wp_campaign_close(campaign);
	return any ? WP_EXIT_FINDING : WP_EXIT_FINE;
}

const struct wp_command wp_command_fuzz = {"fuzz", "run random programs and judge every operation",
                                           run};
