/* SPDX-License-Identifier: MIT */
/*
 * L8 of harvest(): every leaf of its range is followed. Before it a CPU uses some, and
 * between the subject's load and its store of an entry it uses that again. Of each leaf
 * where anything of what was asked for is recorded then it must tell, in order and of no
 * other; that must be cleared, and nothing else; and each leaf that was cleared must be
 * flushed, or a CPU that remembers it as dirty writes there without recording it.
 */
#include "run_private.h"

#include <inttypes.h>

/* Of the leaf alone, so that a shorter program, or a shorter range, does the same to it. */
static uint64_t salt_of(const struct wp_used_leaf *leaf, pt_uses uses)
{
	const uint64_t salt = (leaf->first >> 12 ^ (uint64_t)uses << 58) * 0xd6e8feb86659fd93u;

	return (salt ^ salt >> 32) * 0xd6e8feb86659fd93u >> 16;
}

static uint64_t *entry_of(const struct wp_runner *runner, const struct wp_used_leaf *leaf)
{
	return wp_memory_at(&runner->memory, leaf->entry, sizeof(uint64_t));
}

static bool is_asked(const struct wp_harvest *harvest, const struct wp_used_leaf *leaf)
{
	return wp_has_one_of(leaf->accessed, leaf->dirty, harvest->uses);
}

/* What is recorded in a leaf that no CPU can use, only the subject knows. */
static void ask_subject(struct wp_runner *runner, unsigned table, struct wp_used_leaf *leaf)
{
	struct pt_mapping mapping;

	if (runner->subject->query(runner->instance, table, leaf->va, &mapping) != PT_OK)
		return; /* others will say so */
	leaf->accessed = mapping.accessed;
	leaf->dirty = mapping.dirty;
}

/* ---- before it ---- */

/* In the table of the leaf before it the entry is the next one: that saves a walk. */
static bool find_beside(struct wp_runner *runner, struct wp_used_leaf *leaf)
{
	const struct wp_used_leaf *before = leaf - 1;
	const uint64_t table = leaf->size << runner->regime->index_bits;
	const uint64_t *entry;

	if (runner->harvest.count == 0 || before->entry == 0 || before->size != leaf->size ||
	    before->first + before->size != leaf->first || (leaf->first & (table - 1)) == 0)
		return false;
	leaf->entry = before->entry + sizeof *entry;
	leaf->writable = before->writable;
	entry = entry_of(runner, leaf);
	leaf->accessed = (*entry & wp_accessed_bit(runner->regime)) != 0;
	leaf->dirty = (*entry & wp_dirty_bit(runner->regime)) != 0;
	return true;
}

static void follow(struct wp_runner *runner, unsigned table, const struct wp_run *run, uint64_t va)
{
	struct wp_harvest *harvest = &runner->harvest;
	struct wp_used_leaf *leaf = &harvest->leaves[harvest->count];
	const bool access = (run->flags & (PT_READ | PT_WRITE | PT_EXECUTE)) != 0;
	uint64_t salt;

	*leaf = (struct wp_used_leaf){
		.va = va, .pa = run->pa + (va - run->va), .first = va, .size = run->leaf};
	if (!access || (!(va != run->va && find_beside(runner, leaf)) &&
	                !wp_run_find_entry(runner, table, leaf)))
		ask_subject(runner, table, leaf);
	harvest->count++;
	salt = salt_of(leaf, harvest->uses);
	if (leaf->entry != 0 && salt % 8 < 5)
		wp_run_use_leaf(runner, leaf, salt % 8 < 3);
}

/* The leaves of a run that [va, last] touches. */
static void follow_run(struct wp_runner *runner, unsigned table, const struct wp_run *run,
                       uint64_t va, uint64_t last)
{
	const uint64_t run_last = run->va + (run->bytes - 1);
	const uint64_t end = run_last < last ? run_last : last;
	uint64_t at = va > run->va ? va & ~(run->leaf - 1) : run->va;

	for (;; at += run->leaf) {
		if (runner->harvest.count == WP_HARVESTED_LEAVES) {
			runner->harvest.cut = true;
			return;
		}
		follow(runner, table, run, at);
		if (end - at < run->leaf)
			return;
	}
}

void wp_run_harvest_before(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_harvest *harvest = &runner->harvest;
	const uint64_t last = call->va + (call->size - 1);
	const struct wp_run *runs;
	size_t count, i;

	harvest->on = true;
	harvest->uses = call->uses;
	harvest->count = harvest->stored_to = harvest->told_to = 0;
	harvest->cut = false;
	runs = wp_model_runs(runner->model, call->table, &count);
	i = wp_model_seek(runner->model, call->table, call->va);
	for (; call->size != 0 && last >= call->va && i < count && runs[i].va <= last; i++)
		follow_run(runner, call->table, &runs[i], call->va, last);
}

/* ---- during it ---- */

