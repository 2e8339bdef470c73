/* SPDX-License-Identifier: MIT */
/*
 * Every live mapping: its two ends, a leaf between them, the hole after it; and the
 * edges of the canonical ranges. After an operation that is so for all whose walk could
 * read what the operation's stores changed: any other walk reads what it read before,
 * and ends where it ended. At the end of the program it is so for all.
 *
 * What is right is the common case and passes by comparing numbers; what isn't goes to
 * the judge for its words.
 */
#include "run_private.h"

/* What one sweep needs of its table, looked up once. */
struct sweep {
	struct wp_runner *runner;
	unsigned table;
	uint64_t root;
	uint64_t looked_at;
};

/* A leaf as the flags of its run have it. */
struct leaf {
	uint64_t pa, size;
	pt_flags flags;
	uint8_t allowed;
	uint8_t memory_type;
};

static bool walk_agrees(const struct wp_answer *answer, const struct leaf *leaf)
{
	const uint8_t certain = answer->answered & (uint8_t)~answer->open;

	if (answer->fault == WP_FAULT_BUS || ((answer->allowed ^ leaf->allowed) & certain) != 0)
		return false;
	if ((answer->allowed & certain) == 0)
		return true;
	return answer->pa == leaf->pa && answer->size == leaf->size &&
	       (answer->memory_type == leaf->memory_type ||
	        answer->memory_type == WP_TYPE_UNKNOWN) &&
	       !(answer->global && (leaf->flags & PT_USER));
}

/* In the judge's words: `va` is known to be wrong. */
static void tell(const struct sweep *sweep, uint64_t va, const struct wp_answer *answer,
                 pt_status status, const struct pt_mapping *mapping)
{
	struct wp_runner *runner = sweep->runner;
	const struct wp_expectation expected = wp_expect(runner->regime, runner->model,
	                                                 sweep->table, va);

	wp_run_name_freed(runner, va, answer);
	wp_judge_answer(runner->regime, &expected, va, answer, "paper", &runner->result->finding);
	wp_judge_query(runner->regime, &expected, va, status, mapping, &runner->result->finding);
}

static void look_at_leaf(struct sweep *sweep, uint64_t va, const struct leaf *leaf)
{
	struct wp_runner *runner = sweep->runner;
	struct pt_mapping mapping;
	struct wp_answer answer;
	pt_status status;

	sweep->looked_at++;
	wp_paper_walk(runner->regime, &runner->memory, sweep->root, va, &answer);
	answer.global &= !wp_deviates(runner->subject->profile, WP_USER_GLOBAL);
	status = runner->subject->query(runner->instance, sweep->table, va, &mapping);
	if (!walk_agrees(&answer, leaf) || status != PT_OK || mapping.paddr.value != leaf->pa ||
	    mapping.vaddr.value != va || mapping.size != leaf->size || mapping.flags != leaf->flags)
		tell(sweep, va, &answer, status, &mapping);
}

static void look_at_hole(struct sweep *sweep, uint64_t va, pt_status right)
{
	struct wp_runner *runner = sweep->runner;
	struct pt_mapping mapping = {0};
	struct wp_answer answer;
	pt_status status;

	sweep->looked_at++;
	wp_paper_walk(runner->regime, &runner->memory, sweep->root, va, &answer);
	status = runner->subject->query(runner->instance, sweep->table, va, &mapping);
	if (answer.fault == WP_FAULT_BUS ||
	    (answer.allowed & answer.answered & ~answer.open) != 0 || status != right)
		tell(sweep, va, &answer, status, &mapping);
}

/*
 * The machine reads the same entries for every byte of a leaf, and the leaf that it
 * found is of the right size: of a single one, one end stands for both.
 */
static void look_at_run(struct sweep *sweep, const struct wp_run *run, uint64_t salt)
{
	const struct wp_expectation expected = wp_expect_run(sweep->runner->regime, run, run->va);
	const uint64_t leaves = run->bytes / run->leaf;
	const uint64_t offsets[] = {salt & 1 ? 0 : run->bytes - 1, salt & 1 ? run->bytes - 1 : 0,
	                            salt % leaves * run->leaf + salt % run->leaf};
	struct leaf leaf = {
		.size = run->leaf,
		.flags = run->flags,
		.allowed = expected.allowed,
		.memory_type = (uint8_t)expected.memory_type,
	};

	for (size_t i = 0; i < (leaves > 1 ? 3 : 1); i++) {
		leaf.pa = run->pa + offsets[i];
		look_at_leaf(sweep, run->va + offsets[i], &leaf);
	}
}

static void look_at_edges(struct sweep *sweep)
{
	const struct wp_regime *regime = sweep->runner->regime;
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(regime, first, last);

	for (size_t i = 0; i < ranges; i++) {
		if (!wp_regime_canonical(regime, first[i] - 1))
			look_at_hole(sweep, first[i] - 1, PT_BAD_ADDRESS);
		if (!wp_regime_canonical(regime, last[i] + 1))
			look_at_hole(sweep, last[i] + 1, PT_BAD_ADDRESS);
	}
}

