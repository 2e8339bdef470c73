/* SPDX-License-Identifier: MIT */
/*
 * L4: after each store the paper machine walks, on the tables as they are and on the
 * tables as they were when the operation began.
 *
 * A store can change only what its entry translates. So each is judged at the two ends
 * of that and once in between, and at both sides of each end of the operation's range
 * if they lie there. That nothing else has changed is seen by comparing, after each
 * operation, one table with what its stores made of it.
 */
#include "run_private.h"

#include <inttypes.h>

/*
 * Of the stores to the last level of one operation, the first so many and then one in
 * so many are judged: a region call makes hundreds, all alike. Those above, by which
 * tables are linked and split, are judged all.
 */
#define FIRST_STORES 12u
#define THEN_ONE_IN  32u

/* ---- an operation ---- */

/* The leaf at `va`, before the operation; nothing: what no address lies in. */
static void find_leaf(const struct wp_runner *runner, unsigned table, uint64_t va, uint64_t leaf[2])
{
	const struct wp_run *run = wp_model_exists(runner->model, table)
	                                   ? wp_model_find(runner->model, table, va)
	                                   : NULL;

	leaf[0] = run ? va & ~(run->leaf - 1) : 1;
	leaf[1] = run ? va | (run->leaf - 1) : 0;
}

/* Which tables a CPU may have loaded from now on. */
void wp_run_watch_roots(struct wp_runner *runner)
{
	struct wp_store_watch *watch = &runner->watch;

	if (!watch->on)
		return;
	watch->page_table = 0;
	watch->loose_table = 0;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		const bool loaded = wp_model_exists(runner->model, i) &&
		                    (runner->call == NULL || runner->call->opcode != WP_OP_RENEW ||
		                     runner->call->table != i);

		watch->trace.roots[i] = loaded ? runner->subject->root(runner->instance, i) : 0;
	}
	wp_trace_commit(&watch->trace);
}

void wp_run_watch_start(struct wp_runner *runner)
{
	struct wp_store_watch *watch = &runner->watch;

	watch->on = runner->subject->reports_stores;
	watch->broken_count = 0;
	if (watch->on)
		wp_trace_reset(&watch->trace, runner->regime);
}

void wp_run_watch_begin(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_store_watch *watch = &runner->watch;

	if (!watch->on)
		return;
	watch->stores = 0;
	watch->suspect.found = false;
	watch->first = 1;
	watch->last = 0;
	wp_run_watch_roots(runner);
	if (call->opcode > WP_OP_GIVE_BACK)
		return;
	find_leaf(runner, call->table, call->va, watch->straddling[0]);
	if (call->size == 0) {
		watch->first = watch->straddling[0][0];
		watch->last = watch->straddling[0][1];
		return;
	}
	watch->first = call->va;
	watch->last = call->va + call->size - 1;
	find_leaf(runner, call->table, watch->last, watch->straddling[1]);
}

/* The table goes: no CPU has it loaded. */
void wp_run_watch_forget(struct wp_runner *runner, unsigned table)
{
	runner->watch.trace.roots[table] = 0;
	runner->watch.page_table = 0;
}

/* ---- a store ---- */

/*
 * A leaf that an end of the range cuts is split by way of an invalid entry where the
 * architecture leaves no choice: AArch64 (D8 "Using break-before-make") and LoongArch
 * (LA 5.4.1: two entries for one address are undefined). All of it faults in between.
 */
static bool may_fault(const struct wp_runner *runner, uint64_t va)
{
	const struct wp_store_watch *watch = &runner->watch;

	if (va >= watch->first && va <= watch->last)
		return true;
	if (runner->regime->arch != WP_AARCH64 && runner->regime->arch != WP_LOONGARCH64)
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (va >= watch->straddling[i][0] && va <= watch->straddling[i][1])
			return watch->first <= watch->last;
	}
	return false;
}

static bool same(const struct wp_answer *a, const struct wp_answer *b)
{
	if (a->allowed != b->allowed || a->fault == WP_FAULT_BUS)
		return false;
	return a->allowed == 0 || (a->pa == b->pa && a->memory_type == b->memory_type);
}

static bool is_after(const struct wp_runner *runner, unsigned table, uint64_t va,
                     const struct wp_answer *answer)
{
	const struct wp_expectation after = wp_expect(runner->regime, runner->model, table, va);
	const uint8_t certain = answer->answered & (uint8_t)~answer->open;

	return ((answer->allowed ^ after.allowed) & certain) == 0 && answer->pa == after.pa &&
	       (answer->memory_type == WP_TYPE_UNKNOWN || answer->memory_type == after.memory_type);
}

