#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# usage: run_tests.sh
#
# What OSS-Fuzz runs in the builder's image, after build.sh, to see that a change broke nothing:
# the unit tests, built without sanitizers beside the targets, in $WORK. Needs no network, and
# changes nothing in $SRC. Left out: what needs a QEMU, or tools that the image doesn't have.
set -euo pipefail

die() {
	echo "run_tests.sh: $*" >&2
	exit 2
}

[ -n "${SRC+set}" ] && [ -n "${WORK+set}" ] || die "\$SRC and \$WORK are not set"
cd "$SRC/walkproof" 2>/dev/null || die "no sources in $SRC/walkproof"

# The targets' flags hold an engine's and a sanitizer's instrumentation.
unset CFLAGS CXXFLAGS LDFLAGS
build=$WORK/walkproof-tests
cmake -S . -B "$build" -G Ninja -DWP_WERROR=OFF
ninja -C "$build"
ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --no-tests=error --timeout 600 \
	-E 'qemu|freestanding|test_cli|reproducers|planted_bugs'
