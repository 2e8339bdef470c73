/* SPDX-License-Identifier: MIT */
/* Runs memory programs: builds the frames, then lets everybody read them. */
#include "memory_program.h"

#include <inttypes.h>
#include <string.h>

#include "laws/arbitrary.h"

/*
 * Visits of one walk(): tables that lead to themselves would have it visit 512
 * entries to the power of the levels. Malformed entries come in thousands.
 */
#define VISITS           32u
#define MALFORMED_VISITS 512u

static uint64_t *frame_at(const struct wp_memory_runner *runner, unsigned frame)
{
	const size_t size = wp_regime_page_bytes(runner->program.regime);

	return wp_memory_at(&runner->memory, runner->first + frame * size, size);
}

/*
 * An empty slot of a directory is not what an empty slot of a page table is, on
 * LoongArch; a frame may be used as either, so both are there.
 */
static uint64_t empty_entry(const struct wp_memory_shapes *shapes, unsigned frame)
{
	return frame % 2 == 0 ? shapes->empty_root : 0;
}

static void build_frames(struct wp_memory_runner *runner, const struct wp_memory_shapes *shapes)
{
	const struct wp_memory_program *program = &runner->program;
	const size_t entries_of_frame = wp_regime_page_bytes(program->regime) / sizeof(uint64_t);

	for (unsigned i = 0; i < WP_MEMORY_FRAMES; i++) {
		uint64_t *entries = frame_at(runner, i);

		if (runner->fill == shapes && !(runner->dirty >> i & 1))
			continue;
		for (size_t k = 0; k < entries_of_frame; k++)
			entries[k] = empty_entry(shapes, i);
	}
	runner->fill = shapes;
	runner->dirty = 0;
	for (size_t i = 0; i < program->writes; i++) {
		const struct wp_memory_write *w = &program->write[i];

		frame_at(runner, w->frame)[w->index] = w->entry;
		runner->dirty |= 1u << (w->frame + w->index / entries_of_frame);
	}
}

/* A walk(), its visits so far, and what is to come of them. */
struct tour {
	struct wp_memory_runner *runner;
	const struct pt_table *table;
	struct wp_result *result;
	struct wp_finding *finding; /* of the result */
	uint64_t visits, malformed, last;
	bool stopped;
};

/* What walk() visits and query() must be of one mind. */
static void judge_visit(const struct tour *tour, const struct pt_visit *visit)
{
	const uint64_t va = visit->vaddr.value;
	struct pt_mapping mapping;
	const pt_status status = pt_query(tour->table, visit->vaddr, &mapping);

	if (va < tour->last)
		wp_found(tour->finding, WP_LAW_ARBITRARY_MEMORY, "walk-order",
		         "walk() visits %#" PRIx64 " after %#" PRIx64, va, tour->last);
	if (!wp_regime_canonical(tour->runner->program.regime, va))
		wp_found(tour->finding, WP_LAW_ARBITRARY_MEMORY, "walk-address",
		         "walk() visits %#" PRIx64 ", which is not canonical", va);
	if (visit->kind == PT_ENTRY_MALFORMED && status != PT_MALFORMED)
		wp_found(tour->finding, WP_LAW_ARBITRARY_MEMORY, "walk-malformed",
		         "walk() finds a malformed entry at %#" PRIx64 ", query() says %s", va,
		         pt_status_name(status));
	if (visit->kind == PT_ENTRY_LEAF &&
	    (status != PT_OK || mapping.size != visit->mapping.size ||
	     mapping.paddr.value != visit->mapping.paddr.value))
		wp_found(tour->finding, WP_LAW_ARBITRARY_MEMORY, "walk-leaf",
		         "walk() finds a leaf to %#" PRIx64 " at %#" PRIx64
		         ", query() says %s, %#" PRIx64,
		         visit->mapping.paddr.value, va, pt_status_name(status),
		         status == PT_OK ? mapping.paddr.value : 0);
}

/* Leaves are worth asking about: their first and last bytes become probes. */
static enum pt_walk_next tour_visit(void *context, const struct pt_visit *visit)
{
	struct tour *tour = context;
	struct wp_memory_program *program = &tour->runner->program;

