/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <inttypes.h>

static void add(struct wp_addresses *addresses, uint64_t va)
{
	if (addresses->count == WP_MAX_ADDRESSES)
		addresses->dropped++;
	else
		addresses->va[addresses->count++] = va;
}

void wp_addresses_around(struct wp_addresses *addresses, uint64_t va, uint64_t size)
{
	add(addresses, va);
	add(addresses, va - 1);
	if (size == 0)
		return;
	add(addresses, va + size - 1);
	add(addresses, va + size);
}

void wp_addresses_of_runs(struct wp_addresses *addresses, const struct wp_run *runs, size_t count,
                          uint64_t salt)
{
	for (size_t i = 0; i < count; i++) {
		const struct wp_run *run = &runs[i];
		const uint64_t end = run->va + run->bytes;
		const uint64_t leaves = run->bytes / run->leaf;

		/* where two runs meet, each one's end is the other's neighbour */
		add(addresses, run->va);
		if (i == 0 || runs[i - 1].va + runs[i - 1].bytes != run->va)
			add(addresses, run->va - 1);
		add(addresses, end - 1);
		if (i + 1 == count || runs[i + 1].va != end)
			add(addresses, end);
		if (leaves > 1)
			add(addresses, run->va + salt % leaves * run->leaf + salt % run->leaf);
	}
}

void wp_addresses_at_edges(struct wp_addresses *addresses, const struct wp_regime *regime)
{
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(regime, first, last);

	for (size_t i = 0; i < ranges; i++) {
		add(addresses, first[i]);
		add(addresses, first[i] - 1);
		add(addresses, last[i]);
		add(addresses, last[i] + 1);
	}
	add(addresses, (uint64_t)1 << 63);
}

static enum wp_memory_type expected_type(const struct wp_regime *regime, pt_flags flags)
{
	/* without attributes in the entry the CPU knows of none */
	if (regime->arch == WP_RISCV64 && regime->attributes == WP_ATTR_SOFTWARE)
		return WP_TYPE_NORMAL;
	if (flags & PT_DEVICE)
		return WP_TYPE_DEVICE;
	return flags & PT_UNCACHED ? WP_TYPE_UNCACHED : WP_TYPE_NORMAL;
}

struct wp_expectation wp_expect(const struct wp_regime *regime, const struct wp_model *model,
                                unsigned table, uint64_t va)
{
	const struct wp_run *run = wp_model_find(model, table, va);

	return run ? wp_expect_run(regime, run, va) : (struct wp_expectation){0};
}

struct wp_expectation wp_expect_run(const struct wp_regime *regime, const struct wp_run *run,
                                    uint64_t va)
{
	return (struct wp_expectation){
		.run = run,
		.allowed = wp_flags_allowed(regime, run->flags),
		.pa = run->pa + (va - run->va),
		.size = run->leaf,
		.memory_type = expected_type(regime, run->flags),
	};
}

static void found_kinds(const struct wp_expectation *expected, uint64_t va,
                        const struct wp_answer *answer, const char *name, uint8_t wrong,
                        struct wp_finding *finding)
{
	const enum wp_kind kind = (enum wp_kind)__builtin_ctz(wrong);
	const bool allows = answer->allowed >> kind & 1;
	char flags[8];

	if (expected->run)
		wp_found(finding, WP_LAW_FAITHFUL, wp_kind_name(kind),
		         "%s %s a %s at %#" PRIx64 ", which is mapped %s (%s)", name,
		         allows ? "allows" : "denies", wp_kind_name(kind), va,
		         wp_flags_text(expected->run->flags, flags),
		         allows                 ? "it must fault"
		         : answer->allowed != 0 ? "permission"
		                                : wp_fault_name(answer->fault));
	else
		wp_found(finding, WP_LAW_FAITHFUL, "hole",
		         "%s allows a %s at %#" PRIx64
		         ", where nothing is mapped, and leads to %#" PRIx64,
		         name, wp_kind_name(kind), va, answer->pa);
}

