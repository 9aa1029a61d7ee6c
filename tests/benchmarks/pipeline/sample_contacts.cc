#include "tests/benchmarks/pipeline/sample_contacts.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {
namespace {

// Divisible by all that varies below; more text than the first-level cache holds.
constexpr int kTemplates = 60;
constexpr int kTagCounts = 5;
constexpr int kCompanyCounts = 2;
// Every fourth contact is a lead.
constexpr int kRoles = 4;

constexpr int64_t kPageSize = 150;
constexpr int64_t kDay = 86400;
constexpr int64_t kMostDays = 1800;
// 2020-01-01 00:00 UTC.
constexpr int64_t kFirstMidnight = 1577836800;

constexpr absl::string_view kId = "<24 hexadecimal digits.>";
constexpr absl::string_view kTime = "<seconds.>";
constexpr absl::string_view kIdPrefix = "6762f0dd1bb69f9f";
constexpr size_t kNumberDigits = kId.size() - kIdPrefix.size();

int64_t PerDay(int64_t count) {
  const int64_t pages = (count + kMostDays * kPageSize - 1) / (kMostDays * kPageSize);
  return std::max<int64_t>(1, pages) * kPageSize;
}

int TagsOf(int number) { return number % kTagCounts; }
int CompaniesOf(int number) { return 1 + number % kCompanyCounts; }
bool IsLead(int64_t number) { return number % kRoles == 0; }

std::string EmbeddedList(const char* kind, int count, int number) {
  std::string result = R"({"type":"list","data":[)";
  for (int i = 0; i < count; ++i) {
    const int id = 1000 + number * 10 + i;
    absl::StrAppend(&result, i == 0 ? "" : ",", R"({"id":")", id, R"(","type":")", kind,
                    R"(","url":"/)", kind, "s/", id, "\"}");
  }
  return absl::StrCat(result, R"(],"url":"/contacts/)", kId, "/", kind, R"(s","total_count":)",
                      count, R"(,"has_more":false})");
}

// With every field of a contact in today's order.
std::string ContactText(int i) {
  return absl::StrCat(
      R"({"type":"contact","id":")", kId, R"(","workspace_id":"ecahpwf5","external_id":"f3b8)", kId,
      R"(","role":")", IsLead(i) ? "lead" : "user", R"(","email":"joe.bloggs)", i,
      R"(@example.com","phone":"+353 1 555 01)", i, R"(","name":"Joe \"Joey\" Bloggs )", i,
      R"(","avatar":{"type":"avatar","image_url":"https://static.example.com/avatars/128/)", i,
      R"(/square_128.jpeg?1571672156"},"owner_id":127,"social_profiles":{"type":"list","data":[)",
      R"({"type":"social_profile","name":"Twitter","url":"https://twitter.com/example)", i,
      R"("}]},"has_hard_bounced":false,"marked_email_as_spam":false,)",
      R"("unsubscribed_from_emails":false,"created_at":)", kTime, R"(,"updated_at":)", kTime,
      R"(,"signed_up_at":1571069751,"last_seen_at":1571069751,"last_replied_at":1571672158,)",
      R"("last_contacted_at":1571672158,"last_email_opened_at":1571673478,)",
      R"("last_email_clicked_at":1571676789,"language_override":null,"browser":"chrome",)",
      R"("browser_version":"77.0.3865.90","browser_language":"en","os":"OS X 10.14.6",)",
      R"("location":{"type":"location","country":"Ireland","region":"Dublin","city":"Dublin",)",
      R"("country_code":"IRL","continent_code":"EU"},"android_app_name":null,)",
      R"("android_app_version":null,"android_device":null,"android_os_version":null,)",
      R"("android_sdk_version":null,"android_last_seen_at":null,"ios_app_name":null,)",
      R"("ios_app_version":null,"ios_device":null,"ios_os_version":null,"ios_sdk_version":null,)",
      R"("ios_last_seen_at":null,"custom_attributes":{"paid_subscriber":true,)",
      R"("monthly_spend":155.5,"team_mates":9,"plan":"Pro \u20ac","last_order_at":1571672158,)",
      R"("account_manager":"Zoë"},"tags":)", EmbeddedList("tag", TagsOf(i), i), R"(,"notes":)",
      EmbeddedList("note", i % 3, i), R"(,"companies":)",
      EmbeddedList("company", CompaniesOf(i), i), R"(,"opted_out_subscription_types":)",
      EmbeddedList("subscription", 2, i), R"(,"opted_in_subscription_types":)",
      EmbeddedList("subscription", 1, i),
      R"(,"utm_campaign":null,"utm_content":null,"utm_medium":null,"utm_source":null,)",
      R"("utm_term":null,"referrer":"https://www.example.com/pricing?from=search&page=)", i,
      R"(","sms_consent":false,"unsubscribed_from_sms":false,"enabled_push_messaging":null})");
}

