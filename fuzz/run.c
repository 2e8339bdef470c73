/* SPDX-License-Identifier: MIT */
#include "run_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "guard.h"
#include "predict.h"

/* ---- opening and closing ---- */

bool wp_runner_use(struct wp_runner *runner, const struct wp_subject *subject)
{
	if (runner->instance)
		runner->subject->close(runner->instance);
	runner->subject = subject;
	runner->instance = subject->open(subject);
	if (subject->calls != NULL && runner->before == NULL) {
		runner->before = wp_model_new();
		runner->aside = wp_model_new();
	}
	return runner->instance != NULL;
}

static void tell_no_window(const struct wp_subject *subject, char *why, size_t why_size)
{
	if (subject->window == 0)
		snprintf(why, why_size, "can't map %u MiB of guest memory (memfd_create): %s",
		         WP_WINDOW_FRAMES / 256, strerror(errno));
	else
		snprintf(why, why_size,
		         "%s wants its %u MiB of guest memory at %#" PRIx64
		         ", where there is no room: %s",
		         subject->name, WP_WINDOW_FRAMES / 256, subject->window, strerror(errno));
}

bool wp_runner_open(struct wp_runner *runner, const struct wp_subject *subject,
                    struct wp_stats *stats, char *why, size_t why_size)
{
	memset(runner, 0, sizeof *runner);
	runner->stats = stats;
	runner->checks = WP_ALL_CHECKS;
	runner->model = wp_model_new();
	if (!runner->model || !wp_runner_use(runner, subject)) {
		snprintf(why, why_size, "out of memory");
		return false;
	}
	if (!wp_memory_open_at(&runner->memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES,
	                       (uintptr_t)subject->window)) {
		tell_no_window(subject, why, why_size);
		return false;
	}
	if (!wp_trace_open(&runner->watch.trace, &runner->memory)) {
		snprintf(why, why_size, "out of memory");
		return false;
	}
	stats->machines[0].name = "paper";
	runner->platform = wp_run_platform(runner);
	if (!wp_reading_open(&runner->reading, &runner->memory, &runner->platform)) {
		snprintf(why, why_size, "can't map guest memory a second time: %s",
		         strerror(errno));
		return false;
	}
	return true;
}

void wp_runner_close(struct wp_runner *runner)
{
	if (runner->instance)
		runner->subject->close(runner->instance);
	wp_reading_close(&runner->reading);
	if (runner->memory.host)
		wp_memory_close(&runner->memory);
	wp_trace_close(&runner->watch.trace);
	wp_model_free(runner->model);
	wp_model_free(runner->before);
	wp_model_free(runner->aside);
}

void wp_runner_add(struct wp_runner *runner, struct wp_machine *machine)
{
	if (!machine)
		return;
	assert(runner->machine_count + 1 < WP_MAX_MACHINES);
	runner->machines[runner->machine_count++] = machine;
	runner->stats->machines[runner->machine_count].name = machine->name;
}

/* ---- a program ---- */

/* Programs in which a foreign subject's query() and walk() are guarded: it takes time. */
#define GUARDED_ONE_IN 256u

static bool is_guarded(const struct wp_runner *runner, uint64_t hash)
{
	return wp_run_checks(runner, WP_CHECK_READING) &&
	       (runner->sample <= 1 || (hash >> 23) % GUARDED_ONE_IN == 0);
}

static void start(struct wp_runner *runner, const struct wp_program *program,
                  struct wp_result *result)
{
	const struct wp_subject *subject = runner->subject;
	const uint64_t hash = wp_program_hash(program);

