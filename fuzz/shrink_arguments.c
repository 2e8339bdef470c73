/* SPDX-License-Identifier: MIT */
/*
 * What an operation is given, made simpler. Each step lowers a rank, so that no two steps
 * undo each other: plainer operations, table 0, no options, a small size, r-----, and
 * addresses with few bits, small ones first. What many operations share, such as the
 * half of the address space, changes in all of them at once, then in each alone.
 */
#include "shrink_private.h"

#include "operands.h"

static struct wp_op *candidate_op(struct wp_shrinker *shrinker, size_t i)
{
	wp_shrinker_start(shrinker);
	return &shrinker->candidate.ops[i];
}

static bool has(const struct wp_op *op, unsigned operands)
{
	return (wp_opcode_shapes[op->opcode].operands & operands) != 0;
}

/* ---- operations ---- */

/* The call that does the same to less, or with fewer arguments. */
static const struct {
	enum wp_opcode from, to;
} plainer[] = {
	{WP_OP_MAP_REGION_WITH, WP_OP_MAP_REGION},
	{WP_OP_MAP_REGION, WP_OP_MAP},
	{WP_OP_UNMAP_REGION, WP_OP_UNMAP},
	{WP_OP_PROTECT_REGION, WP_OP_PROTECT},
	{WP_OP_REMAP, WP_OP_PROTECT},
	{WP_OP_FLUSH_ALL, WP_OP_FLUSH},
};

static bool plain_opcode(struct wp_shrinker *shrinker, size_t i)
{
	for (size_t k = 0; k < sizeof plainer / sizeof plainer[0]; k++) {
		struct wp_op *op = candidate_op(shrinker, i);
		const unsigned operands = wp_opcode_shapes[plainer[k].to].operands;
		struct wp_op plain = {.opcode = (uint8_t)plainer[k].to, .table = op->table};

		if (op->opcode != plainer[k].from)
			continue;
		plain.va = op->va;
		if (operands & WP_ARG_PA)
			plain.pa = op->pa;
		if (operands & WP_ARG_LENGTH)
			plain.length = op->length;
		if (operands & WP_ARG_LEAF)
			plain.length = (struct wp_length){
				.unit = WP_UNITS, .value = wp_regime_page(shrinker->best->regime)};
		if (operands & WP_ARG_FLAGS)
			plain.flags = op->flags;
		if (operands & WP_ARG_HUGE)
			plain.allow_huge = op->allow_huge;
		*op = plain;
		return wp_shrinker_keep(shrinker);
	}
	return false;
}

/* ---- tables and options ---- */

static bool first_table(struct wp_shrinker *shrinker, size_t i)
{
	struct wp_op *op = candidate_op(shrinker, i);

	if (op->table == 0)
		return false;
	op->table = 0;
	return wp_shrinker_keep(shrinker);
}

/* Where only one table is used it is the first; else the first operation's is. */
static bool first_tables(struct wp_shrinker *shrinker)
{
	struct wp_program *candidate = &shrinker->candidate;

	if (shrinker->best->count == 0 || candidate_op(shrinker, 0)->table == 0)
		return false;
	for (size_t i = 0; i < candidate->count; i++) {
		if (has(&candidate->ops[i], WP_ARG_TABLE))
			candidate->ops[i].table ^= 1;
	}
	return wp_shrinker_keep(shrinker);
}

static bool no_huge(struct wp_shrinker *shrinker, size_t i)
{
	struct wp_op *op = candidate_op(shrinker, i);

	if (!op->allow_huge)
		return false;
	op->allow_huge = false;
	return wp_shrinker_keep(shrinker);
}

static bool not_once(struct wp_shrinker *shrinker, size_t i)
{
	struct wp_op *op = candidate_op(shrinker, i);

	if (!op->once)
		return false;
	op->once = false;
	return wp_shrinker_keep(shrinker);
}

static bool plain_source(struct wp_shrinker *shrinker, size_t i)
{
	for (uint8_t source = 0; source < shrinker->best->ops[i].source; source++) {
		candidate_op(shrinker, i)->source = source;
		if (wp_shrinker_keep(shrinker))
			return true;
	}
	return false;
}

