# cmake -D PRESET=NAME -D SOURCE=DIR -D BUILD=DIR -P build_preset.cmake: configures and builds one preset.
execute_process(COMMAND ${CMAKE_COMMAND} --preset ${PRESET} -B ${BUILD} WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target quern quern_unit_tests COMMAND_ERROR_IS_FATAL ANY)
