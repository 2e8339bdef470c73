/* SPDX-License-Identifier: MIT */
/* What damage was done has calls aimed at it, as programs rarely meet it by themselves. */
#include "damage_private.h"

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

/* Of what it finds, and past it; the last three are asked for wrongly. */
void wp_damage_aim_harvest(struct wp_damaged *d, unsigned table, uint64_t va)
{
	const uint64_t page = wp_regime_page(d->runner->regime);
	const struct {
		uint64_t size;
		pt_uses uses;
	} asked[] = {
		{page, PT_ACCESSED}, {1024 * page, PT_DIRTY}, {8, PT_ACCESSED}, {0, PT_ACCESSED},
		{page, 0},
	};

	for (size_t i = 0; i < sizeof asked / sizeof asked[0] && !d->result->finding.found; i++)
		wp_damage_operate(d, &(struct wp_call){
					     .opcode = WP_OP_HARVEST,
					     .table = table,
					     .va = va & ~(page - 1),
					     .size = asked[i].size,
					     .uses = asked[i].uses,
				     });
}
