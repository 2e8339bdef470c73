# AFL++'s compiler, for the targets. It is clang 14 on Debian 12, whatever the others use.
find_program(afl afl-clang-fast)
if(NOT afl)
  message(FATAL_ERROR "no afl-clang-fast here: run scripts/afl, which installs it")
endif()
set(CMAKE_C_COMPILER ${afl})
set(WP_AFL ON)
# It says who it is at each call, and takes its options from the environment alone.
set(afl_environment AFL_QUIET=1 AFL_LLVM_DENYLIST=${CMAKE_CURRENT_LIST_DIR}/afl_denylist.txt)
if(WP_CMPLOG)
  list(APPEND afl_environment AFL_LLVM_CMPLOG=1)
endif()
set(CMAKE_C_COMPILER_LAUNCHER env ${afl_environment})
set(CMAKE_C_LINKER_LAUNCHER env ${afl_environment})
