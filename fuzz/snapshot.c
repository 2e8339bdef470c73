/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "grid.h"

/* ---- taking ---- */

static struct wp_snapshot_entry *append(struct wp_snapshot *snapshot)
{
	if (snapshot->count == snapshot->room) {
		const size_t room = snapshot->room == 0 ? 256 : snapshot->room * 2;
		void *entries = realloc(snapshot->entries, room * sizeof snapshot->entries[0]);

		if (entries == NULL)
			return NULL;
		snapshot->entries = entries;
		snapshot->room = room;
	}
	return &snapshot->entries[snapshot->count++];
}

/* LoongArch's empty directory entries lead to a hole, whose entries lead to itself. */
static bool is_hole(const struct wp_regime *regime, const struct wp_memory *memory, uint64_t to)
{
	const uint64_t *first = wp_memory_at(memory, to, sizeof *first);

	return regime->arch == WP_LOONGARCH64 && (first == NULL || *first == to);
}

static void read_leaf(struct wp_snapshot_entry *entry, const struct wp_regime *regime,
                      const struct wp_memory *memory, uint64_t root)
{
	const uint64_t both = wp_entry_written_by_cpu(regime), accessed = both & -both;

	wp_paper_walk(regime, memory, root, entry->va, &entry->answer);
	entry->accessed = (entry->value & accessed) != 0;
	entry->dirty = (entry->value & both & ~accessed) != 0;
}

static bool take(struct wp_snapshot *snapshot, const struct wp_regime *regime,
                 const struct wp_memory *memory, const uint64_t way[2], unsigned level, uint64_t va)
{
	const size_t entries = wp_regime_entries(regime, level);
	const uint64_t *table = wp_memory_at(memory, way[1], entries * sizeof *table);

	for (unsigned i = 0; table != NULL && i < entries; i++) {
		const uint64_t at = va + i * wp_regime_span(regime, level);
		struct wp_snapshot_entry *entry;
		enum wp_entry_kind kind;
		uint64_t below[2] = {way[0], 0};

		if (table[i] == 0)
			continue;
		kind = wp_entry_read(regime, level, table[i], &below[1]);
		if (kind == WP_ENTRY_TABLE && is_hole(regime, memory, below[1]))
			continue;
		entry = append(snapshot);
		if (entry == NULL)
			return false;
		*entry = (struct wp_snapshot_entry){.level = level,
		                                    .index = i,
		                                    .va = wp_regime_extend(regime, at),
		                                    .value = table[i],
		                                    .kind = kind,
		                                    .to = below[1]};
		if (kind == WP_ENTRY_LEAF)
			read_leaf(entry, regime, memory, way[0]);
		if (kind == WP_ENTRY_TABLE && level + 1u < regime->levels &&
		    !take(snapshot, regime, memory, below, level + 1, at))
			return false;
	}
	return true;
}

bool wp_snapshot_take(struct wp_snapshot *snapshot, const struct wp_regime *regime,
                      const struct wp_memory *memory, uint64_t root)
{
	const uint64_t way[2] = {root, root};

	return take(snapshot, regime, memory, way, 0, 0);
}

void wp_snapshot_free(struct wp_snapshot *snapshot)
{
	free(snapshot->entries);
	*snapshot = (struct wp_snapshot){0};
}

static bool covers(const struct wp_regime *regime, const struct wp_snapshot_entry *entry,
                   uint64_t va)
{
	return va - entry->va < wp_regime_span(regime, entry->level);
}

const struct wp_snapshot_entry *wp_snapshot_find(const struct wp_snapshot *snapshot,
                                                 const struct wp_regime *regime, unsigned level,
                                                 uint64_t va)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		if (snapshot->entries[i].level == level &&
		    covers(regime, &snapshot->entries[i], va))
			return &snapshot->entries[i];
	}
	return NULL;
}

/* ---- telling ---- */

