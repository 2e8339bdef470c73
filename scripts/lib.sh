# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts share. Source it; it leaves the shell in the repository's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# 19 is what .clang-format and .clang-tidy are written for; others do where it is not to be had.
llvm_versions="19 22 21 20 18 17 16"

die() {
	echo "scripts/${0##*/}: $*" >&2
	exit 2
}

# llvm_tool NAME: the command, such as clang-19, of the release in use.
llvm_tool() {
	local version
	for version in $llvm_versions; do
		if command -v "clang-$version" >/dev/null && command -v "$1-$version"; then
			return
		fi
	done
	echo "no $1: run scripts/setup" >&2
	return 1
}

# For readable reports: sanitizers look for a symbolizer of another name.
export_sanitizer_options() {
	ASAN_SYMBOLIZER_PATH=$(command -v "$(llvm_tool llvm-symbolizer)")
	export ASAN_SYMBOLIZER_PATH MSAN_SYMBOLIZER_PATH=$ASAN_SYMBOLIZER_PATH
	export UBSAN_OPTIONS=print_stacktrace=1
}

# quietly LOG COMMAND...: its output goes to LOG, and is seen when it fails.
quietly() {
	local log=$1
	shift
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 25 "$log" >&2
		return 1
	fi
}

preset_dir() {
	[ "$1" = dev ] && echo build || echo "build-$1"
}

# Of what ninja says: that it builds, and what went wrong.
show_building() {
	local line told=false
	while IFS= read -r line; do
		case $line in
		'ninja: '[Enb]* | '['*'] Re-'* | '-- '*) ;;
		'['[0-9]*)
			if [ -t 1 ]; then
				printf '\rbuilding %s %s ' "$1" "${line%%]*}]"
			elif ! "$told"; then
				echo "building $1..."
			fi
			told=true
			;;
		*) echo "$line" ;;
		esac
	done
	if "$told" && [ -t 1 ]; then
		echo
	fi
}

# build_preset PRESET [TARGET...]: silent when there is nothing to do.
build_preset() {
	local preset=$1 dir
	shift
	dir=$(preset_dir "$preset")
	if [ ! -e "$dir/build.ninja" ] || [ CMakePresets.json -nt "$dir/build.ninja" ]; then
		mkdir -p "$dir"
		echo "configuring $dir..."
		quietly "$dir/configure.log" cmake --preset "$preset" || return 1
	fi
	ninja -C "$dir" "$@" 2>&1 </dev/null | show_building "$dir"
}

# tally NAME PASSED FAILED: adds to the totals that total() prints.
total_passed=0
total_failed=0

tally() {
	total_passed=$((total_passed + $2))
	total_failed=$((total_failed + $3))
	printf '%-34s %3d passed, %d failed  [%d:%02d]\n' "$1" "$2" "$3" $((SECONDS / 60)) \
		$((SECONDS % 60))
}

# The last line, and the exit code.
total() {
	echo "$total_passed passed, $total_failed failed"
	[ "$total_failed" = 0 ] && [ "$total_passed" -gt 0 ]
}
