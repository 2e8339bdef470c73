/* SPDX-License-Identifier: MIT */
/*
 * What any machine must show before it serves. It goes through the machine's own
 * functions, so that a machine with one of them broken fails it.
 */
#include <stdio.h>

#include "../model.h"
#include "scratch.h"

/* Not equal to the address at any bit that a lazy machine might copy; no RAM. */
#define ELSEWHERE 0x5a5a5a5000u
#define OFFSET    0x18u

/* Which leaf there is, if there is one. */
static const struct claim {
	const char *what;
	bool present;
	pt_flags flags;
} claims[] = {
	{"an empty entry faults", false, 0},
	{"a kernel page is read, written and executed by the kernel alone", true,
         PT_READ | PT_WRITE | PT_EXECUTE},
	{"a read-only kernel page is only read", true, PT_READ},
	{"a writable kernel page without EXECUTE is not executed", true, PT_READ | PT_WRITE},
	{"an executable kernel page without WRITE is not written", true, PT_READ | PT_EXECUTE},
	{"a user page is the user's too", true, PT_READ | PT_WRITE | PT_EXECUTE | PT_USER},
	{"a read-only user page is only read", true, PT_READ | PT_USER},
};

/* One answer about a leaf to `pa`; adds to the kinds that were answered and whether with pa. */
struct tally {
	uint8_t answered;
	bool located;
	struct wp_answer answer;
};

/* The page, and its neighbour, which is never mapped. */
static bool claim_holds(const struct wp_scratch *scratch, const struct claim *claim, uint64_t pa,
                        struct tally *tally)
{
	struct wp_machine *machine = scratch->machine;
	const uint8_t expected = claim->present ? wp_flags_allowed(scratch->regime, claim->flags)
	                                        : 0;
	const struct wp_probe probes[] = {
		{scratch->va + OFFSET, WP_ALL_KINDS},
		{scratch->va + wp_regime_page(scratch->regime), WP_ALL_KINDS},
	};
	struct wp_answer answers[2];

	if (claim->present)
		wp_scratch_map(scratch, pa, claim->flags);
	else
		*wp_scratch_last(scratch) = 0;
	machine->probe(machine, probes, answers, 2);
	tally->answer = answers[0];
	tally->answered |= answers[0].answered;
	if (((answers[0].allowed ^ expected) & answers[0].answered) != 0 ||
	    (answers[0].allowed & ~answers[0].answered) != 0 || answers[1].allowed != 0 ||
	    answers[1].answered != wp_regime_kinds(scratch->regime))
		return false;
	if (answers[0].allowed == 0 || answers[0].pa_unknown)
		return answers[0].pa == 0;
	tally->located = true;
	return answers[0].pa == pa + OFFSET;
}

/*
 * A leaf to no memory and one into the window: a machine may not answer all of
 * either, but of both together, and must have shown where one of them leads.
 */
static bool claims_hold(const struct wp_scratch *scratch, char *why, size_t why_size)
{
	const uint64_t page = wp_regime_page(scratch->regime);
	const uint64_t targets[] = {ELSEWHERE & ~(page - 1), scratch->page};
	struct tally tally = {0};

	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
		if ((claims[i].flags & PT_USER) != 0 && scratch->regime->one_privilege)
			continue;
		tally.answered = 0;
		for (size_t k = 0; k < 2; k++) {
			if (claim_holds(scratch, &claims[i], targets[k], &tally))
				continue;
			snprintf(why, why_size,
			         "%s: \"%s\" does not hold: 0x%x answered and 0x%x allowed, to "
			         "0x%llx",
			         scratch->regime->name, claims[i].what, tally.answer.answered,
			         tally.answer.allowed, (unsigned long long)tally.answer.pa);
			return false;
		}
		if (tally.answered != wp_regime_kinds(scratch->regime)) {
			snprintf(why, why_size, "%s: \"%s\" is answered for 0x%x alone",
			         scratch->regime->name, claims[i].what, tally.answered);
			return false;
		}
	}
	if (!tally.located)
		snprintf(why, why_size, "%s: no physical address was seen", scratch->regime->name);
	return tally.located;
}

/*
 * A leaf into the window is kept by the TLB: it must translate on after its entry
 * is gone, or there is no TLB to show; and no longer after the flush.
 */
static const char *stale_until_flushed(const struct wp_scratch *scratch, enum wp_kind kind,
                                       bool by_address)
{
	struct wp_machine *machine = scratch->machine;
	uint64_t pa;

	wp_scratch_map(scratch, scratch->page, kind == WP_USER_READ ? PT_READ | PT_USER : PT_READ);
	machine->flush(machine, NULL);
	if (!wp_scratch_translate(scratch, kind, &pa))
		return "a page in the window is not mapped: it may not be shared";
	*wp_scratch_last(scratch) = 0;
	if (!wp_scratch_translate(scratch, kind, &pa))
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

bool wp_machine_self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                          size_t why_size)
{
	struct wp_scratch scratch;
	bool passed;

	if (!machine->supports(machine, regime)) {
		snprintf(why, why_size, "%s: not a regime of %s", regime->name,
		         wp_arch_name(machine->arch));
		return false;
	}
	if (!wp_scratch_open(&scratch, machine, regime)) {
		snprintf(why, why_size, "%s: no frames left for its tables", regime->name);
		return false;
	}
	passed = claims_hold(&scratch, why, why_size) &&
	         (machine->probe_warm == NULL || flushes_hold(&scratch, why, why_size));
	wp_scratch_close(&scratch);
	return passed;
}
