/* SPDX-License-Identifier: MIT */
/* Which addresses are looked at, and when; and what was counted on the way. */
#include "run.h"

#include <inttypes.h>

/*
 * How many runs are looked at after each operation; at the end all are. A short
 * program, such as a person keeps, has every one of them looked at every time; a
 * long one takes them in turn, so that all programs cost about the same.
 */
static size_t runs_each_operation(const struct wp_runner *runner)
{
	const size_t fair = 128 / (runner->operations + 1);

	return fair > 3 ? fair : 3;
}

/* A cheap number that differs from operation to operation, and never from run to run. */
static uint64_t salt_of(const struct wp_runner *runner)
{
	return (runner->op + 1) * 0x9e3779b97f4a7c15u >> 7;
}

/* Asks the paper machine and query() about every address collected. */
static void judge_collected(struct wp_runner *runner, unsigned table)
{
	const struct wp_subject *subject = runner->subject;
	struct wp_finding *finding = &runner->result->finding;
	const uint64_t root = subject->root(runner->instance, table);
	const uint64_t stores = runner->stores;
	struct wp_machine_stats *paper = &runner->stats->machines[0];

	for (size_t i = 0; i < runner->addresses.count && !finding->found; i++) {
		const uint64_t va = runner->addresses.va[i];
		const struct wp_expectation expected = wp_expect(runner->regime, runner->model,
		                                                 table, va);
		struct pt_mapping mapping = {0};
		struct wp_answer answer;
		pt_status status;

		wp_paper_walk(runner->regime, &runner->memory, root, va, &answer);
		paper->asked += WP_KINDS;
		paper->answered += answer.answered == WP_ALL_KINDS ? WP_KINDS : WP_KINDS / 2;
		wp_judge_answer(runner->regime, &expected, va, &answer, "paper", finding);
		status = subject->query(runner->instance, table, va, &mapping);
		wp_judge_query(runner->regime, &expected, va, status, &mapping, finding);
	}
	runner->stats->queries += runner->addresses.count;
	if (runner->stores != stores)
		wp_found(finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "query() stored to a table");
}

/* Asks one machine about every address collected. */
static void judge_machine(struct wp_runner *runner, unsigned table, size_t index)
{
	struct wp_machine *machine = runner->machines[index];
	struct wp_machine_stats *stats = &runner->stats->machines[index + 1];
	struct wp_finding *finding = &runner->result->finding;
	const size_t count = runner->addresses.count;

	for (size_t i = 0; i < count; i++) {
		runner->probes[i].va = runner->addresses.va[i];
		runner->probes[i].kinds = runner->regime->one_privilege ? WP_KERNEL_KINDS
		                                                        : WP_ALL_KINDS;
	}
	machine->load(machine, runner->regime, runner->subject->root(runner->instance, table));
	machine->probe(machine, runner->probes, runner->answers, count);
	for (size_t i = 0; i < count && !finding->found; i++) {
		const struct wp_expectation expected = wp_expect(runner->regime, runner->model,
		                                                 table, runner->probes[i].va);

		stats->asked += (uint64_t)__builtin_popcount(runner->probes[i].kinds);
		stats->answered += (uint64_t)__builtin_popcount(runner->answers[i].answered);
		wp_judge_answer(runner->regime, &expected, runner->probes[i].va,
		                &runner->answers[i], machine->name, finding);
	}
}

static void collect_runs(struct wp_runner *runner, unsigned table, size_t most)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(runner->model, table, &count);
	const size_t first = count > most ? salt_of(runner) % (count - most + 1) : 0;

	wp_addresses_of_runs(&runner->addresses, runs + first, count < most ? count : most,
	                     salt_of(runner));
}

void wp_run_judge_call(struct wp_runner *runner, const struct wp_call *call)
{
	if (call->opcode > WP_OP_GIVE_BACK)
		return;
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		/* the other table sees the change if it shares the slot */
		if (!wp_model_exists(runner->model, table) ||
		    (table != call->table && !runner->lent))
			continue;
		runner->addresses.count = 0;
		wp_addresses_around(&runner->addresses, call->va, call->size);
		collect_runs(runner, table, runs_each_operation(runner));
		judge_collected(runner, table);
	}
}

void wp_run_judge_all(struct wp_runner *runner)
{
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		if (!wp_model_exists(runner->model, table))
			continue;
		runner->addresses.count = 0;
		collect_runs(runner, table, WP_MAX_ADDRESSES / 5 - 4);
		wp_addresses_at_edges(&runner->addresses, runner->regime);
		judge_collected(runner, table);
		for (size_t i = 0; i < runner->machine_count && !runner->result->finding.found;
		     i++) {
			if (runner->machines[i]->supports(runner->machines[i], runner->regime))
				judge_machine(runner, table, i);
		}
	}
}

/* ---- L3: a TLB that never forgets ---- */

void wp_run_warm(struct wp_runner *runner, const struct wp_call *call)
{
	const uint64_t size = call->size == 0 ? 1 : call->size;

	if (!runner->subject->reports_flushes || call->opcode > WP_OP_GIVE_BACK)
		return;
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		uint64_t root;

		if (!wp_model_exists(runner->model, table) ||
		    (table != call->table && !runner->lent))
			continue;
		root = runner->subject->root(runner->instance, table);
		wp_tlb_warm(&runner->tlbs[table], root, call->va);
		wp_tlb_warm(&runner->tlbs[table], root, call->va + size - 1);
		wp_tlb_warm(&runner->tlbs[table], root, call->va + salt_of(runner) % size);
	}
}

/*
 * A call changes nothing outside of its range (the judge sees to that), so only
 * what is cached of the range can be stale; after a batch it can be anything.
 */
void wp_run_judge_tlbs(struct wp_runner *runner, const struct wp_call *call)
{
	const bool wide = call->opcode > WP_OP_GIVE_BACK || call->size == 0;
	const uint64_t first = wide ? 0 : call->va;
	const uint64_t last = wide ? UINT64_MAX : call->va + call->size - 1;

	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		const bool pending = runner->batched[table] ||
		                     (runner->lent && runner->batched[1 - table]);

		if (!wp_model_exists(runner->model, table) || pending ||
		    !runner->subject->reports_flushes)
			continue;
		wp_tlb_judge(&runner->tlbs[table], runner->subject->root(runner->instance, table),
		             first, last, &runner->result->finding);
	}
}

/* ---- statistics ---- */

static unsigned leaf_rank(uint64_t size)
{
	return size < PT_4K ? 0 : ((unsigned)__builtin_ctzll(size) - 12) / 9;
}

void wp_run_count(struct wp_runner *runner, const struct wp_call *call, pt_status status)
{
	struct wp_stats *stats = runner->stats;
	const unsigned rank = call->size == 0 ? 7 : leaf_rank(call->size) & 7;
	const size_t behaviour = ((((size_t)call->opcode * PT_STATUSES + status) * 8 + rank) * 32 +
	                          (size_t)(runner->regime - wp_regimes)) %
	                         WP_BEHAVIOURS;

	stats->operations++;
	stats->succeeded += status == PT_OK;
	stats->statuses[call->opcode][status]++;
	if (call->opcode == WP_OP_MAP && status == PT_OK && rank < 5)
		stats->leaves[rank]++;
	if (stats->behaviour_seen[behaviour / 8] >> behaviour % 8 & 1)
		return;
	stats->behaviour_seen[behaviour / 8] |= (uint8_t)(1u << behaviour % 8);
	stats->behaviours++;
}
