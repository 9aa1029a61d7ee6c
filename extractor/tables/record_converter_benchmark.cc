// How fast answers become rows: BM_ContactsPage beside the floor, one On-Demand
// pass over the same page that takes each record's text and reads nothing in it.

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"

namespace intercom_extractor {
namespace {

// The largest page that Intercom sends.
constexpr int kRecords = 150;

std::string EmbeddedList(const char* kind, int count, int contact) {
  std::string result = R"({"type":"list","data":[)";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&result, i == 0 ? "" : ",", R"({"id":")", 1000 + contact * 10 + i,
                    R"(","type":")", kind, R"(","url":"/)", kind, "s/", 1000 + contact * 10 + i,
                    "\"}");
  }
  return absl::StrCat(result, R"(],"url":"/contacts/6762f0dd1bb69f9f2193bb)", contact, "/", kind,
                      R"(s","total_count":)", count, R"(,"has_more":false})");
}

// With every field of a contact in today's order, about 2.8 KB.
std::string Contact(int i) {
  return absl::StrCat(
      R"({"type":"contact","id":"6762f0dd1bb69f9f2193bb)", i,
      R"(","workspace_id":"ecahpwf5","external_id":"f3b87a2e09d514c6c2e79b9a)", i, R"(","role":")",
      i % 4 == 0 ? "lead" : "user", R"(","email":"joe.bloggs)", i,
      R"(@example.com","phone":"+353 1 555 01)", i, R"(","name":"Joe \"Joey\" Bloggs )", i,
      R"(","avatar":{"type":"avatar","image_url":)", R"("https://static.example.com/avatars/128/)",
      i,
      R"(/square_128.jpeg?1571672156"},"owner_id":127,"social_profiles":{"type":"list","data":[)",
      R"({"type":"social_profile","name":"Twitter","url":"https://twitter.com/example)", i,
      R"("}]},"has_hard_bounced":false,"marked_email_as_spam":false,)",
      R"("unsubscribed_from_emails":false,"created_at":1571672154,"updated_at":1571672158,)",
      R"("signed_up_at":1571069751,"last_seen_at":1571069751,"last_replied_at":1571672158,)",
      R"("last_contacted_at":1571672158,"last_email_opened_at":1571673478,)",
      R"("last_email_clicked_at":1571676789,"language_override":null,"browser":"chrome",)",
      R"("browser_version":"77.0.3865.90","browser_language":"en","os":"OS X 10.14.6",)",
      R"("location":{"type":"location","country":"Ireland","region":"Dublin","city":"Dublin",)",
      R"("country_code":"IRL","continent_code":"EU"},"android_app_name":null,)",
      R"("android_app_version":null,"android_device":null,"android_os_version":null,)",
      R"("android_sdk_version":null,"android_last_seen_at":null,"ios_app_name":null,)",
      R"("ios_app_version":null,"ios_device":null,"ios_os_version":null,"ios_sdk_version":null,)",
      R"("ios_last_seen_at":null,"custom_attributes":{"paid_subscriber":true,"monthly_spend":155.5,)",
      R"("team_mates":9,"plan":"Pro \u20ac","last_order_at":1571672158,"account_manager":"Zoë"},)",
      R"("tags":)", EmbeddedList("tag", i % 5, i), R"(,"notes":)", EmbeddedList("note", i % 3, i),
      R"(,"companies":)", EmbeddedList("company", 1 + i % 2, i),
      R"(,"opted_out_subscription_types":)", EmbeddedList("subscription", 2, i),
      R"(,"opted_in_subscription_types":)", EmbeddedList("subscription", 1, i),
      R"(,"utm_campaign":null,"utm_content":null,"utm_medium":null,"utm_source":null,)",
      R"("utm_term":null,"referrer":"https://www.example.com/pricing?from=search&page=)", i,
      R"(","sms_consent":false,"unsubscribed_from_sms":false,"enabled_push_messaging":null})");
}

std::string ContactsPage() {
  std::string page = R"({"type":"list","data":[)";
  for (int i = 0; i < kRecords; ++i) absl::StrAppend(&page, i == 0 ? "" : ",", Contact(i));
  return page + R"(],"total_count":100000,"pages":{"type":"pages","next":{"page":2,)"
                R"("starting_after":"WzE1NzE2NzIxNTQsNjc2Ml0="},"page":1,"per_page":150,)"
                R"("total_pages":667}})";
}

void Report(benchmark::State& state, size_t page_size) {
  state.SetItemsProcessed(state.iterations() * kRecords);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(page_size));
  state.counters["bytes_per_record"] = static_cast<double>(page_size) / kRecords;
}

void BM_FloorContactsPage(benchmark::State& state) {
  const simdjson::padded_string page(ContactsPage());
  simdjson::ondemand::parser parser;
  size_t bytes = 0;
  for (auto _ : state) {
    simdjson::ondemand::document document = parser.iterate(page);
    for (simdjson::ondemand::object record : document["data"].get_array()) {
      bytes += std::string_view(record.raw_json()).size();
    }
  }
  benchmark::DoNotOptimize(bytes);
  Report(state, page.size());
}
BENCHMARK(BM_FloorContactsPage);

void BM_ContactsPage(benchmark::State& state) {
  std::vector<const TableInfo*> tables;
  for (const TableInfo& table : TableCatalog::Get().tables()) tables.push_back(&table);
  RecordConverter converter(v1::SOURCE_RECORD_CONTACT, tables);
  PageReader reader({"data"}, "", converter.shape());
  const std::string text = ContactsPage();
  ResponseBody body = ResponseBody::FromString(text);
  UnitRows unit(tables.size());
  size_t rows = 0;
  size_t row_bytes = 0;
  for (auto _ : state) {
    unit.Clear();
    const auto info = reader.Read(&body, [&](const PageReader::Record& record) {
      converter.Convert(*record.values, {}, &unit);
      return absl::OkStatus();
    });
    if (!info.ok() || info->records != kRecords) state.SkipWithError("the page is not read");
    for (const auto& table : unit.tables()) {
      rows += table.ends.size();
      row_bytes += table.bytes.size();
    }
  }
  benchmark::DoNotOptimize(row_bytes);
  Report(state, text.size());
  state.counters["rows"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_ContactsPage);

// The same page in pieces, as it is read when it is too large for memory.
void BM_SalvageContactsPage(benchmark::State& state) {
  std::vector<const TableInfo*> tables;
  for (const TableInfo& table : TableCatalog::Get().tables()) tables.push_back(&table);
  RecordConverter converter(v1::SOURCE_RECORD_CONTACT, tables);
  PageReader reader({"data"}, "", converter.shape());
  const std::string text = ContactsPage();
  ResponseBody body = ResponseBody::FromString(text);
  UnitRows unit(tables.size());
  for (auto _ : state) {
    unit.Clear();
    const auto info = reader.Salvage(
        &body,
        [&](const PageReader::Record& record) {
          converter.Convert(*record.values, {}, &unit);
          return absl::OkStatus();
        },
        [](const std::string&) {});
    if (!info.ok() || info->records != kRecords) state.SkipWithError("the page is not read");
  }
  Report(state, text.size());
}
BENCHMARK(BM_SalvageContactsPage);

}  // namespace
}  // namespace intercom_extractor

BENCHMARK_MAIN();