/* The subject has loaded the entry and is about to store to it: most likely the next one. */
void wp_run_harvest_storing(struct wp_runner *runner, uint64_t entry)
{
	struct wp_harvest *harvest = &runner->harvest;
	struct wp_used_leaf *leaf;
	uint64_t salt;
	size_t i = harvest->stored_to;

	if (!harvest->on)
		return;
	for (size_t tries = 0; tries < harvest->count; tries++, i++) {
		leaf = &harvest->leaves[i % harvest->count];
		if (leaf->entry == entry)
			break;
	}
	if (i == harvest->stored_to + harvest->count)
		return;
	harvest->stored_to = i % harvest->count;
	salt = salt_of(leaf, harvest->uses) >> 8;
	if (leaf->stored || salt % 4 == 0)
		return;
	leaf->stored = true;
	wp_run_use_leaf(runner, leaf, salt % 4 > 1);
}

static void count_told(struct wp_runner *runner, const struct pt_mapping *told)
{
	struct wp_harvested *harvested = &runner->stats->harvested[runner->regime->arch];

	harvested->leaves++;
	harvested->accessed += told->accessed;
	harvested->dirty += told->dirty;
}

static void found_silent(struct wp_runner *runner, const struct wp_used_leaf *leaf)
{
	wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "harvest-silent",
	         "harvest() doesn't tell of the leaf at %#" PRIx64 ", which is %s", leaf->first,
	         wp_uses_text(leaf->accessed, leaf->dirty));
}

/* Where it leads, too. */
static void judge_leaf_told(struct wp_runner *runner, const struct pt_mapping *told,
                            const struct wp_used_leaf *leaf)
{
	const struct wp_run *run = wp_model_find(runner->model, runner->accessed.table, leaf->va);
	char said[8], right[8];

	wp_run_judge_uses(runner, "harvest()", told, leaf->first, leaf->accessed, leaf->dirty);
	if (told->paddr.value != leaf->pa || told->size != leaf->size || told->flags != run->flags)
		wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "harvest-mapping",
		         "harvest() tells that %#" PRIx64 " -> %#" PRIx64 ", size %#" PRIx64
		         ", %s; it is mapped to %#" PRIx64 ", size %#" PRIx64 ", %s",
		         leaf->first, told->paddr.value, told->size,
		         wp_flags_text(told->flags, said), leaf->pa, leaf->size,
		         wp_flags_text(run->flags, right));
}

/* Nobody listens to what it tells: in an eighth of the calls, by the call alone. */
static bool is_silent(const struct wp_call *call)
{
	return (call->va >> 12 ^ call->size >> 12) % 8 == 5;
}

static void hear(void *context, const struct pt_mapping *told)
{
	struct wp_runner *runner = context;
	struct wp_harvest *harvest = &runner->harvest;
	const struct wp_used_leaf *leaf;

	if (!harvest->on || runner->result->finding.found)
		return;
	count_told(runner, told);
	while (harvest->told_to < harvest->count &&
	       !is_asked(harvest, &harvest->leaves[harvest->told_to]))
		harvest->told_to++;
	leaf = &harvest->leaves[harvest->told_to];
	if (harvest->told_to == harvest->count && harvest->cut)
		return;
	if (harvest->told_to == harvest->count || told->vaddr.value < leaf->first)
		wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "harvest-stray",
		         "harvest() tells of a leaf at %#" PRIx64
		         ": none that it was asked for is recorded there, or it comes late",
		         told->vaddr.value);
	else if (told->vaddr.value > leaf->first)
		found_silent(runner, leaf);
	else
		judge_leaf_told(runner, told, leaf);
	harvest->told_to++;
}

pt_status wp_run_harvest(struct wp_runner *runner, const struct wp_call *call)
{
	return runner->subject->harvest(runner->instance, call->table, call->va, call->size,
	                                call->uses, is_silent(call) ? NULL : hear, runner);
}

/* ---- flushes ---- */

/* Of a leaf that is cleared already; one that comes before is as good as none. */
static void flush_leaf(struct wp_runner *runner, struct wp_used_leaf *leaf)
{
	const uint64_t bits = (runner->harvest.uses & PT_ACCESSED ? wp_accessed_bit(runner->regime)
	                                                          : 0) |
	                      (runner->harvest.uses & PT_DIRTY ? wp_dirty_bit(runner->regime) : 0);

	if (leaf->entry != 0)
		leaf->flushed |= (*entry_of(runner, leaf) & bits) == 0;
}

/* The leaf that holds `va`; NULL: none. */
static struct wp_used_leaf *leaf_at(struct wp_harvest *harvest, uint64_t va)
{
	size_t from = 0, to = harvest->count;

	while (from < to) {
		struct wp_used_leaf *leaf = &harvest->leaves[(from + to) / 2];

		if (va - leaf->first < leaf->size)
			return leaf;
		if (va < leaf->first)
			to = (from + to) / 2;
		else
			from = (from + to) / 2 + 1;
	}
	return NULL;
}

