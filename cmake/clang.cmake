# The clang that the scripts use, for the presets that need one.
execute_process(
  COMMAND bash -c ". \"$0\" && llvm_tool clang" ${CMAKE_CURRENT_LIST_DIR}/../scripts/lib.sh
  OUTPUT_VARIABLE clang RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(failed)
  message(FATAL_ERROR "no clang here: run scripts/setup")
endif()
set(CMAKE_C_COMPILER ${clang})
