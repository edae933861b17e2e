// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the registers are
 *
 * The CXL register locator DVSEC (CXL r3.1, 8.1.9) names the BAR and offset of
 * the device register block, whose capability array (8.2.8.1) names the
 * mailbox. Every offset and length found on the way is checked against what
 * contains it.
 */

#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/pci.h>

#include "smartquant_device.h"
#include "smartquant_registers.h"

/* Register locator DVSEC (CXL r3.1, 8.1.9) */
#define CXL_VENDOR_ID			0x1e98
#define CXL_DVSEC_REGISTER_LOCATOR	8
#define CXL_LOCATOR_FIRST_BLOCK		0x0c
#define CXL_LOCATOR_BLOCK_BYTES		8
#define   CXL_LOCATOR_BAR		GENMASK(2, 0)
#define   CXL_LOCATOR_BLOCK_ID		GENMASK(15, 8)
#define     CXL_BLOCK_ID_DEVICE		3
#define   CXL_LOCATOR_OFFSET_LOW	GENMASK(31, 16)

/* Capability array and headers (CXL r3.1, 8.2.8.1, 8.2.8.2) */
#define CXL_CAP_ARRAY_ID		GENMASK_ULL(15, 0)
#define CXL_CAP_ARRAY_COUNT		GENMASK_ULL(47, 32)
#define CXL_CAP_HEADER_BYTES		0x10
#define   CXL_CAP_ID			GENMASK(15, 0)
#define     CXL_CAP_ID_MAILBOX		2
#define   CXL_CAP_OFFSET		0x04
#define   CXL_CAP_LENGTH		0x08

/* A stretch of a BAR. */
struct sq_block {
	unsigned int bar;
	u64 offset;
	u64 bytes;
};

int sq_registers_check_version(struct sq_device *sq)
{
	struct pci_dev *pdev = sq->pdev;
	u16 dvsec, major, minor;

	dvsec = pci_find_dvsec_capability(pdev, SQ_PCI_VENDOR_ID, SQ_DVSEC_ID);
	if (!dvsec)
		return dev_err_probe(&pdev->dev, -ENODEV, "no SmartQuant DVSEC\n");

	pci_read_config_word(pdev, dvsec + SQ_DVSEC_INTERFACE_MAJOR, &major);
	pci_read_config_word(pdev, dvsec + SQ_DVSEC_INTERFACE_MINOR, &minor);
	if (major != SQ_INTERFACE_MAJOR)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "device interface %u.%u, this driver knows %u.x\n",
				     major, minor, SQ_INTERFACE_MAJOR);
	return 0;
}

/* Entry @index of the locator. */
static void sq_locator_read(struct pci_dev *pdev, u16 dvsec, unsigned int index,
			    u8 *id, struct sq_block *block)
{
	u16 entry = dvsec + CXL_LOCATOR_FIRST_BLOCK + index * CXL_LOCATOR_BLOCK_BYTES;
	u32 low, high;

	pci_read_config_dword(pdev, entry, &low);
	pci_read_config_dword(pdev, entry + 4, &high);
	*id = FIELD_GET(CXL_LOCATOR_BLOCK_ID, low);
	block->bar = FIELD_GET(CXL_LOCATOR_BAR, low);
	block->offset = (u64)high << 32 | (low & CXL_LOCATOR_OFFSET_LOW);
}

static int sq_locator_find(struct pci_dev *pdev, struct sq_block *block)
{
	unsigned int count, i;
	u32 header;
	u16 dvsec;
	u8 id;

	dvsec = pci_find_dvsec_capability(pdev, CXL_VENDOR_ID, CXL_DVSEC_REGISTER_LOCATOR);
	if (!dvsec)
		return dev_err_probe(&pdev->dev, -ENODEV, "no CXL register locator\n");

	pci_read_config_dword(pdev, dvsec + PCI_DVSEC_HEADER1, &header);
	if (PCI_DVSEC_HEADER1_LEN(header) < CXL_LOCATOR_FIRST_BLOCK)
		return dev_err_probe(&pdev->dev, -ENXIO, "CXL register locator is %u bytes long\n",
				     PCI_DVSEC_HEADER1_LEN(header));

	count = (PCI_DVSEC_HEADER1_LEN(header) - CXL_LOCATOR_FIRST_BLOCK) /
		CXL_LOCATOR_BLOCK_BYTES;
	for (i = 0; i < count; i++) {
		sq_locator_read(pdev, dvsec, i, &id, block);
		if (id == CXL_BLOCK_ID_DEVICE)
			return 0;
	}
	return dev_err_probe(&pdev->dev, -ENXIO,
			     "CXL register locator names no device registers\n");
}

