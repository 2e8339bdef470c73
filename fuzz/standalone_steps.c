/* SPDX-License-Identifier: MIT */
/* main() of a stand-alone reproducer: the calls, and after each what the model says. */
#include "standalone_private.h"

#include <inttypes.h>

#include "operands.h"

/* ---- words and numbers, as C ---- */

static const char *const words[WP_OPCODES] = {
	[WP_OP_MAP] = "Map one leaf",
	[WP_OP_UNMAP] = "Remove the leaf",
	[WP_OP_PROTECT] = "New flags for the leaf",
	[WP_OP_REMAP] = "A new address and flags for the leaf",
	[WP_OP_QUERY] = "Ask what is there",
	[WP_OP_MAP_REGION] = "Map a region",
	[WP_OP_MAP_REGION_WITH] = "Map a region, each page as the caller says",
	[WP_OP_UNMAP_REGION] = "Unmap a region",
	[WP_OP_PROTECT_REGION] = "New flags for a region",
	[WP_OP_WALK] = "Walk through the table",
	[WP_OP_COPY_FROM] = "Borrow root slots of the other table",
	[WP_OP_GIVE_BACK] = "Give borrowed root slots back",
	[WP_OP_BATCH] = "From here on flushes wait in a batch",
	[WP_OP_FLUSH] = "Flush what waits",
	[WP_OP_FLUSH_ALL] = "Flush everything",
	[WP_OP_IGNORE] = "Drop what waits: no CPU has the table loaded",
	[WP_OP_REFUSE] = "Memory runs out after so many frames",
	[WP_OP_ALLOW] = "There is memory again",
	[WP_OP_RENEW] = "Destroy the table, and make it again",
	[WP_OP_PROBE] = "Nothing: here every CPU was asked",
};

static void print_size(uint64_t size, FILE *out)
{
	for (unsigned unit = 0; unit < WP_UNIT_BYTE; unit++) {
		if (size == wp_unit_bytes(unit)) {
			fprintf(out, "PT_%s", wp_unit_names[unit]);
			return;
		}
	}
	fprintf(out, "0x%" PRIx64, size);
}

static void print_flags(pt_flags flags, FILE *out)
{
	static const char *const names[] = {"PT_READ", "PT_WRITE",  "PT_EXECUTE",
	                                    "PT_USER", "PT_DEVICE", "PT_UNCACHED"};
	const char *between = "";

	if (flags == 0)
		fputs("0", out);
	for (unsigned i = 0; i < 6; i++) {
		if ((flags >> i & 1) == 0)
			continue;
		fprintf(out, "%s%s", between, names[i]);
		between = " | ";
	}
	if (flags & ~PT_FLAGS_ALL)
		fprintf(out, "%s0x%x", between, (unsigned)(flags & ~PT_FLAGS_ALL));
}

/* The arguments of a call, in the order of the library's. */
enum argument { END, VA, PA, SIZE, FLAGS, HUGE_TOO, SAID, OTHER, SOURCE };

static const enum argument arguments[WP_OPCODES][7] = {
	[WP_OP_MAP] = {VA, PA, SIZE, FLAGS},
	[WP_OP_UNMAP] = {VA, SAID},
	[WP_OP_PROTECT] = {VA, FLAGS, SAID},
	[WP_OP_REMAP] = {VA, PA, FLAGS, SAID},
	[WP_OP_QUERY] = {VA, SAID},
	[WP_OP_MAP_REGION] = {VA, PA, SIZE, FLAGS, HUGE_TOO},
	[WP_OP_MAP_REGION_WITH] = {VA, SOURCE, SIZE, FLAGS, HUGE_TOO},
	[WP_OP_UNMAP_REGION] = {VA, SIZE},
	[WP_OP_PROTECT_REGION] = {VA, SIZE, FLAGS},
	[WP_OP_COPY_FROM] = {OTHER, VA, SIZE},
	[WP_OP_GIVE_BACK] = {VA, SIZE},
};

