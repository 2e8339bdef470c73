/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine_set.h"
#include "operands.h"
#include "refusals.h"
#include "shrink.h"

/* What a process does before its first input, where inputs are compared. */
#define WARM_UP_REGIONS  24u
#define WARM_UP_PROGRAMS 200u

static struct wp_runner runner;
static struct wp_stats stats;
static struct wp_scope scope;

/* libFuzzer finds them by their section, and takes them for coverage beside edges. */
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t wp_target_counters[WP_POINTS];

/* honggfuzz's, where it is linked in. */
void HF_ITER(const uint8_t **bytes, size_t *size) __attribute__((weak));
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizers' name */
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *end) __attribute__((weak));

static pid_t process; /* the one whose memory was last put right */

static void (*settle)(void); /* what else there is to settle; NULL: nothing */

/*
 * Leaving Unicorn is a siglongjmp(), for which AddressSanitizer would look through
 * all of its fake stacks: programs that flush would run twenty times slower. And
 * Unicorn frees large TLBs often, of which 256 MiB would be kept in quarantine.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0:quarantine_size_mb=16";
}

/*
 * honggfuzz doesn't look for that section, and takes a compiler's counters as they are offered.
 * Others that take such have the section, and would count twice.
 */
static void offer_counters(void)
{
	if (HF_ITER && __sanitizer_cov_8bit_counters_init)
		__sanitizer_cov_8bit_counters_init(wp_target_counters,
		                                   wp_target_counters + WP_POINTS);
}

void wp_target_refuse(const char *why)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
	exit(2);
}

unsigned wp_target_left_out(void)
{
	const char *names = getenv("WALKPROOF_WITHOUT");
	char *copy = strdup(names ? names : ""), *rest = copy, *name;
	unsigned without = 0;

	while (copy && (name = strsep(&rest, " ,")) != NULL) {
		const enum wp_machine_name kind = wp_machine_find(name);

		if (*name != '\0' && kind == WP_MACHINE_KINDS)
			wp_target_refuse("WALKPROOF_WITHOUT: there is unicorn, qemu and kvm");
		if (kind != WP_MACHINE_KINDS)
			without |= 1u << kind;
	}
	free(copy);
	return without;
}

static unsigned scope_archs(void)
{
	unsigned archs = 0;

	for (size_t i = 0; i < scope.count; i++)
		archs |= 1u << scope.regimes[i]->arch;
	return archs;
}

const struct wp_subject *wp_target_subject(struct wp_scope *of)
{
	const char *name = getenv("WALKPROOF_SUBJECT");
	char why[600];
	const struct wp_subject *subject = name ? wp_subject_find(name, why, sizeof why)
	                                        : &wp_library_subject;
	size_t count = 0;

	if (!subject)
		wp_target_refuse(why);
	for (size_t i = 0; i < of->count; i++) {
		if (wp_subject_serves(subject, of->regimes[i]))
			of->regimes[count++] = of->regimes[i];
	}
	of->count = count;
	return subject;
}

void wp_target_open(const char *prefix)
{
	static struct wp_machine_set set;
	const struct wp_subject *subject;
	char why[300] = "no regime that the subject is for";

	wp_scope_of(&scope, prefix);
	subject = wp_target_subject(&scope);
	if (scope.count == 0 || !wp_runner_open(&runner, subject, &stats, why, sizeof why) ||
	    !wp_machines_open(&set, &runner.memory, scope_archs(), wp_target_left_out(), why,
	                      sizeof why) ||
	    !wp_machines_prove(&set, false, why, sizeof why))
		wp_target_refuse(why);
	wp_machines_add_to(&set, &runner);
	runner.sample = WP_SAMPLE;
	runner.point_counters = wp_target_counters;
	offer_counters();
	process = getpid();
}

/* Not every engine that copies the process says so. */
static void notice_copy(void)
{
	if (process != getpid())
		wp_target_forked();
}

struct wp_runner *wp_target_runner(void)
{
	notice_copy();
	return &runner;
}

const struct wp_scope *wp_target_scope(void)
{
	return &scope;
}

uint64_t wp_target_points(void)
{
	return stats.point_count;
}

/* Table 0's regions are in the root slot of one hot address, table 1's in another's. */
static struct wp_op on_table(uint8_t opcode, unsigned table, unsigned of_table)
{
	return (struct wp_op){
		.opcode = opcode,
		.table = (uint8_t)table,
		.va = {.index = of_table == 0 ? 0 : 2},
		.flags = PT_READ,
	};
}

