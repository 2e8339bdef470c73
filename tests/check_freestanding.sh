#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# usage: check_freestanding.sh BACKENDS gcc|clang|targets
#
# Builds the library as a kernel does, once for each line "NAME DEFINES..." of BACKENDS,
# and checks that it needs nothing from outside. gcc, clang: built for this host, it
# holds no flush instruction either. targets: built for the real ones by clang, it
# holds theirs.
. "$(dirname "$0")/../scripts/lib.sh"

backends=$1
with=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

case $with in
gcc) compiler=gcc ;;
*) compiler=$(llvm_tool clang) ;;
esac
nm=$(command -v nm || llvm_tool llvm-nm)
objdump=$(llvm_tool llvm-objdump)

# The compiler's own headers are all there are: <string.h> would not be found.
flags=(-std=c11 -ffreestanding -nostdinc -isystem "$("$compiler" -print-file-name=include)" -O2
	-fno-pie -fno-stack-protector -Wall -Wextra -Wpedantic -Wconversion -Wcast-qual -Werror -Ilib/include)
freestanding='float|iso646|limits|stdalign|stdarg|stdbool|stddef|stdint|stdnoreturn'
any_flush='invlpg|invept|%cr[0-9]|tlbi|sfence\.vma|hfence|invtlb'

# What the target is called, how it says "flush this address" and "flush all".
target_of() {
	case $1 in
	x86_64*) echo 'x86_64-none-elf|invlpg|%cr4' ;;
	x86_ept*) echo 'x86_64-none-elf|invept|invept' ;;
	aarch64_el2) echo 'aarch64-none-elf|tlbi.vae2is|tlbi.alle2is' ;;
	aarch64*) echo 'aarch64-none-elf|tlbi.vaae1is|tlbi.vmalle1is' ;;
	riscv64_sv39x4) echo 'riscv64-none-elf|hfence.gvma.[a-z0-9]*$|hfence.gvma$' ;;
	riscv64*) echo 'riscv64-none-elf|sfence.vma.[a-z0-9]*$|sfence.vma$' ;;
	loongarch64*) echo 'loongarch64-none-elf|invtlb|invtlb' ;;
	esac
}

# Compiles pt.c and backend.c into $work/NAME.{pt,backend}.o; further flags follow DEFINES.
compile() {
	local name=$1
	shift
	if ! "$compiler" "${flags[@]}" "$@" -c lib/pt.c -o "$work/$name.pt.o" ||
		! "$compiler" "${flags[@]}" "$@" -DPT_BACKEND="pt_$name" -c lib/backend.c \
			-o "$work/$name.backend.o"; then
		fail "$name does not compile: $compiler $*"
		return 1
	fi
}

# Undefined in one object, defined in none, and not what compilers call by themselves.
check_symbols() {
	local name=$1 foreign
	"$nm" -g "$work/$name".*.o | awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
	"$nm" -u "$work/$name".*.o | awk '$1 == "U" { print $2 }' | sort -u >"$work/undefined"
	foreign=$(comm -13 "$work/defined" "$work/undefined" |
		sed -E '/^(memset|memcpy|memmove)$/d' | xargs)
	[ -z "$foreign" ] || fail "$name needs symbols from outside: $foreign"
}

disassemble() {
	"$objdump" --disassemble --no-show-raw-insn "$work/$1.backend.o" | tr '\t' ' ' |
		sed 's/  *$//'
}

check_host() {
	local name=$1 found
	shift
	compile "$name" "$@" || return 0
	check_symbols "$name"
	found=$(disassemble "$name" | grep -E "$any_flush" || true)
	[ -z "$found" ] || fail "$name, built for the host, has a flush instruction: $found"
}

check_target() {
	local name=$1 triple one all instruction march=()
	shift
	IFS='|' read -r triple one all < <(target_of "$name")
	if [ -z "$triple" ]; then
		fail "$name: no target known; add it to target_of"
		return 0
	fi
	# with the hypervisor extension, so that its instructions have names
	case $triple in riscv64*) march=(-march=rv64gch) ;; esac
	compile "$name" "$@" --target="$triple" "${march[@]}" -DPT_TARGET_BUILD || return 0
	check_symbols "$name"
	disassemble "$name" >"$work/listing"
	for instruction in "$one" "$all"; do
		grep -qE "$instruction" "$work/listing" || fail "$name on $triple has no '$instruction'"
	done
}

foreign=$(grep -rnE '^ *# *include *<' lib arch |
	grep -vE "<(walkproof/[a-z_]+|$freestanding)\.h>" || true)
[ -z "$foreign" ] || fail "not a freestanding header: $foreign"

count=0
while read -r name defines; do
	count=$((count + 1))
	# shellcheck disable=SC2086 # a list of words
	case $with in
	targets) check_target "$name" $defines ;;
	*) check_host "$name" $defines ;;
	esac
done <"$backends"
[ "$count" -gt 0 ] || fail "$backends names no backend"
echo "$count backends, $failures failures"
[ "$failures" = 0 ]