	memset(result, 0, sizeof *result);
	runner->result = result;
	runner->regime = program->regime;
	runner->lent = false;
	runner->waiting = 0;
	runner->stores = 0;
	runner->flushes = 0;
	runner->stores_at_flush = 0;
	runner->ignoring = false;
	runner->op = 0;
	runner->call = NULL;
	wp_run_ready_slow(runner, hash);
	wp_run_walkers_start(runner, hash);
	wp_run_warm_start(runner, hash);
	wp_run_watch_start(runner);
	runner->touched = (struct wp_touched){.all = true};
	wp_memory_cut(&runner->memory, program->regime->granule_shift);
	wp_memory_poison(&runner->memory, wp_run_checks(runner, WP_CHECK_FRAMES)
	                                          ? wp_entry_poison(program->regime)
	                                          : (struct wp_poison){.entry = WP_POISON});
	wp_model_reset(runner->model, program->regime,
	               subject->fixed_frames(subject, program->regime));
	if (subject->profile != 0)
		wp_model_limit_leaves(runner->model,
		                      wp_profile_leaf_sizes(subject->profile, program->regime));
	runner->stayed.count = 0;
	runner->unflushed.count = 0;
	runner->kept = 0;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		runner->batched[i] = false;
		wp_tlb_reset(&runner->tlbs[i], program->regime, &runner->memory);
	}
	subject->start(runner->instance, program->regime, &runner->platform);
	if (wp_run_checks(runner, WP_CHECK_READING) && subject->read_through)
		subject->read_through(runner->instance, &runner->reading.platform);
	runner->memory.zeros_at_0 = wp_deviates(subject->profile, WP_ZEROS_AT_0);
	if (subject->calls != NULL)
		wp_guard_over(is_guarded(runner, hash) ? &runner->memory : NULL);
	runner->stats->programs++;
}

static void operate(struct wp_runner *runner, const struct wp_call *call)
{
	runner->op++;
	wp_run_fill_tlbs(runner, call);
	wp_run_warm_before(runner, call);
	runner->call = call;
	wp_run_watch_begin(runner, call);
	wp_run_call(runner, call);
	wp_run_watch_end(runner);
	runner->call = NULL;
	wp_run_judge_frames(runner);
	if (!runner->result->finding.found)
		wp_run_judge_call(runner, call);
	if (!runner->result->finding.found)
		wp_run_judge_tlbs(runner, call);
	if (!runner->result->finding.found)
		wp_run_warm_after(runner);
}

/* Closes batches, ends loans, destroys both tables, and counts the frames. */
static void end(struct wp_runner *runner)
{
	struct wp_call call = {0};
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(runner->regime, first, last);
	const struct wp_finding *finding = &runner->result->finding;
	const uint64_t root_span = wp_regime_span(runner->regime, 0);

	wp_memory_allow(&runner->memory);
	for (call.table = 0; call.table < WP_MODEL_TABLES && !finding->found; call.table++) {
		call.opcode = WP_OP_FLUSH;
		operate(runner, &call);
	}
	if (!finding->found)
		wp_run_judge_all(runner);
	wp_run_watch_audit(runner);
	call.opcode = WP_OP_GIVE_BACK;
	for (unsigned i = 0; i < WP_MODEL_TABLES * ranges && runner->lent && !finding->found; i++) {
		call.table = i / (unsigned)ranges;
		call.va = first[i % ranges];
		call.size = last[i % ranges] - call.va + 1;
		if (wp_model_exists(runner->model, call.table) && root_span <= call.size)
			operate(runner, &call);
	}
	for (unsigned table = 0; table < WP_MODEL_TABLES && !finding->found; table++) {
		runner->op++;
		if (!wp_model_exists(runner->model, table))
			continue;
		wp_model_destroy(runner->model, table);
		wp_run_watch_forget(runner, table);
		if (runner->subject->destroy(runner->instance, table) != PT_OK)
			wp_found(&runner->result->finding, WP_LAW_STATUS, "status",
			         "destroy() of a table that lends nothing fails");
	}
	wp_memory_audit(&runner->memory);
	wp_run_judge_frames(runner);
	if (runner->memory.in_use != 0)
		wp_found(&runner->result->finding, WP_LAW_NOTHING_LOST, "leak",
		         "after destroy() and a flush %zu frames are not free",
		         runner->memory.in_use);
}

