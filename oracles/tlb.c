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
	tlb->pointer_count = 0;
	tlb->pointer_next = 0;
}

/*
 * RISC-V ("Supervisor Memory-Management Fence") and LoongArch (5.4.3) may keep
 * that an entry was invalid; x86_64 (SDM 4.10.2.3), EPT (28.4.2) and AArch64 (D8) never do.
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
		span = wp_regime_page(regime);
	/* one TLB entry holds an even and an odd page; a huge page is a pair by itself */
	if (regime->arch == WP_LOONGARCH64 && span == wp_regime_page(regime))
		span *= 2;
	return span;
}

/*
 * SDM 4.10.3 "Paging-Structure Caches", D8 "Translation Lookaside Buffers" and RV
 * "Supervisor Memory-Management Fence" let a CPU keep an entry that leads to a table.
 * LoongArch has no walker: LDDIR reads memory (4.2.5).
 */
static void keep_pointers(struct wp_tlb *tlb, uint64_t va, const struct wp_step *steps,
                          size_t count)
{
	for (uint8_t level = 0; level < count && tlb->regime->arch != WP_LOONGARCH64; level++) {
		const uint64_t span = wp_regime_span(tlb->regime, level);
		struct wp_tlb_pointer *pointer = NULL;
		uint64_t table;

		if (wp_entry_read(tlb->regime, level, steps[level].entry, &table) != WP_ENTRY_TABLE)
			return;
		for (size_t i = 0; i < tlb->pointer_count && !pointer; i++) {
			if (tlb->pointers[i].entry_pa == steps[level].entry_pa)
				pointer = &tlb->pointers[i];
		}
		/* as above: what is cached is hit, and stays what it was */
		if (pointer)
			continue;
		if (tlb->pointer_count < WP_TLB_POINTERS) {
			pointer = &tlb->pointers[tlb->pointer_count++];
		} else {
			pointer = &tlb->pointers[tlb->pointer_next];
			tlb->pointer_next = (tlb->pointer_next + 1) % WP_TLB_POINTERS;
		}
		*pointer = (struct wp_tlb_pointer){
			.first = va & ~(span - 1),
			.last = va | (span - 1),
			.entry_pa = steps[level].entry_pa,
			.entry = steps[level].entry,
			.table = table,
			.level = level,
		};
	}
}

void wp_tlb_warm(struct wp_tlb *tlb, uint64_t root, uint64_t va)
{
	struct wp_step steps[WP_MAX_STEPS];
	struct wp_tlb_entry *entry;
	struct wp_answer answer;
	uint64_t span;
	size_t count;

	/* an access hits what is cached: no second entry for the same address */
	for (size_t i = 0; i < tlb->count; i++) {
		if (tlb->entries[i].va == va)
			return;
	}
	count = wp_paper_trail(tlb->regime, tlb->memory, root, va, &answer, steps);
	if (count == 0 || answer.fault == WP_FAULT_ADDRESS)
		return;
	keep_pointers(tlb, va, steps, count);
	if (answer.fault == WP_FAULT_BUS)
		return;
	if (answer.allowed == 0 && !caches_invalid(tlb->regime))
		return;
	span = span_of(tlb->regime, &answer);
	if (tlb->count < WP_TLB_SLOTS) {
		entry = &tlb->entries[tlb->count++];
	} else {
		entry = &tlb->entries[tlb->next];
		tlb->next = (tlb->next + 1) % WP_TLB_SLOTS;
	}
	*entry = (struct wp_tlb_entry){
		.va = va,
		.first = va & ~(span - 1),
		.last = va | (span - 1),
		.allowed = answer.allowed,
		.memory_type = answer.memory_type,
		.level = (uint8_t)(count - 1),
		.pa = answer.allowed != 0 ? answer.pa : 0,
		.entry_pa = steps[count - 1].entry_pa,
		.entry = steps[count - 1].entry,
	};
}

/*
 * RV "Supervisor Memory-Management Fence": with an address, only reads of leaf entries
 * are ordered. So that an entry was invalid is forgotten if a leaf is there now (or
 * nothing), and remembered if a table is.
 */
static bool survives_as_pointer(const struct wp_tlb *tlb, const struct wp_tlb_entry *entry)
{
	const uint64_t *const now = wp_memory_at(tlb->memory, entry->entry_pa, sizeof *now);
	uint64_t to;

	return tlb->regime->arch == WP_RISCV64 && entry->allowed == 0 && now != NULL &&
	       wp_entry_read(tlb->regime, entry->level, *now, &to) == WP_ENTRY_TABLE;
}

/*
 * Of cached pointers, a flush by address drops on x86_64 all, whatever the address
 * (SDM 4.10.4.1, INVLPG; with EPT 28.4.3.1, INVEPT); on AArch64 those on the way to it (D8, TLBI VAAE1: not only
 * the last level); on RISC-V none.
 */
