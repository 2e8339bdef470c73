/* SPDX-License-Identifier: MIT */
/*
 * L4 on emulated CPUs: in some programs they walk between two stores of an operation,
 * to the addresses that the paper machine has just walked to, and must find what it
 * finds. Whether that is right, run_stores.c judges.
 *
 * A walk here drops what a TLB holds. So in one run of a program a machine is either
 * kept warm or walks between stores; see wp_run_walkers_wait().
 */
#include "run_private.h"

#include <inttypes.h>

#include "laws/arbitrary.h"

/* Programs in which machines walk: an eighth, none of which keeps a fast one warm. */
#define WALKS_ONE_IN 8u
#define WALKS_AT     1u

/* Of the stores that the paper machine judges; a slow machine walks after fewer. */
#define FAST_STORES_ONE_IN 4u
#define SLOW_STORES_ONE_IN 32u

static bool walks(const struct wp_runner *runner, uint64_t hash)
{
	if (!runner->subject->reports_stores || !wp_run_checks(runner, WP_CHECK_STORES))
		return false;
	if (runner->sample > 1)
		return (hash >> 7) % WALKS_ONE_IN == WALKS_AT;
	return runner->walkers.turn || !wp_run_checks(runner, WP_CHECK_WARM);
}

void wp_run_walkers_start(struct wp_runner *runner, uint64_t hash)
{
	const bool on = walks(runner, hash);

	runner->walkers.machines = 0;
	for (size_t i = 0; i < runner->machine_count && on; i++) {
		if (wp_run_serves(runner, i))
			runner->walkers.machines |= 1u << i;
	}
}

bool wp_run_walkers_wait(const struct wp_runner *runner)
{
	bool served = false;

	if (runner->sample > 1 || runner->walkers.turn || runner->stores == 0 ||
	    !runner->subject->reports_stores || !wp_run_checks(runner, WP_CHECK_STORES) ||
	    !wp_run_checks(runner, WP_CHECK_WARM))
		return false;
	for (size_t i = 0; i < runner->machine_count && !served; i++)
		served = wp_run_serves(runner, i);
	return served;
}

/* By what the store is alone; where every program is asked about, after every one. */
static bool is_sampled(const struct wp_runner *runner, const struct wp_store *store, bool slow)
{
	const uint64_t hash = (store->entry ^ store->after << 7 ^ store->op) * 0x9e3779b97f4a7c15u;

	return runner->sample <= 1 ||
	       (hash >> 40) % (slow ? SLOW_STORES_ONE_IN : FAST_STORES_ONE_IN) == 0;
}

/* The entries on the way to one address. */
struct trail {
	struct wp_answer paper;
	struct wp_step steps[WP_MAX_STEPS];
	size_t count;
};

/* What the machine's walk wrote there goes again: others judge what CPUs write. */
static void restore(const struct wp_runner *runner, const struct trail *trail)
{
	for (size_t i = 0; i < trail->count; i++) {
		const struct wp_step *step = &trail->steps[i];
		uint64_t *entry = wp_memory_at(&runner->memory, step->entry_pa, sizeof *entry);

		if (entry != NULL && *entry != step->entry)
			*entry = step->entry;
	}
}

static void judge(struct wp_runner *runner, const struct wp_machine *machine, uint64_t va,
                  const struct wp_answer *answer, const struct wp_answer *paper,
                  const struct wp_store *store)
{
	struct wp_finding differs = {0};

	/* what lies outside of guest memory is each machine's own */
	if (paper->fault == WP_FAULT_BUS)
		return;
	wp_judge_arbitrary_answer(va, answer, machine->name, paper, &differs);
	if (differs.found)
		wp_found(&runner->result->finding, WP_LAW_WALKABLE_STORES, "between-stores-cpu",
		         "after store %" PRIu32 " of the operation (%#" PRIx64 " over %#" PRIx64
		         " at %#" PRIx64 ") %s",
		         runner->watch.stores, store->after, store->before, store->entry,
		         differs.sentence);
}

static void walk(struct wp_runner *runner, size_t index, unsigned table, const uint64_t *va,
                 size_t count, const struct wp_store *store)
{
	struct wp_machine *machine = runner->machines[index];
	const uint64_t root = runner->watch.trace.roots[table];
	struct wp_probe probes[WP_WALKED];
	struct wp_answer answers[WP_WALKED];
	struct trail trails[WP_WALKED];

	for (size_t i = 0; i < count; i++) {
		probes[i] = (struct wp_probe){va[i], wp_regime_kinds(runner->regime)};
		trails[i].count = wp_paper_trail(runner->regime, &runner->memory, root, va[i],
		                                 &trails[i].paper, trails[i].steps);
	}
	machine->load(machine, runner->regime, root);
	machine->probe(machine, probes, answers, count);
	if (machine->rest)
		machine->rest(machine);
	for (size_t i = 0; i < count; i++)
		restore(runner, &trails[i]);
	for (size_t i = 0; i < count && !runner->result->finding.found; i++) {
		runner->stats->machines[index + 1].between +=
			(uint64_t)__builtin_popcount(answers[i].answered);
		judge(runner, machine, va[i], &answers[i], &trails[i].paper, store);
	}
}

void wp_run_walkers_store(struct wp_runner *runner, unsigned table, const uint64_t *va,
                          size_t count, const struct wp_store *store)
{
	for (size_t i = 0; i < runner->machine_count && !runner->result->finding.found; i++) {
		if ((runner->walkers.machines >> i & 1) != 0 &&
		    is_sampled(runner, store, runner->machines[i]->slow))
			walk(runner, i, table, va, count, store);
	}
}
