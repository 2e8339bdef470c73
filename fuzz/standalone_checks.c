/* SPDX-License-Identifier: MIT */
/* What a stand-alone reproducer looks at before and after an operation. */
#include "standalone_private.h"

#include <inttypes.h>

static size_t frames_needed(const struct wp_standalone *file)
{
	size_t frames = 0;

	for (unsigned i = 0; i < WP_MODEL_TABLES; i++)
		frames += wp_model_exists(file->model, i) ? wp_model_tables(file->model, i) : 0;
	return frames;
}

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

bool wp_standalone_only_reads(enum wp_opcode opcode)
{
	return opcode == WP_OP_QUERY || opcode == WP_OP_WALK;
}

void wp_standalone_before(const struct wp_standalone *file, const struct wp_call *call, bool last)
{
	FILE *out = file->out;

	if (file->by & WP_BY_STORES)
		fputs("\tbegin_step();\n", out);
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		for (size_t i = 0; i < file->va_count && file->made[t]; i++) {
			if (file->by & WP_BY_TLB)
				fprintf(out, "\tcpu_uses(table[%u].root.value, 0x%" PRIx64 ");\n",
				        t, file->va[i]);
			if (last && (file->by & WP_BY_STORES))
				fprintf(out, "\twatch(&table[%u], 0x%" PRIx64 ", %s);\n", t,
				        file->va[i],
				        may_fault(file, call, file->va[i]) ? "true" : "false");
		}
	}
	if ((file->by & WP_BY_USES) && file->va_count > 0 && file->made[call->table] &&
	    call->opcode != WP_OP_RENEW)
		fprintf(out, "\tcpu_records(&table[%u], 0x%" PRIx64 ");\n", call->table,
		        file->va[0]);
	if (last && (file->by & WP_BY_FLUSHES))
		fprintf(out, "\tflushes = 0;\n");
	if (last && (file->by & WP_BY_READING) && wp_standalone_only_reads(call->opcode))
		fputs("\tonly_read(true);\n", out);
}

bool wp_standalone_harvested(const struct wp_standalone *file, const struct wp_call *call,
                             pt_status status)
{
	const struct wp_run *run = file->va_count > 0
	                                   ? wp_model_find(file->model, call->table, file->va[0])
	                                   : NULL;
	const uint64_t first = run != NULL ? file->va[0] & ~(run->leaf - 1) : 0;

	if (call->opcode != WP_OP_HARVEST || status != PT_OK || run == NULL ||
	    first > call->va + (call->size - 1) || first + (run->leaf - 1) < call->va)
		return false;
	fprintf(file->out, "\texpect_harvested(&table[%u], 0x%x, %s);\n", call->table, call->uses,
	        file->batched[call->table] ? "true" : "false");
	return true;
}

/* `made`: the leaf is another one than before, or there was none. */
void wp_standalone_uses(const struct wp_standalone *file, const struct wp_call *call,
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
		wp_standalone_size(right.size, file->out);
		fputs(", ", file->out);
		wp_standalone_flags(flags, file->out);
		fputs(");\n", file->out);
	}
	/* where the manuals leave the outcome open */
	if (file->regime->arch == WP_AARCH64 && (flags & PT_DEVICE))
		asked &= ~(1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE);
	if (file->regime->arch == WP_LOONGARCH64 && file->regime->half == PT_HIGH)
		asked &= WP_KERNEL_KINDS;
	fprintf(file->out, "\texpect_cpu(&table[%u], 0x%" PRIx64 ", 0x%x, 0x%x, 0x%" PRIx64 ", ",
	        table, va, asked, right.allowed, right.pa);
	wp_standalone_size(right.size, file->out);
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

void wp_standalone_after(const struct wp_standalone *file)
{
	for (unsigned t = 0; t < WP_MODEL_TABLES; t++) {
		const bool pending = file->batched[t] || (file->lent && file->batched[1 - t]);

		for (size_t i = 0; i < file->va_count && file->made[t]; i++) {
			if ((file->by & WP_BY_TLB) && !pending)
				fprintf(file->out, "\texpect_current(&table[%u], 0x%" PRIx64 ");\n",
				        t, file->va[i]);
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

/* What the call told, beside its status. */
void wp_standalone_said(const struct wp_standalone *file, const struct wp_call *call, size_t i,
                        const struct wp_verdict *verdict)
{
	if (verdict->status != PT_OK)
		return;
	if (call->opcode == WP_OP_UNMAP || call->opcode == WP_OP_QUERY) {
		fprintf(file->out, "\texpect_mapping(%zu, &said, 0x%" PRIx64 ", 0x%" PRIx64 ", ",
		        i + 1, verdict->mapping.vaddr.value, verdict->mapping.paddr.value);
		wp_standalone_size(verdict->mapping.size, file->out);
		fputs(", ", file->out);
		wp_standalone_flags(verdict->mapping.flags, file->out);
		fputs(");\n", file->out);
	} else if (call->opcode == WP_OP_PROTECT || call->opcode == WP_OP_REMAP) {
		fprintf(file->out, "\texpect_size(%zu, said.size, ", i + 1);
		wp_standalone_size(verdict->size, file->out);
		fputs(");\n", file->out);
	}
}
