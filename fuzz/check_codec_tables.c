/* SPDX-License-Identifier: MIT */
/* Tables in guest memory, built and read through a codec and nothing else. */
#include "check_codec.h"

#include <string.h>

static size_t table_bytes(const struct wp_codec_tables *tables, unsigned level)
{
	return wp_codec_slots(tables, level) * tables->codec->entry_bytes;
}

static size_t table_frames(const struct wp_codec_tables *tables, unsigned level)
{
	return (table_bytes(tables, level) + WP_FRAME_SIZE - 1) / WP_FRAME_SIZE;
}

/* Aligned to itself, as every architecture wants it. */
static bool allocate(const struct wp_codec_tables *tables, unsigned level, uint64_t *table)
{
	const size_t frames = table_frames(tables, level);

	return wp_memory_alloc_contiguous(tables->memory, frames, frames * WP_FRAME_SIZE, table);
}

/* Each slot that leads down is another one; in the root, one that has addresses. */
static bool choose_links(struct wp_codec_tables *tables)
{
	for (unsigned level = 0; level < tables->codec->levels; level++) {
		const size_t slots = wp_codec_slots(tables, level);
		uint64_t va;
		size_t tried = 0;

		tables->link[level] = (5 + level) % slots;
		while (!wp_codec_va(tables, level, tables->link[level], &va) && tried++ < slots)
			tables->link[level] = (tables->link[level] + 1) % slots;
		if (tried > slots)
			return false;
	}
	return true;
}

/*
 * The last level's table comes first: it is at the start of the window, where a huge leaf
 * can lead, so that one that is taken for a table leads to entries.
 */
bool wp_codec_tables_open(struct wp_codec_tables *tables, const struct wp_codec *codec,
                          const struct wp_regime *regime, struct wp_memory *memory, char *why,
                          size_t why_size)
{
	*tables = (struct wp_codec_tables){.codec = codec, .regime = regime, .memory = memory};
	wp_memory_reset(memory);
	for (unsigned level = 0; level < codec->levels; level++)
		codec->level(level, &tables->levels[level]);
	for (unsigned level = codec->levels; level-- > 0;) {
		if (!allocate(tables, level, &tables->table[level])) {
			snprintf(why, why_size, "no guest memory for a table of 2^%u entries",
			         tables->levels[level].bits);
			return false;
		}
	}
	if (codec->has_hole_frame && !allocate(tables, 1, &tables->hole)) {
		snprintf(why, why_size, "no guest memory for the frame of the holes");
		return false;
	}
	if (!choose_links(tables)) {
		snprintf(why, why_size, "no slot of the root has an address of the regime");
		return false;
	}
	wp_codec_tables_reset(tables);
	return true;
}

enum wp_entry_role wp_codec_role(const struct wp_codec_tables *tables, unsigned level, bool leaf)
{
	if (level == wp_codec_last(tables))
		return WP_ROLE_PAGE;
	return leaf ? WP_ROLE_HUGE : WP_ROLE_TABLE;
}

uint64_t wp_codec_empty(const struct wp_codec_tables *tables, unsigned level)
{
	if (!tables->codec->has_hole_frame || level == wp_codec_last(tables))
		return 0;
	return tables->codec->table(tables->hole);
}

/* `width` is that of an entry, 4 or 8. */
static uint64_t load(const void *table, size_t slot, uint32_t width)
{
	uint64_t entry = 0;

	memcpy(&entry, (const uint8_t *)table + slot * width, width);
	return entry;
}

static void store(void *table, size_t slot, uint32_t width, uint64_t entry)
{
	memcpy((uint8_t *)table + slot * width, &entry, width);
}

uint64_t wp_codec_get(const struct wp_codec_tables *tables, unsigned level, size_t slot)
{
	return load(wp_memory_at(tables->memory, tables->table[level], WP_FRAME_SIZE), slot,
	            tables->codec->entry_bytes);
}

void wp_codec_put(const struct wp_codec_tables *tables, unsigned level, size_t slot, uint64_t entry)
{
	store(wp_memory_at(tables->memory, tables->table[level], WP_FRAME_SIZE), slot,
	      tables->codec->entry_bytes, entry);
}

static void fill(const struct wp_codec_tables *tables, uint64_t table, unsigned level)
{
	void *entries = wp_memory_at(tables->memory, table, table_bytes(tables, level));

	for (size_t i = 0; i < wp_codec_slots(tables, level); i++)
		store(entries, i, tables->codec->entry_bytes, wp_codec_empty(tables, level));
}