static void print_argument(const struct wp_call *call, enum argument argument, FILE *out)
{
	static const char *const sources[WP_SOURCES] = {"LINEAR", "REVERSED", "SWAPPED",
	                                                "SAME",   "BROKEN",   "UNALIGNED"};

	fputs(", ", out);
	switch (argument) {
	case VA:
		fprintf(out, "pt_va(0x%" PRIx64 ")", call->va);
		break;
	case PA:
		fprintf(out, "pt_pa(0x%" PRIx64 ")", call->pa);
		break;
	case SIZE:
		print_size(call->size, out);
		break;
	case FLAGS:
		print_flags(call->flags, out);
		break;
	case HUGE_TOO:
		fputs(call->allow_huge ? "true" : "false", out);
		break;
	case SAID:
		fputs("&said", out);
		break;
	case OTHER:
		fprintf(out, "&table[%u]", 1 - call->table);
		break;
	default:
		fprintf(out,
		        "page_of,\n\t       &(struct pages){0x%" PRIx64 ", 0x%" PRIx64
		        ", 0x%" PRIx64 ", %s}",
		        call->va, call->pa, call->size / PT_4K, sources[call->source]);
	}
}

static void print_call(const struct wp_standalone *file, const struct wp_call *call)
{
	FILE *out = file->out;
	const bool tells = call->opcode == WP_OP_UNMAP_REGION && (file->by & WP_BY_USES) != 0;

	fprintf(out, "pt_%s%s(&table[%u]", wp_opcode_name(call->opcode), tells ? "_with" : "",
	        call->table);
	for (size_t i = 0; arguments[call->opcode][i] != END; i++)
		print_argument(call, arguments[call->opcode][i], out);
	if (tells)
		fputs(", told, NULL", out);
	if (call->opcode != WP_OP_QUERY)
		fprintf(out, file->batched[call->table] ? ", &batch[%u]" : ", NULL", call->table);
	fputc(')', out);
}


/* ---- what the model says ---- */

static struct wp_verdict predict_with(struct wp_standalone *file, const struct wp_call *c)
{
	uint64_t pages[WP_MAX_LEAVES];
	const uint64_t count = c->size / PT_4K;

	for (uint64_t i = 0; i < count && i < WP_MAX_LEAVES; i++)
		pages[i] = wp_source_page(c->source, c->pa, i, count);
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

static size_t frames_needed(const struct wp_standalone *file)
{
	size_t frames = 0;

	for (unsigned i = 0; i < WP_MODEL_TABLES; i++)
		frames += wp_model_exists(file->model, i) ? wp_model_tables(file->model, i) : 0;
	return frames;
}

/* ---- before and after an operation ---- */

/* An address outside of what the call is about may fault only where a leaf is split. */
static bool may_fault(const struct wp_standalone *file, const struct wp_call *call, uint64_t va)
{
	const enum wp_arch arch = file->regime->arch;
	const uint64_t last = call->va + (call->size > 0 ? call->size - 1 : 0);
	const uint64_t ends[2] = {call->va, last};

	if (va >= call->va && va <= last)
		return true;
	for (size_t i = 0; i < 2; i++) {
		const struct wp_run *run = wp_model_find(file->model, call->table, ends[i]);

		if (run != NULL && (va & ~(run->leaf - 1)) == (ends[i] & ~(run->leaf - 1)) &&
		    (call->size == 0 || arch == WP_AARCH64 || arch == WP_LOONGARCH64))
			return true;
	}
	return false;
}

static bool only_reads(enum wp_opcode opcode)
{
	return opcode == WP_OP_QUERY || opcode == WP_OP_WALK;
}

static void print_before(const struct wp_standalone *file, const struct wp_call *call, bool last)
{
	FILE *out = file->out;

	if (file->by & WP_BY_STORES)
		fputs("\tbegin_step();\n", out);
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		for (size_t i = 0; i < file->va_count && file->made[t]; i++) {
			if (file->by & WP_BY_TLB)
				fprintf(out, "\tcpu_uses(table[%u].root.value, 0x%" PRIx64 ");\n", t,
				        file->va[i]);
			if (last && (file->by & WP_BY_STORES))
				fprintf(out, "\twatch(&table[%u], 0x%" PRIx64 ", %s);\n", t,
				        file->va[i], may_fault(file, call, file->va[i]) ? "true" : "false");
		}
	}
	if ((file->by & WP_BY_USES) && file->va_count > 0 && file->made[call->table] &&
	    call->opcode != WP_OP_RENEW)
		fprintf(out, "\tcpu_records(&table[%u], 0x%" PRIx64 ", %s);\n", call->table,
		        file->va[0],
		        file->lent || file->batched[0] || file->batched[1] ? "false" : "true");
	if (last && (file->by & WP_BY_FLUSHES))
		fprintf(out, "\tflushes = 0;\n");
	if (last && (file->by & WP_BY_READING) && only_reads(call->opcode))
		fputs("\tonly_read(true);\n", out);
}

