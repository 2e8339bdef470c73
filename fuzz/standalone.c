/* SPDX-License-Identifier: MIT */
#include "standalone_private.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "standalone_parts.h"

/* ---- how a finding can be seen ---- */

/* By law and kind, the last part of the key; "": any other. The first that fits counts. */
static const struct {
	int law;
	const char *kind;
	unsigned by;
	const char *why_not;
} ways[] = {
	{WP_LAW_STATUS, "visit", WP_BY_VISITS, NULL},
	{WP_LAW_STATUS, "extra-visit", WP_BY_VISITS, NULL},
	{WP_LAW_STATUS, "missing-visit", WP_BY_VISITS, NULL},
	{WP_LAW_STATUS, "visit-mapping", WP_BY_VISITS, NULL},
	{WP_LAW_STATUS, "post", 0,
         "what walk() does after a table is checked by the framework only"},
	{WP_LAW_STATUS, "", WP_BY_CALLS, NULL},
	{WP_LAW_FAITHFUL, "", WP_BY_QUERY | WP_BY_CPU, NULL},
	{WP_LAW_ALL_OR_NOTHING, "frames", WP_BY_FRAMES, NULL},
	{WP_LAW_ALL_OR_NOTHING, "", WP_BY_FLUSHES, NULL},
	{WP_LAW_NO_STALE_WALK, "", WP_BY_TLB | WP_BY_CPU, NULL},
	{WP_LAW_WALKABLE_STORES, "", WP_BY_STORES | WP_BY_TLB | WP_BY_CPU, NULL},
	{WP_LAW_READING_WRITES_NOTHING, "store", WP_BY_READING, NULL},
	{WP_LAW_NOTHING_LOST, "", WP_BY_FRAMES, NULL},
	{WP_LAW_USES_TOLD, "", WP_BY_USES | WP_BY_CPU, NULL},
};

/* After "ARCH-": "L3-unmap-stale", or "crash-map-segv". */
static bool choose_way(struct wp_standalone *file, char *why, size_t why_size)
{
	const char *key = file->report->key + strlen(wp_arch_name(file->regime->arch)) + 1;
	const char *operation =
		file->last < file->program->count
			? wp_opcode_name((enum wp_opcode)file->program->ops[file->last].opcode)
			: "end";
	const char *kind;

	if (file->subject->calls != NULL) {
		snprintf(why, why_size, "it is about a shared object, not about the library");
		return false;
	}
	if (file->regime->granule_shift != 12 || file->regime->root_bits != 9) {
		snprintf(why, why_size,
		         "the CPU and the frames of such a file have pages of 4 KiB and 512 "
		         "entries a table, %s has not",
		         file->regime->name);
		return false;
	}
	if (file->report->damaged) {
		snprintf(why, why_size,
		         "its tables are damaged at random, which only the framework does");
		return false;
	}
	file->hangs = strncmp(key, "hang-", 5) == 0;
	if (key[0] != 'L' || !isdigit((unsigned char)key[1]))
		return true;
	kind = strlen(key) > 3 + strlen(operation) ? key + 4 + strlen(operation) : "";
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (ways[i].law != key[1] - '0' ||
		    (ways[i].kind[0] != '\0' && strcmp(ways[i].kind, kind) != 0))
			continue;
		file->by = ways[i].by;
		if (ways[i].why_not != NULL)
			snprintf(why, why_size, "%s", ways[i].why_not);
		return ways[i].why_not == NULL;
	}
	snprintf(why, why_size, "no way is known to show %s without the framework",
	         file->report->key);
	return false;
}

/* ---- the file ---- */

