#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# usage: build.sh [TARGET...]
#
# What OSS-Fuzz's and ClusterFuzzLite's builders run: puts every target (or these) into $OUT,
# each with its seed corpus, dictionary and options. The sources are in $SRC/walkproof; compilers,
# flags and engine are those of the environment, and nothing is added to them. Installs nothing.
# To see it work without such a builder: scripts/oss-fuzz/check.
set -euo pipefail
shopt -s nullglob

die() {
	echo "build.sh: $*" >&2
	exit 2
}

for name in SRC OUT WORK CC CXX CFLAGS CXXFLAGS LIB_FUZZING_ENGINE SANITIZER; do
	[ -n "${!name+set}" ] || die "\$$name is not set: see scripts/oss-fuzz/check for what it is to be"
done
cd "$SRC/walkproof" 2>/dev/null || die "no sources in $SRC/walkproof"

# What is pinned beside the sources, for the architecture that the flags ask for.
case ${ARCHITECTURE:-x86_64} in
x86_64) deps=.deps setup=unicorn ;;
i386) deps=.deps/i386 setup=unicorn-i386 ;;
*) die "x86_64 and i386 can be built for, not $ARCHITECTURE" ;;
esac

all=(fuzz/targets/fuzz_*.c)
all=("${all[@]##*/}")
all=("${all[@]%.c}")
[ $# -gt 0 ] || set -- "${all[@]}"
for target; do
	[ -e "fuzz/targets/$target.c" ] || die "no target '$target'; there are: ${all[*]}"
done

# Unicorn's archive holds no instrumented code: MemorySanitizer would take all that it writes
# for uninitialized. The other sanitizers leave such code alone.
unicorn=ON
case $SANITIZER in
memory) unicorn=OFF ;;
*) [ -e $deps/unicorn/lib/libunicorn.a ] || die "no Unicorn: run scripts/setup $setup" ;;
esac

# The compilers and their flags go by the environment. None: a build type without flags of its own.
build=$WORK/walkproof
rm -rf "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DWP_TARGETS_ONLY=ON -DWP_WERROR=OFF \
	-DWP_UNICORN="$unicorn" -DWP_DEPS="$PWD/$deps" -DWP_FUZZING_ENGINE="$LIB_FUZZING_ENGINE"
ninja -C "$build" "$@"

# seeds TARGET: its corpus, and the regressions that are programs of its architecture.
seeds() {
	local text
	printf '%s\n' "corpus/$1"/*
	for text in corpus/regressions/*.txt; do
		! grep -q "^regime ${1#fuzz_}" "$text" || echo "$text"
	done
}

for target; do
	cp "$build/fuzz/targets/$target" "corpus/$target.dict" "$OUT/"
	# The runner asks for what target.c turns off, and what the environment asks for wins.
	{
		cat "corpus/$target.options"
		printf '\n[asan]\ndetect_stack_use_after_return = 0\n'
	} >"$OUT/$target.options"
	mapfile -t files < <(seeds "$target")
	[ ${#files[@]} -gt 0 ] || die "no seeds in corpus/$target"
	python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "${files[@]}"
done