/* "faults", or "goes to 0x1000". */
static const char *answer_text(const struct wp_answer *answer, char text[static 40])
{
	if (answer->fault == WP_FAULT_BUS)
		return "leaves guest memory";
	if (answer->allowed == 0)
		return "faults";
	snprintf(text, 40, "goes to %#" PRIx64, answer->pa);
	return text;
}

static void judge_address(struct wp_runner *runner, unsigned table, uint64_t va,
                          const struct wp_store *store)
{
	struct wp_store_watch *watch = &runner->watch;
	const uint64_t root = watch->trace.roots[table];
	const bool inside = va >= watch->first && va <= watch->last;
	struct wp_answer now, old;

	wp_paper_walk(runner->regime, &runner->memory, root, va, &now);
	if (now.allowed == 0 && now.fault != WP_FAULT_BUS && may_fault(runner, va))
		return;
	wp_paper_walk(runner->regime, &watch->trace.old, root, va, &old);
	if (same(&now, &old) || (inside && is_after(runner, table, va, &now)))
		return;
	watch->suspect = (struct wp_suspect){
		true, inside, table, va, watch->stores, *store, now, old,
	};
}

/*
 * What was seen between two stores and is still there is no law of its own: the call
 * came to a wrong end.
 */
static void judge_suspect(struct wp_runner *runner)
{
	const struct wp_suspect *suspect = &runner->watch.suspect;
	struct wp_finding *finding = &runner->result->finding;
	const uint64_t root = runner->watch.trace.roots[suspect->table];
	char now[40], old[40];
	struct wp_answer end;

	if (!suspect->found || finding->found || root == 0)
		return;
	wp_paper_walk(runner->regime, &runner->memory, root, suspect->va, &end);
	if (same(&end, &suspect->now) || end.fault == WP_FAULT_BUS) {
		const struct wp_expectation right = wp_expect(runner->regime, runner->model,
		                                              suspect->table, suspect->va);

		wp_judge_answer(runner->regime, &right, suspect->va, &end, "paper", finding);
	}
	if (finding->found)
		return;
	wp_found(finding, WP_LAW_WALKABLE_STORES, suspect->inside ? "between-stores" : "outside",
	         "after store %" PRIu32 " of the operation (%#" PRIx64 " over %#" PRIx64
	         " at %#" PRIx64 ") %#" PRIx64 ", %s its range, %s; before the operation it %s%s",
	         suspect->number, suspect->store.after, suspect->store.before, suspect->store.entry,
	         suspect->va, suspect->inside ? "in" : "outside of",
	         answer_text(&suspect->now, now), answer_text(&suspect->old, old),
	         suspect->inside ? ", and it is mapped to neither" : "");
}

/* The addresses of the entry that tell most; see the top. */
static size_t choose(const struct wp_runner *runner, const struct wp_place *place,
                     uint64_t va[WP_WALKED])
{
	const uint64_t first = runner->watch.first, last = runner->watch.last;
	const uint64_t salt = wp_run_salt(runner) + runner->watch.stores * 0x9e3779b97f4a7c15u;
	const uint64_t wanted[] = {first, last, first - 1, last + 1};
	size_t count = 0;

	va[count++] = place->first + salt % (place->last - place->first + 1);
	if (place->level + 1u == runner->regime->levels)
		return count;
	va[count++] = place->first;
	va[count++] = place->last;
	for (size_t i = 0; i < 4 && first <= last; i++) {
		if (wanted[i] > place->first && wanted[i] < place->last)
			va[count++] = wanted[i];
	}
	return count;
}

static void judge_walks(struct wp_runner *runner, const struct wp_place *place,
                        const struct wp_store *store)
{
	const struct wp_trace *trace = &runner->watch.trace;
	uint64_t va[WP_WALKED];
	const size_t count = choose(runner, place, va);

	for (unsigned table = 0; table < WP_MODEL_TABLES; table++) {
		/* the other table sees it too if it borrows this slot */
		if (trace->roots[table] == 0 ||
		    (trace->roots[table] != place->root && (!runner->lent || place->level == 0)))
			continue;
		for (size_t i = 0; i < count && !runner->watch.suspect.found; i++)
			judge_address(runner, table, va[i], store);
		if (!runner->watch.suspect.found)
			wp_run_walkers_store(runner, table, va, count, store);
	}
}

