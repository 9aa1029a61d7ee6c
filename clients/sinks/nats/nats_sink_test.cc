#include "clients/sinks/nats/nats_sink.h"

#include <optional>
#include <set>
#include <string>

#include "clients/sinks/records/record_sink.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::MatchesRegex;
using ::testing::SizeIs;

TEST(NatsMessageIdTest, IsStableFromReleaseToRelease) {
  const RecordLabels labels = {"users", "v1/0", "3", "1", "2026-01-01T00:00:00.000Z"};
  EXPECT_EQ(NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "value", &labels}),
            "vUXnW8ZVzZ4xfPz5iZIAQg");
}

TEST(NatsMessageIdTest, DiffersWithAllThatTellsMessagesApart) {
  const RecordLabels first = {"users", "v1/0", "3", "1", ""};
  const RecordLabels second = {"users", "v1/0", "3", "2", ""};
  const Record row = {"users", "5f0", "value", &first};
  std::set<std::string> ids = {
      NatsMessageId("crm", "intercom.users", 3, row),
      NatsMessageId("other", "intercom.users", 3, row),
      NatsMessageId("crm", "intercom.leads", 3, row),
      NatsMessageId("crm", "intercom.users", 4, row),
      NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "value", &second}),
      NatsMessageId("crm", "intercom.users", 3, {"users", "5f", "0value", &first}),
      NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "changed", &first}),
      NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "", &first}),
      NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", std::nullopt, &first}),
  };
  EXPECT_THAT(ids, SizeIs(9));
  for (const std::string& id : ids) EXPECT_THAT(id, MatchesRegex("[A-Za-z0-9_-]{22}"));
}

TEST(NatsMessageIdTest, IsTheSameWhenARowIsReadAgain) {
  const RecordLabels before = {"users", "v1/0", "3", "1", "2026-01-01T00:00:00.000Z"};
  const RecordLabels after = {"users", "v1/0", "3", "1", "2026-01-01T00:01:00.000Z"};
  EXPECT_EQ(NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "value", &before}),
            NatsMessageId("crm", "intercom.users", 3, {"users", "5f0", "value", &after}));
}

}  // namespace
}  // namespace intercom_extractor
