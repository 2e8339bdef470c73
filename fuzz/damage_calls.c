/* SPDX-License-Identifier: MIT */
/* A call on damaged tables, and what can be said of it without a model. */
#include "damage_private.h"

#include <inttypes.h>
#include <limits.h>

#include "laws/arbitrary.h"
#include "run_private.h"
#include "subject_perform.h"

#define LAW WP_LAW_ARBITRARY_MEMORY

#define BIT(status) (1u << (status))
#define ALWAYS      (BIT(PT_OK) | BIT(PT_BAD_ADDRESS) | BIT(PT_MALFORMED))
#define FIRST       (BIT(PT_BAD_SIZE) | BIT(PT_BAD_ADDRESS) | BIT(PT_NOT_ALIGNED))
#define EARLIER     (FIRST | BIT(PT_BAD_FLAGS) | BIT(PT_BORROWED))

/* By the contract, whatever the tables hold. */
static const unsigned allowed[WP_OPCODES] = {
	[WP_OP_MAP] = ALWAYS | EARLIER | BIT(PT_MAPPED_TO_HUGE_PAGE) | BIT(PT_ALREADY_MAPPED) |
                      BIT(PT_NO_MEMORY),
	[WP_OP_UNMAP] = ALWAYS | BIT(PT_NOT_ALIGNED) | BIT(PT_BORROWED) | BIT(PT_NOT_MAPPED),
	[WP_OP_PROTECT] = ALWAYS | BIT(PT_NOT_ALIGNED) | BIT(PT_BAD_FLAGS) | BIT(PT_BORROWED) |
                          BIT(PT_NOT_MAPPED),
	[WP_OP_REMAP] = ALWAYS | BIT(PT_NOT_ALIGNED) | BIT(PT_BAD_FLAGS) | BIT(PT_BORROWED) |
                        BIT(PT_NOT_MAPPED),
	[WP_OP_QUERY] = ALWAYS | BIT(PT_NOT_MAPPED),
	[WP_OP_MAP_REGION] = ALWAYS | EARLIER | BIT(PT_MAPPED_TO_HUGE_PAGE) |
                             BIT(PT_ALREADY_MAPPED) | BIT(PT_NO_MEMORY),
	[WP_OP_MAP_REGION_WITH] = ALWAYS | EARLIER | BIT(PT_MAPPED_TO_HUGE_PAGE) |
                                  BIT(PT_ALREADY_MAPPED) | BIT(PT_NO_MEMORY),
	[WP_OP_UNMAP_REGION] = ALWAYS | FIRST | BIT(PT_BORROWED) | BIT(PT_NOT_MAPPED) |
                               BIT(PT_NO_MEMORY),
	[WP_OP_PROTECT_REGION] = ALWAYS | EARLIER | BIT(PT_NO_MEMORY),
	[WP_OP_HARVEST] = ALWAYS | EARLIER,
};

/* ---- what query() and the machines say ---- */

static bool deviates(const struct wp_damaged *d, enum wp_deviation deviation)
{
	return wp_deviates(d->runner->subject->profile, deviation);
}

static void remember(struct wp_damaged *d, unsigned table, uint64_t va)
{
	if (d->count[table] < WP_DAMAGED_ADDRESSES)
		d->va[table][d->count[table]++] = va;
}

bool wp_damage_agree(struct wp_damaged *d, unsigned table, uint64_t va)
{
	struct wp_runner *runner = d->runner;
	struct wp_finding *finding = &d->result->finding;
	struct pt_mapping mapping = {0};
	struct wp_answer paper;
	pt_status status;

	if (finding->found)
		return false;
	if (wp_damage_reached_holes(d))
		return true;
	status = runner->subject->query(runner->instance, table, va, &mapping);
	wp_paper_walk(runner->regime, &runner->memory,
	              runner->subject->root(runner->instance, table), va, &paper);
	wp_judge_arbitrary_query(runner->regime, va, status, &mapping, &paper, finding);
	if (paper.fault == WP_FAULT_BUS && status != PT_MALFORMED &&
	    (status == PT_OK || !deviates(d, WP_OWN_STATUS)))
		wp_found(finding, LAW, "bus",
		         "query(%#" PRIx64 ") says %s, and a table at level %u is not memory", va,
		         pt_status_name(status), paper.level);
	d->stats->agreements++;
	return !finding->found;
}

