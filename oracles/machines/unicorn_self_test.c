/* SPDX-License-Identifier: MIT */
/*
 * What the Unicorn machine must show before it serves, and the tables built by
 * hand that it and the quirks are shown on. The self-test goes through the
 * machine's own functions, so that a machine with one of them broken fails it.
 */
#include "unicorn.h"

#include <stdio.h>
#include <string.h>

/* --- tables by hand --- */

/* Another index, neither the first nor the last, at each level. */
static uint64_t address_for(const struct wp_regime *regime)
{
	uint64_t va = regime->half == PT_HIGH ? UINT64_MAX << regime->va_bits : 0;

	for (unsigned level = 0; level < regime->levels; level++)
		va |= (uint64_t)(0x2b + level * 0x1d) << (12 + 9 * (regime->levels - 1 - level));
	return va;
}

static bool hold_frame(struct wp_scratch *scratch, uint64_t *frame)
{
	const struct wp_memory *memory = scratch->unicorn->machine.memory;

	if (!wp_memory_alloc(scratch->unicorn->machine.memory, frame))
		return false;
	scratch->held++;
	memset(wp_memory_at(memory, *frame, WP_FRAME_SIZE), 0, WP_FRAME_SIZE);
	return true;
}

bool wp_scratch_open(struct wp_scratch *scratch, struct wp_machine *machine,
                     const struct wp_regime *regime)
{
	struct wp_unicorn *unicorn = wp_unicorn_of(machine);

	*scratch = (struct wp_scratch){
		.unicorn = unicorn,
		.regime = regime,
		.va = address_for(regime),
		.allocations = machine->memory->allocations,
		.refusals = machine->memory->refusals,
	};
	for (unsigned level = 0; level < regime->levels; level++) {
		const unsigned shift = 12 + 9 * (regime->levels - 1u - level);
		uint64_t *table;

		if (!hold_frame(scratch, &scratch->frame[level]))
			break;
		table = wp_memory_at(machine->memory, scratch->frame[level], WP_FRAME_SIZE);
		scratch->entry[level] = &table[scratch->va >> shift & 511];
		if (level != 0)
			*scratch->entry[level - 1] =
				unicorn->arch->table_entry(scratch->frame[level]);
	}
	if (scratch->held != regime->levels || !hold_frame(scratch, &scratch->page)) {
		wp_scratch_close(scratch);
		return false;
	}
	machine->load(machine, regime, scratch->frame[0]);
	return true;
}

/* Last frame first: the next allocations are what they would have been. */
void wp_scratch_close(struct wp_scratch *scratch)
{
	struct wp_memory *memory = scratch->unicorn->machine.memory;

	if (scratch->held > scratch->regime->levels)
		wp_memory_free(memory, scratch->page);
	for (size_t level = scratch->regime->levels; level-- > 0;) {
		if (level < scratch->held)
			wp_memory_free(memory, scratch->frame[level]);
	}
	memory->allocations = scratch->allocations;
	memory->refusals = scratch->refusals;
}

uint64_t *wp_scratch_last(const struct wp_scratch *scratch)
{
	return scratch->entry[scratch->regime->levels - 1];
}

void wp_scratch_map(const struct wp_scratch *scratch, uint64_t pa, pt_flags flags)
{
	*wp_scratch_last(scratch) = scratch->unicorn->arch->leaf_entry(
		scratch->regime, scratch->regime->levels - 1u, pa, flags);
}

bool wp_scratch_shows(struct wp_machine *machine, const char *regime,
                      bool (*shows)(struct wp_scratch *scratch))
{
	struct wp_scratch scratch;
	bool shown;

	if (!wp_scratch_open(&scratch, machine, wp_regime_find(regime)))
		return false;
	shown = shows(&scratch);
	wp_scratch_close(&scratch);
	return shown;
}

/* --- the self-test --- */

/* Not equal to the address at any bit that a lazy machine might copy; no RAM. */
#define ELSEWHERE 0x5a5a5a5000u
#define OFFSET    0x18u

/* Which leaf, and what must be allowed there; no leaf at all with present = false. */
struct claim {
	const char *what;
	bool present;
	pt_flags flags;
	uint8_t allowed;
};

#define BIT(kind) (1u << (kind))
static const struct claim claims[] = {
	{"an empty entry faults", false, 0, 0},
	{"a kernel page is read, written and executed by the kernel alone", true,
         PT_READ | PT_WRITE | PT_EXECUTE, WP_KERNEL_KINDS},
	{"a read-only kernel page is only read", true, PT_READ, BIT(WP_KERNEL_READ)},
	{"a writable kernel page without EXECUTE is not executed", true, PT_READ | PT_WRITE,
         BIT(WP_KERNEL_READ) | BIT(WP_KERNEL_WRITE)},
	{"an executable kernel page without WRITE is not written", true, PT_READ | PT_EXECUTE,
         BIT(WP_KERNEL_READ) | BIT(WP_KERNEL_EXECUTE)},
	{"a user page is not executed by the kernel", true,
         PT_READ | PT_WRITE | PT_EXECUTE | PT_USER,
         WP_USER_KINDS | BIT(WP_KERNEL_READ) | BIT(WP_KERNEL_WRITE)},
	{"a read-only user page is only read", true, PT_READ | PT_USER,
         BIT(WP_USER_READ) | BIT(WP_KERNEL_READ)},
};

