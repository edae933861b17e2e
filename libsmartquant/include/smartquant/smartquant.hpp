// SPDX-License-Identifier: MIT
//
// libsmartquant: weights stored once, read at any precision
//
//     auto store = smartquant::Store::open("embedded:model.sqs");
//     auto w = store.region("blk.0.ffn_up.weight");
//     auto read = w.fetch({.format = smartquant::Format::mxint(4), .rows = {0, 64}}, buffer);
//     auto view = w.map({.format = smartquant::Format::mxint(8)});
//
// This header includes the whole API.
#ifndef SMARTQUANT_SMARTQUANT_HPP
#define SMARTQUANT_SMARTQUANT_HPP

#include <smartquant/error.hpp>
#include <smartquant/format.hpp>
#include <smartquant/layout.hpp>
#include <smartquant/multiplier.hpp>
#include <smartquant/precision_vector.hpp>
#include <smartquant/queue.hpp>
#include <smartquant/region.hpp>
#include <smartquant/result.hpp>
#include <smartquant/statistics.hpp>
#include <smartquant/store.hpp>
#include <smartquant/verify.hpp>
#include <smartquant/view.hpp>

#endif // SMARTQUANT_SMARTQUANT_HPP
