// How large a resume token gets: of a workspace of ten million contacts and a million
// conversations, with everything under way that may be at a time.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "extractor/checkpoint/packed_ids.h"
#include "extractor/checkpoint/resume_token.h"
#include "extractor/intercom/connection.h"
#include "extractor/pipeline/saved_windows.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/tables/table_catalog.h"
#include "gtest/gtest.h"
#include "resume_state.pb.h"

namespace intercom_extractor {
namespace {

// Listing pauses at 1,500 pending lists; a page more may be on its way.
constexpr int kPending = 1650;
constexpr int64_t kStart = 1750000000;

class TokenSizeTest : public testing::Test {
 protected:
  std::string ContactId() {
    return absl::StrFormat("%08x%016x", 0x6657adf7 + random_() % 100'000'000, random_());
  }

  std::vector<std::string> ContactIds(int count) {
    std::vector<std::string> ids;
    ids.reserve(count);
    for (int i = 0; i < count; ++i) ids.push_back(ContactId());
    return ids;
  }

  // `ids_per_second`: contacts that were created in the second that a window is at.
  resume::Windows Windows(int count, int ids_per_second) {
    SearchWindows::Saved saved;
    saved.plan.total = 10'000'000;
    saved.given = 5'000'000;
    saved.plan.closed = 4000;
    for (int i = 0; i < count; ++i) {
      WindowPlan::Saved::Window& window = saved.plan.windows.emplace_back();
      window.filter.created_from = kStart - 10'000'000 * i;
      window.filter.created_before = kStart;
      window.before = kStart - 1000;
      window.given.second = kStart - 5000;
      for (const std::string& id : ContactIds(ids_per_second)) window.given.ids.insert(id);
      window.total = 150'000;
      window.read = 70'000;
      window.read_since_cut = 700;
      window.first_second = kStart - 900'000;
      window.last_second = kStart - 5000;
      // As long as those in Intercom's examples.
      saved.cursors.push_back(std::string(64, 'c'));
    }
    saved.undated = ContactIds(SearchWindows::kMaxUndated);
    return ToState(saved);
  }

  size_t TokenSize(int ids_per_second) {
    resume::State state;
    state.set_request_digest(std::string(32, 'd'));
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      resume::Table* entry = state.add_tables();
      entry->set_batch_field(table.batch_field->number());
      entry->set_rows(10'000'000);
      entry->set_bytes(int64_t{5} << 30);
      entry->set_generation(3);
    }
    state.mutable_contacts()->set_way(resume::RecordList::WAY_WINDOWS);
    *state.mutable_contacts()->mutable_windows() = Windows(64, ids_per_second);
    *state.mutable_conversations()->mutable_windows() = Windows(4, ids_per_second);
    std::vector<std::string> conversations;
    for (int i = 0; i < kPending; ++i) {
      conversations.push_back(absl::StrCat(215'000'000'000 + random_() % 10'000'000));
    }
    state.set_pending_conversations(PackIds(conversations));
    // Contacts lack one list each, of three kinds, in both roles.
    for (int i = 0; i < 6; ++i) {
      resume::PendingContacts* pending = state.add_pending_contacts();
      pending->set_lists(1U << (i % 3));
      pending->set_role(i % 2 + 1);
      pending->set_ids(PackIds(ContactIds(kPending / 6)));
    }
    state.mutable_segments()->set_new_users(PackIds(ContactIds(300)));
    Connection connection;
    connection.access_token = "secret";
    return ResumeTokenCodec(connection).Seal(state).size();
  }

  std::mt19937_64 random_{1};
};

TEST_F(TokenSizeTest, StaysUnder64KiBWhateverIsUnderWay) {
  EXPECT_LE(TokenSize(/*ids_per_second=*/2), ResumeTokenCodec::kMaxTokenBytes);
  // Imports: thousands in the same second.
  EXPECT_LE(TokenSize(/*ids_per_second=*/2000), ResumeTokenCodec::kMaxTokenBytes);
  RecordProperty("bytes", absl::StrCat(TokenSize(2)));
}

}  // namespace
}  // namespace intercom_extractor
