/* SPDX-License-Identifier: MIT */
/* Calls and numbers of a stand-alone reproducer, as C. */
#include "standalone_private.h"

#include <inttypes.h>

#include "operands.h"

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
	[WP_OP_HARVEST] = "Tell and clear what CPUs recorded",
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

void wp_standalone_size(uint64_t size, FILE *out)
{
	static const struct {
		uint64_t size;
		const char *name;
	} names[] = {
		{PT_4K, "PT_4K"}, {PT_64K, "PT_64K"},   {PT_2M, "PT_2M"},     {PT_512M, "PT_512M"},
		{PT_1G, "PT_1G"}, {PT_512G, "PT_512G"}, {PT_256T, "PT_256T"},
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (size == names[i].size) {
			fputs(names[i].name, out);
			return;
		}
	}
	fprintf(out, "0x%" PRIx64, size);
}

void wp_standalone_flags(pt_flags flags, FILE *out)
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
enum argument { END, VA, PA, SIZE, FLAGS, USES, HUGE_TOO, SAID, OTHER, SOURCE };

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
	[WP_OP_HARVEST] = {VA, SIZE, USES},
	[WP_OP_COPY_FROM] = {OTHER, VA, SIZE},
	[WP_OP_GIVE_BACK] = {VA, SIZE},
};

static void print_uses(pt_uses uses, FILE *out)
{
	static const char *const names[] = {"0", "PT_ACCESSED", "PT_DIRTY",
	                                    "PT_ACCESSED | PT_DIRTY"};

	if (uses > (PT_ACCESSED | PT_DIRTY))
		fprintf(out, "0x%x", uses);
	else
		fputs(names[uses], out);
}

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
		wp_standalone_size(call->size, out);
		break;
	case FLAGS:
		wp_standalone_flags(call->flags, out);
		break;
	case USES:
		print_uses(call->uses, out);
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

void wp_standalone_call(const struct wp_standalone *file, const struct wp_call *call)
{
	FILE *out = file->out;
	const bool harvests = call->opcode == WP_OP_HARVEST;
	const bool tells = call->opcode == WP_OP_UNMAP_REGION && (file->by & WP_BY_USES) != 0;

	fprintf(out, "pt_%s%s(&table[%u]", wp_opcode_name(call->opcode), tells ? "_with" : "",
	        call->table);
	for (size_t i = 0; arguments[call->opcode][i] != END; i++)
		print_argument(call, arguments[call->opcode][i], out);
	if (tells || harvests)
		fputs(file->by & WP_BY_USES ? ", told, NULL" : ", NULL, NULL", out);
	if (call->opcode != WP_OP_QUERY)
		fprintf(out, file->batched[call->table] ? ", &batch[%u]" : ", NULL", call->table);
	fputc(')', out);
}

void wp_standalone_heading(const struct wp_standalone *file, size_t i, enum wp_opcode opcode)
{
	fprintf(file->out, "\n\t/* %zu. %s%s. */\n", i + 1, words[opcode],
	        i == file->last ? ": here it breaks" : "");
	if (file->by & WP_BY_TLB)
		fprintf(file->out, "\tstep = %zu;\n", i + 1);
}
