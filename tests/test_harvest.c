/* SPDX-License-Identifier: MIT */
/* L8 in programs that harvest: the judge of it says nothing in vain, and doesn't sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/run.h"

static struct wp_runner runner;
static struct wp_stats stats;
static struct wp_program program;
static struct wp_result result;

static const struct wp_subject *planted(const char *name)
{
	char why[200];
	const struct wp_subject *subject = wp_subject_find(name, why, sizeof why);

	if (subject == NULL)
		fail_msg("%s", why);
	return subject;
}

static void parse(const char *text)
{
	char why[200];

	if (!wp_program_parse(&program, text, why, sizeof why))
		fail_msg("%s in:\n%s", why, text);
}

/* What the subject breaks in a program; "": nothing. */
static const char *key_of(const struct wp_subject *subject, const char *text)
{
	assert_true(wp_runner_use(&runner, subject));
	parse(text);
	return wp_run(&runner, &program, &result, NULL) ? "" : result.key;
}

/* ---- generated programs ---- */

static void programs_harvest_leaves_accessed_and_dirty_wherever_cpus_record_them(void **state)
{
	uint64_t accessed_alone = 0, dirty_alone = 0;

	(void)state;
	for (unsigned arch = 0; arch < WP_ARCHS; arch++) {
		const struct wp_harvested *harvested = &stats.harvested[arch];
		const uint64_t *statuses = stats.statuses[WP_OP_HARVEST];
		struct wp_random random;
		struct wp_scope scope;

		memset(&stats, 0, sizeof stats);
		assert_true(wp_runner_use(&runner, &wp_library_subject));
		wp_scope_of(&scope, wp_arch_name((enum wp_arch)arch));
		wp_random_seed(&random, 1);
		for (unsigned i = 0; i < 400; i++) {
			wp_program_generate(&program, &scope, &random);
			assert_true(wp_run(&runner, &program, &result, NULL));
		}
		if (wp_uses_recorded(scope.regimes[0]) == 0) {
			assert_int_equal(statuses[PT_OK], 0);
			assert_true(statuses[PT_BAD_FLAGS] >= 10);
			assert_int_equal(harvested->leaves, 0);
			continue;
		}
		assert_true(statuses[PT_OK] >= 200);
		assert_true(harvested->accessed >= 500 && harvested->dirty >= 500);
		accessed_alone += harvested->leaves - harvested->dirty;
		dirty_alone += harvested->leaves - harvested->accessed;
	}
	/* accessed was harvested before */
	assert_true(dirty_alone >= 20);
	assert_true(accessed_alone >= 1000);
}

/* ---- planted bugs ---- */

