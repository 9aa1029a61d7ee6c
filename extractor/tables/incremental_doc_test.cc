// docs/incremental.md says of each table what its annotation says.

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "extractor/tables/table_catalog.h"
#include "gtest/gtest.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

std::string InWords(v1::Incremental incremental) {
  switch (incremental) {
    case v1::INCREMENTAL_UPDATED_AT:
      return "changed";
    case v1::INCREMENTAL_PARENT:
      return "with its parent";
    case v1::INCREMENTAL_WHOLE:
      return "whole";
    default:
      return "";
  }
}

TEST(IncrementalDocTest, SaysOfEachTableWhatItsAnnotationSays) {
  std::string expected =
      "| Table | An incremental run reads | Only a full run sees |\n| --- | --- | --- |\n";
  for (const TableInfo& info : TableCatalog::Get().tables()) {
    const v1::Table& table = info.description.table();
    ASSERT_NE(InWords(table.incremental()), "") << table.name();
    absl::StrAppend(&expected, "| ", table.name(), " | ", InWords(table.incremental()), " |",
                    table.incremental_gap().empty() ? "" : " ", table.incremental_gap(), " |\n");
  }
  std::stringstream page;
  page << std::ifstream("docs/incremental.md").rdbuf();
  EXPECT_NE(page.str().find(expected + "\n"), std::string::npos) << "the page should hold:\n"
                                                                 << expected;
}

}  // namespace
}  // namespace intercom_extractor
