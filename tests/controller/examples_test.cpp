// SPDX-License-Identifier: MIT
//
// The worked examples of the format document: words of a small bf16 region and
// the bytes of reads along both axes.
#include "format_rows.hpp"
#include "golden.hpp"

#include <map>

namespace {

const std::map<std::string, std::uint8_t> roundings = {
    {"truncate", SQ_ROUNDING_TRUNCATE}, {"nearest", SQ_ROUNDING_NEAREST}, {"even", SQ_ROUNDING_EVEN}};

using Matrix = std::vector<std::vector<float>>;

Matrix values_of(const nlohmann::json& words)
{
    Matrix matrix;
    for (const auto& row : words) {
        auto& values = matrix.emplace_back();
        for (const std::string word : row)
            values.push_back(rows::from_bits(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)) << 16));
    }
    return matrix;
}

Matrix transposed(const Matrix& matrix)
{
    Matrix result(matrix[0].size(), std::vector<float>(matrix.size()));
    for (std::size_t r = 0; r < matrix.size(); ++r) {
        for (std::size_t c = 0; c < matrix[0].size(); ++c)
            result[c][r] = matrix[r][c];
    }
    return result;
}

// Sections one after the other, each row-major.
rows::Bytes read(const rows::Format& format, std::uint8_t rounding, const Matrix& matrix)
{
    rows::Row all;
    for (const auto& values : matrix) {
        const auto row = rows::encode(format, rounding, values);
        all.codes.insert(all.codes.end(), row.codes.begin(), row.codes.end());
        all.micro.insert(all.micro.end(), row.micro.begin(), row.micro.end());
        all.scales.insert(all.scales.end(), row.scales.begin(), row.scales.end());
    }
    all.codes.insert(all.codes.end(), all.micro.begin(), all.micro.end());
    all.codes.insert(all.codes.end(), all.scales.begin(), all.scales.end());
    return all.codes;
}

TEST(FormatExamples, GiveTheBytesOfTheDocument)
{
    const auto document = golden::load("format-examples.json");
    const auto by_row = values_of(document["words"]);
    const auto by_col = transposed(by_row);
    ASSERT_FALSE(document["reads"].empty());
    for (const auto& example : document["reads"]) {
        const std::string format = example["format"];
        const std::string rounding = example["rounding"];
        const bool cols = example["axis"] == "col";
        SCOPED_TRACE(format + " " + rounding + (cols ? " col" : " row"));
        EXPECT_EQ(read(rows::find(format), roundings.at(rounding), cols ? by_col : by_row),
                  golden::bytes(example["bytes"]));
    }
}

}  // namespace
