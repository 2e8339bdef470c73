/* SPDX-License-Identifier: MIT */
/* Reading the words of the text form: see program_text.c for what they look like. */
#include "operands.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Moves past `word` if the text starts with it. */
static bool skip(const char **at, const char *word)
{
	const size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

/* Moves past a number of at most `most`. */
static bool take_number(const char **at, int base, uint64_t most, uint64_t *number)
{
	char *end;

	if (!(base == 16 ? isxdigit((unsigned char)**at) : isdigit((unsigned char)**at)))
		return false;
	errno = 0;
	*number = strtoull(*at, &end, base);
	*at = end;
	return errno == 0 && *number <= most;
}

/* All of the text is a number, decimal or hexadecimal. */
static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
	const int base = skip(&text, "0x") ? 16 : 10;

	return take_number(&text, base, most, number) && *text == '\0';
}

/* All of the text is `2M`, `17x4K` or, in bytes, `5`. */
static bool parse_multiple(const struct wp_regime *regime, const char *text, uint64_t most,
                           uint64_t *count, uint8_t *unit)
{
	bool counted;

	*count = 1;
	for (*unit = 0; *unit < WP_UNIT_BYTE; ++*unit) {
		if (strcmp(text, wp_unit_name(regime, *unit)) == 0)
			return true;
	}
	counted = take_number(&text, 10, most, count);
	if (!counted || *text == '\0')
		return counted;
	if (*text++ != 'x')
		return false;
	for (*unit = 0; *unit < WP_UNIT_BYTE; ++*unit) {
		if (strcmp(text, wp_unit_name(regime, *unit)) == 0)
			return true;
	}
	return false;
}

static bool parse_offset(const struct wp_regime *regime, const char *text,
                         struct wp_address *address)
{
	const bool minus = *text == '-';
	uint64_t count;

	if (*text == '\0')
		return true;
	if (!minus && *text != '+')
		return false;
	if (!parse_multiple(regime, text + 1, minus ? 128 : 127, &count, &address->unit))
		return false;
	address->offset = (int8_t)(minus ? -(int)count : (int)count);
	if (count == 0)
		address->unit = 0;
	return true;
}

static bool parse_address(const struct wp_regime *regime, const char *text,
                          struct wp_address *address)
{
	uint64_t index;

	*address = (struct wp_address){0};
	if (isdigit((unsigned char)*text)) {
		address->base = WP_BASE_RAW;
		return parse_number(text, UINT64_MAX, &address->value);
	}
	while (address->base < WP_BASE_RAW && !skip(&text, wp_base_names[address->base]))
		address->base++;
	if (address->base == WP_BASE_RAW || !take_number(&text, 10, UINT8_MAX, &index))
		return false;
	address->index = (uint8_t)index;
	if (address->base == WP_BASE_LIVE && skip(&text, "_end"))
		address->base = WP_BASE_LIVE_END;
	return parse_offset(regime, text, address);
}

static bool parse_va(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	return parse_address(regime, text, &op->va);
}

static bool parse_pa(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	return parse_address(regime, text, &op->pa);
}

static bool parse_length(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	uint64_t count;

	op->length = (struct wp_length){0};
	if (parse_multiple(regime, text, UINT16_MAX, &count, &op->length.unit)) {
		op->length.count = (uint16_t)count;
		return true;
	}
	op->length.unit = WP_UNITS;
	return parse_number(text, UINT64_MAX, &op->length.value);
}

/* All of the text is letters of bits that are set, '-', and perhaps a number behind a '+'. */
static bool parse_bits(const char *text, const char *letters, uint8_t *bits)
{
	unsigned known = 0;
	uint64_t unknown = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0' && *text != '+'; text++) {
		const char *letter = strchr(letters, *text);

		if (letter != NULL)
			known |= 1u << (letter - letters);
		else if (*text != '-')
			return false;
	}
	if (*text == '+' && !parse_number(text + 1, UINT8_MAX, &unknown))
		return false;
	*bits = (uint8_t)(known | unknown);
	return true;
}

static bool parse_flags(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	(void)regime;
	return parse_bits(text, wp_flag_letters, &op->flags);
}

static bool parse_uses(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	(void)regime;
	return parse_bits(text, wp_use_letters, &op->uses);
}

static bool parse_table(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	uint64_t table;

	(void)regime;
	if (!parse_number(text, WP_MODEL_TABLES - 1, &table))
		return false;
	op->table = (uint8_t)table;
	return true;
}

static bool parse_source(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	(void)regime;
	for (op->source = 0; op->source < WP_SOURCES; op->source++) {
		if (strcmp(text, wp_source_names[op->source]) == 0)
			return true;
	}
	return false;
}

static bool parse_huge(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	(void)regime;
	op->allow_huge = true;
	return *text == '\0';
}

static bool parse_once(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	(void)regime;
	op->once = true;
	return *text == '\0';
}

static bool parse_count(const struct wp_regime *regime, const char *text, struct wp_op *op)
{
	uint64_t count;

	(void)regime;
	if (!parse_number(text, UINT16_MAX, &count))
		return false;
	op->count = (uint16_t)count;
	return true;
}

/* The last one's key is a prefix of every word. */
const struct wp_text_field wp_text_fields[WP_TEXT_FIELDS] = {
	{"va=", WP_ARG_VA, false, parse_va, "va=hot3+2x4K"},
	{"pa=", WP_ARG_PA, false, parse_pa, "pa=0x80000000"},
	{"size=", WP_ARG_LEAF | WP_ARG_LENGTH, false, parse_length, "size=17x4K"},
	{"flags=", WP_ARG_FLAGS, false, parse_flags, "flags=rw-u--"},
	{"uses=", WP_ARG_USES, false, parse_uses, "uses=ad"},
	{"source=", WP_ARG_SOURCE, true, parse_source, "source=reversed"},
	{"huge", WP_ARG_HUGE, true, parse_huge, "huge"},
	{"once", WP_ARG_ONCE, true, parse_once, "once"},
	{"limit=", WP_ARG_LIMIT, true, parse_count, "limit=5"},
	{"t", WP_ARG_TABLE, false, parse_table, "t0"},
	{"", WP_ARG_GRANTS, false, parse_count, "3"},
};
