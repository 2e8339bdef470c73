/* SPDX-License-Identifier: MIT */
#include "bench_unjudged.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench_clock.h"
#include "memory.h"
#include "platform.h"
#include "subject.h"
#include "subject_perform.h"

/* Frames that cost next to nothing: single ones come from a stack, rows from above it. */
static struct frames {
	uint64_t size;
	uint64_t free[WP_WINDOW_FRAMES];
	size_t count;
	uint64_t next_row;
} frames;

static void start_frames(const struct wp_memory *memory, const struct wp_regime *regime)
{
	const uint64_t half = memory->size / 2;

	frames.size = wp_regime_page(regime);
	frames.count = 0;
	frames.next_row = memory->base + half;
	for (uint64_t at = half; at > 0; at -= frames.size)
		frames.free[frames.count++] = memory->base + at - frames.size;
}

static bool alloc_frame(void *context, pt_paddr *frame)
{
	(void)context;
	if (frames.count == 0)
		return false;
	frame->value = frames.free[--frames.count];
	return true;
}

static void free_frame(void *context, pt_paddr frame)
{
	(void)context;
	frames.free[frames.count++] = frame.value;
}

static bool alloc_frames(void *context, size_t count, uint64_t align, pt_paddr *first)
{
	const struct wp_memory *memory = context;
	const uint64_t at = (frames.next_row + align - 1) & ~(align - 1);

	if (at + count * frames.size > memory->base + memory->size)
		return false;
	frames.next_row = at + count * frames.size;
	first->value = at;
	return true;
}

static void free_frames(void *context, pt_paddr first, size_t count)
{
	(void)context;
	(void)first;
	(void)count;
}

static enum pt_walk_next visit(void *context, const struct pt_visit *visited)
{
	(void)context;
	(void)visited;
	return PT_WALK_ON;
}

struct tables {
	const struct wp_subject *subject;
	struct wp_instance *instance;
	bool exists[WP_MODEL_TABLES], batched[WP_MODEL_TABLES];
};

static void batch(struct tables *tables, const struct wp_call *call)
{
	const bool begins = call->opcode == WP_OP_BATCH;

	if (tables->batched[call->table] != begins)
		wp_subject_batch(tables->subject, tables->instance, call);
	tables->batched[call->table] = begins;
}

static void destroy(struct tables *tables, unsigned table)
{
	if (tables->subject->destroy(tables->instance, table) == PT_OK)
		tables->exists[table] = false;
}

static void create(struct tables *tables, unsigned table)
{
	if (!tables->exists[table])
		tables->exists[table] = tables->subject->create(tables->instance, table) == PT_OK;
}

static void perform(struct tables *tables, const struct wp_regime *regime,
                    const struct wp_call *call)
{
	const struct wp_subject *subject = tables->subject;

	if (call->opcode >= WP_OP_BATCH && call->opcode <= WP_OP_IGNORE)
		batch(tables, call);
	if (call->opcode >= WP_OP_BATCH && call->opcode != WP_OP_RENEW)
		return;
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (i == call->table || call->opcode == WP_OP_COPY_FROM)
			create(tables, i);
	}
	if (call->opcode == WP_OP_RENEW)
		destroy(tables, call->table);
	else if (call->opcode == WP_OP_WALK)
		subject->walk(tables->instance, call->table, call->count, visit, visit, NULL);
	else
		wp_subject_perform(subject, tables->instance, regime, call);
}

/* Loans end before tables do. */
static void end(struct tables *tables, const struct wp_regime *regime)
{
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(regime, first, last);

	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (tables->batched[i])
			batch(tables, &(struct wp_call){.opcode = WP_OP_FLUSH, .table = i});
		for (size_t k = 0; k < ranges && tables->exists[i]; k++)
			tables->subject->give_back(tables->instance, i, first[k],
			                           last[k] - first[k] + 1);
	}
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (tables->exists[i])
			destroy(tables, i);
	}
}

double bench_unjudged(const struct wp_program *programs, size_t count)
{
	struct tables tables = {.subject = &wp_library_subject};
	struct wp_model *model = wp_model_new();
	struct pt_platform platform;
	struct wp_memory memory;
	double seconds = 0;

	tables.instance = tables.subject->open(tables.subject);
	if (!model || !tables.instance ||
	    !wp_memory_open(&memory, WP_WINDOW_BASE, WP_WINDOW_FRAMES)) {
		perror("bench_framework");
		exit(1);
	}
	platform = wp_memory_platform(&memory);
	platform.alloc_frame = alloc_frame;
	platform.free_frame = free_frame;
	platform.alloc_frames = alloc_frames;
	platform.free_frames = free_frames;
	for (size_t i = 0; i < count; i++) {
		static struct wp_call calls[WP_PROGRAM_MAX_OPS];
		const struct wp_program *program = &programs[i];
		double start;

		wp_model_reset(model, program->regime, 0);
		for (size_t k = 0; k < program->count; k++)
			wp_op_resolve(&program->ops[k], program->regime, model, &calls[k]);
		start_frames(&memory, program->regime);
		start = wall_seconds();
		tables.subject->start(tables.instance, program->regime, &platform);
		for (size_t k = 0; k < program->count; k++)
			perform(&tables, program->regime, &calls[k]);
		end(&tables, program->regime);
		seconds += wall_seconds() - start;
	}
	tables.subject->close(tables.instance);
	wp_memory_close(&memory);
	wp_model_free(model);
	return seconds;
}