/* Of everything but the regime's own privileges, nothing must be answered. */
static uint8_t served(const struct wp_regime *regime)
{
	return regime->one_privilege ? WP_KERNEL_KINDS : WP_ALL_KINDS;
}

/* The page, and its neighbour, which is never mapped. */
static bool claim_holds(const struct wp_scratch *scratch, const struct claim *claim,
                        struct wp_answer *found)
{
	struct wp_machine *machine = &scratch->unicorn->machine;
	const struct wp_probe probes[] = {
		{scratch->va + OFFSET, WP_ALL_KINDS},
		{scratch->va + PT_4K, WP_ALL_KINDS},
	};
	const uint64_t pa = claim->allowed != 0 ? ELSEWHERE + OFFSET : 0;
	struct wp_answer answers[2];

	if (claim->present)
		wp_scratch_map(scratch, ELSEWHERE, claim->flags);
	else
		*wp_scratch_last(scratch) = 0;
	machine->probe(machine, probes, answers, 2);
	*found = answers[0];
	return answers[0].answered == served(scratch->regime) &&
	       answers[1].answered == answers[0].answered && answers[0].allowed == claim->allowed &&
	       answers[0].pa == pa && answers[1].allowed == 0;
}

static bool claims_hold(const struct wp_scratch *scratch, char *why, size_t why_size)
{
	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
		struct wp_answer found;

		if ((claims[i].flags & PT_USER) != 0 && scratch->regime->one_privilege)
			continue;
		if (claim_holds(scratch, &claims[i], &found))
			continue;
		snprintf(why, why_size,
		         "%s: \"%s\" does not hold: of kinds 0x%x, 0x%x answered and 0x%x allowed, "
		         "to 0x%llx",
		         scratch->regime->name, claims[i].what, claims[i].allowed, found.answered,
		         found.allowed, (unsigned long long)found.pa);
		return false;
	}
	return true;
}

/*
 * A leaf into the window is kept by the TLB: it must translate on after its entry
 * is gone, or there is no TLB to show; and no longer after the flush.
 */
static const char *stale_until_flushed(const struct wp_scratch *scratch, enum wp_kind kind,
                                       bool by_address)
{
	struct wp_machine *machine = &scratch->unicorn->machine;
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, kind == WP_USER_READ ? PT_READ | PT_USER : PT_READ);
	machine->flush(machine, NULL);
	if (!wp_scratch_translate(scratch, kind, &pa) || pa != scratch->page)
		return "a page in the window is not mapped: it may not be shared";
	*wp_scratch_last(scratch) = 0;
	if (!wp_scratch_translate(scratch, kind, &pa) || pa != scratch->page)
		return "no stale translation: the TLB shows nothing";
	machine->flush(machine, by_address ? &scratch->va : NULL);
	if (wp_scratch_translate(scratch, kind, &pa))
		return by_address ? "a stale translation survives a flush of its address"
		                  : "a stale translation survives a flush of everything";
	return NULL;
}

static bool flushes_hold(const struct wp_scratch *scratch, char *why, size_t why_size)
{
	const char *failed = NULL;

	for (int by_address = 0; by_address < 2 && failed == NULL; by_address++) {
		failed = stale_until_flushed(scratch, WP_KERNEL_READ, by_address != 0);
		if (failed == NULL && !scratch->regime->one_privilege)
			failed = stale_until_flushed(scratch, WP_USER_READ, by_address != 0);
	}
	if (failed != NULL)
		snprintf(why, why_size, "%s: %s", scratch->regime->name, failed);
	return failed == NULL;
}

bool wp_unicorn_self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                          size_t why_size)
{
	struct wp_scratch scratch;
	bool passed;

	if (!wp_unicorn_version_serves(uc_version(NULL, NULL), why, why_size))
		return false;
	if (!machine->supports(machine, regime)) {
		snprintf(why, why_size, "%s: not a regime of %s", regime->name,
		         wp_arch_name(machine->arch));
		return false;
	}
	if (!wp_scratch_open(&scratch, machine, regime)) {
		snprintf(why, why_size, "%s: no frames left for its tables", regime->name);
		return false;
	}
	passed = claims_hold(&scratch, why, why_size) && flushes_hold(&scratch, why, why_size);
	wp_scratch_close(&scratch);
	return passed;
}