void wp_damage_ask(struct wp_damaged *d, unsigned table)
{
	struct wp_runner *runner = d->runner;
	const uint64_t root = runner->subject->root(runner->instance, table);
	const size_t count = d->count[table];

	for (size_t m = 0;
	     m < runner->machine_count && !d->result->finding.found && !wp_damage_reached_holes(d);
	     m++) {
		struct wp_machine *machine = runner->machines[m];

		if (machine->slow || !machine->supports(machine, runner->regime))
			continue;
		for (size_t i = 0; i < count; i++)
			runner->probes[i] = (struct wp_probe){
				d->va[table][i],
				runner->regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS};
		machine->load(machine, runner->regime, root);
		machine->probe(machine, runner->probes, runner->answers, count);
		if (machine->rest)
			machine->rest(machine);
		for (size_t i = 0; i < count; i++) {
			struct wp_answer paper;

			wp_paper_walk(runner->regime, &runner->memory, root, d->va[table][i],
			              &paper);
			wp_judge_arbitrary_answer(d->va[table][i], &runner->answers[i],
			                          machine->name, &paper, &d->result->finding);
			d->stats->answers += d->runner->answers[i].answered != 0;
		}
	}
}

/* ---- a call after the damage ---- */

/* What a call on one address found before it began. */
struct before {
	struct pt_mapping mapping;
	pt_status query;
	bool aliased; /* one entry decides at two levels of the way */
};

static struct before look(struct wp_damaged *d, const struct wp_call *call)
{
	struct wp_runner *runner = d->runner;
	struct wp_step steps[WP_MAX_STEPS];
	struct before before = {0};
	const size_t count = wp_paper_steps(runner->regime, &runner->memory,
	                                    runner->subject->root(runner->instance, call->table),
	                                    call->va, steps);

	before.query = runner->subject->query(runner->instance, call->table, call->va,
	                                      &before.mapping);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++)
			before.aliased |= wp_frame_of(&runner->memory, steps[i].entry_pa) ==
			                  wp_frame_of(&runner->memory, steps[k].entry_pa);
	}
	return before;
}

/* Whether the call can't but meet what query() met at its first address. */
static bool must_meet(const struct wp_regime *regime, const struct wp_call *call)
{
	switch (call->opcode) {
	case WP_OP_MAP:
		return call->size == wp_regime_page(regime);
	case WP_OP_MAP_REGION:
	case WP_OP_MAP_REGION_WITH:
		return !call->allow_huge;
	case WP_OP_QUERY:
		return false;
	default:
		return true;
	}
}

static unsigned may_return(const struct wp_damaged *d, const struct wp_call *call)
{
	if (deviates(d, WP_OWN_STATUS))
		return UINT_MAX;
	if (deviates(d, WP_PROTECT_REFUSES_HOLES) && call->opcode == WP_OP_PROTECT_REGION)
		return allowed[call->opcode] | BIT(PT_NOT_MAPPED);
	return allowed[call->opcode];
}

static void judge_status(struct wp_damaged *d, const struct wp_call *call,
                         const struct before *before, pt_status status, size_t in_use)
{
	const bool own = deviates(d, WP_OWN_STATUS);
	struct wp_finding *finding = &d->result->finding;
	const char *name = wp_opcode_name(call->opcode);

	if (!(may_return(d, call) >> status & 1))
		wp_found(finding, LAW, "status", "%s() returned %s, which it never may", name,
		         pt_status_name(status));
	if (before->query == PT_MALFORMED && must_meet(d->runner->regime, call) &&
	    !((own ? ~BIT(PT_OK) : EARLIER | BIT(PT_MALFORMED)) >> status & 1))
		wp_found(finding, LAW, "malformed",
		         "%s() returned %s, and query() says PT_MALFORMED at %#" PRIx64, name,
		         pt_status_name(status), call->va);
	if (status == PT_OK || wp_run_keeps_parts(d->runner, call) ||
	    wp_run_keeps_tables(d->runner))
		return;
	if (d->stores != 0 || d->flushes != 0)
		wp_found(finding, WP_LAW_ALL_OR_NOTHING, "damaged-store",
		         "a call that returned %s on damaged tables made %" PRIu64
		         " stores and %" PRIu64 " flushes",
		         pt_status_name(status), d->stores, d->flushes);
	if (d->runner->memory.in_use != in_use)
		wp_found(finding, WP_LAW_ALL_OR_NOTHING, "damaged-frames",
		         "a call that returned %s on damaged tables left %zu frames in use, %zu "
		         "before",
		         pt_status_name(status), d->runner->memory.in_use, in_use);
}

