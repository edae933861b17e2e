// SPDX-License-Identifier: MIT
//
// The table of commands, in the order of `sqctl --help`.
#include "commands.hpp"

namespace sqctl {

std::span<const Command> commands()
{
	static constexpr Command table[] = {
		{"list", "list the cards of this machine", "sqctl list", define_list},
		{"info", "show capacity, use, versions and formats of a store",
		 "sqctl --device embedded:model.sqs info", define_info},
		{"create", "create an empty region",
		 "sqctl create w --dtype bf16 --shape 64x576", define_create},
		{"store", "store raw little-endian data into a region", "sqctl store w weights.bin",
		 define_store},
		{"read", "read a region at a precision",
		 "sqctl read w --format mxint4 --rows 0:64 -o w.mxint4", define_read},
		{"error", "compare the values of a format with the stored ones",
		 "sqctl error 'smol/*' --format mxint4", define_error},
		{"regions", "list the regions and models of a store", "sqctl --json regions",
		 define_regions},
		{"show", "show everything about one region", "sqctl show w", define_show},
		{"rm", "remove a region, or a whole model", "sqctl rm --model smol", define_rm},
		{"seal", "make a region durable and read-only for good", "sqctl seal w", define_seal},
		{"pack", "seal a region and keep it in less memory", "sqctl pack w", define_pack},
		{"tag", "set the precision that readers get by default", "sqctl tag w mxint6",
		 define_tag},
		{"load", "load a GGUF or safetensors file as a model",
		 "sqctl --device embedded:model.sqs load smol.gguf --name smol", define_load},
		{"export", "give a model back as a GGUF file, at any precision",
		 "sqctl export smol --format ggml_q8_0 -o smol-q8_0.gguf", define_export},
		{"verify", "check every checksum of a region or of the store", "sqctl verify",
		 define_verify},
		{"stats", "show or reset counters", "sqctl stats w", define_stats},
		{"up", "set up the memory region of a card", "sqctl up", define_up},
		{"doctor", "find what keeps a card from working", "sqctl doctor", define_doctor},
		{"bench", "measure how fast reads are on each path",
		 "sqctl bench 'smol/*' --format mxint4 --format native", define_bench},
		{"trace", "write the memory accesses of a read, for a DRAM simulator",
		 "sqctl trace w --format mxint4 --as dramsim3 -o w.trace", define_trace},
		{"model", "run the DRAM model alone on a trace of reads",
		 "sqctl model trace.txt --mapping stock", define_model},
	};
	return table;
}

} // namespace sqctl
