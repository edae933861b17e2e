// SPDX-License-Identifier: MIT
// A program of somebody else, in C++: the library's sample as its
// documentation has it.
#include <smartquant/smartquant.hpp>

#include <iostream>

using smartquant::Format;

int main()
{
	auto store = smartquant::Store::open("embedded:");
	auto w = store.create_region({.name = "blk.0.ffn_up.weight", .rows = 64, .cols = 256});
	auto layout = w.layout({.format = Format::mxint(4), .rows = {0, 64}});
	std::vector<std::byte> buffer(layout.bytes);

	w.fetch({.format = Format::mxint(4), .rows = {0, 64}}, buffer);

	auto view = w.map({.format = Format::mxint(8)});
	auto queue = store.queue();

	queue.fetch(w, {.format = Format::mxint(4)}, buffer, 7);
	if (queue.wait().tag != 7 || view.codes(3).size() != 256 || view.scales(3).size() != 8 ||
	    view.bytes().size() != 64 * 264)
		return 1;
	std::cout << "smartquant " << smartquant::version() << '\n';
	return 0;
}
