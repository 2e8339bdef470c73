/* SPDX-License-Identifier: MIT */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

void wp_found(struct wp_finding *finding, enum wp_law law, const char *kind, const char *format,
              ...)
{
	va_list arguments;

	if (finding->found)
		return;
	finding->found = true;
	finding->law = law;
	finding->kind = kind;
	va_start(arguments, format);
	vsnprintf(finding->sentence, sizeof finding->sentence, format, arguments);
	va_end(arguments);
}

const char *wp_law_name(enum wp_law law)
{
	static const char *const names[] = {
		[WP_LAW_STATUS] = "the status and the outputs of the contract",
		[WP_LAW_FAITHFUL] = "L1, faithful or refused",
		[WP_LAW_ALL_OR_NOTHING] = "L2, all or nothing",
		[WP_LAW_NO_STALE_WALK] = "L3, no stale walk",
		[WP_LAW_WALKABLE_STORES] = "L4, every store is walkable",
		[WP_LAW_READING_WRITES_NOTHING] = "L5, reading writes nothing",
		[WP_LAW_NOTHING_LOST] = "L6, nothing is lost",
		[WP_LAW_ARBITRARY_MEMORY] = "L7, query() agrees with the CPU on any memory",
		[WP_LAW_USES_TOLD] = "L8, accessed and dirty bits are told and kept",
	};
	return names[law];
}

const char *wp_status_text(pt_status status)
{
	static const char *const names[PT_STATUSES] = {
		[PT_OK] = "PT_OK",
		[PT_NO_MEMORY] = "PT_NO_MEMORY",
		[PT_NOT_ALIGNED] = "PT_NOT_ALIGNED",
		[PT_NOT_MAPPED] = "PT_NOT_MAPPED",
		[PT_ALREADY_MAPPED] = "PT_ALREADY_MAPPED",
		[PT_MAPPED_TO_HUGE_PAGE] = "PT_MAPPED_TO_HUGE_PAGE",
		[PT_BAD_ADDRESS] = "PT_BAD_ADDRESS",
		[PT_BAD_SIZE] = "PT_BAD_SIZE",
		[PT_BAD_FLAGS] = "PT_BAD_FLAGS",
		[PT_MALFORMED] = "PT_MALFORMED",
		[PT_BORROWED] = "PT_BORROWED",
	};

	return status < PT_STATUSES ? names[status] : "FAILED";
}

const char *wp_flags_text(pt_flags flags, char text[8])
{
	static const char letters[] = "rwxudn";

	for (unsigned i = 0; i < 6; i++)
		text[i] = flags >> i & 1 ? letters[i] : '-';
	text[6] = flags & ~PT_FLAGS_ALL ? '?' : '\0';
	text[7] = '\0';
	return text;
}
