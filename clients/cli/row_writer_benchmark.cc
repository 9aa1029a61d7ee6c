// How fast rows become text. A table of many short columns (users) and one with
// long bodies (conversation_parts): bytes are those of the text.

#include <cstdint>
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "clients/cli/test_tables.h"
#include "google/protobuf/descriptor.h"
#include "intercom/extractor/v1/tables.pb.h"

namespace intercom_extractor {
namespace {

v1::User MakeUser() {
  v1::User user;
  user.set_type("user");
  user.set_id("afbf37a40f636cd55a17c0de");
  user.set_created_at(1680418442);
  user.set_updated_at(1703481178);
  user.set_email("person0@example.com");
  user.set_user_id("person-0");
  user.set_last_request_at(1723984109);
  user.set_unsubscribed_from_emails(true);
  user.set_marked_email_as_spam(false);
  user.set_has_hard_bounced(false);
  user.set_user_agent_data(
      R"({"browser":"chrome","browser_version":"92.0.0","browser_language":"en-US","os":"OS X"})");
  user.set_anonymous(false);
  user.set_name("Indigo Fjord");
  user.set_location_data_city_name("Montréal");
  user.set_location_data_country_name("Canada");
  user.set_custom_attributes(R"({"paid":true,"logins":233,"score":0.5,"plan":"pro"})");
  return user;
}

v1::ConversationPart MakePart() {
  v1::ConversationPart part;
  part.set_id("269650473");
  part.set_part_type("comment");
  for (int i = 0; i < 20; ++i) {
    part.mutable_body()->append("Hello, my invoice of last month shows the old plan. ");
    if (i % 5 == 0) part.mutable_body()->append("He said \"wait\".\n");
  }
  part.set_created_at(1680418442);
  part.set_updated_at(1680418442);
  return part;
}

void WriteRows(benchmark::State& state, RowFormat format,
               const google::protobuf::Message& message) {
  const auto columns =
      RowColumns::Resolve(DescribeTable(*message.GetDescriptor()), ColumnSelection::kAll);
  const std::unique_ptr<RowWriter> writer = NewRowWriter(format, *columns);
  const std::string row = message.SerializeAsString();
  std::string out;
  int64_t bytes = 0;
  for (auto _ : state) {
    writer->AppendRow(row, &out);
    if (out.size() < (size_t{256} << 10)) continue;
    bytes += static_cast<int64_t>(out.size());
    benchmark::DoNotOptimize(out.data());
    out.clear();
  }
  bytes += static_cast<int64_t>(out.size());
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(bytes);
}

void BM_CsvUsers(benchmark::State& state) { WriteRows(state, RowFormat::kCsv, MakeUser()); }
void BM_JsonlUsers(benchmark::State& state) { WriteRows(state, RowFormat::kJsonl, MakeUser()); }
void BM_CsvParts(benchmark::State& state) { WriteRows(state, RowFormat::kCsv, MakePart()); }
void BM_JsonlParts(benchmark::State& state) { WriteRows(state, RowFormat::kJsonl, MakePart()); }

BENCHMARK(BM_CsvUsers);
BENCHMARK(BM_JsonlUsers);
BENCHMARK(BM_CsvParts);
BENCHMARK(BM_JsonlParts);

}  // namespace
}  // namespace intercom_extractor

BENCHMARK_MAIN();
