# SPDX-License-Identifier: MIT
if(SQ_PEER_GGML)
  find_package(ggml REQUIRED CONFIG PATHS ${SQ_PEER_GGML} NO_DEFAULT_PATH)
  target_sources(${program} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/peers/ggml_product.cpp)
  target_compile_definitions(${program} PRIVATE SQ_HAVE_GGML)
  target_link_libraries(${program} PRIVATE ggml::ggml)
endif()
