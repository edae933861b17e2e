/* SPDX-License-Identifier: MIT */
/*
 * Parameters of the DRAM and link model: the named sets with their sources,
 * the ranges, and what follows from a set (layout of an address, energy of an
 * event).
 *
 * The ranges keep every product in the model far from overflow, so that only
 * the sums over a request have to be guarded.
 */
#include "dram_model.h"

#include <string.h>

#define LINK_SLOT_BYTES		16u

static const struct sqc_dram_parameters sets[] = {
	SQC_DRAM_DDR4_3200,
	{
		/*
		 * One 32-bit sub-channel, two ranks of four 16 Gb x8 devices;
		 * a DIMM has two such sub-channels.
		 * Timing: JESD79-5, speed bin DDR5-4800B (40-39-39) and the
		 * 1 KiB page columns: tRAS 32 ns, tRRD_L and tCCD_L
		 * max(8 nCK, 5 ns), tFAW max(32 nCK, 13.333 ns), tRTP
		 * max(12 nCK, 7.5 ns), tRFC1 295 ns, tREFI 3.9 us; tCK
		 * 0.4167 ns to the next picosecond. tRTRS is no JEDEC value: 2.
		 * Currents: limits of Micron's 16 Gb DDR5 SDRAM, die revision A,
		 * x8, DDR5-4800. Its IDD3N is taken with all 32 banks open and
		 * exceeds IDD0; with one bank open a 32nd of the difference to
		 * IDD2N is assumed. VPP is not part of the model.
		 */
		.name = "ddr5-4800",
		.source = "JESD79-5 DDR5-4800B, 16 Gb x8; currents: Micron 16 Gb "
			  "die rev. A; one sub-channel, 2 ranks; link: CXL 2.0 x16",
		.ranks = 2, .bank_groups = 8, .banks_per_group = 4,
		.rows = 65536, .row_bytes = 4096, .devices_per_rank = 4,
		.tck_ps = 417, .burst_cycles = 8, .cl_cycles = 40,
		.trcd_cycles = 39, .trp_cycles = 39, .tras_cycles = 77,
		.trrd_s_cycles = 8, .trrd_l_cycles = 12, .tfaw_cycles = 32,
		.tccd_s_cycles = 8, .tccd_l_cycles = 12,
		.trtp_cycles = 18, .trtrs_cycles = 2,
		.trfc_cycles = 708, .trefi_cycles = 9360,
		.vdd_mv = 1100, .idd0_ua = 103000, .idd2n_ua = 92000,
		.idd3n_ua = 142000, .idd3n_one_bank_ua = 93563,
		.idd4r_ua = 318000, .idd5_ua = 277000,
		SQC_DRAM_CONTROLLER_FR_FCFS, SQC_DRAM_LINK_CXL2_X16,
	},
};

#define PARAMETER(member, lowest, highest, power, phrase) \
	{ .name = #member, .text = phrase, .min = lowest, .max = highest, \
	  .power_of_two = power, \
	  .offset = offsetof(struct sqc_dram_parameters, member) }

static const struct sqc_dram_parameter parameter_table[] = {
	PARAMETER(ranks, 1, 8, 1, "ranks of the channel"),
	PARAMETER(bank_groups, 1, 8, 1, "bank groups of a rank"),
	PARAMETER(banks_per_group, 1, 8, 1, "banks of a bank group"),
	PARAMETER(rows, 1024, 1u << 20, 1, "rows of a bank"),
	PARAMETER(row_bytes, 512, 65536, 1, "bytes of a row, over all devices of a rank"),
	PARAMETER(devices_per_rank, 1, 32, 0, "devices of a rank that carry data"),
	PARAMETER(tck_ps, 100, 10000, 0, "clock period in picoseconds"),
	PARAMETER(burst_cycles, 1, 32, 0, "cycles that 64 bytes occupy the data bus"),
	PARAMETER(cl_cycles, 1, 255, 0, "read command to first data"),
	PARAMETER(trcd_cycles, 1, 255, 0, "activate to read"),
	PARAMETER(trp_cycles, 1, 255, 0, "precharge to activate"),
	PARAMETER(tras_cycles, 1, 512, 0, "activate to precharge"),
	PARAMETER(trrd_s_cycles, 1, 255, 0, "activate to activate, other bank group"),
	PARAMETER(trrd_l_cycles, 1, 255, 0, "activate to activate, same bank group"),
	PARAMETER(tfaw_cycles, 1, 512, 0, "window that holds at most four activates of a rank"),
	PARAMETER(tccd_s_cycles, 1, 64, 0, "read to read, other bank group"),
	PARAMETER(tccd_l_cycles, 1, 64, 0, "read to read, same bank group"),
	PARAMETER(trtp_cycles, 1, 255, 0, "read to precharge"),
	PARAMETER(trtrs_cycles, 0, 64, 0, "gap on the data bus between ranks"),
	PARAMETER(trfc_cycles, 1, 8192, 0, "refresh to activate"),
	PARAMETER(trefi_cycles, 256, 65536, 0, "refresh interval of a rank"),
	PARAMETER(vdd_mv, 100, 5000, 0, "supply in millivolts"),
	PARAMETER(idd0_ua, 1, 2000000, 0, "one-bank activate-precharge current in microamperes"),
	PARAMETER(idd2n_ua, 1, 2000000, 0, "standby current, all banks closed, in microamperes"),
	PARAMETER(idd3n_ua, 1, 2000000, 0, "standby current, a bank open, in microamperes"),
	PARAMETER(idd3n_one_bank_ua, 1, 2000000, 0,
		  "standby current, one bank open, in microamperes"),
	PARAMETER(idd4r_ua, 1, 2000000, 0, "burst read current in microamperes"),
	PARAMETER(idd5_ua, 1, 2000000, 0, "all-bank refresh current in microamperes"),
	PARAMETER(bank_queue, 1, SQC_DRAM_BANK_QUEUE_MAX, 0, "commands that a bank queue holds"),
	PARAMETER(transaction_queue, 1, SQC_DRAM_TRANSACTION_QUEUE_MAX, 0,
		  "requests that wait before the bank queues"),
	PARAMETER(row_hits_max, 1, 65536, 0, "hits after which a waiting miss may close the row"),
	PARAMETER(link_lanes, 1, 16, 1, "lanes of the link"),
	PARAMETER(link_rate_mtps, 2500, 128000, 0, "transfers of a lane per microsecond"),
	PARAMETER(link_code_bits, 128, 160, 0, "bits on the lane for 128 bits of flit"),
	PARAMETER(link_flit_bytes, 68, 256, 0, "bytes of a flit"),
	PARAMETER(link_flit_slots, 4, 15, 0, "16-byte slots of a flit"),
	PARAMETER(link_headers_per_slot, 1, 8, 0, "read responses whose headers share a slot"),
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const struct sqc_dram_parameters *sqc_dram_parameters_at(size_t index)
{
	return index < COUNT_OF(sets) ? &sets[index] : NULL;
}

const struct sqc_dram_parameters *sqc_dram_parameters_find(const char *name)
{
	if (name == NULL)
		return &sets[0];
	for (size_t i = 0; i < COUNT_OF(sets); i++)
		if (strcmp(sets[i].name, name) == 0)
			return &sets[i];
	return NULL;
}

void sqc_dram_parameters_copy(struct sqc_dram_parameters *parameters,
			      const struct sqc_dram_parameters *from)
{
	*parameters = from != NULL ? *from : sets[0];
}

const struct sqc_dram_parameter *sqc_dram_parameter_at(size_t index)
{
	return index < COUNT_OF(parameter_table) ? &parameter_table[index] : NULL;
}

const struct sqc_dram_parameter *sqc_dram_parameter_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(parameter_table); i++)
		if (strcmp(parameter_table[i].name, name) == 0)
			return &parameter_table[i];
	return NULL;
}

