/* SPDX-License-Identifier: MIT */
/*
 * The text form: a line `walkproof 1`, a line `regime NAME`, then an operation a
 * line, such as
 *
 *   map t0 va=hot3+2M pa=0x40000000 size=2M flags=rw-u--
 *   map_region t1 va=live2_end-3x4K pa=hot0 size=17x4K flags=r----- huge
 *
 * An address is hotN, liveN, liveN_end or edgeN, with an offset of so many units
 * (4K 2M 1G 512G 256T, or those of the regime's granule) or bytes; or a number. A
 * length is so many units, or bytes, or a number in hexadecimal. Flags are read, write, execute, user,
 * device, non-cacheable; uses, such as uses=ad, are accessed, dirty; of both, unknown
 * bits follow as a number.
 */
#include "operands.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const wp_base_names[WP_BASE_RAW] = {"hot", "live", "live", "edge"};
const char *const wp_source_names[WP_SOURCES] = {
	"linear", "reversed", "swapped", "same", "broken", "unaligned",
};
const char wp_flag_letters[] = "rwxudn";
const char wp_use_letters[] = "ad";

const char *wp_unit_name(const struct wp_regime *regime, unsigned unit)
{
	/* 64 KiB: see wp_unit_bytes() for the last one */
	static const char *const of_4k[WP_UNIT_BYTE] = {"4K", "2M", "1G", "512G", "256T"};
	static const char *const of_64k[WP_UNIT_BYTE] = {"64K", "512M", "4T", "32P", "8E"};

	return regime->granule_shift == 16 ? of_64k[unit] : of_4k[unit];
}

static void print_multiple(const struct wp_regime *regime, unsigned count, unsigned unit, FILE *out)
{
	if (unit == WP_UNIT_BYTE)
		fprintf(out, "%u", count);
	else if (count == 1)
		fputs(wp_unit_name(regime, unit), out);
	else
		fprintf(out, "%ux%s", count, wp_unit_name(regime, unit));
}

static void print_address(const struct wp_regime *regime, const struct wp_address *address,
                          FILE *out)
{
	if (address->base == WP_BASE_RAW) {
		fprintf(out, "0x%" PRIx64, address->value);
		return;
	}
	fprintf(out, "%s%u%s", wp_base_names[address->base], address->index,
	        address->base == WP_BASE_LIVE_END ? "_end" : "");
	if (address->offset == 0)
		return;
	fputc(address->offset < 0 ? '-' : '+', out);
	print_multiple(regime, (unsigned)abs(address->offset), address->unit, out);
}

static void print_length(const struct wp_regime *regime, const struct wp_length *length, FILE *out)
{
	if (length->unit == WP_UNITS)
		fprintf(out, "0x%" PRIx64, length->value);
	else
		print_multiple(regime, length->count, length->unit, out);
}

static void print_bits(unsigned bits, const char *letters, FILE *out)
{
	unsigned count = 0;

	for (; letters[count] != '\0'; count++)
		fputc(bits >> count & 1 ? letters[count] : '-', out);
	if (bits >> count != 0)
		fprintf(out, "+0x%x", bits >> count << count);
}

void wp_op_print(const struct wp_regime *regime, const struct wp_op *op, FILE *out)
{
	const unsigned operands = wp_opcode_shapes[op->opcode].operands;

	fputs(wp_opcode_shapes[op->opcode].name, out);
	if (operands & WP_ARG_TABLE)
		fprintf(out, " t%u", op->table);
	if (operands & WP_ARG_VA) {
		fputs(" va=", out);
		print_address(regime, &op->va, out);
	}
	if (operands & WP_ARG_PA) {
		fputs(" pa=", out);
		print_address(regime, &op->pa, out);
	}
	if (operands & (WP_ARG_LEAF | WP_ARG_LENGTH)) {
		fputs(" size=", out);
		print_length(regime, &op->length, out);
	}
	if (operands & WP_ARG_FLAGS) {
		fputs(" flags=", out);
		print_bits(op->flags, wp_flag_letters, out);
	}
	if (operands & WP_ARG_USES) {
		fputs(" uses=", out);
		print_bits(op->uses, wp_use_letters, out);
	}
	if (operands & WP_ARG_SOURCE)
		fprintf(out, " source=%s", wp_source_names[op->source]);
	if ((operands & WP_ARG_HUGE) && op->allow_huge)
		fputs(" huge", out);
	if (operands & WP_ARG_GRANTS)
		fprintf(out, " %u", op->count);
	if ((operands & WP_ARG_ONCE) && op->once)
		fputs(" once", out);
	if ((operands & WP_ARG_LIMIT) && op->count != WP_NO_LIMIT)
		fprintf(out, " limit=%u", op->count);
}

void wp_program_print(const struct wp_program *program, FILE *out)
{
	fprintf(out, WP_TEXT_MAGIC " " WP_TEXT_VERSION "\nregime %s\n", program->regime->name);
	for (size_t i = 0; i < program->count; i++) {
		wp_op_print(program->regime, &program->ops[i], out);
		fputc('\n', out);
	}
}