	if (tour->stopped)
		wp_found(tour->finding, WP_LAW_ARBITRARY_MEMORY, "walk-stop",
		         "walk() goes on at %#" PRIx64 " after it was told to stop",
		         visit->vaddr.value);
	judge_visit(tour, visit);
	if (tour->finding->found) {
		tour->runner->va = visit->vaddr.value;
		return PT_WALK_STOP;
	}
	tour->last = visit->vaddr.value;
	if (visit->kind == PT_ENTRY_MALFORMED)
		tour->malformed++;
	else
		tour->visits++;
	if (visit->kind == PT_ENTRY_LEAF && program->probes + 2 <= WP_MEMORY_PROBES) {
		program->probe[program->probes++] = visit->vaddr.value;
		program->probe[program->probes++] = visit->vaddr.value + visit->mapping.size - 1;
	}
	tour->stopped = tour->visits >= VISITS || tour->malformed >= MALFORMED_VISITS;
	return tour->stopped ? PT_WALK_STOP : PT_WALK_ON;
}

static void judge_queries(struct wp_memory_runner *runner, const struct pt_table *table,
                          struct wp_finding *finding)
{
	const struct wp_memory_program *program = &runner->program;
	struct wp_memory_stats *stats = &runner->stats[program->regime - wp_regimes];

	for (size_t i = 0; i < program->probes; i++) {
		struct pt_mapping mapping = {0};
		const pt_status status = pt_query(table, pt_va(program->probe[i]), &mapping);

		wp_judge_arbitrary_query(program->regime, program->probe[i], status, &mapping,
		                         &runner->paper[i], finding);
		if (finding->found) {
			runner->va = program->probe[i];
			return;
		}
		stats->said[status]++;
		stats->no_access += status == PT_OK &&
		                    (mapping.flags & (PT_READ | PT_WRITE | PT_EXECUTE)) == 0;
	}
}

/* What the library is asked for, in memory that it can't write. */
static void read_memory(void *context)
{
	struct tour *tour = context;
	struct wp_memory_runner *runner = tour->runner;
	struct wp_memory_program *program = &runner->program;
	struct wp_memory_stats *stats = &runner->stats[program->regime - wp_regimes];
	struct pt_table table = runner->fill->created;

	table.root = pt_pa(runner->first);
	table.platform = &runner->reading.platform;
	tour->result->opcode = WP_OP_WALK;
	tour->table = &table;
	pt_walk(&table, SIZE_MAX, tour_visit, NULL, tour);
	stats->visits += tour->visits;
	stats->stopped += tour->stopped;
	for (size_t i = 0; i < program->probes; i++)
		wp_paper_walk(program->regime, &runner->memory, runner->first, program->probe[i],
		              &runner->paper[i]);
	if (tour->finding->found)
		return;
	tour->result->opcode = WP_OP_QUERY;
	judge_queries(runner, &table, tour->finding);
	wp_memory_judge_reading(runner, &table, tour->finding);
}

/* L5: query() and walk() store nothing, whatever they read, and come to an end. */
static void judge_library(struct wp_memory_runner *runner, struct wp_result *result)
{
	struct tour tour = {.runner = runner, .result = result, .finding = &result->finding};
	uint64_t address;

	switch (wp_reading_watch(&runner->reading, true, read_memory, &tour, &address)) {
	case WP_WATCHED_FINE:
		return;
	case WP_WATCHED_STORE:
		wp_found(&result->finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "%s() stored to %#" PRIx64, wp_opcode_name(result->opcode), address);
		return;
	case WP_WATCHED_CRASH:
		wp_found(&result->finding, WP_LAW_READING_WRITES_NOTHING, "crash",
		         "%s() accesses %#" PRIx64 ", which is not memory",
		         wp_opcode_name(result->opcode), address);
		return;
	default:
		wp_found(&result->finding, WP_LAW_READING_WRITES_NOTHING, "steps",
		         "%s() reads tables without an end", wp_opcode_name(result->opcode));
	}
}

bool wp_memory_is_sampled(const struct wp_memory_runner *runner, const uint8_t *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return wp_is_sampled(hash ^ hash >> 29, runner->sample);
}

/* Probe i's answer against the paper machine's and those of whoever was asked before. */
static void judge_answer(struct wp_memory_runner *runner, unsigned kind, size_t i,
                         struct wp_finding *finding)
{
	const uint64_t va = runner->program.probe[i];
	const struct wp_answer *answer = &runner->answers[kind][i];
	const char *name = wp_machine_kinds[kind].name;
	struct wp_memory_stats *stats = &runner->stats[runner->program.regime - wp_regimes];