static void what_a_planted_bug_harvests_wrongly_is_seen_at_a_harvest(void **state)
{
	static const struct {
		const char *bug, *kind;
	} rows[] = {
		{"x86-harvest-all", "L8-harvest-harvest-lost"},
		{"x86-harvest-no-flush", "L8-harvest-harvest-no-flush"},
		{"x86-harvest-tells-early", "L8-harvest-uses"},
		{"x86-harvest-pairs", "L8-harvest-"},
		{"ept-harvest-stores", "L8-harvest-uses"},
		{"rv-harvest-short", "L8-harvest-harvest-silent"},
		{"rv-harvest-no-access", "L8-harvest-harvest-silent"},
		{"rv-harvest-first-flush", "L8-harvest-harvest-no-flush"},
		{"rv-harvest-borrowed", "L0-harvest-status"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct wp_subject *subject = planted(rows[i].bug);
		struct wp_random random;
		struct wp_scope all, scope = {.count = 0};
		unsigned tries = 0;

		assert_true(wp_runner_use(&runner, subject));
		wp_scope_of(&all, subject->regimes);
		for (size_t k = 0; k < all.count; k++) {
			if (wp_subject_serves(subject, all.regimes[k]))
				scope.regimes[scope.count++] = all.regimes[k];
		}
		wp_random_seed(&random, 1);
		do {
			if (tries++ == 5000)
				fail_msg("%s: not found", rows[i].bug);
			wp_program_generate(&program, &scope, &random);
		} while (wp_run(&runner, &program, &result, NULL));
		if (strstr(result.key, rows[i].kind) == NULL)
			fail_msg("%s: %s", rows[i].bug, result.key);
	}
}

static void what_a_batch_cleared_is_flushed_when_it_ends_unless_it_is_ignored(void **state)
{
	static const char text[] = "walkproof 1\nregime x86_64\n"
				   "map_region t0 va=0x0 pa=0x0 size=64x4K flags=rw----\n"
				   "batch t0\n"
				   "harvest t0 va=0x0 size=64x4K uses=ad\n";
	const struct wp_subject *bug = planted("x86-harvest-no-flush");
	char flushes[300], ignores[300];

	(void)state;
	snprintf(flushes, sizeof flushes, "%sflush t0\n", text);
	snprintf(ignores, sizeof ignores, "%signore t0\n", text);
	assert_string_equal(key_of(bug, flushes), "x86_64-L8-flush-harvest-no-flush");
	assert_string_equal(key_of(bug, ignores), "");
	assert_string_equal(key_of(&wp_library_subject, flushes), "");
	assert_string_equal(key_of(&wp_library_subject, ignores), "");
}

#ifdef WP_UNICORN
/* Nothing else looks: what it wrote before the harvest its TLB remembers as dirty. */
static void an_emulated_cpu_records_again_what_was_harvested_and_flushed(void **state)
{
	static const char text[] = "walkproof 1\nregime x86_64\n"
				   "map t0 va=0x0 pa=0xc0000000 size=4K flags=rw----\n"
				   "harvest t0 va=0x0 size=4K uses=-d\n";
	char why[200];
	struct wp_machine *unicorn = wp_unicorn_open(&runner.memory, WP_X86_64, why, sizeof why);

	(void)state;
	if (unicorn == NULL)
		fail_msg("%s", why);
	wp_runner_add(&runner, unicorn);
	runner.sample = 1;
	runner.checks = 1u << WP_CHECK_WARM;
	assert_string_equal(key_of(&wp_library_subject, text), "");
	assert_string_equal(key_of(planted("x86-harvest-no-flush"), text),
	                    "x86_64-L8-harvest-unrecorded-cpu");
	runner.checks = WP_ALL_CHECKS;
	runner.machine_count = 0;
	unicorn->close(unicorn);
}
#endif

/* ---- the library's harvest, spoiled on its way ---- */

struct spoiled {
	pt_leaf_visitor visit;
	void *context;
	size_t calls;
};

/* Where the second leaf leads. */
static void tell_elsewhere(void *context, const struct pt_mapping *leaf)
{
	struct spoiled *spoiled = context;
	struct pt_mapping wrong = *leaf;

	wrong.paddr.value += spoiled->calls++ == 1 ? PT_4K : 0;
	spoiled->visit(spoiled->context, &wrong);
}

static pt_status harvest_elsewhere(struct wp_instance *instance, unsigned table, uint64_t va,
                                   uint64_t size, pt_uses uses, pt_leaf_visitor visit,
                                   void *context)
{
	struct spoiled spoiled = {visit, context, 0};

	return wp_library_subject.harvest(instance, table, va, size, uses, tell_elsewhere,
	                                  &spoiled);
}

static void tell_twice(void *context, const struct pt_mapping *leaf)
{
	const struct spoiled *spoiled = context;

	spoiled->visit(spoiled->context, leaf);
	spoiled->visit(spoiled->context, leaf);
}

/* It goes on when all has been told. */
static pt_status harvest_on(struct wp_instance *instance, unsigned table, uint64_t va,
                            uint64_t size, pt_uses uses, pt_leaf_visitor visit, void *context)
{
	struct pt_mapping leaf = {0};
	const pt_status status = wp_library_subject.harvest(instance, table, va, size, uses, visit,
	                                                    context);

	for (unsigned i = 0; i < 50; i++) {
		leaf.vaddr.value += PT_4K;
		visit(context, &leaf);
	}
	return status;
}

static pt_status harvest_twice(struct wp_instance *instance, unsigned table, uint64_t va,
                               uint64_t size, pt_uses uses, pt_leaf_visitor visit, void *context)
{
	struct spoiled spoiled = {visit, context, 0};

	return wp_library_subject.harvest(instance, table, va, size, uses, tell_twice, &spoiled);
}

static pt_status harvest_and_refuse(struct wp_instance *instance, unsigned table, uint64_t va,
                                    uint64_t size, pt_uses uses, pt_leaf_visitor visit,
                                    void *context)
{
	struct pt_mapping leaf;

	if (wp_library_subject.query(instance, table, va, &leaf) == PT_OK)
		visit(context, &leaf);
	return wp_library_subject.harvest(instance, table, va, size, uses, visit, context);
}

/* Every leaf that is dirty is accessed too, so that it is told of. */
static pt_status harvest_accessed(struct wp_instance *instance, unsigned table, uint64_t va,
                                  uint64_t size, pt_uses uses, pt_leaf_visitor visit, void *context)
{
	return wp_library_subject.harvest(instance, table, va, size, uses & PT_ACCESSED, visit,
	                                  context);
}

static void what_is_told_or_left_wrongly_is_named(void **state)
{
#define PAGES "walkproof 1\nregime x86_64\nmap_region t0 va=0x0 pa=0x0 size=64x4K flags=rw----\n"
	static const struct {
		pt_status (*harvest)(struct wp_instance *, unsigned, uint64_t, uint64_t, pt_uses,
		                     pt_leaf_visitor, void *);
		const char *text, *key;
	} rows[] = {
		{harvest_elsewhere, PAGES "harvest t0 va=0x0 size=64x4K uses=ad\n",
	         "x86_64-L8-harvest-harvest-mapping"},
		{harvest_twice, PAGES "harvest t0 va=0x0 size=64x4K uses=a-\n",
	         "x86_64-L8-harvest-harvest-stray"},
		{harvest_on,
	         "walkproof 1\nregime x86_64\nmap t0 va=0x9000 pa=0x0 size=4K flags=rw----\n"
	         "harvest t0 va=0x9000 size=4K uses=a-\n",
	         "x86_64-L8-harvest-harvest-stray"},
		{harvest_and_refuse, PAGES "harvest t0 va=0x8000 size=5 uses=ad\n",
	         "x86_64-L2-harvest-harvest-told"},
		{harvest_accessed, PAGES "harvest t0 va=0x0 size=64x4K uses=ad\n",
	         "x86_64-L8-harvest-harvest-left"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wp_subject spoiled = wp_library_subject;

		assert_string_equal(key_of(&spoiled, rows[i].text), "");
		spoiled.harvest = rows[i].harvest;
		assert_string_equal(key_of(&spoiled, rows[i].text), rows[i].key);
		assert_true(wp_runner_use(&runner, &wp_library_subject));
	}
}

static int open_runner(void **state)
{
	char why[200];

	(void)state;
	return wp_runner_open(&runner, &wp_library_subject, &stats, why, sizeof why) ? 0 : -1;
}

static int close_runner(void **state)
{
	(void)state;
	wp_runner_close(&runner);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			programs_harvest_leaves_accessed_and_dirty_wherever_cpus_record_them),
		cmocka_unit_test(what_a_planted_bug_harvests_wrongly_is_seen_at_a_harvest),
		cmocka_unit_test(what_a_batch_cleared_is_flushed_when_it_ends_unless_it_is_ignored),
#ifdef WP_UNICORN
		cmocka_unit_test(an_emulated_cpu_records_again_what_was_harvested_and_flushed),
#endif
		cmocka_unit_test(what_is_told_or_left_wrongly_is_named),
	};

	return cmocka_run_group_tests(tests, open_runner, close_runner);
}
