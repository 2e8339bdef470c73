/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <inttypes.h>
#include <string.h>

/* Another index, neither the first nor the last, at each level. */
static uint64_t address_for(const struct wp_regime *regime)
{
	uint64_t va = 0;

	for (unsigned level = 0; level < regime->levels; level++)
		va |= (uint64_t)(0x2b + level * 0x1d) << (12 + 9 * (regime->levels - 1 - level));
	if (regime->half != PT_HIGH)
		return va;
	/* a half that shares its width with the other one has its own top bit too */
	if (regime->arch == WP_LOONGARCH64)
		va |= (uint64_t)1 << (regime->va_bits - 1);
	return va | UINT64_MAX << regime->va_bits;
}

static bool hold_frame(struct wp_scratch *scratch, uint64_t *frame)
{
	struct wp_memory *memory = scratch->machine->memory;

	if (!wp_memory_alloc(memory, frame))
		return false;
	scratch->held++;
	memset(wp_memory_at(memory, *frame, WP_FRAME_SIZE), 0, WP_FRAME_SIZE);
	return true;
}

bool wp_scratch_open(struct wp_scratch *scratch, struct wp_machine *machine,
                     const struct wp_regime *regime)
{
	*scratch = (struct wp_scratch){
		.machine = machine,
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
			*scratch->entry[level - 1] = wp_scratch_table_entry(scratch,
			                                                    scratch->frame[level]);
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
	struct wp_memory *memory = scratch->machine->memory;

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
	*wp_scratch_last(scratch) = wp_scratch_leaf_entry(scratch, scratch->regime->levels - 1u, pa,
	                                                  flags);
}

static FILE *trace;

void wp_scratch_trace(FILE *out)
{
	trace = out;
}

static void print_outcome(const struct wp_answer *answer, unsigned kind)
{
	if ((answer->answered >> kind & 1) == 0)
		fputs("no answer", trace);
	else if ((answer->allowed >> kind & 1) == 0)
		fputs("faults", trace);
	else if (answer->pa_unknown)
		fputs("goes through", trace);
	else
		fprintf(trace, "goes to %#" PRIx64, answer->pa);
}

/* The entries on the way, as they are now; what this machine did, and what the manuals say. */
static void print_access(const struct wp_scratch *scratch, enum wp_kind kind,
                         const struct wp_answer *answer)
{
	struct wp_answer paper;

	fprintf(trace, "    %s:", scratch->regime->name);
	for (unsigned level = 0; level < scratch->regime->levels; level++)
		fprintf(trace, " L%u %#" PRIx64, level, *scratch->entry[level]);
	fprintf(trace, "\n      %s at %#" PRIx64 ": %s ", wp_kind_name(kind), scratch->va,
	        scratch->machine->name);
	print_outcome(answer, kind);
	wp_paper_walk(scratch->regime, scratch->machine->memory, scratch->frame[0], scratch->va,
	              &paper);
	fputs(", paper ", trace);
	print_outcome(&paper, kind);
	fputc('\n', trace);
}

bool wp_scratch_translate(const struct wp_scratch *scratch, enum wp_kind kind, uint64_t *pa)
{
	struct wp_machine *machine = scratch->machine;
	const struct wp_probe probe = {scratch->va, (uint8_t)(1u << kind)};
	struct wp_answer answer;

	if (machine->probe_warm != NULL)
		machine->probe_warm(machine, &probe, &answer, 1);
	else
		machine->probe(machine, &probe, &answer, 1);
	*pa = answer.pa;
	if (trace != NULL)
		print_access(scratch, kind, &answer);
	return answer.allowed != 0;
}

bool wp_scratch_shows(struct wp_machine *machine, const char *regime,
                      bool (*shows)(struct wp_scratch *scratch))
{
	struct wp_scratch scratch;
	bool shown;

	if (!wp_scratch_open(&scratch, machine, wp_regime_find(regime)))
		return false;
	machine->incautious = true;
	shown = shows(&scratch);
	machine->incautious = false;
	wp_scratch_close(&scratch);
	return shown;
}
