#include "tests/benchmarks/pipeline/sample_contacts.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor {
namespace {

using fake::JsonValue;

JsonValue Contact(const SampleContacts& contacts, int64_t number) {
  std::string text;
  contacts.Append(number, &text);
  const std::optional<JsonValue> json = JsonValue::Parse(text);
  EXPECT_TRUE(json.has_value()) << text;
  return json.value_or(JsonValue());
}

TEST(SampleContactsTest, EachContactHasAnIdOfItsOwnAndItsTimes) {
  const SampleContacts contacts(1000);
  std::set<std::string> ids;
  for (int64_t i = 0; i < contacts.count(); ++i) {
    const JsonValue contact = Contact(contacts, i);
    EXPECT_EQ(contact["id"].text().size(), 24U);
    ids.insert(contact["id"].text());
    EXPECT_EQ(contact["created_at"].AsInt(), contacts.CreatedAt(i));
    EXPECT_EQ(contact["updated_at"].AsInt(), contacts.CreatedAt(i));
    EXPECT_EQ(contact["role"].text(), contacts.IsUser(i) ? "user" : "lead");
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(SampleContactsTest, ContactsTakeAsMuchAsRealOnes) {
  const SampleContacts contacts(600);
  std::string text;
  for (int64_t i = 0; i < contacts.count(); ++i) contacts.Append(i, &text);
  EXPECT_NEAR(static_cast<double>(text.size()) / 600, 2800, 100);
}

TEST(SampleContactsTest, RowsAreWhatTheContactsHold) {
  const SampleContacts contacts(1003);
  std::map<std::string, int64_t> rows;
  for (int64_t i = 0; i < contacts.count(); ++i) {
    const JsonValue contact = Contact(contacts, i);
    const std::string table = contact["role"].text() + "s";
    ++rows[table];
    for (const char* list : {"tags", "companies", "social_profiles"}) {
      rows[table + "_" + list] += static_cast<int64_t>(contact[list]["data"].elements().size());
    }
  }
  EXPECT_EQ(contacts.Rows(), rows);
}

TEST(SampleContactsTest, EmbeddedListsAreWhole) {
  const SampleContacts contacts(60);
  for (int64_t i = 0; i < contacts.count(); ++i) {
    const JsonValue contact = Contact(contacts, i);
    for (const char* list : {"tags", "companies"}) {
      EXPECT_EQ(contact[list]["has_more"].text(), "false");
      EXPECT_EQ(contact[list]["total_count"].AsInt(),
                static_cast<int64_t>(contact[list]["data"].elements().size()));
    }
  }
}

TEST(SampleContactsTest, FindsTheFirstSinceAnySecond) {
  for (const int64_t count : {1, 149, 4500, 1000000}) {
    const SampleContacts contacts(count);
    EXPECT_EQ(contacts.FirstSince(0), 0);
    EXPECT_EQ(contacts.FirstSince(INT32_MAX), count);
    for (int64_t i = 0; i < count; i += 1 + count / 997) {
      EXPECT_EQ(contacts.FirstSince(contacts.CreatedAt(i)), i);
      EXPECT_EQ(contacts.FirstSince(contacts.CreatedAt(i) + 1), i + 1);
    }
  }
}

TEST(SampleContactsTest, DaysHoldWholePages) {
  for (const int64_t count : {120000, 10000000}) {
    const SampleContacts contacts(count);
    constexpr int64_t kDay = 86400;
    const int64_t midnight = contacts.CreatedAt(0);
    EXPECT_EQ(midnight % kDay, 0);
    const int64_t per_day = contacts.FirstSince(midnight + kDay);
    EXPECT_EQ(per_day % 150, 0);
    EXPECT_EQ(contacts.FirstSince(midnight + 100 * kDay), 100 * per_day);
  }
}

}  // namespace
}  // namespace intercom_extractor
