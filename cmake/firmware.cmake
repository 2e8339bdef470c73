# The walkers that run inside of QEMU: freestanding code for four architectures, from one
# clang and lld whatever the compiler of the rest is.

set(WP_FIRMWARE_SOURCES ${CMAKE_SOURCE_DIR}/oracles/machines/qemu/firmware)
set(WP_FIRMWARE_IMAGES "")
set(WP_FIRMWARE_BINARIES ${CMAKE_BINARY_DIR}/firmware)

foreach(tool clang ld.lld llvm-objcopy)
  execute_process(
    COMMAND bash -c ". \"$0\" && llvm_tool ${tool}" ${CMAKE_SOURCE_DIR}/scripts/lib.sh
    OUTPUT_VARIABLE WP_FIRMWARE_${tool} OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    message(WARNING "no ${tool} here: no QEMU machine (scripts/setup installs it)")
    return()
  endif()
endforeach()

# wp_walker(ARCH TARGET "FLAGS"): walk_ARCH.elf from main.c, walk_ARCH.c, start_ARCH.S and
# whatever else is named for it.
function(wp_walker arch target flags)
  separate_arguments(flags)
  set(objects "")
  file(GLOB sources CONFIGURE_DEPENDS ${WP_FIRMWARE_SOURCES}/*_${arch}.[cS])
  file(GLOB headers CONFIGURE_DEPENDS ${WP_FIRMWARE_SOURCES}/*.h)
  foreach(source ${WP_FIRMWARE_SOURCES}/main.c ${sources})
    get_filename_component(name ${source} NAME)
    set(object ${WP_FIRMWARE_BINARIES}/${arch}/${name}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${WP_FIRMWARE_BINARIES}/${arch}
      COMMAND ${WP_FIRMWARE_clang} --target=${target} ${flags} -std=gnu11 -O2 -ffreestanding
              -fno-builtin -fno-stack-protector -fno-pic -nostdlib -Wall -Wextra -Wconversion
              -Werror -c ${source} -o ${object}
      DEPENDS ${source} ${headers} ${WP_FIRMWARE_SOURCES}/../mailbox.h VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(elf ${WP_FIRMWARE_BINARIES}/walk_${arch}.elf)
  set(script ${WP_FIRMWARE_SOURCES}/${arch}.ld)
  add_custom_command(OUTPUT ${elf}
    COMMAND ${WP_FIRMWARE_ld.lld} -T ${script} -z noexecstack -o ${elf} ${objects}
    DEPENDS ${objects} ${script} VERBATIM)
  set(WP_FIRMWARE_IMAGES ${WP_FIRMWARE_IMAGES} ${elf} PARENT_SCOPE)
endfunction()

wp_walker(x86_64 x86_64-unknown-none "-mno-red-zone -mgeneral-regs-only -mcmodel=small")
wp_walker(aarch64 aarch64-unknown-none "-mgeneral-regs-only -mstrict-align")
wp_walker(riscv64 riscv64-unknown-none "-march=rv64imah_zicsr_zifencei -mabi=lp64 -mcmodel=medany")
wp_walker(loongarch64 loongarch64-unknown-none "-march=loongarch64 -mabi=lp64s -msoft-float")

# a BIOS is a flat image
set(flat ${WP_FIRMWARE_BINARIES}/walk_x86_64.bin)
add_custom_command(OUTPUT ${flat}
  COMMAND ${WP_FIRMWARE_llvm-objcopy} -O binary ${WP_FIRMWARE_BINARIES}/walk_x86_64.elf ${flat}
  DEPENDS ${WP_FIRMWARE_BINARIES}/walk_x86_64.elf VERBATIM)
list(APPEND WP_FIRMWARE_IMAGES ${flat})