/* A comment may not end early, whatever the sentence says. */
static void print_words(const char *text, FILE *out)
{
	size_t column = 3;

	fputs(" * ", out);
	while (*text != '\0') {
		const size_t length = strcspn(text, " ");

		if (column + length > 96 && column > 3) {
			fputs("\n * ", out);
			column = 3;
		}
		fprintf(out, "%.*s%s", (int)length, text, text[length] == ' ' ? " " : "");
		column += length + 1;
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}

static void print_command(const struct wp_standalone *file)
{
	static const char *const riscv[] = {"", " -DPT_RISCV_SVPBMT", " -DPT_RISCV_XUANTIE"};
	const struct wp_regime *regime = file->regime;
	const bool el2 = regime->arch == WP_AARCH64 && regime->one_privilege;
	const char *extra = regime->arch == WP_RISCV64 ? riscv[regime->attributes]
	                    : el2                      ? " -DPT_AARCH64_EL2"
	                                               : "";
	const char *backend = wp_library_backend(regime)->name;

	fprintf(file->out,
	        " *   cc -std=gnu11 -Ilib/include -DPT_WATCH_STORES -DPT_BACKEND=pt_%s \\\n"
	        " *      -DPT_BACKEND_NAME='\"%s\"' -DPT_ARCH='\"../arch/%s.h\"' -DPT_LEVELS=%u%s "
	        "\\\n"
	        " *      lib/pt.c lib/backend.c FILE -o finding && ./finding\n",
	        backend, backend, wp_arch_name(regime->arch), regime->levels, extra);
}

static void print_head(const struct wp_standalone *file)
{
	const struct wp_report *report = file->report;

	fprintf(file->out, "/*\n * %s\n", report->key);
	fputs(" *\n * Breaks ", file->out);
	fprintf(file->out, "%s:\n", report->law);
	print_words(report->sentence, file->out);
	fputs(" *\n * Needs the library alone. Exits with 1 and says what is wrong, or with 0 if "
	      "all is well;\n"
	      " * from the library's directory:\n *\n",
	      file->out);
	print_command(file);
	fputs(" *\n * What happens is in main(), at the end; before it are the platform and what "
	      "looks at it.\n */\n"
	      "#include <inttypes.h>\n#include <signal.h>\n#include <stdarg.h>\n"
	      "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
	      "#include <sys/mman.h>\n#include <unistd.h>\n\n#include <walkproof/pt.h>\n\n",
	      file->out);
}

static void print_constants(const struct wp_standalone *file)
{
	const struct wp_regime *regime = file->regime;
	const struct wp_poison poison = wp_entry_poison(regime);
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(regime, first, last);

	fprintf(file->out,
	        "#define FRAMES       1024u\n#define BASE         0xc0000000u\n"
	        "#define LEVELS       %uu\n#define EL2          %d\n#define SVPBMT       %d\n"
	        "#define XUANTIE      %d\n#define SVADE        %d\n"
	        "#define WAITS        %d /* tables, for the flush, until they are given back */\n"
	        "#define POISON       0x%" PRIx64 "ull\n#define POISON_SHIFT %u\n\n",
	        regime->levels, regime->one_privilege, regime->attributes == WP_ATTR_SVPBMT,
	        regime->attributes == WP_ATTR_XUANTIE, regime->arch == WP_RISCV64,
	        (file->by & WP_BY_TLB) != 0, poison.entry, poison.shift);
	fputs("static void on_alloc(unsigned i);\nstatic void on_free(uint64_t frame);\n"
	      "static void on_flush(const uint64_t *va);\nstatic void before_store(void *entry);\n"
	      "static void on_store(const uint64_t *entry, uint64_t after);\n\n",
	      file->out);
	fprintf(file->out,
	        "static inline bool is_canonical(uint64_t va)\n{\n"
	        "\treturn va - 0x%" PRIx64 " <= 0x%" PRIx64,
	        first[0], last[0] - first[0]);
	if (ranges > 1)
		fprintf(file->out, " || va >= 0x%" PRIx64, first[1]);
	fputs(";\n}\n\n", file->out);
}

static const char *const cpus[] = {
	[WP_X86_64] = part_cpu_x86_64,   [WP_AARCH64] = part_cpu_aarch64,
	[WP_RISCV64] = part_cpu_riscv64, [WP_LOONGARCH64] = part_cpu_loongarch64,
	[WP_X86_EPT] = part_cpu_x86_ept,
};
_Static_assert(sizeof cpus / sizeof cpus[0] == WP_ARCHS, "Which CPU walks the new one in C?");

static void print_part(const struct wp_standalone *file, const char *part)
{
	fprintf(file->out, "%s\n", part);
}

/* What nobody looks at. */
static void print_idle_hooks(const struct wp_standalone *file)
{
	const bool tlb = (file->by & WP_BY_TLB) != 0, stores = (file->by & WP_BY_STORES) != 0;

	if (!tlb)
		fputs("static void on_free(uint64_t frame)\n{\n\t(void)frame;\n}\n\n", file->out);
	if (!tlb && (file->by & WP_BY_USES) == 0)
		fputs("static void on_flush(const uint64_t *va)\n{\n\t(void)va;\n}\n\n", file->out);
	if (!stores)
		fputs("static void on_alloc(unsigned i)\n{\n\t(void)i;\n}\n\n"
		      "static void on_store(const uint64_t *entry, uint64_t after)\n{\n"
		      "\t(void)entry;\n\t(void)after;\n}\n\n",
		      file->out);
	if ((file->by & WP_BY_USES) == 0)
		fputs("static void before_store(void *entry)\n{\n\t(void)entry;\n}\n\n", file->out);
}

static void print_parts(const struct wp_standalone *file)
{
	const struct {
		unsigned by;
		const char *first, *second, *third;
	} parts[] = {
		{WP_BY_CPU, part_cpu, cpus[file->regime->arch], part_cpu_walk},
		{WP_BY_TLB, part_tlb, NULL, NULL},
		{WP_BY_STORES, part_between, NULL, NULL},
		{WP_BY_USES, part_uses, NULL, NULL},
		{WP_BY_READING, part_reading, NULL, NULL},
		{WP_BY_VISITS, part_visits, NULL, NULL},
	};

	print_part(file, part_frames);
	print_part(file, part_expect);
	for (size_t i = 0; i < file->program->count; i++) {
		if (file->program->ops[i].opcode != WP_OP_MAP_REGION_WITH)
			continue;
		print_part(file, part_pages);
		break;
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if ((file->by & parts[i].by) == 0)
			continue;
		print_part(file, parts[i].first);
		if (parts[i].second != NULL)
			print_part(file, parts[i].second);
		if (parts[i].third != NULL)
			print_part(file, parts[i].third);
	}
	print_idle_hooks(file);
}

bool wp_standalone_print(const struct wp_report *report, const struct wp_subject *subject,
                         FILE *out, char *why, size_t why_size)
{
	struct wp_standalone file = {
		.report = report,
		.program = &report->program,
		.regime = report->program.regime,
		.subject = subject,
		.out = out,
		.last = report->op,
		.grants = SIZE_MAX,
	};

	if (!choose_way(&file, why, why_size))
		return false;
	file.model = wp_model_new();
	if (file.model == NULL) {
		snprintf(why, why_size, "out of memory");
		return false;
	}
	file.va_count = wp_report_addresses(report, file.va, WP_SHOWN_ADDRESSES);
	print_head(&file);
	print_constants(&file);
	print_parts(&file);
	wp_standalone_steps(&file);
	wp_model_free(file.model);
	return true;
}
