/* SPDX-License-Identifier: MIT */
/*
 * L8: a few leaves are followed through each operation. Before it a CPU uses some, and
 * between the subject's load and its store of their entries it uses them again: the
 * worst moment. Then what the subject tells, and what the leaves say, must be what was
 * recorded.
 */
#include "run_private.h"

#include <inttypes.h>

#include "entry.h"

/* One program in so many operations also harvests a leaf. */
#define HARVESTS_ONE_IN 8u

/* SDM 4.8; RV "Sv39": A is the lower of the two. */
static uint64_t accessed_bit(const struct wp_regime *regime)
{
	const uint64_t both = wp_entry_written_by_cpu(regime);

	return both & -both;
}

static uint64_t dirty_bit(const struct wp_regime *regime)
{
	return wp_entry_written_by_cpu(regime) & ~accessed_bit(regime);
}

/* RISC-V "Svade": where hardware updates nothing, leaves start with both. */
static bool starts_used(const struct wp_regime *regime)
{
	return regime->arch == WP_RISCV64;
}

static uint64_t *entry_at(const struct wp_runner *runner, uint64_t pa)
{
	return wp_memory_at(&runner->memory, pa, sizeof(uint64_t));
}

/* What a CPU does to the entry of a leaf that it uses: SDM 4.8, RV "Svadu". */
static void use(struct wp_runner *runner, struct wp_used_leaf *leaf, bool writes)
{
	uint64_t *entry = entry_at(runner, leaf->entry);

	*entry |= accessed_bit(runner->regime);
	leaf->accessed = true;
	if (!writes || !leaf->writable)
		return;
	*entry |= dirty_bit(runner->regime);
	leaf->dirty = true;
}

static const char *uses_text(bool accessed, bool dirty)
{
	if (accessed)
		return dirty ? "accessed and dirty" : "accessed";
	return dirty ? "dirty" : "unused";
}

static void compare(struct wp_runner *runner, const char *who, const struct pt_mapping *told,
                    uint64_t va, bool accessed, bool dirty)
{
	if (told->accessed == accessed && told->dirty == dirty)
		return;
	wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "uses",
	         "%s says that the leaf at %#" PRIx64 " is %s, it is %s", who, va,
	         uses_text(told->accessed, told->dirty), uses_text(accessed, dirty));
}

/* query() of one byte against what is known. */
static void judge_query(struct wp_runner *runner, uint64_t va, bool accessed, bool dirty)
{
	struct pt_mapping mapping;

	if (runner->subject->query(runner->instance, runner->accessed.table, va, &mapping) == PT_OK)
		compare(runner, "query()", &mapping, va, accessed, dirty);
}

/* ---- before the operation ---- */

static void follow(struct wp_runner *runner, uint64_t va, uint64_t salt)
{
	struct wp_accessed *accessed = &runner->accessed;
	const struct wp_run *run = wp_model_find(runner->model, accessed->table, va);
	struct wp_used_leaf *leaf = &accessed->leaves[accessed->count];
	struct wp_step steps[WP_MAX_STEPS];
	struct wp_answer answer;
	struct pt_mapping mapping;
	size_t count;

	if (!run || accessed->count == WP_USED_LEAVES)
		return;
	for (size_t i = 0; i < accessed->count; i++) {
		if (va - accessed->leaves[i].first < accessed->leaves[i].size)
			return;
	}
	if (runner->subject->query(runner->instance, accessed->table, va, &mapping) != PT_OK)
		return; /* others will say so */
	*leaf = (struct wp_used_leaf){
		.va = va,
		.pa = run->pa + (va - run->va),
		.first = va & ~(run->leaf - 1),
		.size = run->leaf,
		.accessed = mapping.accessed,
		.dirty = mapping.dirty,
	};
	accessed->count++;
	count = wp_paper_trail(runner->regime, &runner->memory,
	                       runner->subject->root(runner->instance, accessed->table), va,
	                       &answer, steps);
	if (answer.size == 0 || count == 0)
		return; /* no access: only the subject knows what is recorded there */
	leaf->entry = steps[count - 1].entry_pa;
	leaf->writable = (answer.allowed & (1u << WP_KERNEL_WRITE | 1u << WP_USER_WRITE)) != 0;
	compare(runner, "query()", &mapping, va,
	        (steps[count - 1].entry & accessed_bit(runner->regime)) != 0,
	        (steps[count - 1].entry & dirty_bit(runner->regime)) != 0);
	if (salt & 1)
		use(runner, leaf, (salt & 2) != 0);
}