static void __iomem *sq_block_map(struct pci_dev *pdev, struct sq_block *block)
{
	void __iomem *bar;
	u64 bar_bytes;

	if (block->bar >= PCI_STD_NUM_BARS ||
	    !(pci_resource_flags(pdev, block->bar) & IORESOURCE_MEM))
		return IOMEM_ERR_PTR(dev_err_probe(&pdev->dev, -ENXIO,
						   "BAR%u is no memory\n", block->bar));

	bar_bytes = pci_resource_len(pdev, block->bar);
	if (block->offset >= bar_bytes)
		return IOMEM_ERR_PTR(dev_err_probe(&pdev->dev, -ENXIO,
						   "BAR%u has %llu bytes, registers at %llu\n",
						   block->bar, bar_bytes, block->offset));

	bar = pcim_iomap_region(pdev, block->bar, KBUILD_MODNAME);
	if (IS_ERR(bar))
		return IOMEM_ERR_PTR(dev_err_probe(&pdev->dev, PTR_ERR(bar),
						   "cannot map BAR%u\n", block->bar));
	block->bytes = bar_bytes - block->offset;
	return bar + block->offset;
}

static int sq_capability_mailbox(struct sq_device *sq, void __iomem *registers, u64 bytes)
{
	struct device *dev = &sq->pdev->dev;
	u32 offset, length;
	unsigned int i;
	u64 array;

	if (bytes < CXL_CAP_HEADER_BYTES)
		return dev_err_probe(dev, -ENXIO, "no room for a capability array\n");
	array = readq(registers);
	if (FIELD_GET(CXL_CAP_ARRAY_ID, array) != 0)
		return dev_err_probe(dev, -ENXIO, "no capability array: %#llx\n", array);

	for (i = 1; i <= FIELD_GET(CXL_CAP_ARRAY_COUNT, array); i++) {
		void __iomem *header = registers + i * CXL_CAP_HEADER_BYTES;

		if ((i + 1) * CXL_CAP_HEADER_BYTES > bytes)
			break;
		if (FIELD_GET(CXL_CAP_ID, readl(header)) != CXL_CAP_ID_MAILBOX)
			continue;
		offset = readl(header + CXL_CAP_OFFSET);
		length = readl(header + CXL_CAP_LENGTH);
		if (offset > bytes || length > bytes - offset)
			return dev_err_probe(dev, -ENXIO,
					     "mailbox at %u + %u does not fit in %llu bytes\n",
					     offset, length, bytes);
		return sq_mailbox_init(sq, registers + offset, length);
	}
	return dev_err_probe(dev, -ENXIO, "capability array names no mailbox\n");
}

static int sq_doorbells_map(struct sq_device *sq)
{
	struct sq_block block = { .bar = SQ_BAR_DOORBELLS };
	void __iomem *doorbells = sq_block_map(sq->pdev, &block);

	if (IS_ERR(doorbells))
		return PTR_ERR(doorbells);
	sq->doorbells = doorbells;
	/* Identify may name more queues than there are doorbells for. */
	sq->limits.queues = div_u64(block.bytes, SQ_DOORBELL_STRIDE);
	if (!sq->limits.queues)
		return dev_err_probe(&sq->pdev->dev, -ENXIO, "BAR%u has no doorbell page\n",
				     SQ_BAR_DOORBELLS);
	return 0;
}

int sq_registers_map(struct sq_device *sq)
{
	void __iomem *registers;
	struct sq_block block;
	int ret;

	ret = sq_locator_find(sq->pdev, &block);
	if (ret)
		return ret;
	registers = sq_block_map(sq->pdev, &block);
	if (IS_ERR(registers))
		return PTR_ERR(registers);
	ret = sq_capability_mailbox(sq, registers, block.bytes);
	if (ret)
		return ret;
	return sq_doorbells_map(sq);
}
