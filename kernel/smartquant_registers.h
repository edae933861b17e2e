/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the registers are: from PCI configuration space to mapped addresses. */
#ifndef SMARTQUANT_REGISTERS_H
#define SMARTQUANT_REGISTERS_H

struct sq_device;

/* Refuses a card whose interface version this driver does not know. */
int sq_registers_check_version(struct sq_device *sq);
/* Finds and maps the mailbox and the doorbells. Undone with the PCI device. */
int sq_registers_map(struct sq_device *sq);

#endif /* SMARTQUANT_REGISTERS_H */
