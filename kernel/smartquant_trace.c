// SPDX-License-Identifier: GPL-2.0-or-later
/* The bodies of the trace events. */

#define CREATE_TRACE_POINTS
#include "smartquant_trace.h"