/* `made`: the leaf is another one than before, or there was none. */
static void print_uses(const struct wp_standalone *file, const struct wp_call *call,
                       pt_status status, bool made)
{
	const bool tells = status == PT_OK &&
	                   (call->opcode == WP_OP_UNMAP || call->opcode == WP_OP_PROTECT ||
	                    call->opcode == WP_OP_REMAP);

	if (tells)
		fputs("\tif (use.va - said.vaddr.value < said.size)\n\t\texpect_told(&said);\n",
		      file->out);
	if (made)
		fprintf(file->out, "\texpect_new(&table[%u], 0x%" PRIx64 ");\n", call->table,
		        file->va[0]);
	else
		fprintf(file->out, "\texpect_uses(&table[%u]);\n", call->table);
}

/* What query() and the CPU must say of an address now. */
static void print_address(const struct wp_standalone *file, unsigned table, uint64_t va)
{
	static const char *const types[] = {[WP_TYPE_UNKNOWN] = "NORMAL",
	                                    [WP_TYPE_NORMAL] = "NORMAL",
	                                    [WP_TYPE_DEVICE] = "DEVICE",
	                                    [WP_TYPE_UNCACHED] = "UNCACHED",
	                                    [WP_TYPE_OTHER] = "OTHER"};
	const struct wp_expectation right = wp_expect(file->regime, file->model, table, va);
	const pt_flags flags = right.run != NULL ? right.run->flags : 0;
	unsigned asked = wp_regime_kinds(file->regime);

	if (file->by & WP_BY_QUERY) {
		fprintf(file->out, "\texpect_query(&table[%u], 0x%" PRIx64 ", %s, 0x%" PRIx64 ", ",
		        table, va, right.run != NULL ? "PT_OK" : "PT_NOT_MAPPED", right.pa);
		print_size(right.size, file->out);
		fputs(", ", file->out);
		print_flags(flags, file->out);
		fputs(");\n", file->out);
	}
	/* where the manuals leave the outcome open */
	if (file->regime->arch == WP_AARCH64 && (flags & PT_DEVICE))
		asked &= ~(1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE);
	if (file->regime->arch == WP_LOONGARCH64 && file->regime->half == PT_HIGH)
		asked &= WP_KERNEL_KINDS;
	fprintf(file->out, "\texpect_cpu(&table[%u], 0x%" PRIx64 ", 0x%x, 0x%x, 0x%" PRIx64 ", ",
	        table, va, asked, right.allowed, right.pa);
	print_size(right.size, file->out);
	fprintf(file->out, ", %s, %s);\n", types[right.memory_type],
	        flags & PT_USER ? "true" : "false");
}

/* L5 is broken by query(), which is asked after each operation, too. */
static void print_reading(const struct wp_standalone *file)
{
	if ((file->by & WP_BY_READING) == 0)
		return;
	fputs("\tonly_read(true);\n", file->out);
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		for (size_t i = 0; i < file->va_count && file->made[t]; i++)
			fprintf(file->out,
			        "\tpt_query(&table[%u], pt_va(0x%" PRIx64
			        "), &(struct pt_mapping){0});\n",
			        t, file->va[i]);
	}
	fputs("\tonly_read(false);\n", file->out);
}

static void print_after(const struct wp_standalone *file)
{
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		const bool pending = file->batched[t] || (file->lent && file->batched[1 - t]);

		for (size_t i = 0; i < file->va_count && file->made[t]; i++) {
			if ((file->by & WP_BY_TLB) && !pending)
				fprintf(file->out, "\texpect_current(&table[%u], 0x%" PRIx64 ");\n", t,
				        file->va[i]);
			if (file->by & WP_BY_CPU)
				print_address(file, t, file->va[i]);
		}
	}
	print_reading(file);
	if (file->by & WP_BY_STORES)
		fputs("\texpect_walkable();\n", file->out);
	if (file->by & WP_BY_FRAMES)
		fprintf(file->out, "\texpect_frames(%zu, %zu);\n\texpect_zeroed();\n",
		        frames_needed(file), frames_needed(file) + file->waiting);
}

/* ---- operations ---- */

