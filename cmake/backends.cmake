# The backends: the library is compiled once for each, so that every constant of
# an architecture is one to the compiler.

set(WP_BACKENDS "")

# wp_backend(NAME ARCH LEVELS [DEFINE])
macro(wp_backend name arch levels)
  list(APPEND WP_BACKENDS ${name})
  set(WP_BACKEND_${name}
      "PT_BACKEND_NAME=\"${name}\"" "PT_ARCH=\"../arch/${arch}.h\"" "PT_LEVELS=${levels}" ${ARGN})
endmacro()

wp_backend(x86_64 x86_64 4)
wp_backend(x86_64_la57 x86_64 5)
wp_backend(aarch64 aarch64 4)
wp_backend(aarch64_el2 aarch64 4 PT_AARCH64_EL2)
foreach(levels_mode "3;39" "4;48" "5;57")
  list(GET levels_mode 0 levels)
  list(GET levels_mode 1 mode)
  wp_backend(riscv64_sv${mode} riscv64 ${levels})
  wp_backend(riscv64_sv${mode}_svpbmt riscv64 ${levels} PT_RISCV_SVPBMT)
  wp_backend(riscv64_sv${mode}_xuantie riscv64 ${levels} PT_RISCV_XUANTIE)
endforeach()
wp_backend(loongarch64 loongarch64 4)
wp_backend(riscv64_sv39x4 riscv64_gstage 3)
wp_backend(aarch64_64k aarch64 3 PT_GRANULE_64K)
wp_backend(x86_ept x86_ept 4)

# wp_add_backend(TARGET NAME LIB_DIR SYMBOL): an object library of backend NAME,
# from the sources in LIB_DIR, as SYMBOL.
function(wp_add_backend target name lib_dir symbol)
  add_library(${target} OBJECT ${lib_dir}/backend.c)
  target_compile_definitions(${target} PRIVATE ${WP_BACKEND_${name}} PT_BACKEND=${symbol})
  # -Wcast-qual: tables are const but where they are stored to.
  target_compile_options(${target} PRIVATE -ffreestanding -Wcast-qual)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/lib/include)
endfunction()