/* Frames granted before a refusal: few; a walk's limit: none. */
static bool low_count(struct wp_shrinker *shrinker, size_t i)
{
	const struct wp_op now = shrinker->best->ops[i];
	const uint16_t fewer[] = {0, now.count / 2, (uint16_t)(now.count - 1)};

	if (has(&now, WP_ARG_LIMIT) && now.count != WP_NO_LIMIT) {
		candidate_op(shrinker, i)->count = WP_NO_LIMIT;
		return wp_shrinker_keep(shrinker);
	}
	if (!has(&now, WP_ARG_GRANTS) || now.count == 0)
		return false;
	for (size_t k = 0; k < sizeof fewer / sizeof fewer[0]; k++) {
		candidate_op(shrinker, i)->count = fewer[k];
		if (wp_shrinker_keep(shrinker))
			return true;
	}
	return false;
}

/* ---- flags ---- */

/* r----- is simpler than none, which makes a mapping of a special kind. */
static unsigned flags_rank(unsigned flags)
{
	return flags == PT_READ ? 0 : (unsigned)__builtin_popcount(flags) + 1;
}

static bool keep_flags(struct wp_shrinker *shrinker, size_t i, unsigned flags)
{
	if (flags_rank(flags) >= flags_rank(shrinker->best->ops[i].flags))
		return false;
	candidate_op(shrinker, i)->flags = (uint8_t)flags;
	return wp_shrinker_keep(shrinker);
}

static bool few_flags(struct wp_shrinker *shrinker, size_t i)
{
	const unsigned now = shrinker->best->ops[i].flags;
	bool kept = false;

	if (!has(&shrinker->best->ops[i], WP_ARG_FLAGS))
		return false;
	if (keep_flags(shrinker, i, PT_READ) || keep_flags(shrinker, i, 0))
		return true;
	for (unsigned bit = 8; bit-- > 0;)
		kept |= (now >> bit & 1) != 0 &&
		        keep_flags(shrinker, i, shrinker->best->ops[i].flags & ~(1u << bit));
	return kept;
}

/* Harvested of a leaf: one kind rather than both. */
static bool few_uses(struct wp_shrinker *shrinker, size_t i)
{
	const struct wp_op *op = &shrinker->best->ops[i];
	const uint8_t now = op->uses;

	for (unsigned bit = 8; bit-- > 0 && has(op, WP_ARG_USES);) {
		if ((now >> bit & 1) == 0 || (now & (now - 1)) == 0)
			continue;
		candidate_op(shrinker, i)->uses = (uint8_t)(now & ~(1u << bit));
		if (wp_shrinker_keep(shrinker))
			return true;
	}
	return false;
}

/* ---- numbers ---- */

/* An address that isn't settled: the plainest of all. */
static bool plain_base(struct wp_shrinker *shrinker, size_t i)
{
	struct wp_op *op = candidate_op(shrinker, i);
	struct wp_address *const addresses[] = {&op->va, &op->pa};
	bool changed = false;

	for (size_t k = 0; k < 2; k++) {
		struct wp_address *address = addresses[k];

		if (address->base == WP_BASE_RAW ||
		    (address->base == 0 && address->index == 0 && address->offset == 0))
			continue;
		*address = (struct wp_address){.base = WP_BASE_HOT};
		changed = true;
	}
	return changed && wp_shrinker_keep(shrinker);
}

/* NULL: the operation has no such number, or it isn't settled. */
static uint64_t *va_of(struct wp_op *op)
{
	return has(op, WP_ARG_VA) && op->va.base == WP_BASE_RAW ? &op->va.value : NULL;
}

static uint64_t *pa_of(struct wp_op *op)
{
	return has(op, WP_ARG_PA) && op->pa.base == WP_BASE_RAW ? &op->pa.value : NULL;
}

static uint64_t *size_of(struct wp_op *op)
{
	return has(op, WP_ARG_LEAF | WP_ARG_LENGTH) && op->length.unit == WP_UNITS
	               ? &op->length.value
	               : NULL;
}

typedef uint64_t *number(struct wp_op *op);

static bool is_simpler(uint64_t a, uint64_t b)
{
	const int bits_a = __builtin_popcountll(a), bits_b = __builtin_popcountll(b);

	return bits_a < bits_b || (bits_a == bits_b && a < b);
}

/* The number of operation `i` becomes `value`. */
static bool keep_number(struct wp_shrinker *shrinker, size_t i, number *of, uint64_t value)
{
	uint64_t *number = of(candidate_op(shrinker, i));

	if (!is_simpler(value, *number))
		return false;
	*number = value;
	return wp_shrinker_keep(shrinker);
}

/* The bits of `mask` go from the numbers of operations [from, to). */
static bool keep_without_bits(struct wp_shrinker *shrinker, size_t from, size_t to, number *of,
                              uint64_t mask)
{
	struct wp_program *candidate = &shrinker->candidate;
	bool changed = false;

	wp_shrinker_start(shrinker);
	for (size_t i = from; i < to && i < candidate->count; i++) {
		uint64_t *number = of(&candidate->ops[i]);

		if (!number || (*number & mask) == 0)
			continue;
		*number &= ~mask;
		changed = true;
	}
	return changed && wp_shrinker_keep(shrinker);
}

