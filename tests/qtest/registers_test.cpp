// SPDX-License-Identifier: MIT
//
// What a driver sees before it sends the first command.
#include "fixture.hpp"

using namespace qtest;

namespace {

constexpr std::uint16_t cxl_vendor = 0x1e98;
constexpr std::uint16_t locator_id = 8;

class Registers : public CardTest {
protected:
    void SetUp() override { start(); }
};

TEST_F(Registers, FunctionOneHasTheIdentityOfTheInterface)
{
    EXPECT_EQ(card().config(1, 0), SQ_PCI_VENDOR_ID | SQ_PCI_DEVICE_ID << 16);
    EXPECT_EQ(card().config(1, 8) >> 8, SQ_PCI_CLASS);
    const unsigned dvsec = card().find_dvsec(1, SQ_PCI_VENDOR_ID, SQ_DVSEC_ID);
    ASSERT_NE(dvsec, 0u);
    EXPECT_EQ(card().config(1, dvsec + 4) >> 16, SQ_DVSEC_REVISION | SQ_DVSEC_LENGTH << 4);
    EXPECT_EQ(card().config(1, dvsec + SQ_DVSEC_INTERFACE_MAJOR, 2), SQ_INTERFACE_MAJOR);
    EXPECT_EQ(card().config(1, dvsec + SQ_DVSEC_INTERFACE_MINOR, 2), SQ_INTERFACE_MINOR);
    EXPECT_EQ(card().config(1, dvsec + SQ_DVSEC_FUNCTION0, 2), 0u);
}

TEST_F(Registers, FunctionZeroIsACxlMemoryDevice)
{
    EXPECT_EQ(card().config(0, 8) >> 8, 0x050210u);
    EXPECT_NE(card().config(0, 0xe, 1) & 0x80, 0u) << "not a multi-function device";
}

TEST_F(Registers, TheRegisterLocatorPointsAtTheDeviceRegisters)
{
    const unsigned dvsec = card().find_dvsec(1, cxl_vendor, locator_id);
    ASSERT_NE(dvsec, 0u);
    // Block identifier 3 (device registers) in BAR 0 at offset 0.
    EXPECT_EQ(card().config(1, dvsec + 0xc), 3u << 8 | SQ_BAR_REGISTERS);
    EXPECT_EQ(card().config(1, dvsec + 0x10), 0u);
}

TEST_F(Registers, TheCapabilityArrayListsDeviceStatusAndMailbox)
{
    const std::uint64_t base = card().registers();
    const std::uint64_t array = machine().read(base, 8);
    EXPECT_EQ(array & 0xffff, 0u);
    EXPECT_EQ(array >> 16 & 0xff, 1u);
    EXPECT_EQ(array >> 32 & 0xffff, 2u);
    EXPECT_EQ(machine().read(base + 0x10, 2), 1u);
    EXPECT_EQ(machine().read(base + 0x14, 4), static_cast<std::uint64_t>(SQ_REG_DEVICE_STATUS));
    EXPECT_EQ(machine().read(base + 0x18, 4), 8u);
    EXPECT_EQ(machine().read(base + 0x20, 2), 2u);
    EXPECT_EQ(machine().read(base + 0x24, 4), static_cast<std::uint64_t>(SQ_REG_MAILBOX));
    EXPECT_EQ(machine().read(base + 0x28, 4), static_cast<std::uint64_t>(SQ_MBOX_PAYLOAD + SQ_MBOX_PAYLOAD_BYTES));
}

TEST_F(Registers, MailboxCapabilitiesSayPayloadSizeAndInterrupt)
{
    const std::uint64_t caps = card().mailbox(SQ_MBOX_CAPS, 4);
    EXPECT_EQ(caps & SQ_MBOX_CAPS_PAYLOAD_LOG2, static_cast<std::uint64_t>(SQ_MBOX_PAYLOAD_BYTES_LOG2));
    EXPECT_NE(caps & SQ_MBOX_CAPS_BG_IRQ, 0u);
    EXPECT_EQ((caps & SQ_MBOX_CAPS_IRQ_VECTOR) >> 7, static_cast<std::uint64_t>(SQ_MSIX_VECTOR_MAILBOX));
}

TEST_F(Registers, EveryRegisterStartsAtZeroAfterReset)
{
    EXPECT_EQ(card().mailbox(SQ_MBOX_CTRL, 4), 0u);
    EXPECT_EQ(card().mailbox(SQ_MBOX_CMD), 0u);
    EXPECT_EQ(card().mailbox(SQ_MBOX_STATUS), 0u);
    EXPECT_EQ(card().mailbox(SQ_MBOX_BG_STATUS), 0u);
}

TEST_F(Registers, ThePayloadKeepsBytesWrittenAtEveryWidth)
{
    const std::uint64_t payload = card().registers() + SQ_REG_MAILBOX + SQ_MBOX_PAYLOAD;
    for (const unsigned width : {1u, 2u, 4u, 8u}) {
        const std::uint64_t value = 0x8877665544332211ull >> (64 - 8 * width);
        machine().write(payload + 64, value, width);
        EXPECT_EQ(machine().read(payload + 64, width), value) << width << " bytes";
    }
    machine().write(payload + SQ_MBOX_PAYLOAD_BYTES - 8, ~0ull, 8);
    EXPECT_EQ(machine().read(payload + SQ_MBOX_PAYLOAD_BYTES - 8, 8), ~0ull);
}

TEST_F(Registers, ReadOnlyRegistersIgnoreWritesOfEveryWidth)
{
    const std::uint64_t base = card().registers();
    for (std::uint64_t offset = 0; offset < SQ_REG_MAILBOX + SQ_MBOX_PAYLOAD; offset += 8) {
        const bool writable = offset == SQ_REG_MAILBOX + SQ_MBOX_CMD || offset == SQ_REG_MAILBOX + SQ_MBOX_CAPS;
        if (writable)
            continue;
        const std::uint64_t before = machine().read(base + offset, 8);
        for (const unsigned width : {1u, 2u, 4u, 8u})
            machine().write(base + offset, ~0ull, width);
        EXPECT_EQ(machine().read(base + offset, 8), before) << "offset " << offset;
    }
}

TEST_F(Registers, ResetClearsTheMailbox)
{
    ASSERT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
    ASSERT_NE(card().mailbox(SQ_MBOX_CMD), 0u);
    card().reset_function1();
    EXPECT_EQ(card().mailbox(SQ_MBOX_CMD), 0u);
    EXPECT_EQ(card().mailbox(SQ_MBOX_STATUS), 0u);
    EXPECT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
}

} // namespace
