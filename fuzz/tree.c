/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <inttypes.h>

#include "cli.h"
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

void wp_tree_print(struct wp_runner *runner, unsigned table, FILE *out)
{
	struct tree tree = {.out = out};

	runner->subject->walk(runner->instance, table, SIZE_MAX, show, NULL, &tree);
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

	runner->subject->walk(runner->instance, table, SIZE_MAX, append, NULL, entries);
	return entries;
}
