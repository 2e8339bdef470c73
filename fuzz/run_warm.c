/* SPDX-License-Identifier: MIT */
/*
 * L3 on emulated CPUs: real accesses warm the TLB before an operation, the flushes
 * that the subject asks for are made by the CPU's own instructions, and then the
 * same addresses are accessed again, with no other flush. The CPU runs on table 0.
 */
#include "run_private.h"

#include <inttypes.h>

static bool is_warm(const struct wp_runner *runner, size_t index)
{
	return (runner->warm.machines >> index & 1) != 0;
}

/* Programs in which the fast machines are kept warm too: an eighth. */
#define FAST_ONE_IN 8u

void wp_run_warm_start(struct wp_runner *runner, uint64_t hash)
{
	runner->warm = (struct wp_warm){0};
	if (!wp_run_checks(runner, WP_CHECK_WARM) || runner->walkers.machines != 0 ||
	    !runner->subject->reports_flushes)
		return;
	for (size_t i = 0; i < runner->machine_count; i++) {
		const struct wp_machine *machine = runner->machines[i];
		const bool sampled = machine->slow || runner->sample <= 1 ||
		                     (hash >> 7) % FAST_ONE_IN == 0;

		if (machine->probe_warm && sampled && wp_run_serves(runner, i))
			runner->warm.machines |= 1u << i;
	}
}

void wp_run_warm_flush(struct wp_runner *runner, const uint64_t *va)
{
	for (size_t i = 0; i < runner->machine_count; i++) {
		if (is_warm(runner, i) && runner->warm.root != 0)
			runner->machines[i]->flush(runner->machines[i], va);
	}
}

static void keep_warm(struct wp_runner *runner, uint64_t va)
{
	struct wp_warm *warm = &runner->warm;

	warm->va[warm->next] = va;
	warm->next = (warm->next + 1) % WP_WARM_ADDRESSES;
	if (warm->count < WP_WARM_ADDRESSES)
		warm->count++;
}

/* Through the TLB; counts what was answered. */
static void access_all(struct wp_runner *runner, size_t index)
{
	struct wp_machine *machine = runner->machines[index];

	for (size_t i = 0; i < runner->warm.count; i++)
		runner->probes[i] = (struct wp_probe){runner->warm.va[i],
		                                      wp_regime_kinds(runner->regime)};
	machine->probe_warm(machine, runner->probes, runner->answers, runner->warm.count);
}

void wp_run_warm_before(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_warm *warm = &runner->warm;
	uint64_t root;

	if (warm->machines == 0 || call->opcode > WP_OP_GIVE_BACK ||
	    (call->table != 0 && !runner->lent) || !wp_model_exists(runner->model, 0))
		return;
	root = runner->subject->root(runner->instance, 0);
	keep_warm(runner, call->va);
	keep_warm(runner, call->size == 0 ? call->va : call->va + call->size - 1);
	for (size_t i = 0; i < runner->machine_count; i++) {
		if (!is_warm(runner, i))
			continue;
		if (root != warm->root)
			runner->machines[i]->load(runner->machines[i], runner->regime, root);
		access_all(runner, i);
	}
	warm->root = root;
}

/*
 * L8: a leaf that was written through the TLB is dirty, or the TLB remembers that it was,
 * from before a harvest of it.
 */
static void judge_recorded(struct wp_runner *runner, size_t index, const struct wp_answer *answer,
                           uint64_t va)
{
	struct wp_used_leaf leaf = {.va = va};

	if (!runner->machines[index]->records || wp_uses_recorded(runner->regime) == 0 ||
	    !(answer->allowed & (1u << WP_KERNEL_WRITE | 1u << WP_USER_WRITE)) ||
	    !wp_run_find_entry(runner, 0, &leaf) || leaf.dirty)
		return;
	wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "unrecorded-cpu",
	         "%s wrote at %#" PRIx64 " through its TLB, and the leaf there isn't dirty",
	         runner->machines[index]->name, va);
}

/* What a TLB may not do even where a fault in vain is allowed; see tlb.c. */
static void judge_warm(struct wp_runner *runner, size_t index)
{
	const bool faults_in_vain = runner->regime->arch == WP_X86_64 ||
	                            runner->regime->arch == WP_AARCH64;
	struct wp_machine_stats *stats = &runner->stats->machines[index + 1];
	struct wp_finding *finding = &runner->result->finding;

	for (size_t i = 0; i < runner->warm.count && !finding->found; i++) {
		const struct wp_answer *answer = &runner->answers[i];
		const uint64_t va = runner->probes[i].va;
		const struct wp_expectation now = wp_expect(runner->regime, runner->model, 0, va);
		uint8_t wrong = (answer->allowed ^ now.allowed) & answer->answered;

		if (faults_in_vain)
			wrong &= answer->allowed;
		stats->warm += (uint64_t)__builtin_popcount(answer->answered);
		if (wrong != 0)
			wp_found(finding, WP_LAW_NO_STALE_WALK, "stale-cpu",
			         "%s, which accessed %#" PRIx64
			         " before, still %s a %s there through its TLB",
			         runner->machines[index]->name, va,
			         (answer->allowed & wrong) != 0 ? "allows" : "denies",
			         wp_kind_name((enum wp_kind)__builtin_ctz(wrong)));
		else if (answer->allowed != 0 && !answer->pa_unknown && answer->pa != now.pa)
			wp_found(finding, WP_LAW_NO_STALE_WALK, "stale-cpu",
			         "%s, which accessed %#" PRIx64 " before, still goes to %#" PRIx64
			         " through its TLB, it is mapped to %#" PRIx64,
			         runner->machines[index]->name, va, answer->pa, now.pa);
		else
			judge_recorded(runner, index, answer, va);
	}
}

void wp_run_warm_after(struct wp_runner *runner)
{
	const bool pending = runner->batched[0] || (runner->lent && runner->batched[1]);

	if (runner->warm.root == 0 || pending || !wp_model_exists(runner->model, 0))
		return;
	for (size_t i = 0; i < runner->machine_count && !runner->result->finding.found; i++) {
		if (!is_warm(runner, i))
			continue;
		access_all(runner, i);
		judge_warm(runner, i);
	}
}
