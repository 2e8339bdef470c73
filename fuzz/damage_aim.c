/* SPDX-License-Identifier: MIT */
/* What damage was done has calls aimed at it, as programs rarely meet it by themselves. */
#include "damage_private.h"

#include <inttypes.h>

#define LAW WP_LAW_ARBITRARY_MEMORY

void wp_damage_aim(struct wp_damaged *d, unsigned table, uint64_t va)
{
	static const enum wp_opcode opcodes[] = {WP_OP_MAP, WP_OP_MAP_REGION, WP_OP_PROTECT,
	                                         WP_OP_UNMAP_REGION, WP_OP_UNMAP};
	const uint64_t page = wp_regime_page(d->runner->regime);
	struct wp_call call = {
		.table = table,
		.va = va & ~(page - 1),
		.pa = PT_1G,
		.size = page,
		.flags = PT_READ | PT_WRITE | PT_EXECUTE,
	};

	for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
		/* beside it, below the same tables, there may be a hole */
		for (call.opcode = opcodes[i]; !d->result->finding.found;) {
			wp_damage_operate(d, &call);
			if (call.va != (va & ~(page - 1)))
				break;
			call.va ^= page;
		}
		call.va = va & ~(page - 1);
	}
}

/* What must be cleared is. */
static void judge_harvest(struct wp_damaged *d, unsigned table, uint64_t va, pt_uses uses)
{
	struct wp_runner *runner = d->runner;
	struct pt_mapping mapping;

	if (runner->subject->query(runner->instance, table, va, &mapping) != PT_OK)
		return;
	if ((mapping.accessed && (uses & PT_ACCESSED)) || (mapping.dirty && (uses & PT_DIRTY)))
		wp_found(&d->result->finding, LAW, "not-harvested",
		         "harvest() returned PT_OK, and the leaf at %#" PRIx64 " is still %s", va,
		         mapping.accessed ? "accessed" : "dirty");
	wp_damage_agree(d, table, va);
}

static void hear(void *context, const struct pt_mapping *leaf)
{
	(void)context;
	(void)leaf;
}

/* The last three are asked for wrongly. */
void wp_damage_aim_harvest(struct wp_damaged *d, unsigned table, uint64_t va)
{
	const uint64_t page = wp_regime_page(d->runner->regime);
	const struct {
		uint64_t size;
		pt_uses uses;
		pt_leaf_visitor visit;
	} asked[] = {
		{page, PT_ACCESSED, hear}, {1024 * page, PT_DIRTY, NULL},
		{8, PT_ACCESSED, hear},    {0, PT_ACCESSED, hear},
		{page, 0, hear},
	};
	const struct wp_subject *subject = d->runner->subject;
	const unsigned never = 1u << PT_NO_MEMORY | 1u << PT_NOT_MAPPED | 1u << PT_ALREADY_MAPPED |
	                       1u << PT_MAPPED_TO_HUGE_PAGE;

	if (!subject->harvest || !wp_model_exists(d->runner->model, table))
		return;
	d->name = "harvest";
	for (size_t i = 0; i < sizeof asked / sizeof asked[0] && !d->result->finding.found; i++) {
		pt_status status;

		d->stores = d->flushes = d->frees = 0;
		status = subject->harvest(d->runner->instance, table, va & ~(page - 1),
		                          asked[i].size, asked[i].uses, asked[i].visit, NULL);
		if (never >> status & 1 || (status != PT_OK && (d->stores | d->flushes) != 0))
			wp_found(&d->result->finding, LAW, "status",
			         "harvest() returned %s after %" PRIu64 " stores and %" PRIu64
			         " flushes",
			         pt_status_name(status), d->stores, d->flushes);
		if (status == PT_OK)
			judge_harvest(d, table, va & ~(page - 1), asked[i].uses);
	}
}
