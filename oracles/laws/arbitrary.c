/* SPDX-License-Identifier: MIT */
#include "arbitrary.h"

#include <inttypes.h>
#include <stdio.h>

#include "../model.h"

#define PAPER_SAYS "the paper machine"
#define LAW        WP_LAW_ARBITRARY_MEMORY
#define RIGHTS     (PT_READ | PT_WRITE | PT_EXECUTE)
#define KX         (1u << WP_KERNEL_EXECUTE)
#define UX         (1u << WP_USER_EXECUTE)

/* What is compared, and how it is told. */
struct claim {
	const struct wp_regime *regime;
	uint64_t va;
	const struct pt_mapping *mapping;
	const struct wp_answer *paper;
	uint8_t kinds; /* that are compared */
};

/* Takes the kinds that no flag speaks of out of those that differ. */
static uint8_t said_by_flags(const struct claim *claim, uint8_t meant, uint8_t differ)
{
	const bool user = (claim->mapping->flags & PT_USER) != 0;

	switch (claim->regime->arch) {
	case WP_AARCH64:
		if (claim->regime->one_privilege)
			return differ;
		return differ & (uint8_t)~(user ? KX : UX);
	case WP_LOONGARCH64:
		/* all of what is meant for the kernel is denied: RPLV = 1 */
		if (user && (differ & WP_KERNEL_KINDS) == (meant & claim->kinds & WP_KERNEL_KINDS))
			return differ & WP_USER_KINDS;
		return differ;
	default:
		return differ;
	}
}

static void judge_rights(const struct claim *claim, struct wp_finding *finding)
{
	const uint8_t meant = wp_flags_allowed(claim->regime, claim->mapping->flags);
	const uint8_t differ = (meant ^ claim->paper->allowed) & claim->kinds;
	const uint8_t wrong = said_by_flags(claim, meant, differ);
	enum wp_kind kind;
	char flags[8];

	if (wrong == 0)
		return;
	kind = (enum wp_kind)__builtin_ctz(wrong);
	wp_found(finding, LAW, "query-flags",
	         "query(%#" PRIx64 ") says %s, and " PAPER_SAYS " %s a %s there", claim->va,
	         wp_flags_text(claim->mapping->flags, flags),
	         claim->paper->allowed >> kind & 1 ? "allows" : "denies", wp_kind_name(kind));
}

static void judge_memory_type(const struct claim *claim, struct wp_finding *finding)
{
	static const pt_flags types[] = {
		[WP_TYPE_NORMAL] = 0,
		[WP_TYPE_DEVICE] = PT_DEVICE,
		[WP_TYPE_UNCACHED] = PT_UNCACHED,
	};
	const uint8_t type = claim->paper->memory_type;
	char flags[8];

	/* software bits tell the library and not the CPU */
	if (claim->regime->arch == WP_RISCV64 && claim->regime->attributes == WP_ATTR_SOFTWARE)
		return;
	if (type == WP_TYPE_UNKNOWN || type == WP_TYPE_OTHER)
		return;
	if ((claim->mapping->flags & (PT_DEVICE | PT_UNCACHED)) != types[type])
		wp_found(finding, LAW, "query-memory-type",
		         "query(%#" PRIx64 ") says %s, and " PAPER_SAYS " finds %s memory there",
		         claim->va, wp_flags_text(claim->mapping->flags, flags),
		         wp_memory_type_name((enum wp_memory_type)type));
}

/* query() said that an access goes through, and by the manual one does or may. */
static void judge_mapping(const struct claim *claim, struct wp_finding *finding)
{
	if (claim->mapping->paddr.value != claim->paper->pa)
		wp_found(finding, LAW, "query-pa",
		         "query(%#" PRIx64 ") says physical address %#" PRIx64 ", and " PAPER_SAYS
		         " %#" PRIx64,
		         claim->va, claim->mapping->paddr.value, claim->paper->pa);
	else if (claim->mapping->size != claim->paper->size)
		wp_found(finding, LAW, "query-size",
		         "query(%#" PRIx64 ") says a leaf of %#" PRIx64 " bytes, and " PAPER_SAYS
		         " %#" PRIx64,
		         claim->va, claim->mapping->size, claim->paper->size);
	judge_rights(claim, finding);
	judge_memory_type(claim, finding);
}

/* What holds of every mapping that query() describes, no-access ones included. */
static void judge_form(const struct claim *claim, struct wp_finding *finding)
{
	const struct pt_mapping *mapping = claim->mapping;
	const bool is_leaf = mapping->size != 0 && (mapping->size & (mapping->size - 1)) == 0 &&
	                     (mapping->size & claim->regime->leaf_sizes) != 0;
	char flags[8];

	if (!is_leaf || mapping->vaddr.value != claim->va ||
	    ((mapping->paddr.value ^ claim->va) & (mapping->size - 1)) != 0 ||
	    mapping->paddr.value >> claim->regime->pa_bits != 0)
		wp_found(finding, LAW, "query-form",
		         "query(%#" PRIx64 ") says %#" PRIx64 " -> %#" PRIx64
		         " in a leaf of %#" PRIx64 " bytes, which can't be",
		         claim->va, mapping->vaddr.value, mapping->paddr.value, mapping->size);
	else if (!wp_flags_expressible(claim->regime, mapping->flags))
		wp_found(finding, LAW, "query-form",
		         "query(%#" PRIx64 ") says %s, which map() would refuse", claim->va,
		         wp_flags_text(mapping->flags, flags));
}