/* Many pages of which no two are neighbours, in each table; changed at once, and shared. */
static void large_program(struct wp_program *program)
{
	struct wp_op *op = program->ops;

	program->regime = scope.regimes[0];
	for (unsigned i = 0; i < WP_MODEL_TABLES * WARM_UP_REGIONS; i++, op++) {
		*op = on_table(WP_OP_MAP_REGION_WITH, i % WP_MODEL_TABLES, i % WP_MODEL_TABLES);
		op->va.offset = (int8_t)(i / WP_MODEL_TABLES);
		op->va.unit = op->va.offset != 0 ? WP_UNIT_2M : 0;
		op->length = (struct wp_length){WP_UNIT_4K, 512, 0};
		op->source = WP_SOURCE_REVERSED;
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++, op++) {
		*op = on_table(WP_OP_PROTECT_REGION, table, table);
		op->length = (struct wp_length){WP_UNIT_2M, WARM_UP_REGIONS, 0};
		op->flags = PT_READ | PT_WRITE;
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++, op++) {
		*op = on_table(WP_OP_COPY_FROM, table, 1 - table);
		op->length = (struct wp_length){(uint8_t)wp_root_unit(scope.regimes[0]), 1, 0};
	}
	program->count = (size_t)(op - program->ops);
}

/* Whatever grows as it is first needed, grows here. */
static void warm_up(void)
{
	static struct wp_program program;
	struct wp_random random;
	struct wp_result result;

	large_program(&program);
	wp_run(&runner, &program, &result, NULL);
	wp_random_seed(&random, 1);
	for (unsigned i = 0; i < WARM_UP_PROGRAMS; i++) {
		wp_program_generate(&program, &scope, &random);
		wp_run(&runner, &program, &result, NULL);
	}
}

/* A fast machine is made for one regime at a time, and keeps that until the next. */
static void settle_machine(struct wp_machine *machine)
{
	for (size_t i = 0; i < scope.count && !machine->slow; i++) {
		if (!machine->supports(machine, scope.regimes[i]))
			continue;
		machine->load(machine, scope.regimes[i], runner.memory.base);
		return;
	}
}

/* A program that does nothing leaves a runner as any other time it was run. */
void wp_target_settle(void)
{
	static struct wp_stats at_first;
	static struct wp_program nothing;
	struct wp_result result;

	if (settle)
		settle();
	if (scope.count == 0)
		return;
	if (!nothing.regime) {
		nothing.regime = scope.regimes[0];
		at_first = stats;
		warm_up();
	}
	stats = at_first;
	wp_run(&runner, &nothing, &result, NULL);
	for (size_t i = 0; i < runner.machine_count; i++)
		settle_machine(runner.machines[i]);
}

void wp_target_settle_by(void (*function)(void))
{
	settle = function;
}

/* Frames are put right when they have been used, so all are. */
void wp_target_forked(void)
{
	uint64_t frame;

	process = getpid();
	if (scope.count == 0)
		return;
	wp_memory_reset(&runner.memory);
	while (wp_memory_alloc(&runner.memory, &frame))
		;
	wp_memory_reset(&runner.memory);
}

/* False: a text that isn't a program. Any other bytes are one. */
static bool read_program(struct wp_program *program, const uint8_t *bytes, size_t size)
{
	char why[200];
	bool read;
	char *text;

	if (!wp_program_is_text(bytes, size)) {
		wp_program_decode(program, &scope, bytes, size);
		return true;
	}
	text = strndup((const char *)bytes, size);
	read = text && wp_program_parse(program, text, why, sizeof why) &&
	       program->regime->arch == scope.regimes[0]->arch;
	free(text);
	return read;
}

void wp_target_say(const char *key, const struct wp_finding *finding)
{
	fprintf(stderr, "\nFINDING %s\n%s: %s.\n\n", key, wp_law_name(finding->law),
	        finding->sentence);
}

void wp_target_run(const uint8_t *bytes, size_t size)
{
	static struct wp_program program, settled;
	struct wp_result result;

	notice_copy();
	if (!read_program(&program, bytes, size))
		return;
	if (wp_run(&runner, &program, &result, NULL)) {
		if (wp_refuse_some(&runner, &program, &settled, &result))
			return;
		program = settled; /* with the refusal that broke it */
	}
	runner.sample = 1; /* what is left of it is another program */
	runner.fast_only = !runner.asks_slow;
	wp_run(&runner, &program, &result, NULL);
	wp_target_say(result.key, &result.finding); /* at once: shrinking may end the process */
	wp_shrink(&runner, &program, &result, WP_TARGET_SHRINK_RUNS);
	fprintf(stderr, "Shrunk: %s.\n\n", result.finding.sentence);
	wp_program_print(&program, stderr);
	abort();
}