static void flush_late(struct wp_unflushed *unflushed, const uint64_t *va)
{
	size_t kept = 0;

	for (size_t i = 0; va && i < unflushed->count; i++) {
		if (*va < unflushed->at[i].first || *va > unflushed->at[i].last)
			unflushed->at[kept++] = unflushed->at[i];
	}
	unflushed->count = kept;
}

/* NULL: of everything. */
void wp_run_harvest_flush(struct wp_runner *runner, const uint64_t *va)
{
	struct wp_harvest *harvest = &runner->harvest;
	struct wp_used_leaf *leaf = harvest->on && va ? leaf_at(harvest, *va) : NULL;

	if (leaf)
		flush_leaf(runner, leaf);
	for (size_t i = 0; harvest->on && !va && i < harvest->count; i++)
		flush_leaf(runner, &harvest->leaves[i]);
	flush_late(&runner->unflushed, va);
}

static void found_no_flush(struct wp_runner *runner, uint64_t va, const char *who)
{
	wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "harvest-no-flush",
	         "harvest() cleared what was recorded at %#" PRIx64
	         ", and %s flushed nothing there: a CPU writes without recording it",
	         va, who);
}

void wp_run_harvest_end_batch(struct wp_runner *runner, unsigned table, bool flushed)
{
	struct wp_unflushed *unflushed = &runner->unflushed;
	size_t kept = 0;

	for (size_t i = 0; i < unflushed->count; i++) {
		if (unflushed->at[i].table != table)
			unflushed->at[kept++] = unflushed->at[i];
		else if (flushed && runner->subject->reports_flushes)
			found_no_flush(runner, unflushed->at[i].first, "the end of the batch");
	}
	unflushed->count = kept;
}

/* ---- after it ---- */

static void judge_flush(struct wp_runner *runner, unsigned table, const struct wp_used_leaf *leaf)
{
	struct wp_unflushed *unflushed = &runner->unflushed;

	if (leaf->entry == 0 || leaf->flushed || !runner->subject->reports_flushes)
		return;
	if (!runner->batched[table]) {
		found_no_flush(runner, leaf->first, "it");
		return;
	}
	if (unflushed->count < WP_UNFLUSHED) {
		unflushed->at[unflushed->count].first = leaf->first;
		unflushed->at[unflushed->count].last = leaf->first + (leaf->size - 1);
		unflushed->at[unflushed->count++].table = table;
	}
}

/* What is recorded in it still. */
static void judge_kept(struct wp_runner *runner, unsigned table, const struct wp_used_leaf *leaf)
{
	const uint64_t *entry = leaf->entry != 0 ? entry_of(runner, leaf) : NULL;
	const bool accessed = entry && (*entry & wp_accessed_bit(runner->regime)) != 0;
	const bool dirty = entry && (*entry & wp_dirty_bit(runner->regime)) != 0;

	if (!entry)
		wp_run_judge_queried_uses(runner, table, leaf->va, leaf->accessed, leaf->dirty);
	else if (accessed != leaf->accessed || dirty != leaf->dirty)
		wp_found(&runner->result->finding, WP_LAW_USES_TOLD,
		         (leaf->accessed && !accessed) || (leaf->dirty && !dirty) ? "harvest-lost"
		                                                                  : "harvest-left",
		         "after harvest() the leaf at %#" PRIx64 " is %s, it must be %s",
		         leaf->first, wp_uses_text(accessed, dirty),
		         wp_uses_text(leaf->accessed, leaf->dirty));
}

void wp_run_harvest_after(struct wp_runner *runner, const struct wp_call *call, pt_status status)
{
	struct wp_harvest *harvest = &runner->harvest;
	const size_t told_to = is_silent(call) ? SIZE_MAX : harvest->told_to;

	if (!harvest->on)
		return;
	harvest->on = false;
	if (status != PT_OK && harvest->told_to != 0)
		wp_found(&runner->result->finding, WP_LAW_ALL_OR_NOTHING, "harvest-told",
		         "harvest() told of leaves, and returned %s", wp_status_text(status));
	for (size_t i = 0; i < harvest->count && !runner->result->finding.found; i++) {
		struct wp_used_leaf *leaf = &harvest->leaves[i];
		const bool clears = status == PT_OK && is_asked(harvest, leaf);

		if (clears && i >= told_to)
			found_silent(runner, leaf);
		leaf->accessed &= !(clears && (harvest->uses & PT_ACCESSED));
		leaf->dirty &= !(clears && (harvest->uses & PT_DIRTY));
		judge_kept(runner, call->table, leaf);
		if (clears)
			judge_flush(runner, call->table, leaf);
	}
	if (harvest->count != 0 && !runner->result->finding.found)
		wp_run_judge_queried_uses(runner, call->table, harvest->leaves[0].va,
		                          harvest->leaves[0].accessed, harvest->leaves[0].dirty);
}
