/* SPDX-License-Identifier: MIT */
/* Reading the text form, line by line: see program_text.c for what it looks like. */
#include "operands.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define SPACES " \t\r\f\v"

struct parser {
	unsigned line;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static bool fail(const struct parser *parser,
                                                       const char *format, ...)
{
	const int prefix = snprintf(parser->why, parser->why_size, "line %u: ", parser->line);
	va_list arguments;

	if (prefix < 0 || (size_t)prefix >= parser->why_size)
		return false;
	va_start(arguments, format);
	vsnprintf(parser->why + prefix, parser->why_size - (size_t)prefix, format, arguments);
	va_end(arguments);
	return false;
}

/* Whether one slip of the keyboard leads from one word to the other. */
static bool one_slip_apart(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a == '\0' || *b == '\0')
		return strlen(a) + strlen(b) == 1;
	if (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0)
		return true;
	return strcmp(a + 1, b + 1) == 0 || strcmp(a + 1, b) == 0 || strcmp(a, b + 1) == 0;
}

static bool parse_opcode(const struct parser *parser, const char *word, struct wp_op *op)
{
	for (op->opcode = 0; op->opcode < WP_OPCODES; op->opcode++) {
		if (strcmp(word, wp_opcode_shapes[op->opcode].name) == 0)
			return true;
	}
	for (unsigned i = 0; i < WP_OPCODES; i++) {
		if (one_slip_apart(word, wp_opcode_shapes[i].name))
			return fail(parser, "unknown operation '%s' (did you mean '%s'?)", word,
			            wp_opcode_shapes[i].name);
	}
	return fail(parser, "unknown operation '%s'", word);
}

/* Reads `word` into whichever operand it is, and takes that out of `wanted`. */
static bool parse_operand(const struct parser *parser, const struct wp_regime *regime,
                          const char *word, unsigned *wanted, struct wp_op *op)
{
	const struct wp_opcode_shape *shape = &wp_opcode_shapes[op->opcode];

	for (size_t i = 0; i < WP_TEXT_FIELDS; i++) {
		const struct wp_text_field *field = &wp_text_fields[i];
		const size_t key = strlen(field->key);

		if (!(shape->operands & field->operands) || strncmp(word, field->key, key) != 0)
			continue;
		if (!(*wanted & field->operands))
			return fail(parser, "a second '%s'", word);
		if (!field->parse(regime, word + key, op))
			return fail(parser, "can't read '%s': it should look like %s", word,
			            field->example);
		*wanted &= ~field->operands;
		return true;
	}
	return fail(parser, "%s has no operand '%s'", shape->name, word);
}

/* The rest of a line whose first word was `opcode`. */
static bool parse_op(const struct parser *parser, const struct wp_regime *regime,
                     const char *opcode, char *rest, struct wp_op *op)
{
	unsigned wanted;

	memset(op, 0, sizeof *op);
	if (!parse_opcode(parser, opcode, op))
		return false;
	wanted = wp_opcode_shapes[op->opcode].operands;
	if (wanted & WP_ARG_LIMIT)
		op->count = WP_NO_LIMIT;
	for (char *word; (word = strtok_r(NULL, SPACES, &rest)) != NULL;) {
		if (!parse_operand(parser, regime, word, &wanted, op))
			return false;
	}
	for (size_t i = 0; i < WP_TEXT_FIELDS; i++) {
		if ((wanted & wp_text_fields[i].operands) && !wp_text_fields[i].optional)
			return fail(parser, "%s lacks an operand such as %s", opcode,
			            wp_text_fields[i].example);
	}
	return true;
}

/* `walkproof 1` or `regime NAME`: `key` and one more word. */
static bool parse_header(const struct parser *parser, const char *key, const char *word, char *rest,
                         const char **value)
{
	*value = strtok_r(NULL, SPACES, &rest);
	if (strcmp(word, key) != 0 || *value == NULL || strtok_r(NULL, SPACES, &rest) != NULL)
		return fail(parser, "expected '%s' and one word", key);
	return true;
}

static bool parse_version(const struct parser *parser, const char *word, char *rest)
{
	const char *version;

	if (!parse_header(parser, WP_TEXT_MAGIC, word, rest, &version))
		return false;
	if (strcmp(version, WP_TEXT_VERSION) != 0)
		return fail(parser, "unknown version '%s'", version);
	return true;
}

static bool parse_regime(const struct parser *parser, const char *word, char *rest,
                         const struct wp_regime **regime)
{
	const char *name;

	if (!parse_header(parser, "regime", word, rest, &name))
		return false;
	*regime = wp_regime_find(name);
	return *regime != NULL || fail(parser, "unknown regime '%s'", name);
}

/* How many of the lines that say something have been read. */
enum progress { NOTHING, VERSION, REGIME };

static bool parse_line(const struct parser *parser, char *line, enum progress *progress,
                       struct wp_program *program)
{
	char *rest;
	const char *word = strtok_r(line, SPACES, &rest);

	if (word == NULL)
		return true;
	if (*progress == NOTHING) {
		*progress = VERSION;
		return parse_version(parser, word, rest);
	}
	if (*progress == VERSION) {
		*progress = REGIME;
		return parse_regime(parser, word, rest, &program->regime);
	}
	if (program->count == WP_PROGRAM_MAX_OPS)
		return fail(parser, "more than %u operations", WP_PROGRAM_MAX_OPS);
	return parse_op(parser, program->regime, word, rest, &program->ops[program->count++]);
}

bool wp_program_parse(struct wp_program *program, const char *text, char *why, size_t why_size)
{
	struct parser parser = {0, why, why_size};
	enum progress progress = NOTHING;
	char line[256];

	program->count = 0;
	while (*text != '\0') {
		const size_t whole = strcspn(text, "\n");
		const size_t length = strcspn(text, "\n#"); /* without the comment */

		parser.line++;
		if (length >= sizeof line)
			return fail(&parser, "longer than %zu characters", sizeof line - 1);
		memcpy(line, text, length);
		line[length] = '\0';
		if (!parse_line(&parser, line, &progress, program))
			return false;
		text += whole + (text[whole] == '\n');
	}
	if (progress == REGIME)
		return true;
	return fail(&parser, "the text ends before '%s'",
	            progress == NOTHING ? WP_TEXT_MAGIC : "regime");
}

bool wp_program_is_text(const uint8_t *bytes, size_t size)
{
	const size_t length = sizeof WP_TEXT_MAGIC - 1;
	size_t at = 0;

	/* Comments and blank lines may come first. */
	while (at < size && (bytes[at] == '#' || isspace(bytes[at]))) {
		if (bytes[at] == '#') {
			while (at < size && bytes[at] != '\n')
				at++;
		} else {
			at++;
		}
	}
	return size - at >= length && memcmp(bytes + at, WP_TEXT_MAGIC, length) == 0;
}
