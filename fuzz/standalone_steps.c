/* SPDX-License-Identifier: MIT */
/* main() of a stand-alone reproducer: the calls, and after each what the model says. */
#include "standalone_private.h"

#include <inttypes.h>

/* ---- what the model says ---- */

static struct wp_verdict predict_with(struct wp_standalone *file, const struct wp_call *c)
{
	uint64_t pages[WP_MAX_LEAVES];
	const uint64_t count = c->size / wp_regime_page(file->regime);

	for (uint64_t i = 0; i < count && i < WP_MAX_LEAVES; i++)
		pages[i] = wp_source_page(file->regime, c->source, c->pa, i, count);
	return wp_model_map_region_with(file->model, c->table, c->va, pages, c->size, c->flags,
	                                c->allow_huge, file->grants);
}

static struct wp_verdict predict(struct wp_standalone *file, const struct wp_call *c)
{
	struct wp_model *m = file->model;

	switch (c->opcode) {
	case WP_OP_MAP:
		return wp_model_map(m, c->table, c->va, c->pa, c->size, c->flags, file->grants);
	case WP_OP_UNMAP:
		return wp_model_unmap(m, c->table, c->va);
	case WP_OP_PROTECT:
		return wp_model_protect(m, c->table, c->va, c->flags);
	case WP_OP_REMAP:
		return wp_model_remap(m, c->table, c->va, c->pa, c->flags);
	case WP_OP_QUERY:
		return wp_model_query(m, c->table, c->va);
	case WP_OP_MAP_REGION:
		return wp_model_map_region(m, c->table, c->va, c->pa, c->size, c->flags,
		                           c->allow_huge, file->grants);
	case WP_OP_MAP_REGION_WITH:
		return predict_with(file, c);
	case WP_OP_UNMAP_REGION:
		return wp_model_unmap_region(m, c->table, c->va, c->size, file->grants);
	case WP_OP_PROTECT_REGION:
		return wp_model_protect_region(m, c->table, c->va, c->size, c->flags, file->grants);
	case WP_OP_HARVEST:
		return wp_model_harvest(m, c->table, c->va, c->size, c->uses);
	case WP_OP_COPY_FROM:
		return wp_model_copy_from(m, c->table, 1 - c->table, c->va, c->size);
	default:
		return wp_model_give_back(m, c->table, c->va, c->size);
	}
}

/* What a call took of the frames that are still granted. */
static void spend(struct wp_standalone *file, const struct wp_verdict *verdict)
{
	if (verdict->status == PT_NO_MEMORY)
		file->grants = file->once ? SIZE_MAX : 0;
	else if (file->grants != SIZE_MAX && verdict->status == PT_OK)
		file->grants -= verdict->allocated;
}

/* ---- operations ---- */

/* False: its frames are refused, and the operation is left out. */
static bool print_create(struct wp_standalone *file, unsigned table)
{
	static const char *const halves[] = {
		[PT_WHOLE] = "PT_WHOLE", [PT_LOW] = "PT_LOW", [PT_HIGH] = "PT_HIGH"};
	const struct wp_verdict verdict = wp_model_create(file->model, table, file->grants);

	fprintf(file->out,
	        "\texpect(0, \"create()\", pt_create(&table[%u], &pt_%s, &platform, %s), %s);\n",
	        table, wp_library_backend(file->regime)->name, halves[file->regime->half],
	        pt_status_name(verdict.status));
	spend(file, &verdict);
	file->made[table] = verdict.status == PT_OK;
	return file->made[table];
}

static bool print_creates(struct wp_standalone *file, const struct wp_call *call)
{
	for (unsigned i = 0; i < WP_MODEL_TABLES; i++) {
		if (wp_model_exists(file->model, i) ||
		    (i != call->table && call->opcode != WP_OP_COPY_FROM))
			continue;
		if (!print_create(file, i))
			return false;
	}
	return true;
}

static void print_batch_call(struct wp_standalone *file, const struct wp_call *call)
{
	const unsigned t = call->table;

	if (file->batched[t] == (call->opcode == WP_OP_BATCH))
		return;
	if (call->opcode == WP_OP_IGNORE && (file->by & WP_BY_TLB))
		fputs("\tcpu_forgets();\n\tignoring = true;\n", file->out);
	if (call->opcode == WP_OP_BATCH)
		fprintf(file->out, "\tpt_batch_begin(&batch[%u], &table[%u]);\n", t, t);
	else
		fprintf(file->out, "\tpt_%s(&batch[%u]);\n", wp_opcode_name(call->opcode), t);
	if (call->opcode == WP_OP_IGNORE && (file->by & WP_BY_TLB))
		fputs("\tignoring = false;\n", file->out);
	file->batched[t] = call->opcode == WP_OP_BATCH;
	if (!file->batched[t] && (file->by & WP_BY_USES))
		fputs(call->opcode == WP_OP_IGNORE ? "\tuse.unflushed = false;\n"
		                                   : "\texpect_flushed();\n",
		      file->out);
	if (!file->batched[0] && !file->batched[1])
		file->waiting = 0;
}

