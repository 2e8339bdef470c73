/* SPDX-License-Identifier: MIT */
/*
 * AArch64: real reads and writes by our stubs, through whatever the TLB holds, for
 * WP_PROBE_WARM. One that goes through shows no physical address: to learn it, a
 * doubleword is changed for a moment where it may have led, and read again.
 */
#include "aarch64.h"

static struct end run(const char *stub, uint64_t address)
{
	const uint64_t pc = wp_now[SET_STUBS] + (uint64_t)(stub - stubs);

	return wp_enter(wp_now[SET_EL2] ? PSTATE_EL2H : PSTATE_EL1H, pc, address);
}

static struct end load(unsigned kind, uint64_t address)
{
	return run(wp_is_user(kind) ? stub_load_el0 : stub_load, address);
}

/* The tested tables allowed it, but it led to no memory. */
static bool found_no_memory(void)
{
	const uint64_t esr = read_register(esr_el2);

	if (wp_now[SET_EL2])
		return wp_class_of(esr) == EC_DATA_SAME_EL && (esr & ESR_FSC) == FSC_EXTERNAL;
	return wp_class_of(esr) == EC_DATA_LOWER_EL && (esr & ESR_S1PTW) == 0;
}

/*
 * To rewrite what is there it is read first; whoever may write may read. Where there
 * is nothing to be read, nothing can change.
 */
struct end wp_access(unsigned kind, uint64_t address)
{
	struct end end;

	if (!wp_is_write(kind))
		return load(kind, address);
	end = run(wp_is_user(kind) ? stub_rewrite_el0 : stub_rewrite, address);
	if (wp_went_through(end) || !found_no_memory())
		return end;
	return run(wp_is_user(kind) ? stub_store_el0 : stub_store, address);
}

/* --- where it led --- */

/* Where pages led to lately. */
static struct {
	uint64_t page, target;
} noted[256];

static size_t slot_for(uint64_t va)
{
	return (va >> 12 ^ va >> 21 ^ va >> 30) % (sizeof noted / sizeof noted[0]);
}

void wp_note_target(uint64_t va, uint64_t pa)
{
	noted[slot_for(va)].page = va / PAGE_SIZE;
	noted[slot_for(va)].target = pa / PAGE_SIZE;
}

/*
 * Whether a doubleword that changes at `pa` for a moment is read from `va` as changed.
 * The TLB holds `va` since the access before: even a table on its way may change.
 */
static bool leads_to(unsigned kind, uint64_t va, uint64_t pa)
{
	struct wp_mailbox *mailbox = walker_mailbox();
	volatile uint64_t *target = (volatile uint64_t *)(pa & ~(uint64_t)7);
	uint64_t saved;
	struct end end;

	if (!wp_in_window(pa))
		return false;
	saved = *target;
	mailbox->patched_pa = (uint64_t)target;
	mailbox->patched_saved = saved;
	__atomic_store_n(&mailbox->patched_bytes, sizeof saved, __ATOMIC_SEQ_CST);
	*target = ~saved;
	end = load(kind, va & ~(uint64_t)7);
	*target = saved;
	__atomic_store_n(&mailbox->patched_bytes, 0, __ATOMIC_SEQ_CST);
	return wp_went_through(end) && end.read == ~saved;
}

/* Two guesses: where the tables lead now, and where they led before. */
bool wp_find_target(unsigned kind, uint64_t va, uint64_t *pa)
{
	const uint64_t par = wp_translate(kind, va);
	const uint64_t offset = va % PAGE_SIZE;
	const size_t slot = slot_for(va);

	*pa = (par & OUTPUT_ADDRESS) | offset;
	if ((par & PAR_F) == 0 && leads_to(kind, va, *pa))
		return true;
	*pa = noted[slot].target * PAGE_SIZE | offset;
	return noted[slot].page == va / PAGE_SIZE && leads_to(kind, va, *pa);
}
