/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <inttypes.h>

#include "grid.h"

static struct wp_witness *next_witness(struct wp_testimony *testimony, const char *name)
{
	struct wp_witness *witness = &testimony->witnesses[testimony->count++];

	witness->name = name;
	return witness;
}

static void ask_query(struct wp_testimony *testimony)
{
	const struct wp_regime *regime = testimony->regime;
	struct wp_witness *witness = next_witness(testimony, "query()");
	struct pt_mapping mapping = {0};
	const pt_status status = testimony->runner->subject->query(
		testimony->runner->instance, testimony->table, testimony->va, &mapping);

	wp_judge_query(regime, &testimony->expected, testimony->va, status, &mapping,
	               &witness->finding);
	snprintf(witness->status, sizeof witness->status, "%s",
	         status == PT_OK ? "mapped" : pt_status_name(status));
	witness->mapped = status == PT_OK;
	witness->sees_size = witness->sees_flags = true;
	witness->accessed = mapping.accessed;
	witness->dirty = mapping.dirty;
	witness->pa = mapping.paddr.value;
	witness->size = mapping.size;
	witness->flags = mapping.flags;
	witness->answered = wp_regime_kinds(regime);
	witness->allowed = witness->mapped ? wp_flags_allowed(regime, mapping.flags) : 0;
}

static void ask_model(struct wp_testimony *testimony)
{
	const struct wp_expectation *expected = &testimony->expected;
	struct wp_witness *witness = next_witness(testimony, "model");

	snprintf(witness->status, sizeof witness->status, "%s",
	         expected->run != NULL                                   ? "mapped"
	         : wp_regime_canonical(testimony->regime, testimony->va) ? "PT_NOT_MAPPED"
	                                                                 : "PT_BAD_ADDRESS");
	witness->mapped = expected->run != NULL;
	witness->sees_size = witness->sees_flags = true;
	witness->pa = expected->pa;
	witness->size = expected->size;
	witness->flags = expected->run != NULL ? expected->run->flags : 0;
	witness->answered = wp_regime_kinds(testimony->regime);
	witness->allowed = expected->allowed;
	if (expected->allowed != 0)
		witness->memory_type = wp_memory_type_name(expected->memory_type);
}

static void ask_machine(struct wp_testimony *testimony, struct wp_machine *machine)
{
	const struct wp_regime *regime = testimony->regime;
	const struct wp_probe probe = {testimony->va, wp_regime_kinds(regime)};
	struct wp_witness *witness = next_witness(testimony, machine->name);
	struct wp_answer answer;

	machine->load(
		machine, regime,
		testimony->runner->subject->root(testimony->runner->instance, testimony->table));
	machine->probe(machine, &probe, &answer, 1);
	wp_judge_answer(regime, &testimony->expected, testimony->va, &answer, machine->name,
	                &witness->finding);
	if (answer.answered == 0)
		snprintf(witness->status, sizeof witness->status, "can't be asked");
	else if (answer.allowed != 0)
		snprintf(witness->status, sizeof witness->status, "translates");
	else if (answer.level == 0xff)
		snprintf(witness->status, sizeof witness->status, "faults");
	else
		snprintf(witness->status, sizeof witness->status, "faults: %s",
		         wp_fault_name((enum wp_fault)answer.fault));
	witness->mapped = answer.allowed != 0;
	witness->sees_size = answer.size != 0;
	witness->pa = answer.pa;
	witness->size = answer.size;
	witness->answered = answer.answered;
	witness->allowed = answer.allowed;
	witness->open = answer.open;
	if (answer.allowed != 0 && answer.memory_type != WP_TYPE_UNKNOWN)
		witness->memory_type = wp_memory_type_name((enum wp_memory_type)answer.memory_type);
}

void wp_testimony_take(struct wp_testimony *testimony)
{
	const enum wp_arch arch = testimony->regime->arch;
	const uint64_t root = testimony->runner->subject->root(testimony->runner->instance,
	                                                       testimony->table);

	testimony->count = 0;
	testimony->expected = wp_expect(testimony->regime, testimony->runner->model,
	                                testimony->table, testimony->va);
	testimony->step_count = wp_paper_steps(testimony->regime, &testimony->runner->memory, root,
	                                       testimony->va, testimony->steps);
	ask_query(testimony);
	if (!testimony->damaged)
		ask_model(testimony);
	for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
		if (testimony->set->machines[kind][arch] != NULL)
			ask_machine(testimony, testimony->set->machines[kind][arch]);
	}
}

bool wp_testimony_differs(const struct wp_testimony *testimony)
{
	for (size_t i = 0; i < testimony->count; i++) {
		if (testimony->witnesses[i].finding.found)
			return true;
	}
	return false;
}

const char *wp_witness_verdict(const struct wp_witness *witness, unsigned kind)
{
	if ((witness->answered >> kind & 1) == 0)
		return "-";
	if (witness->open >> kind & 1)
		return "either";
	return witness->allowed >> kind & 1 ? "yes" : "no";
}

void wp_testimony_print(const struct wp_testimony *testimony, FILE *out)
{
	static struct wp_grid grid;
	const struct wp_witness *w = testimony->witnesses;
	char flags[8];

	grid = (struct wp_grid){.left = true};
	wp_grid_row(&grid);
	wp_grid_cell(&grid, " ");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, "%s", w[i].name);
	wp_grid_row(&grid);
	wp_grid_cell(&grid, "says");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, "%s", w[i].status);
	for (unsigned kind = 0; kind < WP_KINDS; kind++) {
		if ((wp_regime_kinds(testimony->regime) >> kind & 1) == 0)
			continue;
		wp_grid_row(&grid);
		wp_grid_cell(&grid, "%s", wp_kind_name((enum wp_kind)kind));
		for (size_t i = 0; i < testimony->count; i++)
			wp_grid_cell(&grid, "%s", wp_witness_verdict(&w[i], kind));
	}
	wp_grid_row(&grid);
	wp_grid_cell(&grid, "physical");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, w[i].mapped ? "%#" PRIx64 : "-", w[i].pa);
	wp_grid_row(&grid);
	wp_grid_cell(&grid, "leaf");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, "%s",
		             w[i].mapped && w[i].sees_size ? wp_size_name(w[i].size) : "-");
	wp_grid_row(&grid);
	wp_grid_cell(&grid, "flags");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, "%s%s%s",
		             w[i].mapped && w[i].sees_flags ? wp_flags_text(w[i].flags, flags)
		                                            : "-",
		             w[i].accessed ? ", accessed" : "", w[i].dirty ? ", dirty" : "");
	wp_grid_row(&grid);
	wp_grid_cell(&grid, "memory");
	for (size_t i = 0; i < testimony->count; i++)
		wp_grid_cell(&grid, "%s", w[i].memory_type != NULL ? w[i].memory_type : "-");
	wp_grid_print(&grid, out);
}