/* A run, and the hole after it: the last address of all is followed by none. */
static void look_at(struct sweep *sweep, const struct wp_run *run, const struct wp_run *next)
{
	const uint64_t end = run->va + run->bytes;

	look_at_run(sweep, run, wp_run_salt(sweep->runner));
	if (end != 0 && wp_regime_canonical(sweep->runner->regime, end) &&
	    (next == NULL || next->va != end))
		look_at_hole(sweep, end, PT_NOT_MAPPED);
}

/* From run `at` on, those that begin no later than `last`; returns the first that doesn't. */
static size_t look_at_runs(struct sweep *sweep, size_t at, uint64_t last)
{
	size_t count;
	const struct wp_run *runs = wp_model_runs(sweep->runner->model, sweep->table, &count);

	for (; at < count && runs[at].va <= last && !sweep->runner->result->finding.found; at++)
		look_at(sweep, &runs[at], at + 1 < count ? &runs[at + 1] : NULL);
	return at;
}

/* Low addresses first, each with its neighbours: what was cut there ends beside it. */
static void order(struct wp_touched *touched)
{
	for (size_t i = 0; i < touched->count; i++) {
		const uint64_t first = touched->at[i].first - (touched->at[i].first != 0);
		const uint64_t last = touched->at[i].last + (touched->at[i].last != UINT64_MAX);
		size_t at = i;

		for (; at > 0 && touched->at[at - 1].first > first; at--)
			touched->at[at] = touched->at[at - 1];
		touched->at[at].first = first;
		touched->at[at].last = last;
	}
}

/* Those that were touched, and now and then another: a subject may keep more than tables. */
static void sweep_touched(struct sweep *sweep, const struct wp_touched *touched)
{
	const struct wp_runner *runner = sweep->runner;
	size_t count, next = 0;
	const struct wp_run *runs = wp_model_runs(runner->model, sweep->table, &count);
	const size_t turn = runner->op % 4 == 0 ? wp_run_salt(runner) % (count + 1) : count;

	for (size_t i = 0; i < touched->count; i++) {
		const size_t at = wp_model_seek(runner->model, sweep->table, touched->at[i].first);

		next = look_at_runs(sweep, at > next ? at : next, touched->at[i].last);
	}
	if (turn < count)
		look_at(sweep, &runs[turn], turn + 1 < count ? &runs[turn + 1] : NULL);
}

static void sweep_table(struct wp_runner *runner, unsigned table, const struct wp_touched *touched)
{
	struct sweep sweep = {runner, table, runner->subject->root(runner->instance, table), 0};
	struct wp_machine_stats *paper = &runner->stats->machines[0];
	const uint64_t stores = runner->stores;

	if (touched->all) {
		look_at_runs(&sweep, 0, UINT64_MAX);
		look_at_edges(&sweep);
	} else {
		sweep_touched(&sweep, touched);
	}
	paper->asked += sweep.looked_at * WP_KINDS;
	paper->answered += sweep.looked_at *
	                   (runner->regime->one_privilege ? WP_KINDS / 2 : WP_KINDS);
	runner->stats->queries += sweep.looked_at;
	if (runner->stores != stores)
		wp_found(&runner->result->finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "query() stored to a table");
}

void wp_run_sweep_all(struct wp_runner *runner, unsigned table)
{
	static const struct wp_touched everything = {.all = true};

	sweep_table(runner, table, &everything);
}

void wp_run_touch(struct wp_runner *runner, uint64_t first, uint64_t last)
{
	struct wp_touched *touched = &runner->touched;
	const size_t latest = touched->count - 1;

	/* a region call goes from low to high; what is between its stores does no harm */
	if (touched->count == WP_TOUCHED ||
	    (touched->count > 0 && first >= touched->at[latest].first &&
	     first - touched->at[latest].first <=
	             touched->at[latest].last - touched->at[latest].first + 1)) {
		if (first < touched->at[latest].first)
			touched->at[latest].first = first;
		if (last > touched->at[latest].last)
			touched->at[latest].last = last;
		return;
	}
	touched->at[touched->count].first = first;
	touched->at[touched->count++].last = last;
}

/* What the stores can't have told: roots come and go, and some subjects tell of none. */
static bool must_look_everywhere(const struct wp_runner *runner, const struct wp_call *call)
{
	return !runner->watch.on || call->opcode == WP_OP_RENEW || runner->touched.all;
}

void wp_run_sweep(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_touched *touched = &runner->touched;

	touched->all = must_look_everywhere(runner, call);
	if (touched->count > 0 && call->opcode <= WP_OP_GIVE_BACK)
		wp_run_touch(runner, call->va, call->va + (call->size == 0 ? 0 : call->size - 1));
	order(touched);
	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		if (wp_model_exists(runner->model, table) && !runner->result->finding.found)
			sweep_table(runner, table, touched);
	}
	touched->all = false;
	touched->count = 0;
}