struct harvested {
	struct wp_runner *runner;
	struct wp_used_leaf *leaf;
	bool told;
};

static void tell_harvested(void *context, const struct pt_mapping *mapping)
{
	struct harvested *harvested = context;

	harvested->told = true;
	compare(harvested->runner, "harvest()", mapping, mapping->vaddr.value,
	        harvested->leaf->accessed, harvested->leaf->dirty);
}

/* Takes what is recorded in one leaf; it must be told, cleared and flushed. */
static void harvest(struct wp_runner *runner, struct wp_used_leaf *leaf, pt_uses uses)
{
	struct wp_finding *finding = &runner->result->finding;
	struct harvested harvested = {runner, leaf, false};
	const uint64_t entry = leaf->entry, flushes = runner->flushes;
	const uint64_t page = wp_regime_page(runner->regime);
	const bool any = (leaf->accessed && (uses & PT_ACCESSED)) ||
	                 (leaf->dirty && (uses & PT_DIRTY));
	const pt_status status = runner->subject->harvest(runner->instance, runner->accessed.table,
	                                                  leaf->va & ~(page - 1), page, uses,
	                                                  tell_harvested, &harvested);

	if (status != PT_OK)
		wp_found(finding, WP_LAW_STATUS, "status",
		         "harvest() returned %s, it must return %s", pt_status_name(status),
		         pt_status_name(PT_OK));
	if (any && !harvested.told)
		wp_found(finding, WP_LAW_USES_TOLD, "harvest-silent",
		         "harvest() doesn't tell of %#" PRIx64 ", which is %s", leaf->va,
		         uses_text(leaf->accessed, leaf->dirty));
	if (any && entry != 0 && runner->flushes == flushes)
		wp_found(finding, WP_LAW_USES_TOLD, "harvest-no-flush",
		         "harvest() cleared what was recorded at %#" PRIx64
		         " and flushed nothing: a CPU writes there without recording it",
		         leaf->va);
	leaf->accessed &= !(uses & PT_ACCESSED);
	leaf->dirty &= !(uses & PT_DIRTY);
	leaf->entry = entry;
	judge_query(runner, leaf->va, leaf->accessed, leaf->dirty);
}

/* Where the flush of a harvest hides nothing of what the operation must flush. */
static bool is_apart(const struct wp_used_leaf *leaf, const struct wp_call *call)
{
	const uint64_t size = call->size == 0 ? 1 : call->size;

	return leaf->first > call->va + size - 1 || leaf->first + leaf->size - 1 < call->va;
}

/* Of the call alone, not of when it is made: a shorter program does the same. */
static uint64_t salt_of(const struct wp_call *call)
{
	uint64_t salt = call->va ^ call->pa << 8 ^ call->size << 3;

	salt = (salt ^ (uint64_t)call->opcode << 6 ^ call->flags) * 0xd6e8feb86659fd93u;
	return (salt ^ salt >> 32) * 0xd6e8feb86659fd93u >> 16;
}

void wp_run_accessed_before(struct wp_runner *runner, const struct wp_call *call)
{
	struct wp_accessed *accessed = &runner->accessed;
	const uint64_t salt = salt_of(call);
	const struct wp_run *runs;
	size_t count;

	accessed->on = wp_run_checks(runner, WP_CHECK_ACCESSED) && runner->subject->harvest &&
	               wp_entry_written_by_cpu(runner->regime) != 0 &&
	               call->opcode <= WP_OP_PROTECT_REGION && !runner->result->finding.found;
	accessed->count = 0;
	if (!accessed->on)
		return;
	accessed->table = call->table;
	accessed->told_bytes = 0;
	accessed->salt = salt;
	follow(runner, call->va, salt);
	if (call->size > wp_regime_page(runner->regime)) {
		follow(runner, call->va + call->size - 1, salt >> 2);
		follow(runner, call->va + (salt >> 8) % call->size, salt >> 4);
	}
	runs = wp_model_runs(runner->model, call->table, &count);
	if (count != 0) {
		const struct wp_run *run = &runs[(salt >> 10) % count];

		follow(runner, run->va + (salt >> 6) % run->bytes, salt >> 12);
	}
	if (accessed->count == 0 || (salt >> 14) % HARVESTS_ONE_IN != 0 || runner->lent ||
	    runner->batched[0] || runner->batched[1])
		return;
	if (is_apart(&accessed->leaves[accessed->count - 1], call))
		harvest(runner, &accessed->leaves[accessed->count - 1],
		        (pt_uses)(1 + (salt >> 17) % 3));
}

