/* SPDX-License-Identifier: MIT */
#include "entry_bits.h"

#include <stdio.h>

#define TABLE (1u << WP_ROLE_TABLE)
#define HUGE_ (1u << WP_ROLE_HUGE)
#define PAGE  (1u << WP_ROLE_PAGE)
#define LEAF  (HUGE_ | PAGE)
#define ANY   (TABLE | LEAF)

/* Bits high:low, as manuals write them; of several the name is that of a field. */
struct field {
	uint8_t roles;
	uint8_t high, low;
	uint8_t first; /* what the lowest is called within the field */
	const char *name;
};

/* Intel SDM vol. 3, 4.5.4, the tables of entry formats. */
static const struct field x86_64[] = {
	{ANY, 0, 0, 0, "P"},
	{ANY, 1, 1, 0, "R/W"},
	{ANY, 2, 2, 0, "U/S"},
	{ANY, 3, 3, 0, "PWT"},
	{ANY, 4, 4, 0, "PCD"},
	{ANY, 5, 5, 0, "A"},
	{LEAF, 6, 6, 0, "D"},
	{TABLE | HUGE_, 7, 7, 0, "PS"},
	{PAGE, 7, 7, 0, "PAT"},
	{LEAF, 8, 8, 0, "G"},
	{ANY, 11, 6, 6, "ignored"},
	{HUGE_, 12, 12, 0, "PAT"},
	{ANY, 51, 12, 12, "address"},
	{LEAF, 62, 59, 0, "protection key"},
	{ANY, 62, 52, 52, "ignored"},
	{ANY, 63, 63, 0, "XD"},
	{0},
};

/* Arm ARM D8 "VMSAv8-64 descriptor formats". */
static const struct field aarch64[] = {
	{ANY, 0, 0, 0, "valid"},
	{ANY, 1, 1, 0, "table or page"},
	{LEAF, 4, 2, 0, "AttrIndx"},
	{LEAF, 5, 5, 0, "NS"},
	{LEAF, 7, 6, 1, "AP"},
	{LEAF, 9, 8, 0, "SH"},
	{LEAF, 10, 10, 0, "AF"},
	{LEAF, 11, 11, 0, "nG"},
	{TABLE, 11, 2, 2, "ignored"},
	{HUGE_, 16, 16, 0, "nT"},
	{ANY, 47, 12, 12, "address"},
	{LEAF, 50, 50, 0, "GP"},
	{LEAF, 51, 51, 0, "DBM"},
	{LEAF, 52, 52, 0, "Contiguous"},
	{LEAF, 53, 53, 0, "PXN"},
	{LEAF, 54, 54, 0, "UXN"},
	{LEAF, 58, 55, 55, "software"},
	{LEAF, 62, 59, 59, "PBHA"},
	{TABLE, 59, 59, 0, "PXNTable"},
	{TABLE, 60, 60, 0, "UXNTable"},
	{TABLE, 62, 61, 0, "APTable"},
	{TABLE, 63, 63, 0, "NSTable"},
	{ANY, 50, 48, 48, "RES0"},
	{ANY, 63, 51, 51, "ignored"},
	{0},
};

/* RISC-V Privileged ISA "Sv39"; "Svpbmt", "Svnapot"; XTheadMae where that is on. */
static const struct field riscv64[] = {
	{ANY, 0, 0, 0, "V"},           {ANY, 1, 1, 0, "R"},
	{ANY, 2, 2, 0, "W"},           {ANY, 3, 3, 0, "X"},
	{ANY, 4, 4, 0, "U"},           {ANY, 5, 5, 0, "G"},
	{ANY, 6, 6, 0, "A"},           {ANY, 7, 7, 0, "D"},
	{ANY, 9, 8, 0, "RSW"},         {ANY, 53, 10, 0, "PPN"},
	{ANY, 60, 54, 54, "reserved"}, {ANY, 62, 61, 0, "PBMT"},
	{ANY, 63, 63, 0, "N"},         {0},
};
static const struct field xuantie[] = {
	{ANY, 59, 59, 0, "trustable"},    {ANY, 60, 60, 0, "shareable"},
	{ANY, 61, 61, 0, "bufferable"},   {ANY, 62, 62, 0, "cacheable"},
	{ANY, 63, 63, 0, "strong order"}, {0},
};

/* LoongArch Reference Manual vol. 1, 5.4.5. */
static const struct field loongarch64[] = {
	{LEAF, 0, 0, 0, "V"},        {LEAF, 1, 1, 0, "D"},          {LEAF, 3, 2, 0, "PLV"},
	{LEAF, 5, 4, 0, "MAT"},      {TABLE | HUGE_, 6, 6, 0, "H"}, {PAGE, 6, 6, 0, "G"},
	{LEAF, 7, 7, 0, "P"},        {LEAF, 8, 8, 0, "W"},          {HUGE_, 12, 12, 0, "G"},
	{HUGE_, 14, 13, 0, "level"}, {ANY, 47, 12, 12, "address"},  {LEAF, 61, 61, 0, "NR"},
	{LEAF, 62, 62, 0, "NX"},     {LEAF, 63, 63, 0, "RPLV"},     {0},
};

/* Intel SDM vol. 3, 28.3.2, the tables of entry formats of EPT. */
static const struct field x86_ept[] = {
	{ANY, 0, 0, 0, "R"},
	{ANY, 1, 1, 0, "W"},
	{ANY, 2, 2, 0, "X"},
	{LEAF, 5, 3, 0, "memory type"},
	{LEAF, 6, 6, 0, "ignore PAT"},
	{HUGE_, 7, 7, 0, "page"},
	{TABLE, 7, 3, 3, "reserved"},
	{ANY, 8, 8, 0, "A"},
	{LEAF, 9, 9, 0, "D"},
	{ANY, 51, 12, 12, "address"},
	{LEAF, 63, 63, 0, "suppress #VE"},
	{ANY, 63, 7, 7, "ignored"},
	{0},
};

static const struct field *const formats[WP_ARCHS] = {
	[WP_X86_64] = x86_64,           [WP_AARCH64] = aarch64, [WP_RISCV64] = riscv64,
	[WP_LOONGARCH64] = loongarch64, [WP_X86_EPT] = x86_ept,
};

/* NULL: none. */
static const struct field *find(const struct field *fields, enum wp_entry_role role, unsigned bit)
{
	for (; fields != NULL && fields->roles != 0; fields++) {
		if ((fields->roles >> role & 1) != 0 && bit >= fields->low && bit <= fields->high)
			return fields;
	}
	return NULL;
}

const char *wp_entry_bit_name(const struct wp_regime *regime, enum wp_entry_role role, unsigned bit,
                              char text[WP_BIT_NAME])
{
	const struct field *field = NULL;

	if (regime->arch == WP_RISCV64 && regime->attributes == WP_ATTR_XUANTIE)
		field = find(xuantie, role, bit);
	if (field == NULL)
		field = find(formats[regime->arch], role, bit);
	if (field == NULL)
		text[0] = '\0';
	else if (field->high == field->low)
		snprintf(text, WP_BIT_NAME, "%s", field->name);
	else
		snprintf(text, WP_BIT_NAME, "%s[%u]", field->name, bit - field->low + field->first);
	return text;
}
