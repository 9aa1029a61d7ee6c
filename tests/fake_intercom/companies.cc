#include "tests/fake_intercom/companies.h"

#include <algorithm>

#include "tests/fake_intercom/catalog.h"
#include "tests/fake_intercom/edge_cases.h"
#include "tests/fake_intercom/json_writer.h"
#include "tests/fake_intercom/random.h"

namespace intercom_extractor::fake {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

}  // namespace

std::string Companies::Id(size_t company) const {
  return HexId(options_.seed, kCompanyIdKind, company);
}

size_t Companies::populated_count() const {
  return count() / 10 * 9 + std::min<size_t>(count() % 10, 9);
}

size_t Companies::Populated(size_t position) const {
  position %= populated_count();
  return position / 9 * 10 + position % 9;
}

int64_t Companies::LastRequestAt(size_t company) const {
  return Random(options_.seed, kCompanyKind, company + (uint64_t{1} << 40))
      .Between(kGeneratedNow - 100 * kSecondsPerDay, kGeneratedNow);
}

void Companies::Append(size_t company, std::string* out) const {
  Random random(options_.seed, kCompanyKind, company);
  const int64_t created_at = random.Between(kGeneratedStart, kGeneratedNow - 86'400);
  const std::string number = std::to_string(company);
  JsonWriter json(out, CompanyEdge(company),
                  company % 4 == 3 ? Escaping::kRails : Escaping::kMinimal);
  json.BeginObject();
  json.Field("type", "company");
  json.Field("company_id", "company-" + number);
  json.Field("id", Id(company));
  json.Field("app_id", "fakeapp1");
  json.Field("name", std::string(Word(random.Next())) + " & " + std::string(Word(random.Next())) +
                         " " + number);
  json.Field("remote_created_at", created_at - random.Between(0, 1'000'000));
  json.Field("created_at", created_at);
  json.Field("updated_at", random.Between(created_at, kGeneratedNow));
  json.Field("last_request_at", LastRequestAt(company));
  // Never a round number of 100,000 or more: its shortest form is a matter of taste.
  json.RawField("monthly_spend", random.Percent(50)
                                     ? std::to_string(random.Between(1, 9'999))
                                     : std::to_string(random.Between(1, 999)) + ".25");
  json.Field("session_count", random.Between(0, 5'000));
  json.Field("user_count", HasUsers(company) ? random.Between(1, 300) : int64_t{0});
  json.Field("size", random.Between(1, 20'000));
  json.Field("website", "https://company-" + number + ".example.com");
  json.Field("industry", Word(random.Next()));
  if (!json.Overridden("tags")) json.RawField("tags", R"({"type":"tag.list","tags":[]})");
  if (!json.Overridden("segments")) {
    json.RawField("segments", R"({"type":"segment.list","segments":[]})");
  }
  json.RawField("plan", random.Percent(60) ? R"({"type":"plan","id":"1269","name":"Plan )" +
                                                 std::string(Word(random.Below(5))) + "\"}"
                                           : "{}");
  json.RawField("custom_attributes",
                R"({"paid_subscriber":true,"monthly_spend":155.5,"team_mates":)" +
                    std::to_string(random.Below(50)) + "}");
  json.EndObject();
}

}  // namespace intercom_extractor::fake