/* ---- during the operation ---- */

/* The subject has loaded the entry and is about to store to it. */
void wp_run_accessed_storing(struct wp_runner *runner, const void *at)
{
	struct wp_accessed *accessed = &runner->accessed;
	const size_t count = accessed->on ? accessed->count : 0;
	const uint64_t pa = runner->memory.base +
	                    (uint64_t)((const uint8_t *)at - runner->memory.host);

	for (size_t i = 0; i < count; i++) {
		struct wp_used_leaf *leaf = &accessed->leaves[i];

		if (leaf->entry != pa)
			continue;
		use(runner, leaf, (accessed->salt >> (20 + i) & 1) != 0);
		leaf->entry = 0; /* what is stored now is another's business */
	}
}

static void tell_removed(void *context, const struct pt_mapping *mapping)
{
	struct wp_runner *runner = context;
	struct wp_accessed *accessed = &runner->accessed;

	accessed->told_bytes += mapping->size;
	for (size_t i = 0; i < accessed->count; i++) {
		const struct wp_used_leaf *leaf = &accessed->leaves[i];

		if (leaf->va - mapping->vaddr.value < mapping->size)
			compare(runner, "unmap_region_with()", mapping, leaf->va, leaf->accessed,
			        leaf->dirty);
	}
}

/* unmap_region(), every other time in the form that tells of each leaf. */
pt_status wp_run_accessed_unmap_region(struct wp_runner *runner, const struct wp_call *call)
{
	const struct wp_subject *subject = runner->subject;
	pt_status status;

	if (!runner->accessed.on || (runner->accessed.salt >> 30 & 1) == 0)
		return subject->unmap_region(runner->instance, call->table, call->va, call->size);
	status = subject->unmap_region_with(runner->instance, call->table, call->va, call->size,
	                                    tell_removed, runner);
	if (runner->accessed.told_bytes != (status == PT_OK ? call->size : 0))
		wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "untold",
		         "unmap_region_with() returns %s and tells of %#" PRIx64
		         " bytes, it was asked for %#" PRIx64,
		         pt_status_name(status), runner->accessed.told_bytes, call->size);
	return status;
}

/* ---- after the operation ---- */

/* The leaf may be gone, be in parts, or lead elsewhere: as the model has it. */
static void judge_leaf(struct wp_runner *runner, const struct wp_call *call,
                       const struct wp_used_leaf *leaf, const struct pt_mapping *told)
{
	const struct wp_run *now = wp_model_find(runner->model, call->table, leaf->va);

	if (told && call->va - leaf->first < leaf->size)
		compare(runner, wp_opcode_name(call->opcode), told, leaf->va, leaf->accessed,
		        leaf->dirty);
	if (!now)
		return;
	if (now->pa + (leaf->va - now->va) == leaf->pa)
		judge_query(runner, leaf->va, leaf->accessed, leaf->dirty);
	else
		judge_query(runner, leaf->va, starts_used(runner->regime),
		            starts_used(runner->regime));
}

void wp_run_accessed_after(struct wp_runner *runner, const struct wp_call *call, pt_status status,
                           const struct pt_mapping *told)
{
	const struct wp_accessed *accessed = &runner->accessed;
	const bool tells = status == PT_OK &&
	                   (call->opcode == WP_OP_UNMAP || call->opcode == WP_OP_PROTECT ||
	                    call->opcode == WP_OP_REMAP);
	const bool maps = status == PT_OK &&
	                  (call->opcode == WP_OP_MAP || call->opcode == WP_OP_MAP_REGION ||
	                   call->opcode == WP_OP_MAP_REGION_WITH);

	const bool on = accessed->on && !runner->result->finding.found;

	runner->accessed.on = false;
	for (size_t i = 0; on && i < accessed->count; i++)
		judge_leaf(runner, call, &accessed->leaves[i], tells ? told : NULL);
	if (on && maps)
		judge_query(runner, call->va + call->size - 1, starts_used(runner->regime),
		            starts_used(runner->regime));
}