const char *wp_entry_meaning(const struct wp_snapshot_entry *entry, char text[WP_MEANING])
{
	static const char letters[] = "rwxrwx";
	char kinds[WP_KINDS];

	if (entry == NULL)
		return "empty";
	if (entry->kind == WP_ENTRY_INVALID)
		return "not present";
	if (entry->kind == WP_ENTRY_TABLE) {
		snprintf(text, WP_MEANING, "table at 0x%" PRIx64, entry->to);
		return text;
	}
	if (entry->answer.allowed == 0) {
		snprintf(text, WP_MEANING, "a leaf, faults: %s",
		         wp_fault_name((enum wp_fault)entry->answer.fault));
		return text;
	}
	for (unsigned kind = 0; kind < WP_KINDS; kind++)
		kinds[kind] = entry->answer.allowed >> kind & 1 ? letters[kind] : '-';
	snprintf(text, WP_MEANING, "-> 0x%" PRIx64 "  %s  kernel %.3s, user %.3s, %s%s%s",
	         entry->answer.pa, wp_size_name(entry->answer.size), kinds, kinds + 3,
	         wp_memory_type_name((enum wp_memory_type)entry->answer.memory_type),
	         entry->accessed ? ", accessed" : "", entry->dirty ? ", dirty" : "");
	return text;
}

/* ---- comparing ---- */

struct row {
	char mark; /* ' ', '-' or '+' */
	bool shown;
	const struct wp_snapshot_entry *entry;
};

struct rows {
	struct row *rows;
	size_t count;
};

static int order(const struct wp_snapshot_entry *a, const struct wp_snapshot_entry *b)
{
	if (a->va != b->va)
		return a->va < b->va ? -1 : 1;
	return a->level < b->level ? -1 : a->level > b->level;
}

/* But for what CPUs, which were asked in between, have recorded in an entry for a table. */
static bool is_same(const struct wp_snapshot_entry *a, const struct wp_snapshot_entry *b,
                    const struct wp_regime *regime)
{
	const uint64_t recorded = a->kind == WP_ENTRY_TABLE ? wp_entry_written_by_cpu(regime) : 0;

	return ((a->value ^ b->value) & ~recorded) == 0;
}

/* How many entries in a row, from these on, became others: leaves, or a single one of any kind. */
static size_t count_replaced(const struct wp_snapshot *before, size_t i,
                             const struct wp_snapshot *after, size_t k,
                             const struct wp_regime *regime)
{
	size_t n = 0;

	for (; i + n < before->count && k + n < after->count; n++) {
		const struct wp_snapshot_entry *old = &before->entries[i + n];
		const struct wp_snapshot_entry *new = &after->entries[k + n];

		if (order(old, new) != 0 || is_same(old, new, regime) ||
		    old->level != before->entries[i].level)
			break;
		if (old->kind != WP_ENTRY_LEAF || new->kind != WP_ENTRY_LEAF)
			return n > 0 ? n : 1;
	}
	return n;
}

static void add_rows(struct rows *rows, char mark, const struct wp_snapshot_entry *entries,
                     size_t count)
{
	for (size_t i = 0; i < count; i++)
		rows->rows[rows->count++] = (struct row){mark, mark != ' ', &entries[i]};
}

/* Merges the two; what entries in a row were comes before what they became, as in a diff. */
static void merge(struct rows *rows, const struct wp_snapshot *before,
                  const struct wp_snapshot *after, const struct wp_regime *regime)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		const int side = i == before->count ? 1
		                 : k == after->count
		                         ? -1
		                         : order(&before->entries[i], &after->entries[k]);
		const size_t replaced = side == 0 ? count_replaced(before, i, after, k, regime) : 1;

		if (replaced == 0) {
			add_rows(rows, ' ', &after->entries[k++], 1);
			i++;
			continue;
		}
		if (side <= 0) {
			add_rows(rows, '-', &before->entries[i], replaced);
			i += replaced;
		}
		if (side >= 0) {
			add_rows(rows, '+', &after->entries[k], replaced);
			k += replaced;
		}
	}
}

/* What leads to a changed entry, and the entries of its table on both sides. */
static void show_context(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		unsigned level = rows->rows[i].entry->level;

		if (rows->rows[i].mark == ' ')
			continue;
		if (i > 0 && rows->rows[i - 1].entry->level == level)
			rows->rows[i - 1].shown = true;
		if (i + 1 < rows->count && rows->rows[i + 1].entry->level == level)
			rows->rows[i + 1].shown = true;
		for (size_t k = i; k-- > 0 && level > 0;) {
			if (rows->rows[k].entry->level >= level)
				continue;
			level = rows->rows[k].entry->level;
			rows->rows[k].shown = true;
		}
	}
}

