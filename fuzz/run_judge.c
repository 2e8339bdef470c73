/* SPDX-License-Identifier: MIT */
/* Which addresses are looked at, and when. */
#include "run.h"

#include <inttypes.h>

#include "machine_set.h"

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
		answer.global &= !wp_deviates(subject->profile, WP_USER_GLOBAL);
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

/* Which programs slow machines are asked about: a property of the program alone. */
uint64_t wp_run_hash(const struct wp_program *program)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)(program->regime - wp_regimes);

	for (size_t i = 0; i < program->count; i++) {
		const struct wp_op *op = &program->ops[i];
		const uint64_t parts[] = {op->opcode,
		                          op->va.base,
		                          op->va.index,
		                          op->va.value,
		                          op->pa.value,
		                          op->length.count,
		                          op->flags ^ (uint64_t)op->uses << 8};

		for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
			hash = (hash ^ parts[k]) * 0x100000001b3u;
	}
	return hash ^ hash >> 29;
}

static bool supports(const struct wp_runner *runner, size_t index)
{
	return runner->machines[index]->supports(runner->machines[index], runner->regime);
}

static bool is_proven(const struct wp_runner *runner, size_t index)
{
	return (runner->proven[index] >> (runner->regime - wp_regimes) & 1) != 0;
}

/* Whether a machine is asked about this program. */
bool wp_run_serves(const struct wp_runner *runner, size_t index)
{
	if (!supports(runner, index))
		return false;
	return !runner->machines[index]->slow || (runner->asks_slow && is_proven(runner, index));
}

/* Slow machines start, and prove themselves, as they are first needed: between programs. */
void wp_run_ready_slow(struct wp_runner *runner, uint64_t hash)
{
	runner->asks_slow = !runner->fast_only && wp_is_sampled(hash, runner->sample);
	for (size_t i = 0; i < runner->machine_count && runner->asks_slow; i++) {
		struct wp_machine *machine = runner->machines[i];

		if (!machine->slow || !supports(runner, i) || is_proven(runner, i))
			continue;
		wp_memory_reset(&runner->memory);
		wp_machine_prove_first(machine, runner->regime, &runner->proven[i]);
	}
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
		runner->probes[i].kinds = wp_regime_kinds(runner->regime);
	}
	machine->load(machine, runner->regime, runner->subject->root(runner->instance, table));
	runner->warm.root = 0; /* cold again */
	machine->probe(machine, runner->probes, runner->answers, count);
	if (machine->rest)
		machine->rest(machine);
	for (size_t i = 0; i < count && !finding->found; i++) {
		const struct wp_expectation expected = wp_expect(runner->regime, runner->model,
		                                                 table, runner->probes[i].va);

		runner->answers[i].global &= !wp_deviates(runner->subject->profile, WP_USER_GLOBAL);
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
	const size_t first = count > most ? wp_run_salt(runner) % (count - most + 1) : 0;

	wp_addresses_of_runs(&runner->addresses, runs + first, count < most ? count : most,
	                     wp_run_salt(runner));
}

void wp_run_judge_call(struct wp_runner *runner, const struct wp_call *call)
{
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		if (!wp_model_exists(runner->model, table) || call->opcode > WP_OP_GIVE_BACK ||
		    (table != call->table && !runner->lent))
			continue;
		runner->addresses.count = 0;
		wp_addresses_around(&runner->addresses, call->va, call->size);
		judge_collected(runner, table);
	}
	wp_run_sweep(runner, call);
}

void wp_run_judge_all(struct wp_runner *runner)
{
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		if (!wp_model_exists(runner->model, table))
			continue;
		wp_run_sweep_all(runner, table);
		runner->addresses.count = 0;
		collect_runs(runner, table, WP_MAX_ADDRESSES / 5 - 4);
		wp_addresses_at_edges(&runner->addresses, runner->regime);
		for (size_t i = 0; i < runner->machine_count && !runner->result->finding.found;
		     i++) {
			if (wp_run_serves(runner, i) && !runner->walkers.turn)
				judge_machine(runner, table, i);
		}
	}
}

/* ---- L3: a TLB that never forgets ---- */

void wp_run_warm(struct wp_runner *runner, const struct wp_call *call)
{
	const uint64_t size = call->size == 0 ? 1 : call->size;

	if (!runner->subject->reports_flushes || call->opcode > WP_OP_GIVE_BACK ||
	    !wp_run_checks(runner, WP_CHECK_STALE))
		return;
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		uint64_t root;

		if (!wp_model_exists(runner->model, table) ||
		    (table != call->table && !runner->lent))
			continue;
		root = runner->subject->root(runner->instance, table);
		wp_tlb_warm(&runner->tlbs[table], root, call->va);
		wp_tlb_warm(&runner->tlbs[table], root, call->va + size - 1);
		wp_tlb_warm(&runner->tlbs[table], root, call->va + wp_run_salt(runner) % size);
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
		             first, last, wp_run_trace(runner), &runner->result->finding);
	}
}