static void print_renew(struct wp_standalone *file, const struct wp_call *call, size_t i)
{
	const struct wp_verdict verdict = wp_model_destroy(file->model, call->table);

	if (file->by & WP_BY_TLB)
		fputs("\tcpu_forgets();\n", file->out);
	fprintf(file->out, "\texpect(%zu, \"destroy()\", pt_destroy(&table[%u], ", i + 1,
	        call->table);
	fprintf(file->out, file->batched[call->table] ? "&batch[%u]" : "NULL", call->table);
	fprintf(file->out, "), %s);\n", pt_status_name(verdict.status));
	file->waiting += file->batched[call->table] ? verdict.removed : 0;
	file->made[call->table] = verdict.status != PT_OK;
	if (verdict.status == PT_OK)
		print_create(file, call->table);
}

#define MAX_VISITS 600u

static void print_walk(struct wp_standalone *file, const struct wp_call *call, bool last)
{
	static struct wp_visit visits[MAX_VISITS];
	const size_t found = wp_model_walk(file->model, call->table, call->count, visits,
	                                   MAX_VISITS);
	const size_t count = found < MAX_VISITS ? found : MAX_VISITS;

	if ((file->by & WP_BY_VISITS) == 0 || !last) {
		fprintf(file->out, "\tpt_walk(&table[%u], SIZE_MAX, NULL, NULL, NULL);\n",
		        call->table);
		return;
	}
	fputs("\tstatic const struct visit right[] = {\n", file->out);
	for (size_t i = 0; i < count; i++)
		fprintf(file->out, "\t\t{%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %s},\n", visits[i].level,
		        visits[i].va, visits[i].leaf ? visits[i].mapping.paddr.value : 0,
		        visits[i].leaf ? "true" : "false");
	fprintf(file->out, "\t};\n\texpect_visits(&table[%u], ", call->table);
	if (call->count == SIZE_MAX)
		fputs("SIZE_MAX", file->out);
	else
		fprintf(file->out, "%zu", call->count);
	fprintf(file->out, ", right, %zu);\n", count);
}

static void print_status_call(struct wp_standalone *file, const struct wp_call *call, size_t i)
{
	const bool last = i == file->last;
	const struct wp_run *run = file->va_count > 0
	                                   ? wp_model_find(file->model, call->table, file->va[0])
	                                   : NULL;
	const bool mapped = run != NULL;
	const uint64_t before = mapped ? run->pa - run->va : 0;
	const struct wp_verdict verdict = predict(file, call);
	const bool quiet = last && (file->by & WP_BY_FLUSHES);
	const bool uses = (file->by & WP_BY_USES) != 0;
	bool harvested;

	if (quiet && file->batched[call->table])
		fprintf(file->out,
		        "\tconst unsigned count = batch[%u].count;\n\tconst bool all = "
		        "batch[%u].all;\n",
		        call->table, call->table);
	fprintf(file->out, "\texpect(%zu, \"%s()\",\n\t       ", i + 1,
	        wp_opcode_name(call->opcode));
	wp_standalone_call(file, call);
	fprintf(file->out, ",\n\t       %s);\n", pt_status_name(verdict.status));
	spend(file, &verdict);
	if (file->batched[call->table])
		file->waiting += verdict.removed;
	file->lent |= call->opcode == WP_OP_COPY_FROM && verdict.status == PT_OK;
	harvested = uses && wp_standalone_harvested(file, call, verdict.status);
	if (!last)
		return;
	if ((file->by & WP_BY_READING) && wp_standalone_only_reads(call->opcode))
		fputs("\tonly_read(false);\n", file->out);
	wp_standalone_said(file, call, i, &verdict);
	if (quiet && file->batched[call->table])
		fprintf(file->out, "\texpect_recorded(&batch[%u], count, all);\n", call->table);
	if (quiet)
		fputs("\texpect_flushes(0);\n", file->out);
	run = file->va_count > 0 ? wp_model_find(file->model, call->table, file->va[0]) : NULL;
	if (uses && !harvested)
		wp_standalone_uses(file, call, verdict.status,
		                   run != NULL && (!mapped || run->pa - run->va != before));
}

