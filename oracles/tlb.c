/* SPDX-License-Identifier: MIT */
#include "tlb.h"

#include <inttypes.h>
#include <stdio.h>

void wp_tlb_reset(struct wp_tlb *tlb, const struct wp_regime *regime,
                  const struct wp_memory *memory)
{
	tlb->regime = regime;
	tlb->memory = memory;
	tlb->count = 0;
	tlb->next = 0;
}

/*
 * RISC-V ("Supervisor Memory-Management Fence") and LoongArch (5.4.3) may keep
 * that an entry was invalid; x86_64 (SDM 4.10.2.3) and AArch64 (D8) never do.
 */
static bool caches_invalid(const struct wp_regime *regime)
{
	return regime->arch == WP_RISCV64 || regime->arch == WP_LOONGARCH64;
}

/* What the cached item spans: its leaf, the slot that was invalid, or a LoongArch pair. */
static uint64_t span_of(const struct wp_regime *regime, const struct wp_answer *answer)
{
	uint64_t span = answer->size;

	if (span == 0 && regime->arch == WP_RISCV64)
		span = wp_regime_span(regime, answer->level);
	if (span == 0)
		span = WP_FRAME_SIZE;
	/* one TLB entry holds an even and an odd page; a huge page is a pair by itself */
	if (regime->arch == WP_LOONGARCH64 && span == WP_FRAME_SIZE)
		span *= 2;
	return span;
}

void wp_tlb_warm(struct wp_tlb *tlb, uint64_t root, uint64_t va)
{
	struct wp_tlb_entry *entry;
	struct wp_answer answer;
	uint64_t span;

	wp_paper_walk(tlb->regime, tlb->memory, root, va, &answer);
	if (answer.fault == WP_FAULT_ADDRESS || answer.fault == WP_FAULT_BUS)
		return;
	if (answer.allowed == 0 && !caches_invalid(tlb->regime))
		return;
	span = span_of(tlb->regime, &answer);
	/* an access hits what is cached: no second entry for the same address */
	for (size_t i = 0; i < tlb->count; i++) {
		if (va >= tlb->entries[i].first && va <= tlb->entries[i].last &&
		    tlb->entries[i].va == va)
			return;
	}
	if (tlb->count < WP_TLB_SLOTS) {
		entry = &tlb->entries[tlb->count++];
	} else {
		entry = &tlb->entries[tlb->next];
		tlb->next = (tlb->next + 1) % WP_TLB_SLOTS;
	}
	entry->va = va;
	entry->first = va & ~(span - 1);
	entry->last = entry->first + span - 1;
	entry->allowed = answer.allowed;
	entry->pa = answer.allowed != 0 ? answer.pa : 0;
	entry->memory_type = answer.memory_type;
}

void wp_tlb_flush(struct wp_tlb *tlb, const uint64_t *va)
{
	size_t kept = 0;

	for (size_t i = 0; va && i < tlb->count; i++) {
		if (*va < tlb->entries[i].first || *va > tlb->entries[i].last)
			tlb->entries[kept++] = tlb->entries[i];
	}
	tlb->count = kept;
	if (tlb->next >= WP_TLB_SLOTS)
		tlb->next = 0;
}

/*
 * Whether using what was cached is as good as walking again. On x86_64 and
 * AArch64 one that allows less costs a fault, which the kernel takes and retries
 * (SDM 4.10.4.3); the contract asks for no flush there.
 */
static bool is_current(const struct wp_tlb *tlb, const struct wp_tlb_entry *entry,
                       const struct wp_answer *now)
{
	if (entry->allowed == 0 && now->allowed == 0)
		return true;
	if (entry->allowed & ~now->allowed)
		return false;
	if (entry->allowed != now->allowed && caches_invalid(tlb->regime))
		return false;
	return entry->pa == now->pa && entry->memory_type == now->memory_type;
}

#define USE_TEXT 96

/* "faults", or "goes to 0x1000 (kernel rw-, user ---, normal)". */
static const char *use_text(uint8_t allowed, uint64_t pa, uint8_t memory_type,
                            char text[static USE_TEXT])
{
	static const char letters[] = "rwxrwx";
	char kinds[WP_KINDS];

	if (allowed == 0)
		return "faults";
	for (unsigned kind = 0; kind < WP_KINDS; kind++)
		kinds[kind] = allowed >> kind & 1 ? letters[kind] : '-';
	snprintf(text, USE_TEXT, "goes to %#" PRIx64 " (kernel %.3s, user %.3s, %s)", pa, kinds,
	         kinds + 3, wp_memory_type_name(memory_type));
	return text;
}

void wp_tlb_judge(const struct wp_tlb *tlb, uint64_t root, uint64_t first, uint64_t last,
                  struct wp_finding *finding)
{
	for (size_t i = 0; i < tlb->count; i++) {
		const struct wp_tlb_entry *entry = &tlb->entries[i];
		char before[USE_TEXT], after[USE_TEXT];
		struct wp_answer now;

		if (entry->va < first || entry->va > last)
			continue;
		wp_paper_walk(tlb->regime, tlb->memory, root, entry->va, &now);
		if (is_current(tlb, entry, &now))
			continue;
		wp_found(finding, WP_LAW_NO_STALE_WALK, "stale",
		         "no flush covered %#" PRIx64
		         ": a CPU that used it before still %s, where the tables now say %s",
		         entry->va, use_text(entry->allowed, entry->pa, entry->memory_type, before),
		         use_text(now.allowed, now.pa, now.memory_type, after));
	}
}