/* query() described a mapping. */
static void judge_described(const struct claim *claim, bool reachable, struct wp_finding *finding)
{
	const bool access = (claim->mapping->flags & RIGHTS) != 0;
	char flags[8];

	judge_form(claim, finding);
	if (reachable || (access && claim->paper->allowed != 0))
		judge_mapping(claim, finding);
	else if (access)
		wp_found(finding, LAW, "query-faults",
		         "query(%#" PRIx64 ") says %s, and " PAPER_SAYS
		         " faults on every access: %s at level %u",
		         claim->va, wp_flags_text(claim->mapping->flags, flags),
		         wp_fault_name((enum wp_fault)claim->paper->fault), claim->paper->level);
}

void wp_judge_arbitrary_query(const struct wp_regime *regime, uint64_t va, pt_status status,
                              const struct pt_mapping *mapping, const struct wp_answer *paper,
                              struct wp_finding *finding)
{
	const uint8_t certain = paper->answered & (uint8_t)~paper->open;
	const bool reachable = (paper->allowed & certain) != 0;
	const struct claim claim = {regime, va, mapping, paper,
	                            reachable ? certain : paper->answered};

	if ((status == PT_BAD_ADDRESS) != !wp_regime_canonical(regime, va))
		wp_found(finding, LAW, "query-status",
		         "query(%#" PRIx64 ") says %s, and the address is %scanonical", va,
		         pt_status_name(status), status == PT_BAD_ADDRESS ? "" : "not ");
	else if (status == PT_OK)
		judge_described(&claim, reachable, finding);
	else if (reachable)
		wp_found(finding, LAW, "query-status",
		         "query(%#" PRIx64 ") says %s, and " PAPER_SAYS " reaches %#" PRIx64, va,
		         pt_status_name(status), paper->pa);
	else if (status != PT_NOT_MAPPED && status != PT_MALFORMED && status != PT_BAD_ADDRESS)
		wp_found(finding, LAW, "query-status",
		         "query(%#" PRIx64 ") says %s, which it never may", va,
		         pt_status_name(status));
}

static void found_kind(uint64_t va, enum wp_kind kind, const char *name,
                       const struct wp_answer *other, const char *other_name,
                       struct wp_finding *finding)
{
	const uint8_t fault = other->allowed == 0 ? other->fault : WP_FAULT_PERMISSION;
	char level[16] = "";

	if (other->level != 0xff)
		snprintf(level, sizeof level, " at level %u", other->level);
	if ((other->allowed >> kind & 1) != 0)
		wp_found(finding, LAW, wp_kind_name(kind),
		         "%s denies a %s at %#" PRIx64 ", and %s allows it, to %#" PRIx64, name,
		         wp_kind_name(kind), va, other_name, other->pa);
	else
		wp_found(finding, LAW, wp_kind_name(kind),
		         "%s allows a %s at %#" PRIx64 ", and %s denies it: %s%s", name,
		         wp_kind_name(kind), va, other_name, wp_fault_name((enum wp_fault)fault),
		         level);
}

/* What both answer and `other` is certain of; `same_reason` is of a denial of all. */
static void compare(uint64_t va, const struct wp_answer *answer, const char *name,
                    const struct wp_answer *other, const char *other_name, bool same_reason,
                    struct wp_finding *finding)
{
	const uint8_t compared = answer->answered & other->answered & (uint8_t)~other->open;
	const uint8_t wrong = (answer->allowed ^ other->allowed) & compared;
	const bool located = !answer->pa_unknown && !other->pa_unknown;
	const bool tell = answer->fault != WP_FAULT_UNKNOWN && other->fault != WP_FAULT_UNKNOWN &&
	                  answer->answered == other->answered && other->open == 0 &&
	                  answer->allowed == 0;

	if (wrong != 0)
		found_kind(va, (enum wp_kind)__builtin_ctz(wrong), name, other, other_name,
		           finding);
	else if ((answer->allowed & compared) != 0 && located && answer->pa != other->pa)
		wp_found(finding, LAW, "pa",
		         "%s translates %#" PRIx64 " to %#" PRIx64 ", and %s to %#" PRIx64, name,
		         va, answer->pa, other_name, other->pa);
	else if (tell && !same_reason)
		wp_found(finding, LAW, "reason", "%s says of %#" PRIx64 " %s, and %s %s", name, va,
		         wp_fault_name((enum wp_fault)answer->fault), other_name,
		         wp_fault_name((enum wp_fault)other->fault));
}

/* One that has no bus error reads a table that isn't memory as a hole. */
static bool is_hole_for_bus(uint8_t fault, uint8_t other)
{
	return fault == WP_FAULT_NOT_PRESENT && other == WP_FAULT_BUS;
}

void wp_judge_arbitrary_answer(uint64_t va, const struct wp_answer *answer, const char *name,
                               const struct wp_answer *paper, struct wp_finding *finding)
{
	compare(va, answer, name, paper, PAPER_SAYS,
	        answer->fault == paper->fault || is_hole_for_bus(answer->fault, paper->fault),
	        finding);
}

void wp_judge_arbitrary_pair(uint64_t va, const struct wp_answer *answer, const char *name,
                             const struct wp_answer *other, const char *other_name,
                             struct wp_finding *finding)
{
	compare(va, answer, name, other, other_name,
	        answer->fault == other->fault || is_hole_for_bus(answer->fault, other->fault) ||
	                is_hole_for_bus(other->fault, answer->fault),
	        finding);
}