static void print_row(const struct row *row, const struct wp_colours *colours, FILE *out)
{
	const struct wp_snapshot_entry *entry = row->entry;
	const char *colour = row->mark == '-'   ? colours->gone
	                     : row->mark == '+' ? colours->come
	                                        : colours->dim;
	char meaning[WP_MEANING];

	fprintf(out, "%s%c %*sL%u[%3u] 0x%016" PRIx64 "  0x%016" PRIx64 "  %s%s\n", colour,
	        row->mark, 2 * (int)entry->level, "", entry->level, entry->index, entry->va,
	        entry->value, wp_entry_meaning(entry, meaning), colours->off);
}

/* Whether `b` goes on where `a` ends, and is marked the same. */
static bool continues(const struct row *a, const struct row *b)
{
	const struct wp_answer *x = &a->entry->answer, *y = &b->entry->answer;

	return a->mark == b->mark && a->shown && b->shown && a->entry->kind == WP_ENTRY_LEAF &&
	       b->entry->kind == WP_ENTRY_LEAF && a->entry->level == b->entry->level &&
	       b->entry->index == a->entry->index + 1 && x->allowed == y->allowed &&
	       a->entry->accessed == b->entry->accessed && a->entry->dirty == b->entry->dirty &&
	       x->memory_type == y->memory_type && y->pa == x->pa + x->size;
}

/* How many rows from `i` on are one: hidden ones, or a run of leaves after its first. */
static size_t fold(const struct rows *rows, size_t i)
{
	size_t n = 1;

	if (!rows->rows[i].shown) {
		while (i + n < rows->count && !rows->rows[i + n].shown)
			n++;
		return n;
	}
	while (i + n < rows->count && continues(&rows->rows[i + n - 1], &rows->rows[i + n]))
		n++;
	return n;
}

static void print_rows(const struct rows *rows, const struct wp_colours *colours, FILE *out)
{
	for (size_t i = 0; i < rows->count;) {
		const struct row *row = &rows->rows[i];
		const size_t n = fold(rows, i);
		const char *colour = row->mark == '-'   ? colours->gone
		                     : row->mark == '+' ? colours->come
		                                        : colours->dim;

		i += n;
		if (!row->shown) {
			fprintf(out, "%s  %*s... %zu as before%s\n", colours->dim,
			        2 * (int)row->entry->level, "", n, colours->off);
			continue;
		}
		print_row(row, colours, out);
		if (n == 2)
			print_row(row + 1, colours, out);
		if (n > 2)
			fprintf(out,
			        "%s%c %*s... %zu more like it, up to L%u[%3u] 0x%" PRIx64 "%s\n",
			        colour, row->mark, 2 * (int)row->entry->level, "", n - 1,
			        row->entry->level, row[n - 1].entry->index, row[n - 1].entry->va,
			        colours->off);
	}
}

bool wp_snapshot_changed(const struct wp_snapshot *before, const struct wp_snapshot *after,
                         const struct wp_regime *regime)
{
	if (before->count != after->count)
		return true;
	for (size_t i = 0; i < before->count; i++) {
		if (order(&before->entries[i], &after->entries[i]) != 0 ||
		    !is_same(&before->entries[i], &after->entries[i], regime))
			return true;
	}
	return false;
}

void wp_snapshot_compare(const struct wp_snapshot *before, const struct wp_snapshot *after,
                         const struct wp_regime *regime, uint64_t va,
                         const struct wp_colours *colours, FILE *out)
{
	struct rows rows = {calloc(before->count + after->count + 1, sizeof(struct row)), 0};
	const bool changed = wp_snapshot_changed(before, after, regime);

	if (rows.rows == NULL)
		return;
	merge(&rows, before, after, regime);
	show_context(&rows);
	for (size_t i = 0; i < rows.count && !changed; i++)
		rows.rows[i].shown = covers(regime, rows.rows[i].entry, va);
	print_rows(&rows, colours, out);
	if (rows.count == 0)
		fputs("  no entry\n", out);
	free(rows.rows);
}