/* What query() must say after PT_OK; false: nothing can be said. */
static bool promise(const struct wp_regime *regime, const struct wp_call *call,
                    const struct before *before, struct pt_mapping *promised)
{
	if (before->aliased)
		return false;
	*promised = (struct pt_mapping){
		.vaddr = pt_va(call->va),
		.paddr = pt_pa(call->pa),
		.size = call->size,
		.flags = call->flags,
	};
	if (call->opcode == WP_OP_MAP_REGION && !call->allow_huge)
		promised->size = wp_regime_page(regime);
	if (call->opcode == WP_OP_MAP || (call->opcode == WP_OP_MAP_REGION && !call->allow_huge))
		return true;
	if (call->opcode != WP_OP_PROTECT && call->opcode != WP_OP_REMAP)
		return false;
	if (call->opcode == WP_OP_PROTECT)
		promised->paddr = before->mapping.paddr;
	promised->size = before->mapping.size;
	return before->query == PT_OK;
}

static void judge_leaf(struct wp_damaged *d, const struct wp_call *call,
                       const struct before *before)
{
	struct wp_runner *runner = d->runner;
	struct pt_mapping promised, is = {0};
	const pt_status status = runner->subject->query(runner->instance, call->table, call->va,
	                                                &is);
	char said[8], right[8];

	if (wp_damage_reached_holes(d))
		return;
	if (call->opcode == WP_OP_UNMAP && !before->aliased && status != PT_NOT_MAPPED)
		wp_found(&d->result->finding, LAW, "still-there",
		         "after unmap() query(%#" PRIx64 ") says %s", call->va,
		         pt_status_name(status));
	if (!promise(runner->regime, call, before, &promised) ||
	    (deviates(d, WP_ASSUMES_UNMAPPED) && call->opcode != WP_OP_PROTECT))
		return;
	d->stats->exact++;
	if (status != PT_OK || is.paddr.value != promised.paddr.value || is.size != promised.size ||
	    is.flags != promised.flags)
		wp_found(&d->result->finding, LAW, "not-as-asked",
		         "%s() returned PT_OK, and query(%#" PRIx64 ") says %s, %#" PRIx64
		         ", size %#" PRIx64 ", %s, not %#" PRIx64 ", size %#" PRIx64 ", %s",
		         wp_opcode_name(call->opcode), call->va, pt_status_name(status),
		         is.paddr.value, is.size, wp_flags_text(is.flags, said),
		         promised.paddr.value, promised.size, wp_flags_text(promised.flags, right));
}

/* What must be cleared is. */
static void judge_harvest(struct wp_damaged *d, const struct wp_call *call)
{
	struct wp_runner *runner = d->runner;
	struct pt_mapping is;

	if (call->opcode != WP_OP_HARVEST ||
	    runner->subject->query(runner->instance, call->table, call->va, &is) != PT_OK)
		return;
	if (wp_has_one_of(is.accessed, is.dirty, call->uses))
		wp_found(&d->result->finding, LAW, "not-harvested",
		         "harvest() returned PT_OK, and the leaf at %#" PRIx64 " is still %s",
		         call->va, wp_uses_text(is.accessed, is.dirty));
}

static void count_outcome(struct wp_damaged *d, pt_status status)
{
	d->stats->operations++;
	d->stats->malformed += status == PT_MALFORMED;
	d->stats->changed += status == PT_OK && d->stores != 0;
	d->stats->unchanged += status != PT_MALFORMED && (status != PT_OK || d->stores == 0);
}

void wp_damage_call(struct wp_damaged *d, const struct wp_call *call)
{
	const struct before before = look(d, call);
	const size_t in_use = d->runner->memory.in_use;
	const pt_status status = wp_subject_perform(d->runner->subject, d->runner->instance,
	                                            d->runner->regime, call)
	                                 .status;
	const uint64_t last = call->va + (call->size == 0 ? 0 : call->size - 1);

	count_outcome(d, status);
	judge_status(d, call, &before, status, in_use);
	if (status == PT_OK) {
		judge_leaf(d, call, &before);
		judge_harvest(d, call);
	}
	wp_damage_agree(d, call->table, call->va);
	wp_damage_agree(d, call->table, last);
	remember(d, call->table, call->va);
	remember(d, call->table, last);
}
