/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include <stdio.h>
#include <string.h>

/* As --law has them. */
static const char *const names[WP_CHECKS] = {
	[WP_CHECK_STALE] = "stale",     [WP_CHECK_WARM] = "warm",
	[WP_CHECK_FRAMES] = "frames",   [WP_CHECK_STORES] = "stores",
	[WP_CHECK_READING] = "reading", [WP_CHECK_REFUSALS] = "refusals",
	[WP_CHECK_DAMAGE] = "damage",   [WP_CHECK_ACCESSED] = "accessed",
};

const char *wp_check_name(enum wp_check check)
{
	return names[check];
}

static bool apply(const char *name, size_t length, char sign, unsigned *checks)
{
	for (unsigned i = 0; i < WP_CHECKS; i++) {
		if (strlen(names[i]) != length || strncmp(names[i], name, length) != 0)
			continue;
		if (sign == '-')
			*checks &= ~(1u << i);
		else
			*checks |= 1u << i;
		return true;
	}
	return false;
}

static bool refuse(const char *name, size_t length, char *why, size_t why_size)
{
	size_t at = (size_t)snprintf(why, why_size, "no check '%.*s': all, none", (int)length,
	                             name);

	for (unsigned i = 0; i < WP_CHECKS && at < why_size; i++)
		at += (size_t)snprintf(why + at, why_size - at, ", %s", names[i]);
	return false;
}

bool wp_checks_parse(const char *text, unsigned *checks, char *why, size_t why_size)
{
	if (*text != '+' && *text != '-')
		*checks = 0;
	while (*text != '\0') {
		const char sign = *text == '+' || *text == '-' ? *text++ : '+';
		const size_t length = strcspn(text, ",");

		if (length == 3 && strncmp(text, "all", 3) == 0)
			*checks = WP_ALL_CHECKS;
		else if (length == 4 && strncmp(text, "none", 4) == 0)
			*checks = 0;
		else if (!apply(text, length, sign, checks))
			return refuse(text, length, why, why_size);
		text += length + (text[length] == ',');
	}
	return true;
}