/*
 * wp_trace_place(), which a run of stores to one table asks but once: one of the last
 * level links nothing, so that it stays where it is, and one that no CPU can reach, such
 * as one that is being filled, stays out of reach until something leads to a table.
 */
static bool find_place(struct wp_runner *runner, uint64_t entry, struct wp_place *place)
{
	struct wp_store_watch *watch = &runner->watch;
	const uint64_t frame = wp_frame_of(&runner->memory, entry);
	const uint64_t offset = (entry - frame) / 8 << runner->regime->granule_shift;

	place->forked = false;
	if (watch->loose_table == frame && watch->links == watch->trace.links)
		return false;
	if (watch->page_table != frame || watch->links != watch->trace.links) {
		watch->page_table = 0;
		watch->loose_table = 0;
		watch->links = watch->trace.links;
		if (!wp_trace_place(&watch->trace, entry, place)) {
			watch->loose_table = place->forked ? 0 : frame;
			return false;
		}
		if (place->level + 1u < runner->regime->levels)
			return true;
		watch->page_table = frame;
		watch->page_slot = *place;
		watch->page_slot.first -= offset;
		watch->page_slot.last -= offset;
	}
	*place = watch->page_slot;
	place->first += offset;
	place->last += offset;
	return true;
}

void wp_run_watch_store(struct wp_runner *runner, const void *at, uint64_t before, uint64_t after)
{
	struct wp_store_watch *watch = &runner->watch;
	const uint64_t entry = runner->memory.base +
	                       (uint64_t)((const uint8_t *)at - runner->memory.host);
	struct wp_store store;
	struct wp_place place;
	bool reached;

	if (!watch->on)
		return;
	watch->stores++;
	if (!wp_trace_store(&watch->trace, entry, before, after, runner->op)) {
		if (wp_run_checks(runner, WP_CHECK_STORES))
			wp_found(&runner->result->finding, WP_LAW_WALKABLE_STORES, "store-odd",
			         "store %" PRIu32 " of the operation, of %#" PRIx64 " at %#" PRIx64
			         ", is not one aligned 64-bit entry of a table",
			         watch->stores, after, entry);
		return;
	}
	reached = find_place(runner, entry, &place);
	runner->touched.all |= place.forked;
	if (!reached)
		return;
	wp_run_touch(runner, place.first, place.last);
	store = (struct wp_store){entry, before, after, runner->op};
	wp_run_judge_break(runner, &place, &store);
	if (!wp_run_checks(runner, WP_CHECK_STORES) || watch->suspect.found)
		return;
	if (place.level + 1u < runner->regime->levels || watch->stores <= FIRST_STORES ||
	    watch->stores % THEN_ONE_IN == 0)
		judge_walks(runner, &place, &store);
}

/* ---- stores that nobody was told of ---- */

static void judge_frame_content(struct wp_runner *runner, uint64_t frame)
{
	const uint64_t word = wp_memory_is_used(&runner->memory, frame)
	                              ? wp_trace_differs(&runner->watch.trace, frame)
	                              : 0;

	if (word != 0)
		wp_found(&runner->result->finding, WP_LAW_WALKABLE_STORES, "store-unseen",
		         "the entry at %#" PRIx64
		         " changed without the one function that stores entries",
		         word);
}

void wp_run_watch_end(struct wp_runner *runner)
{
	struct wp_store_watch *watch = &runner->watch;
	const size_t frames = runner->memory.high_water;

	if (!watch->on)
		return;
	wp_run_judge_fresh(runner);
	judge_suspect(runner);
	wp_trace_commit(&watch->trace);
	watch->first = 1;
	watch->last = 0;
	if (wp_run_checks(runner, WP_CHECK_STORES) && frames != 0)
		judge_frame_content(runner,
		                    runner->memory.base +
		                            runner->op % frames * wp_frame_size(&runner->memory));
}

/* All of them, as the program ends. */
void wp_run_watch_audit(struct wp_runner *runner)
{
	if (!runner->watch.on || !wp_run_checks(runner, WP_CHECK_STORES))
		return;
	for (size_t i = 0; i < runner->memory.high_water && !runner->result->finding.found; i++)
		judge_frame_content(runner,
		                    runner->memory.base + i * wp_frame_size(&runner->memory));
}
