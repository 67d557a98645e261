# nvcc, what every .cu file is compiled with, and how. Included where a CUDA compiler is wanted; QUERN_NVCC is false if there is none.
find_program(QUERN_NVCC nvcc HINTS ${CMAKE_BINARY_DIR}/cuda-toolkit/bin ${PROJECT_SOURCE_DIR}/build/cuda-toolkit/bin $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
if(QUERN_NVCC)
  get_filename_component(cuda_root ${QUERN_NVCC} REALPATH)
  get_filename_component(cuda_root ${cuda_root} DIRECTORY)
  get_filename_component(cuda_root ${cuda_root} DIRECTORY)
  find_path(QUERN_CUDART_INCLUDE cuda_runtime.h PATHS ${cuda_root}/include ${cuda_root}/targets/x86_64-linux/include NO_DEFAULT_PATH)
  find_library(QUERN_CUDART libcudart_static.a PATHS ${cuda_root}/lib64 ${cuda_root}/lib ${cuda_root}/targets/x86_64-linux/lib
    NO_DEFAULT_PATH)
endif()
set(QUERN_CUDA_ARCHS 80 90 100 120 CACHE STRING "compute capabilities of the GPU code, times ten")
# -fmad=false: no contraction, so that the device rounds as the host does.
set(QUERN_NVCC_FLAGS -std=c++20 --expt-relaxed-constexpr -fmad=false -Xcompiler=-fPIC,-ffp-contract=off,-Wall,-Wextra)

# Compiles FOLDER/NAME.cu to an object for the architectures, and PTX for the last of them; appends its path to the variable OBJECTS.
function(quern_nvcc_object objects source archs)
  string(REPLACE "/" "_" object ${source})
  list(JOIN archs "_" folder)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/nvcc/${folder}/${object}.o)
  set(targets)
  foreach(arch IN LISTS archs)
    list(APPEND targets -gencode arch=compute_${arch},code=sm_${arch})
  endforeach()
  list(GET archs -1 last)
  list(APPEND targets -gencode arch=compute_${last},code=compute_${last})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/nvcc/${folder})
  add_custom_command(OUTPUT ${object} DEPENDS ${PROJECT_SOURCE_DIR}/${source} DEPFILE ${object}.d
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${QUERN_NVCC} ${QUERN_NVCC_FLAGS} -O3 -lineinfo -Werror=all-warnings ${targets} -I${PROJECT_SOURCE_DIR} -MD -MF ${object}.d
      -c ${PROJECT_SOURCE_DIR}/${source} -o ${object}
    COMMENT "Compiling ${source} for ${archs}" VERBATIM)
  set(${objects} ${${objects}} ${object} PARENT_SCOPE)
endfunction()
