/* SPDX-License-Identifier: MIT */
#include "refusals.h"

const struct wp_refusal_plan wp_refuse_all = {256, 64};

static const struct wp_refusal_plan few = {0, 2};

/* A `refuse` in front of the program; its own refusals are taken out. */
static void refuse(const struct wp_program *program, size_t allocation, bool once,
                   struct wp_program *refused)
{
	refused->regime = program->regime;
	refused->count = 1;
	refused->ops[0] = (struct wp_op){
		.opcode = WP_OP_REFUSE,
		.count = (uint16_t)allocation,
		.once = once,
	};
	for (size_t i = 0; i < program->count && refused->count < WP_PROGRAM_MAX_OPS; i++) {
		const uint8_t opcode = program->ops[i].opcode;

		if (opcode != WP_OP_REFUSE && opcode != WP_OP_ALLOW)
			refused->ops[refused->count++] = program->ops[i];
	}
}

static bool run_refused(struct wp_runner *runner, const struct wp_program *program,
                        size_t allocation, bool once, struct wp_program *refused,
                        struct wp_result *result, struct wp_refusals *count)
{
	refuse(program, allocation, once, refused);
	count->runs++;
	return wp_run(runner, refused, result, NULL);
}

static bool run_points(struct wp_runner *runner, const struct wp_program *program, size_t from,
                       size_t step, size_t end, struct wp_program *refused,
                       struct wp_result *result, struct wp_refusals *count)
{
	for (size_t k = from; k < end; k += step) {
		count->points++;
		if (!run_refused(runner, program, k, true, refused, result, count) ||
		    !run_refused(runner, program, k, false, refused, result, count))
			return false;
	}
	return true;
}

/* Beyond UINT16_MAX no operation can say which allocation it is. */
static size_t sayable(size_t allocations)
{
	return allocations < UINT16_MAX ? allocations : UINT16_MAX;
}

bool wp_refuse_each(struct wp_runner *runner, const struct wp_program *program,
                    const struct wp_refusal_plan *plan, struct wp_program *refused,
                    struct wp_result *result, struct wp_refusals *count)
{
	const size_t machines = runner->machine_count;
	size_t end, dense, step;
	bool fine;

	*count = (struct wp_refusals){0};
	runner->machine_count = 0;
	/* more than a program can take is none refused */
	fine = run_refused(runner, program, UINT16_MAX, true, refused, result, count);
	count->allocations = runner->memory.allocations;
	end = sayable(count->allocations);
	dense = end < plan->dense ? end : plan->dense;
	fine = fine && run_points(runner, program, 0, 1, dense, refused, result, count);
	if (fine && end > dense && plan->sparse > 0) {
		step = (end - dense + plan->sparse - 1) / plan->sparse;
		fine = run_points(runner, program, dense + wp_program_hash(program) / 64 % step,
		                  step, end, refused, result, count);
	}
	runner->machine_count = machines;
	return fine;
}

bool wp_refuse_some(struct wp_runner *runner, const struct wp_program *program,
                    struct wp_program *refused, struct wp_result *result)
{
	struct wp_refusals count;

	if (!wp_run_checks(runner, WP_CHECK_REFUSALS) ||
	    (!runner->varies_all && (wp_program_hash(program) >> 13) % WP_REFUSE_ONE_IN != 0))
		return true;
	return wp_refuse_each(runner, program, &few, refused, result, &count);
}