static bool drops_pointer(const struct wp_tlb *tlb, const struct wp_tlb_pointer *pointer,
                          uint64_t va)
{
	if (tlb->regime->arch == WP_AARCH64)
		return va >= pointer->first && va <= pointer->last;
	return tlb->regime->arch == WP_X86_64 || tlb->regime->arch == WP_X86_EPT;
}

bool wp_tlb_flush(struct wp_tlb *tlb, const uint64_t *va)
{
	const size_t cached = tlb->count + tlb->pointer_count;
	size_t kept = 0;

	for (size_t i = 0; va && i < tlb->count; i++) {
		const struct wp_tlb_entry *entry = &tlb->entries[i];

		if (*va < entry->first || *va > entry->last || survives_as_pointer(tlb, entry))
			tlb->entries[kept++] = *entry;
	}
	tlb->count = kept;
	kept = 0;
	for (size_t i = 0; va && i < tlb->pointer_count; i++) {
		if (!drops_pointer(tlb, &tlb->pointers[i], *va))
			tlb->pointers[kept++] = tlb->pointers[i];
	}
	tlb->pointer_count = kept;
	tlb->next %= WP_TLB_SLOTS;
	tlb->pointer_next %= WP_TLB_POINTERS;
	return tlb->count + tlb->pointer_count != cached;
}

/*
 * Whether using what was cached is as good as walking again. On x86_64, EPT and
 * AArch64 one that allows less costs a fault, which the kernel takes and retries
 * (SDM 4.10.4.3; 28.4.3.1: an EPT violation drops what it met); the contract asks for
 * no flush there.
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

#define STORE_TEXT 120

/* "; operation 3 stored 0x0 over 0x1003 at 0xc0001000", if the trace still knows. */
static const char *store_text(const struct wp_trace *trace, uint64_t entry_pa,
                              char text[static STORE_TEXT])
{
	const struct wp_store *store = trace ? wp_trace_last(trace, entry_pa) : NULL;

	text[0] = '\0';
	if (store)
		snprintf(text, STORE_TEXT,
		         "; operation %" PRIu32 " stored %#" PRIx64 " over %#" PRIx64
		         " at %#" PRIx64,
		         store->op, store->after, store->before, store->entry);
	return text;
}

/* Whether the entry that a pointer was read from leads where it led. */
static bool still_leads(const struct wp_tlb *tlb, const struct wp_tlb_pointer *pointer)
{
	const uint64_t *const now = wp_memory_at(tlb->memory, pointer->entry_pa, sizeof *now);
	uint64_t table;

	return now != NULL &&
	       wp_entry_read(tlb->regime, pointer->level, *now, &table) == WP_ENTRY_TABLE &&
	       table == pointer->table;
}

static void judge_pointers(const struct wp_tlb *tlb, uint64_t first, uint64_t last,
                           const struct wp_trace *trace, struct wp_finding *finding)
{
	for (size_t i = 0; i < tlb->pointer_count; i++) {
		const struct wp_tlb_pointer *pointer = &tlb->pointers[i];
		char store[STORE_TEXT];

		if (pointer->last < first || pointer->first > last || still_leads(tlb, pointer))
			continue;
		wp_found(finding, WP_LAW_NO_STALE_WALK, "stale-table",
		         "no %s: a CPU that walked there before still takes the table at %#" PRIx64
		         " for what level %u translates from %#" PRIx64 " on%s",
		         tlb->regime->arch == WP_RISCV64 ? "full flush" : "flush reached it",
		         pointer->table, pointer->level, pointer->first,
		         store_text(trace, pointer->entry_pa, store));
	}
}

void wp_tlb_judge(const struct wp_tlb *tlb, uint64_t root, uint64_t first, uint64_t last,
                  const struct wp_trace *trace, struct wp_finding *finding)
{
	for (size_t i = 0; i < tlb->count; i++) {
		const struct wp_tlb_entry *entry = &tlb->entries[i];
		char before[USE_TEXT], after[USE_TEXT], store[STORE_TEXT];
		struct wp_answer now;

		if (entry->va < first || entry->va > last)
			continue;
		wp_paper_walk(tlb->regime, tlb->memory, root, entry->va, &now);
		if (is_current(tlb, entry, &now))
			continue;
		wp_found(finding, WP_LAW_NO_STALE_WALK, "stale",
		         "no flush covered %#" PRIx64
		         ": a CPU that used it before still %s, where the tables now say %s%s",
		         entry->va, use_text(entry->allowed, entry->pa, entry->memory_type, before),
		         use_text(now.allowed, now.pa, now.memory_type, after),
		         store_text(trace, entry->entry_pa, store));
	}
	judge_pointers(tlb, first, last, trace, finding);
}