uint32_t sqc_dram_parameter_get(const struct sqc_dram_parameters *parameters,
				const struct sqc_dram_parameter *parameter)
{
	uint32_t value;

	memcpy(&value, (const char *)parameters + parameter->offset, sizeof value);
	return value;
}

enum sqc_dram_parameter_error
sqc_dram_parameter_set(struct sqc_dram_parameters *parameters, const char *name,
		       uint64_t value)
{
	const struct sqc_dram_parameter *parameter = sqc_dram_parameter_find(name);
	uint32_t narrow;

	if (parameter == NULL)
		return SQC_DRAM_PARAMETER_UNKNOWN;
	if (value < parameter->min || value > parameter->max)
		return SQC_DRAM_PARAMETER_RANGE;
	if (parameter->power_of_two && (value & (value - 1)) != 0)
		return SQC_DRAM_PARAMETER_NOT_POWER;
	narrow = (uint32_t)value;
	memcpy((char *)parameters + parameter->offset, &narrow, sizeof narrow);
	return SQC_DRAM_PARAMETER_OK;
}

static int in_range(const struct sqc_dram_parameters *p)
{
	for (size_t i = 0; i < COUNT_OF(parameter_table); i++) {
		const struct sqc_dram_parameter *row = &parameter_table[i];
		uint32_t value = sqc_dram_parameter_get(p, row);

		if (value < row->min || value > row->max ||
		    (row->power_of_two && (value & (value - 1)) != 0))
			return 0;
	}
	return 1;
}

const char *sqc_dram_parameters_check(const struct sqc_dram_parameters *p)
{
	if (!in_range(p))
		return "a parameter is outside of its range";
	if (p->ranks * p->bank_groups * p->banks_per_group > SQC_DRAM_BANKS_MAX)
		return "ranks x bank_groups x banks_per_group is more than 64";
	if (p->trrd_l_cycles < p->trrd_s_cycles)
		return "trrd_l_cycles is below trrd_s_cycles";
	if (p->tccd_l_cycles < p->tccd_s_cycles)
		return "tccd_l_cycles is below tccd_s_cycles";
	if (p->tras_cycles < p->trcd_cycles)
		return "tras_cycles is below trcd_cycles";
	if (p->trefi_cycles / p->ranks <=
	    p->trfc_cycles + p->tras_cycles + p->trp_cycles)
		return "trefi_cycles leaves no time beside refreshing each rank";
	if (sqc_dram_activate_charge(p) < 0)
		return "idd0_ua is below the standby currents over an activate-precharge pair";
	if (p->idd4r_ua < p->idd3n_ua || p->idd5_ua < p->idd3n_ua)
		return "idd4r_ua or idd5_ua is below idd3n_ua";
	if (p->link_flit_slots * LINK_SLOT_BYTES > p->link_flit_bytes)
		return "link_flit_slots of 16 bytes are more than link_flit_bytes";
	return NULL;
}

uint64_t sqc_dram_bytes(const struct sqc_dram_parameters *p)
{
	return (uint64_t)p->ranks * p->bank_groups * p->banks_per_group *
	       p->rows * p->row_bytes;
}