void wp_codec_tables_reset(const struct wp_codec_tables *tables)
{
	for (unsigned level = 0; level < tables->codec->levels; level++) {
		fill(tables, tables->table[level], level);
		if (level < wp_codec_last(tables))
			wp_codec_put(tables, level, tables->link[level],
			             tables->codec->table(tables->table[level + 1]));
	}
	if (tables->hole != 0) /* as a directory: one of its entries is read as any level's */
		fill(tables, tables->hole, wp_codec_last(tables) - 1);
}

/* An offset into all that the root spans, as an address. */
static bool canonical(const struct wp_codec_tables *tables, uint64_t offset, uint64_t *va)
{
	const unsigned width = tables->levels[0].shift + tables->levels[0].bits;
	const uint64_t below = width < 64 ? ((uint64_t)1 << width) - 1 : UINT64_MAX;
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(tables->regime, first, last);

	for (size_t i = 0; i < ranges; i++) {
		*va = (first[i] & ~below) | (offset & below);
		if (*va >= first[i] && *va <= last[i])
			return true;
	}
	return false;
}

bool wp_codec_va(const struct wp_codec_tables *tables, unsigned level, size_t slot, uint64_t *va)
{
	uint64_t offset = slot * wp_codec_span(tables, level);

	for (unsigned above = 0; above < level; above++)
		offset += tables->link[above] * wp_codec_span(tables, above);
	return canonical(tables, offset, va);
}

bool wp_codec_va_below(const struct wp_codec_tables *tables, unsigned level, size_t slot,
                       uint64_t *va)
{
	if (!wp_codec_va(tables, level, slot, va))
		return false;
	for (unsigned below = level + 1; below < tables->codec->levels; below++)
		*va += tables->link[below] * wp_codec_span(tables, below);
	return true;
}

/* An entry as lib/ reads it, in the same order. */
static enum pt_entry_kind kind_of(const struct wp_codec_tables *tables, uint64_t entry,
                                  unsigned level)
{
	const struct wp_codec *codec = tables->codec;
	const bool to_hole = tables->hole != 0 && codec->table_paddr(entry) == tables->hole;

	if (entry == wp_codec_empty(tables, level))
		return PT_ENTRY_EMPTY;
	if (!to_hole && codec->is_table(entry, level))
		return PT_ENTRY_TABLE;
	return codec->is_leaf(entry, level) ? PT_ENTRY_LEAF : PT_ENTRY_MALFORMED;
}

static void read_leaf(const struct wp_codec_tables *tables, uint64_t va, uint64_t rights,
                      struct wp_codec_reading *reading)
{
	const struct wp_codec *codec = tables->codec;
	const uint64_t size = wp_codec_span(tables, reading->level);
	const uint64_t pa = codec->leaf_paddr(reading->entry, reading->level);

	reading->status = PT_OK;
	reading->mapping = (struct pt_mapping){
		.vaddr = pt_va(va),
		.paddr = pt_pa(pa + (va & (size - 1))),
		.size = size,
		.flags = codec->leaf_flags(reading->entry, reading->level, rights),
	};
}

void wp_codec_read(const struct wp_codec_tables *tables, uint64_t va,
                   struct wp_codec_reading *reading)
{
	static const pt_status statuses[] = {
		[PT_ENTRY_EMPTY] = PT_NOT_MAPPED,
		[PT_ENTRY_TABLE] = PT_MALFORMED,
		[PT_ENTRY_LEAF] = PT_OK,
		[PT_ENTRY_MALFORMED] = PT_MALFORMED,
	};
	const struct wp_codec *codec = tables->codec;
	uint64_t table = tables->table[0], rights = UINT64_MAX;

	memset(reading, 0, sizeof *reading);
	for (unsigned level = 0; level < codec->levels; level++) {
		const void *entries = wp_memory_at(tables->memory, table,
		                                   table_bytes(tables, level));
		size_t slot;

		if (entries == NULL) { /* not memory */
			reading->kind = PT_ENTRY_MALFORMED;
			break;
		}
		slot = (va >> tables->levels[level].shift) & (wp_codec_slots(tables, level) - 1);
		reading->level = level;
		reading->entry = load(entries, slot, codec->entry_bytes);
		reading->kind = kind_of(tables, reading->entry, level);
		if (reading->kind != PT_ENTRY_TABLE)
			break;
		rights = codec->rights_below(rights, reading->entry);
		table = codec->table_paddr(reading->entry);
	}
	reading->status = statuses[reading->kind];
	if (reading->kind == PT_ENTRY_LEAF)
		read_leaf(tables, va, rights, reading);
}