static void print_heading(const struct wp_standalone *file, size_t i, enum wp_opcode opcode)
{
	fprintf(file->out, "\n\t/* %zu. %s%s. */\n", i + 1, words[opcode],
	        i == file->last ? ": here it breaks" : "");
}

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
		fputs("\tcpu_forgets();\n", file->out);
	if (call->opcode == WP_OP_BATCH)
		fprintf(file->out, "\tpt_batch_begin(&batch[%u], &table[%u]);\n", t, t);
	else
		fprintf(file->out, "\tpt_%s(&batch[%u]);\n", wp_opcode_name(call->opcode), t);
	file->batched[t] = call->opcode == WP_OP_BATCH;
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

/* What the call told, beside its status. */
static void print_said(const struct wp_standalone *file, const struct wp_call *call, size_t i,
                       const struct wp_verdict *verdict)
{
	if (verdict->status != PT_OK)
		return;
	if (call->opcode == WP_OP_UNMAP || call->opcode == WP_OP_QUERY) {
		fprintf(file->out,
		        "\texpect_mapping(%zu, &said, 0x%" PRIx64 ", 0x%" PRIx64 ", ", i + 1,
		        verdict->mapping.vaddr.value, verdict->mapping.paddr.value);
		print_size(verdict->mapping.size, file->out);
		fputs(", ", file->out);
		print_flags(verdict->mapping.flags, file->out);
		fputs(");\n", file->out);
	} else if (call->opcode == WP_OP_PROTECT || call->opcode == WP_OP_REMAP) {
		fprintf(file->out, "\texpect_size(%zu, said.size, ", i + 1);
		print_size(verdict->size, file->out);
		fputs(");\n", file->out);
	}
}

static void print_status_call(struct wp_standalone *file, const struct wp_call *call, size_t i)
{
	const bool last = i == file->last;
	const struct wp_run *run = file->va_count > 0 ? wp_model_find(file->model, call->table,
	                                                        file->va[0])
	                                        : NULL;
	const bool mapped = run != NULL;
	const uint64_t before = mapped ? run->pa - run->va : 0;
	const struct wp_verdict verdict = predict(file, call);
	const bool quiet = last && (file->by & WP_BY_FLUSHES);

	if (quiet && file->batched[call->table])
		fprintf(file->out,
		        "\tconst unsigned count = batch[%u].count;\n\tconst bool all = batch[%u].all;\n",
		        call->table, call->table);
	fprintf(file->out, "\texpect(%zu, \"%s()\",\n\t       ", i + 1,
	        wp_opcode_name(call->opcode));
	print_call(file, call);
	fprintf(file->out, ",\n\t       %s);\n", pt_status_name(verdict.status));
	spend(file, &verdict);
	if (file->batched[call->table])
		file->waiting += verdict.removed;
	file->lent |= call->opcode == WP_OP_COPY_FROM && verdict.status == PT_OK;
	if (!last)
		return;
	if ((file->by & WP_BY_READING) && only_reads(call->opcode))
		fputs("\tonly_read(false);\n", file->out);
	print_said(file, call, i, &verdict);
	if (quiet && file->batched[call->table])
		fprintf(file->out, "\texpect_recorded(&batch[%u], count, all);\n", call->table);
	if (quiet)
		fputs("\texpect_flushes(0);\n", file->out);
	run = file->va_count > 0 ? wp_model_find(file->model, call->table, file->va[0]) : NULL;
	if (file->by & WP_BY_USES)
		print_uses(file, call, verdict.status,
		           run != NULL && (!mapped || run->pa - run->va != before));
}

static void print_step(struct wp_standalone *file, size_t i)
{
	struct wp_call call;

	wp_op_resolve(&file->program->ops[i], file->regime, file->model, &call);
	print_heading(file, i, call.opcode);
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
		print_before(file, &call, i == file->last);
		print_batch_call(file, &call);
		return;
	}
	if (!print_creates(file, &call))
		return;
	print_before(file, &call, i == file->last);
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
			print_batch_call(file, &(struct wp_call){.opcode = WP_OP_FLUSH, .table = t});
	}
	print_after(file);
	if (file->by & WP_BY_TLB)
		fputs("\tcpu_forgets();\n", file->out);
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
			        "\texpect(0, \"destroy()\", pt_destroy(&table[%u], NULL), PT_OK);\n",
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
		print_after(file);
	if (file->by & WP_BY_USES)
		fputs("}\n\nint main(void)\n{\n"
		      "\tfor (use.round = 0; use.round < ROUNDS; use.round++) {\n"
		      "\t\tstart_again();\n\t\tfinding();\n\t}\n",
		      file->out);
	fputs("\tputs(\"fine\");\n\treturn 0;\n}\n", file->out);
}
