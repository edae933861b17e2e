# SPDX-License-Identifier: MIT
if(SQ_PEER_BITSHUFFLE)
  target_include_directories(${program} PRIVATE ${SQ_PEER_BITSHUFFLE}/include)
  target_link_libraries(${program} PRIVATE ${SQ_PEER_BITSHUFFLE}/lib/libbitshuffle.a)
  target_compile_definitions(${program} PRIVATE SQ_PEER_BITSHUFFLE)
endif()
