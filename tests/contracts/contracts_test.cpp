// SPDX-License-Identifier: MIT
//
// What two headers say about one thing has to agree.
#include "controller.h"

#include <smartquant/device.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>

namespace {

TEST(Contracts, StatisticsHaveTheSameFieldsInTheSameOrder)
{
    EXPECT_EQ(sizeof(sq_statistics), sizeof(sqc_statistics));
    EXPECT_EQ(offsetof(sq_statistics, plane_lines), offsetof(sqc_statistics, plane_lines));
    EXPECT_EQ(offsetof(sq_statistics, media_errors), offsetof(sqc_statistics, media_errors));
    EXPECT_EQ(offsetof(sq_statistics, link_time_ns), offsetof(sqc_statistics, link_time_ns));
}

TEST(Contracts, ScopesAndRunsHaveTheSameNumbers)
{
    EXPECT_EQ(unsigned{SQ_STATISTICS_GLOBAL}, SQC_STATISTICS_GLOBAL);
    EXPECT_EQ(unsigned{SQ_STATISTICS_REGION}, SQC_STATISTICS_REGION);
    EXPECT_EQ(unsigned{SQ_STATISTICS_FORMAT}, SQC_STATISTICS_FORMAT);
    EXPECT_EQ(unsigned{SQ_RUN_EXPONENTS}, SQC_RUN_EXPONENTS);
    EXPECT_EQ(unsigned{SQ_RUN_ESCAPES}, SQC_RUN_ESCAPES);
}

TEST(Contracts, IdentifyHasRoomForEveryFormatAndEncoding)
{
    unsigned formats = 0, encodings = 0;
    std::uint16_t encoding = 0;
    while (sqc_format_at(formats) != SQ_FORMAT_TAG)
        ++formats;
    while (sqc_encoding_at(encodings, &encoding))
        ++encodings;
    EXPECT_GT(formats, 10u);
    EXPECT_LE(formats, std::size(sq_mbox_identify{}.formats));
    EXPECT_LE(encodings, std::size(sq_mbox_identify{}.encodings));
}

TEST(Contracts, EveryFormatHasOneNameThatLeadsBack)
{
    std::set<std::string> names;
    for (unsigned i = 0; const std::uint16_t format = sqc_format_at(i); ++i) {
        char buffer[32];
        const char* name = sqc_format_name(format, buffer, sizeof buffer);
        ASSERT_NE(name, nullptr) << format;
        EXPECT_EQ(sqc_format_by_name(name), format) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(sqc_format_by_name("mxint9"), SQ_FORMAT_TAG);
    EXPECT_EQ(sqc_format_by_name(""), SQ_FORMAT_TAG);
    EXPECT_EQ(sqc_format_by_name("mxint4 "), SQ_FORMAT_TAG);
}

TEST(Contracts, EveryStatusHasItsOwnSentence)
{
    std::set<std::string> sentences;
    for (const sqc_status status : {SQ_STATUS_SUCCESS, SQ_STATUS_INVALID_INPUT, SQ_STATUS_UNSUPPORTED, SQ_STATUS_INVALID_HANDLE,
                                    SQ_STATUS_MEDIA_FAILURE, SQ_STATUS_RESOURCES_EXHAUSTED, SQ_STATUS_NAME_EXISTS, SQ_STATUS_NOT_FOUND,
                                    SQ_STATUS_SEALED, SQ_STATUS_NON_FINITE, SQ_STATUS_RANGE, SQ_STATUS_FORMAT, SQ_STATUS_IN_USE,
                                    SQ_STATUS_STORE_FULL, SQ_STATUS_ROUNDING_NEEDED, SQ_STATUS_LENGTH, SQ_STATUS_NOT_A_STORE,
                                    SQ_STATUS_STORE_VERSION, SQ_STATUS_STORE_DAMAGED, SQ_STATUS_SYNC_FAILED, SQ_STATUS_READ_ONLY, SQ_STATUS_NAME})
        EXPECT_TRUE(sentences.insert(sqc_status_text(status)).second) << status;
    EXPECT_NE(sqc_status_text(0xffff), nullptr);
}

}  // namespace
