/* SPDX-License-Identifier: MIT */
#include "result.h"

#include <stdio.h>

void wp_result_name(struct wp_result *result, enum wp_arch arch, const char *operation)
{
	snprintf(result->key, sizeof result->key, "%s-L%d-%s-%s", wp_arch_name(arch),
	         (int)result->finding.law, operation, result->finding.kind);
	for (char *c = result->key; *c != '\0'; c++) {
		if (*c == ' ')
			*c = '-';
	}
}
