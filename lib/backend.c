/* SPDX-License-Identifier: MIT */
/*
 * The library, compiled once for each backend:
 *
 *   cc -c backend.c -DPT_BACKEND=pt_x86_64 -DPT_BACKEND_NAME='"x86_64"' \
 *      -DPT_ARCH='"../arch/x86_64.h"' -DPT_LEVELS=4
 *
 * With -DPT_TARGET_BUILD it carries the CPU's own flush instructions.
 */
#include <walkproof/pt.h>

#include PT_ARCH

#include "operations.h"

#include "entries.h"

#include "pending.h"

#include "descend.h"

#include "single.h"

#include "one_level.h"

#include "region_map.h"

#include "region_plan.h"

#include "region_change.h"

#include "harvest.h"

#include "share.h"

#include "walk.h"

static const struct pt_operations operations = {
	.create = op_create,
	.destroy = op_destroy,
	.map = op_map,
	.unmap = op_unmap,
	.protect = op_protect,
	.remap = op_remap,
	.query = op_query,
	.map_region = op_map_region,
	.map_region_with = op_map_region_with,
	.unmap_region = op_unmap_region,
	.protect_region = op_protect_region,
	.harvest = op_harvest,
	.walk = op_walk,
	.copy_from = op_copy_from,
	.give_back = op_give_back,
	.free_waiting = op_free_waiting,
};

#ifdef PT_TARGET_BUILD
static void target_flush_address(pt_vaddr vaddr)
{
	arch_flush_address(vaddr.value);
}

static void target_flush_all(void)
{
	arch_flush_all();
}
#endif

const struct pt_backend PT_BACKEND = {
	.name = PT_BACKEND_NAME,
	.levels = ARCH_LEVELS,
	.halves = ARCH_HALVES,
	.paddr_bits = ARCH_PADDR_BITS,
	.granule_shift = ARCH_GRANULE_SHIFT,
	.uses = ARCH_USES,
	.leaf_sizes = ARCH_LEAF_SIZES,
	.fixed_frames = ARCH_FIXED_FRAMES,
	.operations = &operations,
	.configuration = {ARCH_CONFIGURATION},
#ifdef PT_TARGET_BUILD
	.flush_address = target_flush_address,
	.flush_all = target_flush_all,
#endif
};