static void name_finding(struct wp_runner *runner, const struct wp_program *program)
{
	struct wp_result *result = runner->result;
	const bool at_end = result->op >= program->count;

	if (result->finding.found)
		wp_result_name(result, runner->regime->arch,
		               at_end ? "end" : wp_opcode_name(result->opcode));
}

/* Counts what isn't; what is may be rounded, for all but the subject. */
static bool is_asked(struct wp_runner *runner, struct wp_call *call)
{
	const struct wp_subject *subject = runner->subject;

	if (!wp_subject_offers(subject, call->opcode)) {
		runner->stats->lacking++;
		return false;
	}
	if (subject->profile == 0)
		return true;
	if (wp_profile_leaves_out(subject->profile, runner->model, call)) {
		runner->stats->unasked++;
		return false;
	}
	runner->asked = *call;
	wp_profile_align(subject->profile, runner->model, call);
	return true;
}

/* Up to `stop` operations, or to the first finding; `settled` as in wp_run(). */
static void run_operations(struct wp_runner *runner, const struct wp_program *program, size_t stop,
                           struct wp_result *result, struct wp_program *settled)
{
	start(runner, program, result);
	if (settled) {
		settled->regime = program->regime;
		settled->count = 0;
	}
	for (result->op = 0; result->op < program->count && result->op < stop; result->op++) {
		struct wp_call call;

		wp_op_resolve(&program->ops[result->op], runner->regime, runner->model, &call);
		if (settled)
			wp_op_from_call(&call, &settled->ops[settled->count++]);
		result->opcode = call.opcode;
		if (is_asked(runner, &call))
			operate(runner, &call);
		if (result->finding.found)
			break;
	}
}

/* What a run is asked for: a fault leaves it from below, so it is kept apart. */
struct run {
	struct wp_runner *runner;
	const struct wp_program *program;
	size_t stop;
	struct wp_result *result;
	struct wp_program *settled;
	bool finish;
};

static void run_program(void *context)
{
	const struct run *run = context;

	run_operations(run->runner, run->program, run->stop, run->result, run->settled);
	if (run->finish)
		wp_run_finish(run->runner);
}

/* L5: the subject's query() and walk() read through a view that can't be written. */
static bool run_watched(struct run *run)
{
	struct wp_runner *runner = run->runner;
	uint64_t pa;

	if (!wp_run_checks(runner, WP_CHECK_READING) || !runner->subject->read_through)
		run_program(run);
	else if (wp_reading_watch(&runner->reading, false, run_program, run, &pa) !=
	         WP_WATCHED_FINE)
		wp_found(&run->result->finding, WP_LAW_READING_WRITES_NOTHING, "store",
		         "%s() stored to the table at %#" PRIx64 ", entry %u",
		         run->result->opcode == WP_OP_WALK ? "walk" : "query",
		         wp_frame_of(&runner->memory, pa),
		         (unsigned)((pa - wp_frame_of(&runner->memory, pa)) / sizeof(uint64_t)));
	name_finding(runner, run->program);
	return !run->result->finding.found;
}

bool wp_run_until(struct wp_runner *runner, const struct wp_program *program, size_t stop,
                  struct wp_result *result)
{
	struct run run = {runner, program, stop, result, NULL, false};

	return run_watched(&run);
}

void wp_run_finish(struct wp_runner *runner)
{
	if (!runner->result->finding.found)
		end(runner);
}

bool wp_run(struct wp_runner *runner, const struct wp_program *program, struct wp_result *result,
            struct wp_program *settled)
{
	struct run run = {runner, program, SIZE_MAX, result, settled, true};
	bool fine = run_watched(&run);

	if (!fine || !wp_run_walkers_wait(runner))
		return fine;
	runner->walkers.turn = true;
	runner->stats->programs--; /* it is the same one */
	fine = run_watched(&run);
	runner->walkers.turn = false;
	return fine;
}
