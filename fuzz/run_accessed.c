/* SPDX-License-Identifier: MIT */
/*
 * L8: a few leaves are followed through each operation. Before it a CPU uses some, and
 * between the subject's load and its store of their entries it uses them again: the
 * worst moment. Then what the subject tells, and what the leaves say, must be what was
 * recorded.
 */
#include "run_private.h"

#include <inttypes.h>

/* RISC-V "Svade": where hardware updates nothing, leaves start with both. */
static bool starts_used(const struct wp_regime *regime)
{
	return regime->arch == WP_RISCV64;
}

static uint64_t *entry_at(const struct wp_runner *runner, uint64_t pa)
{
	return wp_memory_at(&runner->memory, pa, sizeof(uint64_t));
}

/* SDM 4.8, RV "Svadu". */
void wp_run_use_leaf(struct wp_runner *runner, struct wp_used_leaf *leaf, bool writes)
{
	uint64_t *entry = entry_at(runner, leaf->entry);

	*entry |= wp_accessed_bit(runner->regime);
	leaf->accessed = true;
	if (!writes || !leaf->writable)
		return;
	*entry |= wp_dirty_bit(runner->regime);
	leaf->dirty = true;
}

const char *wp_uses_text(bool accessed, bool dirty)
{
	if (accessed)
		return dirty ? "accessed and dirty" : "accessed";
	return dirty ? "dirty" : "unused";
}

void wp_run_judge_uses(struct wp_runner *runner, const char *who, const struct pt_mapping *told,
                       uint64_t va, bool accessed, bool dirty)
{
	if (told->accessed == accessed && told->dirty == dirty)
		return;
	wp_found(&runner->result->finding, WP_LAW_USES_TOLD, "uses",
	         "%s says that the leaf at %#" PRIx64 " is %s, it is %s", who, va,
	         wp_uses_text(told->accessed, told->dirty), wp_uses_text(accessed, dirty));
}

void wp_run_judge_queried_uses(struct wp_runner *runner, unsigned table, uint64_t va, bool accessed,
                               bool dirty)
{
	struct pt_mapping mapping;

	if (runner->subject->query(runner->instance, table, va, &mapping) == PT_OK)
		wp_run_judge_uses(runner, "query()", &mapping, va, accessed, dirty);
}

/* query() of one byte against what is known. */
static void judge_query(struct wp_runner *runner, uint64_t va, bool accessed, bool dirty)
{
	wp_run_judge_queried_uses(runner, runner->accessed.table, va, accessed, dirty);
}

/* ---- before the operation ---- */

bool wp_run_find_entry(struct wp_runner *runner, unsigned table, struct wp_used_leaf *leaf)
{
	struct wp_step steps[WP_MAX_STEPS];
	struct wp_answer answer;
	const size_t count = wp_paper_trail(runner->regime, &runner->memory,
	                                    runner->subject->root(runner->instance, table),
	                                    leaf->va, &answer, steps);

	if (answer.size == 0 || count == 0)
		return false;
	leaf->entry = steps[count - 1].entry_pa;
	leaf->writable = (answer.allowed & (1u << WP_KERNEL_WRITE | 1u << WP_USER_WRITE)) != 0;
	leaf->accessed = (steps[count - 1].entry & wp_accessed_bit(runner->regime)) != 0;
	leaf->dirty = (steps[count - 1].entry & wp_dirty_bit(runner->regime)) != 0;
	return true;
}

/* A harvest's own leaves are followed in run_harvest.c. */
static bool is_harvested(const struct wp_run *run, uint64_t va, const struct wp_call *call)
{
	const uint64_t first = va & ~(run->leaf - 1);

	return call->opcode == WP_OP_HARVEST && first <= call->va + (call->size - 1) &&
	       first + (run->leaf - 1) >= call->va;
}

static void follow(struct wp_runner *runner, const struct wp_call *call, uint64_t va, uint64_t salt)
{
	struct wp_accessed *accessed = &runner->accessed;
	const struct wp_run *run = wp_model_find(runner->model, accessed->table, va);
	struct wp_used_leaf *leaf = &accessed->leaves[accessed->count];
	struct pt_mapping mapping;

	if (!run || accessed->count == WP_USED_LEAVES || is_harvested(run, va, call))
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
	if (!wp_run_find_entry(runner, accessed->table, leaf))
		return; /* no access: only the subject knows what is recorded there */
	wp_run_judge_uses(runner, "query()", &mapping, va, leaf->accessed, leaf->dirty);
	if (salt & 1)
		wp_run_use_leaf(runner, leaf, (salt & 2) != 0);
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
	               call->opcode <= WP_OP_HARVEST && !runner->result->finding.found;
	accessed->count = 0;
	runner->harvest.on = false;
	if (!accessed->on)
		return;
	accessed->table = call->table;
	accessed->told_bytes = 0;
	accessed->salt = salt;
	if (call->opcode == WP_OP_HARVEST) {
		follow(runner, call, call->va - 1, salt);
		follow(runner, call, call->va + call->size, salt >> 2);
	} else {
		follow(runner, call, call->va, salt);
	}
	if (call->size > wp_regime_page(runner->regime)) {
		follow(runner, call, call->va + call->size - 1, salt >> 2);
		follow(runner, call, call->va + (salt >> 8) % call->size, salt >> 4);
	}
	runs = wp_model_runs(runner->model, call->table, &count);
	if (count != 0) {
		const struct wp_run *run = &runs[(salt >> 10) % count];

		follow(runner, call, run->va + (salt >> 6) % run->bytes, salt >> 12);
	}
	if (call->opcode == WP_OP_HARVEST)
		wp_run_harvest_before(runner, call);
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

		if (leaf->entry != pa || leaf->stored)
			continue;
		wp_run_use_leaf(runner, leaf, (accessed->salt >> (20 + i) & 1) != 0);
		leaf->stored = true;
	}
	wp_run_harvest_storing(runner, pa);
}

static void tell_removed(void *context, const struct pt_mapping *mapping)
{
	struct wp_runner *runner = context;
	struct wp_accessed *accessed = &runner->accessed;

	accessed->told_bytes += mapping->size;
	for (size_t i = 0; i < accessed->count; i++) {
		const struct wp_used_leaf *leaf = &accessed->leaves[i];

		if (leaf->va - mapping->vaddr.value < mapping->size)
			wp_run_judge_uses(runner, "unmap_region_with()", mapping, leaf->va,
			                  leaf->accessed, leaf->dirty);
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
		wp_run_judge_uses(runner, wp_opcode_name(call->opcode), told, leaf->va,
		                  leaf->accessed, leaf->dirty);
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
	if (call->opcode == WP_OP_HARVEST)
		wp_run_harvest_after(runner, call, status);
	for (size_t i = 0; on && i < accessed->count; i++)
		judge_leaf(runner, call, &accessed->leaves[i], tells ? told : NULL);
	if (on && maps)
		judge_query(runner, call->va + call->size - 1, starts_used(runner->regime),
		            starts_used(runner->regime));
}