std::vector<size_t> PlacesOf(absl::string_view what, absl::string_view text) {
  std::vector<size_t> places;
  for (size_t at = text.find(what); at != absl::string_view::npos; at = text.find(what, at + 1)) {
    places.push_back(at);
  }
  return places;
}

}  // namespace

SampleContacts::SampleContacts(int64_t count)
    : count_(count), per_day_(PerDay(count)), seconds_(kDay / per_day_) {
  for (int i = 0; i < kTemplates; ++i) {
    std::string text = ContactText(i);
    std::vector<size_t> ids = PlacesOf(kId, text);
    std::vector<size_t> times = PlacesOf(kTime, text);
    for (const size_t at : ids) kIdPrefix.copy(&text[at], kIdPrefix.size());
    templates_.push_back({std::move(text), std::move(ids), std::move(times)});
  }
}

int64_t SampleContacts::CreatedAt(int64_t contact) const {
  return kFirstMidnight + contact / per_day_ * kDay + contact % per_day_ * seconds_;
}

int64_t SampleContacts::FirstSince(int64_t second) const {
  if (second <= kFirstMidnight) return 0;
  const int64_t day = (second - kFirstMidnight) / kDay;
  const int64_t of_day = (second - kFirstMidnight) % kDay;
  const int64_t before = std::min(per_day_, (of_day + seconds_ - 1) / seconds_);
  return std::min(count_, day * per_day_ + before);
}

bool SampleContacts::IsUser(int64_t contact) const { return !IsLead(contact % kTemplates); }

void SampleContacts::Append(int64_t contact, std::string* out) const {
  static constexpr char kHex[] = "0123456789abcdef";
  char number[kNumberDigits];
  for (size_t i = 0; i < kNumberDigits; ++i) {
    number[kNumberDigits - 1 - i] = kHex[contact >> 4 * i & 15];
  }
  char time[kTime.size()];
  std::to_chars(time, time + kTime.size(), CreatedAt(contact));

  const Template& from = templates_[static_cast<size_t>(contact % kTemplates)];
  const size_t begin = out->size();
  out->append(from.text);
  char* const text = out->data() + begin;
  for (const size_t at : from.ids) {
    std::memcpy(text + at + kIdPrefix.size(), number, kNumberDigits);
  }
  for (const size_t at : from.times) std::memcpy(text + at, time, kTime.size());
}

std::map<std::string, int64_t> SampleContacts::Rows() const {
  std::map<std::string, int64_t> rows;
  for (int i = 0; i < kTemplates; ++i) {
    const int64_t contacts = count_ / kTemplates + (i < count_ % kTemplates ? 1 : 0);
    const std::string role = IsLead(i) ? "leads" : "users";
    rows[role] += contacts;
    rows[role + "_tags"] += contacts * TagsOf(i);
    rows[role + "_companies"] += contacts * CompaniesOf(i);
    rows[role + "_social_profiles"] += contacts;
  }
  return rows;
}

}  // namespace intercom_extractor