	wp_judge_arbitrary_answer(va, answer, name, &runner->paper[i], finding);
	for (unsigned other = WP_PAPER + 1; other < kind && !finding->found; other++) {
		const struct wp_answer *before = &runner->answers[other][i];

		if ((runner->asked >> other & 1) == 0)
			continue;
		wp_judge_arbitrary_pair(va, answer, name, before, wp_machine_kinds[other].name,
		                        finding);
		stats->open_compared += (uint64_t)__builtin_popcount(
			answer->answered & before->answered & runner->paper[i].open);
	}
}

static void judge_machine(struct wp_memory_runner *runner, unsigned kind, struct wp_result *result)
{
	const struct wp_memory_program *program = &runner->program;
	struct wp_memory_stats *stats = &runner->stats[program->regime - wp_regimes];
	struct wp_machine *machine = runner->set.machines[kind][program->regime->arch];

	result->opcode = WP_OP_PROBE;
	for (size_t i = 0; i < program->probes; i++)
		runner->probe[i] = (struct wp_probe){program->probe[i], runner->paper[i].answered};
	machine->load(machine, program->regime, runner->first);
	machine->probe(machine, runner->probe, runner->answers[kind], program->probes);
	for (size_t i = 0; i < program->probes; i++) {
		judge_answer(runner, kind, i, &result->finding);
		if (result->finding.found) {
			runner->va = program->probe[i];
			return;
		}
		stats->asked[kind] += (uint64_t)__builtin_popcount(runner->probe[i].kinds);
		stats->answered[kind] +=
			(uint64_t)__builtin_popcount(runner->answers[kind][i].answered);
	}
	runner->asked |= 1u << kind;
}

static void judge_machines(struct wp_memory_runner *runner, bool sampled, struct wp_result *result)
{
	const struct wp_regime *regime = runner->program.regime;

	runner->asked = 0;
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		struct wp_machine *machine = runner->set.machines[kind][regime->arch];

		if (result->finding.found)
			return;
		if (!machine || (machine->slow && !sampled) || !machine->supports(machine, regime))
			continue;
		wp_machine_prove_first(machine, regime, &runner->proven[kind][regime->arch]);
		judge_machine(runner, kind, result);
	}
}

static void count(struct wp_memory_runner *runner)
{
	const struct wp_memory_program *program = &runner->program;
	struct wp_memory_stats *stats = &runner->stats[program->regime - wp_regimes];

	stats->programs++;
	for (size_t i = 0; i < program->probes; i++) {
		const struct wp_answer *paper = &runner->paper[i];
		/* a table that isn't memory has no entry to be read */
		const unsigned read = paper->fault == WP_FAULT_BUS ? paper->level
		                                                   : paper->level + 1u;

		stats->faults[paper->fault]++;
		if (paper->fault == WP_FAULT_ADDRESS)
			continue;
		stats->probes++;
		stats->translate += paper->allowed != 0;
		stats->open += paper->open != 0;
		for (unsigned level = 0; level < read; level++)
			stats->reached[level]++;
	}
}

bool wp_memory_run(struct wp_memory_runner *runner, const struct wp_scope *scope,
                   const uint8_t *bytes, size_t size, struct wp_result *result)
{
	struct wp_memory_program *program = &runner->program;

	memset(result, 0, sizeof *result);
	wp_memory_program_decode(program, scope, runner->shapes, runner->first, bytes, size);
	build_frames(runner, &runner->shapes[program->regime - wp_regimes]);
	judge_library(runner, result);
	count(runner);
	judge_machines(runner, wp_memory_is_sampled(runner, bytes, size), result);
	if (!result->finding.found)
		return true;
	wp_result_name(result, program->regime->arch, wp_opcode_name(result->opcode));
	return false;
}

void wp_memory_print(const struct wp_memory_runner *runner, FILE *out)
{
	const struct wp_regime *regime = runner->program.regime;
	struct wp_step steps[WP_MAX_STEPS];
	const size_t count = wp_paper_steps(regime, &runner->memory, runner->first, runner->va,
	                                    steps);

	fprintf(out, "regime %s, root %#" PRIx64 ", address %#" PRIx64 "\n", regime->name,
	        runner->first, runner->va);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "level %u: entry %#018" PRIx64 " at %#" PRIx64 "\n", steps[i].level,
		        steps[i].entry, steps[i].entry_pa);
}
