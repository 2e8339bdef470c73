/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <inttypes.h>

#include "cli.h"
#include "entry.h"
#include "grid.h"

struct tree {
	FILE *out;
	struct pt_visit last; /* the leaf of the run at hand that came last */
	size_t more;          /* leaves of it that were not printed */
	bool in_run;
};

static void print_leaf(FILE *out, const struct pt_mapping *mapping)
{
	char flags[8];

	fprintf(out, "-> %#" PRIx64 "  %s  %s%s%s", mapping->paddr.value,
	        wp_size_name(mapping->size), wp_flags_text(mapping->flags, flags),
	        mapping->accessed ? "  accessed" : "", mapping->dirty ? "  dirty" : "");
}

static void print_entry(FILE *out, const struct pt_visit *visit)
{
	fprintf(out, "%*sL%u[%3zu] 0x%016" PRIx64 "  entry 0x%016" PRIx64 "  ",
	        2 + 2 * (int)visit->level, "", visit->level, visit->index, visit->vaddr.value,
	        visit->entry);
	if (visit->kind == PT_ENTRY_LEAF)
		print_leaf(out, &visit->mapping);
	else if (visit->kind == PT_ENTRY_TABLE)
		fprintf(out, "table at %#" PRIx64, visit->next.value);
	else
		fputs("malformed", out);
	fputc('\n', out);
}

static void end_run(struct tree *tree)
{
	const struct pt_visit *last = &tree->last;

	if (tree->more == 1)
		print_entry(tree->out, last);
	else if (tree->more > 1)
		fprintf(tree->out,
		        "%*s... %zu more like it, up to L%u[%3zu] %#" PRIx64 " -> %#" PRIx64 "\n",
		        2 + 2 * (int)last->level, "", tree->more, last->level, last->index,
		        last->vaddr.value, last->mapping.paddr.value);
	tree->more = 0;
	tree->in_run = false;
}

static bool continues(const struct pt_visit *a, const struct pt_visit *b)
{
	return a->level == b->level && b->index == a->index + 1 &&
	       a->mapping.size == b->mapping.size && a->mapping.flags == b->mapping.flags &&
	       a->mapping.accessed == b->mapping.accessed && a->mapping.dirty == b->mapping.dirty &&
	       b->vaddr.value == a->vaddr.value + a->mapping.size &&
	       b->mapping.paddr.value == a->mapping.paddr.value + a->mapping.size;
}

static enum pt_walk_next show(void *context, const struct pt_visit *visit)
{
	struct tree *tree = context;
	const bool leaf = visit->kind == PT_ENTRY_LEAF;

	if (tree->in_run && leaf && continues(&tree->last, visit)) {
		tree->last = *visit;
		tree->more++;
		return PT_WALK_ON;
	}
	end_run(tree);
	print_entry(tree->out, visit);
	tree->in_run = leaf;
	tree->last = *visit;
	return PT_WALK_ON;
}

/* ---- subjects that have no walk() ---- */

struct walker {
	struct wp_runner *runner;
	unsigned table;
	pt_visitor visit;
	void *context;
};

/* What the manuals say of the entries; of what a leaf allows the subject speaks. */
static void walk_table(const struct walker *walker, unsigned level, uint64_t at, uint64_t va)
{
	static const enum pt_entry_kind kinds[] = {
		[WP_ENTRY_TABLE] = PT_ENTRY_TABLE,
		[WP_ENTRY_LEAF] = PT_ENTRY_LEAF,
	};
	struct wp_runner *runner = walker->runner;
	const struct wp_regime *regime = runner->regime;
	const uint64_t *const entries = wp_memory_at(&runner->memory, at, WP_FRAME_SIZE);
	const uint64_t upper = UINT64_MAX << regime->va_bits;

	for (size_t i = 0; entries != NULL && i < WP_FRAME_SIZE / sizeof entries[0]; i++) {
		struct pt_visit visit = {.level = level, .index = i, .entry = entries[i]};
		const uint64_t here = va + i * wp_regime_span(regime, level);
		uint64_t to;
		const enum wp_entry_kind kind = wp_entry_read(regime, level, entries[i], &to);

		visit.vaddr = pt_va(wp_regime_canonical(regime, here) ? here : here | upper);
		visit.next = pt_pa(kind == WP_ENTRY_TABLE ? to : 0);
		visit.kind = kind == WP_ENTRY_TABLE || kind == WP_ENTRY_LEAF ? kinds[kind]
		                                                             : PT_ENTRY_EMPTY;
		if (visit.kind == PT_ENTRY_EMPTY)
			continue;
		if (kind == WP_ENTRY_LEAF)
			runner->subject->query(runner->instance, walker->table, visit.vaddr.value,
			                       &visit.mapping);
		walker->visit(walker->context, &visit);
		if (kind == WP_ENTRY_TABLE && level + 1u < regime->levels)
			walk_table(walker, level + 1, to, here);
	}
}

static void walk(struct wp_runner *runner, unsigned table, pt_visitor visit, void *context)
{
	const struct wp_subject *subject = runner->subject;
	const struct walker walker = {runner, table, visit, context};

	if (subject->walk != NULL)
		subject->walk(runner->instance, table, SIZE_MAX, visit, NULL, context);
	else
		walk_table(&walker, 0, subject->root(runner->instance, table), 0);
}

void wp_tree_print(struct wp_runner *runner, unsigned table, FILE *out)
{
	struct tree tree = {.out = out};

	walk(runner, table, show, &tree);
	end_run(&tree);
}

static enum pt_walk_next append(void *context, const struct pt_visit *visit)
{
	static const char *const kinds[] = {
		[PT_ENTRY_EMPTY] = "empty",
		[PT_ENTRY_TABLE] = "table",
		[PT_ENTRY_LEAF] = "leaf",
		[PT_ENTRY_MALFORMED] = "malformed",
	};
	char flags[8];
	json_t *entry = json_pack("{s:i, s:i, s:o, s:o, s:s}", "level", (int)visit->level, "index",
	                          (int)visit->index, "vaddr", wp_cli_hex(visit->vaddr.value),
	                          "entry", wp_cli_hex(visit->entry), "kind", kinds[visit->kind]);

	if (visit->kind == PT_ENTRY_TABLE)
		json_object_set_new(entry, "next", wp_cli_hex(visit->next.value));
	if (visit->kind == PT_ENTRY_LEAF)
		json_object_update_new(
			entry, json_pack("{s:o, s:o, s:s, s:b, s:b}", "paddr",
		                         wp_cli_hex(visit->mapping.paddr.value), "size",
		                         wp_cli_hex(visit->mapping.size), "flags",
		                         wp_flags_text(visit->mapping.flags, flags), "accessed",
		                         visit->mapping.accessed, "dirty", visit->mapping.dirty));
	json_array_append_new(context, entry);
	return PT_WALK_ON;
}

json_t *wp_tree_json(struct wp_runner *runner, unsigned table)
{
	json_t *entries = json_array();

	walk(runner, table, append, entries);
	return entries;
}
