#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# usage: check_template.sh
#
# arch/template.h stops the compiler at each blank, with a question and for no other reason,
# and compiles as a backend of its own once they are answered, with nothing left to warn of.
. "$(dirname "$0")/../scripts/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
	cc -std=c11 -ffreestanding -O2 -Wall -Wextra -Wpedantic -Wconversion -Wcast-qual -Werror \
		-Ilib/include -DPT_TARGET_BUILD -DPT_LEVELS=4 -DPT_BACKEND=pt_new \
		-DPT_BACKEND_NAME='"new"' -DPT_ARCH='"../arch/template.h"' "$@" \
		-c lib/backend.c -o "$work/new.o" 2>"$work/log"
}

blanks=$(grep -c '^_Static_assert(' arch/template.h)
if compile; then
	echo "FAILED: it compiles with its $blanks blanks"
	exit 1
fi
asked=$(grep -c 'error: static assertion failed' "$work/log" || true)
errors=$(grep -c 'error:' "$work/log" || true)
if [ "$blanks" -lt 10 ] || [ "$asked" != "$blanks" ] || [ "$errors" != "$blanks" ]; then
	cat "$work/log"
	echo "FAILED: $blanks blanks, $asked questions, $errors errors"
	exit 1
fi
if ! compile -DPT_TEMPLATE_FILLED_IN; then
	cat "$work/log"
	echo "FAILED: it does not compile once the blanks are filled in"
	exit 1
fi
echo "$blanks blanks, each with a question"
