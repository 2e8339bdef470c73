/* SPDX-License-Identifier: MIT */
#include "program_edit.h"

#include <string.h>

void wp_program_copy(struct wp_program *to, const struct wp_program *from)
{
	to->regime = from->regime;
	to->count = from->count;
	memcpy(to->ops, from->ops, from->count * sizeof from->ops[0]);
}

void wp_program_remove(struct wp_program *program, size_t first, size_t count)
{
	program->count -= count;
	memmove(&program->ops[first], &program->ops[first + count],
	        (program->count - first) * sizeof program->ops[0]);
}