static void print_step(struct wp_standalone *file, size_t i)
{
	struct wp_call call;

	wp_op_resolve(&file->program->ops[i], file->regime, file->model, &call);
	wp_standalone_heading(file, i, call.opcode);
	if (call.opcode == WP_OP_REFUSE || call.opcode == WP_OP_ALLOW) {
		file->grants = call.opcode == WP_OP_ALLOW ? SIZE_MAX : call.count;
		file->once = call.once;
		if (file->grants == SIZE_MAX)
			fputs("\tgrants = -1ul;\n", file->out);
		else
			fprintf(file->out, "\tgrants = %zu;\n\trefuse_once = %s;\n", file->grants,
			        call.once ? "true" : "false");
		return;
	}
	if (call.opcode == WP_OP_PROBE)
		return;
	if (call.opcode >= WP_OP_BATCH && call.opcode <= WP_OP_IGNORE) {
		wp_standalone_before(file, &call, i == file->last);
		print_batch_call(file, &call);
		return;
	}
	if (!print_creates(file, &call))
		return;
	wp_standalone_before(file, &call, i == file->last);
	if (call.opcode == WP_OP_RENEW) {
		print_renew(file, &call, i);
	} else if (call.opcode == WP_OP_WALK) {
		print_walk(file, &call, i == file->last);
		if (i == file->last && (file->by & WP_BY_READING))
			fputs("\tonly_read(false);\n", file->out);
	} else {
		print_status_call(file, &call, i);
	}
}

/* As the framework ends each program: flush, give back, destroy, count. */
static void print_end(struct wp_standalone *file)
{
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(file->regime, first, last);

	fputs("\n\t/* The end: all is flushed, given back and destroyed. */\n\tgrants = -1ul;\n",
	      file->out);
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		if (file->batched[t])
			print_batch_call(file,
			                 &(struct wp_call){.opcode = WP_OP_FLUSH, .table = t});
	}
	wp_standalone_after(file);
	if (file->by & WP_BY_TLB)
		fprintf(file->out, "\tcpu_forgets();\n\tstep = %zu;\n", file->program->count + 1);
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		for (size_t i = 0; i < ranges && file->made[t] && file->lent; i++) {
			fprintf(file->out, "\tpt_give_back(&table[%u], pt_va(0x%" PRIx64 "), ", t,
			        first[i]);
			fprintf(file->out, "0x%" PRIx64 ", NULL);\n", last[i] - first[i] + 1);
		}
	}
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		if (file->made[t])
			fprintf(file->out,
			        "\texpect(0, \"destroy()\", pt_destroy(&table[%u], NULL), "
			        "PT_OK);\n",
			        t);
	}
	fputs("\texpect_frames(0, 0);\n", file->out);
}

void wp_standalone_steps(struct wp_standalone *file)
{
	const struct wp_program *program = file->program;
	bool batches = false, says = false;

	wp_model_reset(file->model, file->regime,
	               file->subject->fixed_frames(file->subject, file->regime));
	for (size_t i = 0; i < program->count; i++) {
		const unsigned opcode = program->ops[i].opcode;

		batches |= opcode == WP_OP_BATCH;
		says |= opcode == WP_OP_UNMAP || (opcode >= WP_OP_PROTECT && opcode <= WP_OP_QUERY);
	}
	fprintf(file->out,
	        "/* ---- the finding ---- */\n\n%s(void)\n{\n"
	        "\tstatic struct pt_table table[2];\n",
	        file->by & WP_BY_USES ? "static void finding" : "int main");
	if (batches)
		fputs("\tstatic struct pt_batch batch[2];\n", file->out);
	if (says)
		fputs("\tstruct pt_mapping said = {0};\n", file->out);
	if (file->hangs)
		fputs("\n\talarm(10); /* a call doesn't return */\n", file->out);
	for (size_t i = 0; i < program->count && i <= file->last; i++)
		print_step(file, i);
	if (file->last >= program->count)
		print_end(file);
	else
		wp_standalone_after(file);
	if (file->by & WP_BY_USES)
		fputs("}\n\nint main(void)\n{\n"
		      "\tfor (use.round = 0; use.round < ROUNDS; use.round++) {\n"
		      "\t\tstart_again();\n\t\tfinding();\n\t}\n",
		      file->out);
	fputs("\tputs(\"fine\");\n\treturn 0;\n}\n", file->out);
}