/*
 * All bits, then those above the width, of which none can go alone without leaving the
 * canonical range, then one after another from the highest down.
 */
static bool few_bits(struct wp_shrinker *shrinker, size_t from, size_t to, number *of)
{
	const unsigned width = shrinker->best->regime->va_bits - 1u;
	const uint64_t above = UINT64_MAX << width;
	bool kept;

	if (of != size_of && keep_without_bits(shrinker, from, to, of, UINT64_MAX))
		return true;
	kept = keep_without_bits(shrinker, from, to, of, above);
	for (unsigned bit = of == va_of ? width : 64; bit-- > 0;)
		kept |= keep_without_bits(shrinker, from, to, of, (uint64_t)1 << bit);
	return kept;
}

static bool low_number(struct wp_shrinker *shrinker, size_t i, number *of)
{
	const struct wp_regime *regime = shrinker->best->regime;
	const uint64_t low[] = {0, wp_unit_bytes(regime, 0), wp_unit_bytes(regime, 1),
	                        wp_unit_bytes(regime, 2), wp_unit_bytes(regime, 3)};

	if (!of(&shrinker->best->ops[i]))
		return false;
	for (size_t k = 0; k < sizeof low / sizeof low[0]; k++) {
		if (keep_number(shrinker, i, of, low[k]))
			return true;
	}
	return few_bits(shrinker, i, i + 1, of);
}

static bool low_va(struct wp_shrinker *shrinker, size_t i)
{
	return low_number(shrinker, i, va_of);
}

static bool low_pa(struct wp_shrinker *shrinker, size_t i)
{
	return low_number(shrinker, i, pa_of);
}

/* The smallest page, half as much, one page less. */
static bool small_size(struct wp_shrinker *shrinker, size_t i)
{
	const uint64_t *size = size_of(&shrinker->best->ops[i]);
	const uint64_t now = size ? *size : 0;
	const struct wp_regime *regime = shrinker->best->regime;
	const uint64_t page = wp_regime_page(regime);
	const uint64_t smaller[] = {page, wp_unit_bytes(regime, 1), wp_unit_bytes(regime, 2),
	                            now / 2 & ~(page - 1), now - page};

	for (size_t k = 0; k < sizeof smaller / sizeof smaller[0]; k++) {
		if (now <= page || smaller[k] >= now || smaller[k] == 0)
			continue;
		*size_of(candidate_op(shrinker, i)) = smaller[k];
		if (wp_shrinker_keep(shrinker))
			return true;
	}
	return false;
}

/* ---- a round ---- */

bool wp_shrinker_arguments(struct wp_shrinker *shrinker)
{
	static bool (*const simplify[])(struct wp_shrinker *, size_t) = {
		plain_opcode, first_table, no_huge,  not_once,   plain_source, low_count,
		plain_base,   few_flags,   few_uses, small_size, low_va,       low_pa,
	};
	bool kept = first_tables(shrinker);

	kept |= few_bits(shrinker, 0, shrinker->best->count, va_of);
	kept |= few_bits(shrinker, 0, shrinker->best->count, pa_of);
	for (size_t k = 0; k < sizeof simplify / sizeof simplify[0]; k++) {
		for (size_t i = shrinker->best->count; i-- > 0 && shrinker->runs > 0;) {
			while (i < shrinker->best->count && simplify[k](shrinker, i))
				kept = true;
		}
	}
	return kept;
}

void wp_shrinker_name_lengths(struct wp_shrinker *shrinker)
{
	wp_shrinker_start(shrinker);
	for (size_t i = 0; i < shrinker->candidate.count; i++) {
		const uint64_t *size = size_of(&shrinker->candidate.ops[i]);
		const uint64_t bytes = size ? *size : 0;

		for (unsigned unit = WP_UNIT_BYTE; unit-- > 0 && bytes != 0;) {
			const uint64_t count = bytes / wp_unit_bytes(shrinker->best->regime, unit);

			if (bytes % wp_unit_bytes(shrinker->best->regime, unit) != 0 ||
			    count > UINT16_MAX)
				continue;
			shrinker->candidate.ops[i].length =
				(struct wp_length){.unit = (uint8_t)unit, .count = (uint16_t)count};
			break;
		}
	}
	wp_shrinker_keep(shrinker);
}