void wp_judge_answer(const struct wp_regime *regime, const struct wp_expectation *expected,
                     uint64_t va, const struct wp_answer *answer, const char *name,
                     struct wp_finding *finding)
{
	const uint8_t certain = answer->answered & (uint8_t)~answer->open;
	const uint8_t wrong = (expected->allowed ^ answer->allowed) & certain;

	(void)regime;
	/* a hole faults whatever lies elsewhere; LoongArch would read on at address 0 */
	if (answer->fault == WP_FAULT_BUS) {
		if (answer->level == 0xff)
			wp_found(finding, WP_LAW_FAITHFUL, "left-memory",
			         "%s leaves guest memory on the way to %#" PRIx64, name, va);
		else
			wp_found(finding, WP_LAW_FAITHFUL, "left-memory",
			         "%s leaves guest memory at level %u on the way to %#" PRIx64, name,
			         answer->level, va);
		return;
	}
	if (wrong != 0) {
		found_kinds(expected, va, answer, name, wrong, finding);
		return;
	}
	if ((answer->allowed & certain) == 0)
		return;
	if (!answer->pa_unknown && answer->pa != expected->pa)
		wp_found(finding, WP_LAW_FAITHFUL, "pa",
		         "%s translates %#" PRIx64 " to %#" PRIx64 ", it is mapped to %#" PRIx64,
		         name, va, answer->pa, expected->pa);
	else if (answer->size != 0 && answer->size != expected->size)
		wp_found(finding, WP_LAW_FAITHFUL, "size",
		         "%s finds a leaf of %#" PRIx64 " bytes at %#" PRIx64
		         ", it was mapped with leaves of %#" PRIx64,
		         name, answer->size, va, expected->size);
	else if (answer->memory_type != WP_TYPE_UNKNOWN &&
	         answer->memory_type != expected->memory_type)
		wp_found(finding, WP_LAW_FAITHFUL, "memory-type",
		         "%s finds %s memory at %#" PRIx64 ", it is mapped as %s", name,
		         wp_memory_type_name(answer->memory_type), va,
		         wp_memory_type_name(expected->memory_type));
	else if (answer->global && (expected->run->flags & PT_USER))
		wp_found(finding, WP_LAW_NO_STALE_WALK, "global-user",
		         "%s finds a global translation at %#" PRIx64 ", which is a USER mapping",
		         name, va);
}

void wp_judge_query(const struct wp_regime *regime, const struct wp_expectation *expected,
                    uint64_t va, pt_status status, const struct pt_mapping *mapping,
                    struct wp_finding *finding)
{
	const pt_status right = expected->run                     ? PT_OK
	                        : wp_regime_canonical(regime, va) ? PT_NOT_MAPPED
	                                                          : PT_BAD_ADDRESS;
	char said[8], asked[8];

	if (status != right) {
		wp_found(finding, WP_LAW_FAITHFUL, "query-status",
		         "query(%#" PRIx64 ") says %s, it must say %s", va, wp_status_text(status),
		         wp_status_text(right));
		return;
	}
	if (status != PT_OK)
		return;
	if (mapping->paddr.value != expected->pa || mapping->vaddr.value != va)
		wp_found(finding, WP_LAW_FAITHFUL, "query-pa",
		         "query(%#" PRIx64 ") says %#" PRIx64 " -> %#" PRIx64
		         ", it is mapped to %#" PRIx64,
		         va, mapping->vaddr.value, mapping->paddr.value, expected->pa);
	else if (mapping->size != expected->size)
		wp_found(finding, WP_LAW_FAITHFUL, "query-size",
		         "query(%#" PRIx64 ") says a leaf of %#" PRIx64
		         ", it was mapped with %#" PRIx64,
		         va, mapping->size, expected->size);
	else if (mapping->flags != expected->run->flags)
		wp_found(finding, WP_LAW_FAITHFUL, "query-flags",
		         "query(%#" PRIx64 ") says %s, it is mapped %s", va,
		         wp_flags_text(mapping->flags, said),
		         wp_flags_text(expected->run->flags, asked));
}
