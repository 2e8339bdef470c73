/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* Another index, neither the first nor the last, at each level. */
static uint64_t address_for(const struct wp_regime *regime)
{
	uint64_t va = 0;

	for (unsigned level = 0; level < regime->levels; level++)
		va |= (uint64_t)(0x2b + level * 0x1d) << wp_regime_shift(regime, level);
	if (regime->half != PT_HIGH)
		return va;
	/* a half that shares its width with the other one has its own top bit too */
	if (regime->arch == WP_LOONGARCH64)
		va |= (uint64_t)1 << (regime->va_bits - 1);
	return va | UINT64_MAX << regime->va_bits;
}

/* What a table of that level takes, whole frames of the regime's; a page takes one. */
static size_t size_of(const struct wp_regime *regime, unsigned level)
{
	const size_t page = wp_regime_page_bytes(regime), root = wp_regime_root_bytes(regime);

	return level == 0 && root > page ? root : page;
}

static bool hold_frame(struct wp_scratch *scratch, unsigned level, uint64_t *frame)
{
	struct wp_memory *memory = scratch->machine->memory;
	const size_t size = size_of(scratch->regime, level);

	/* the memory's own frames may be smaller */
	if (!wp_memory_alloc_bytes(memory, size, size, frame))
		return false;
	scratch->held++;
	memset(wp_memory_at(memory, *frame, size), 0, size);
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
		uint64_t *table;

		if (!hold_frame(scratch, level, &scratch->frame[level]))
			break;
		table = wp_memory_at(machine->memory, scratch->frame[level],
		                     size_of(regime, level));
		scratch->entry[level] = &table[wp_regime_index(regime, level, scratch->va)];
		if (level != 0)
			*scratch->entry[level - 1] = wp_scratch_table_entry(scratch,
			                                                    scratch->frame[level]);
	}
	if (scratch->held != regime->levels ||
	    !hold_frame(scratch, regime->levels, &scratch->page)) {
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
		wp_memory_free_bytes(memory, scratch->page, wp_regime_page_bytes(scratch->regime));
	for (size_t level = scratch->regime->levels; level-- > 0;) {
		if (level < scratch->held)
			wp_memory_free_bytes(memory, scratch->frame[level],
			                     size_of(scratch->regime, (unsigned)level));
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

void wp_scratch_move(struct wp_scratch *scratch, uint64_t index)
{
	const unsigned shift = wp_regime_shift(scratch->regime, 0);
	uint64_t *root = wp_memory_at(scratch->machine->memory, scratch->frame[0],
	                              wp_regime_root_bytes(scratch->regime));
	const uint64_t below = scratch->va & (((uint64_t)1 << shift) - 1);

	root[index] = *scratch->entry[0];
	*scratch->entry[0] = 0;
	scratch->entry[0] = &root[index];
	scratch->va = wp_regime_extend(scratch->regime, index << shift | below);
}

/* --- showing it --- */

static FILE *trace;

void wp_scratch_trace(FILE *out)
{
	trace = out;
}

void wp_scratch_note(const char *format, ...)
{
	va_list arguments;

	if (trace == NULL)
		return;
	va_start(arguments, format);
	vfprintf(trace, format, arguments);
	va_end(arguments);
	fputc('\n', trace);
}

void wp_scratch_note_tables(const struct wp_scratch *scratch)
{
	if (trace == NULL)
		return;
	fprintf(trace, "    %s:", scratch->regime->name);
	for (unsigned level = 0; level < scratch->regime->levels; level++)
		fprintf(trace, " L%u %#" PRIx64, level, *scratch->entry[level]);
	fputc('\n', trace);
}

static void print_outcome(const struct wp_answer *answer, unsigned kind)
{
	if ((answer->answered >> kind & 1) == 0)
		fputs("no answer", trace);
	else if ((answer->open >> kind & 1) != 0)
		fputs("either", trace);
	else if ((answer->allowed >> kind & 1) != 0 && answer->pa_unknown)
		fputs("goes through", trace);
	else if ((answer->allowed >> kind & 1) != 0)
		fprintf(trace, "goes to %#" PRIx64, answer->pa);
	else if (answer->allowed == 0 && answer->fault == WP_FAULT_UNKNOWN)
		fputs("faults", trace);
	else
		fprintf(trace, "faults (%s)",
		        wp_fault_name(answer->allowed == 0 ? (enum wp_fault)answer->fault
		                                           : WP_FAULT_PERMISSION));
}

/* What this machine did with the tables as they were, and what the manual says. */
static void print_access(const struct wp_scratch *scratch, enum wp_kind kind,
                         const struct wp_answer *answer, const struct wp_answer *paper)
{
	const bool types = answer->allowed != 0 && answer->memory_type != WP_TYPE_UNKNOWN &&
	                   answer->memory_type != paper->memory_type;

	fprintf(trace, "      %s at %#" PRIx64 ": %s ", wp_kind_name(kind), scratch->va,
	        scratch->machine->name);
	print_outcome(answer, kind);
	if (types)
		fprintf(trace, ", %s memory",
		        wp_memory_type_name((enum wp_memory_type)answer->memory_type));
	fputs(", the manual ", trace);
	print_outcome(paper, kind);
	if (types)
		fprintf(trace, ", %s memory",
		        wp_memory_type_name((enum wp_memory_type)paper->memory_type));
	fputc('\n', trace);
}

static void print_changes(const struct wp_scratch *scratch, const uint64_t *before)
{
	for (unsigned level = 0; level < scratch->regime->levels; level++) {
		if (*scratch->entry[level] != before[level])
			fprintf(trace, "      and makes L%u %#" PRIx64 "\n", level,
			        *scratch->entry[level]);
	}
}

static struct wp_answer ask(const struct wp_scratch *scratch, enum wp_kind kind, bool warm)
{
	struct wp_machine *machine = scratch->machine;
	const struct wp_probe probe = {scratch->va, (uint8_t)(1u << kind)};
	uint64_t before[WP_SCRATCH_LEVELS];
	struct wp_answer answer, paper;

	for (unsigned level = 0; level < scratch->regime->levels; level++)
		before[level] = *scratch->entry[level];
	wp_scratch_note_tables(scratch);
	wp_paper_walk(scratch->regime, machine->memory, scratch->frame[0], scratch->va, &paper);
	(warm ? machine->probe_warm : machine->probe)(machine, &probe, &answer, 1);
	if (trace != NULL) {
		print_access(scratch, kind, &answer, &paper);
		print_changes(scratch, before);
	}
	return answer;
}

struct wp_answer wp_scratch_ask(const struct wp_scratch *scratch, enum wp_kind kind)
{
	return ask(scratch, kind, false);
}

bool wp_scratch_translate(const struct wp_scratch *scratch, enum wp_kind kind, uint64_t *pa)
{
	const struct wp_answer answer = ask(scratch, kind, scratch->machine->probe_warm != NULL);

	*pa = answer.pa;
	return answer.allowed != 0;
}

bool wp_scratch_is_kept(const struct wp_scratch *scratch)
{
	uint64_t pa;

	if (!wp_scratch_translate(scratch, WP_KERNEL_READ, &pa))
		return false;
	*wp_scratch_last(scratch) = 0;
	return wp_scratch_translate(scratch, WP_KERNEL_READ, &pa);
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
