// Windows that were saved go on in another process: what was given before and what is
// given after is the whole, whether Intercom still takes the cursors or not. And when
// windows fail of which nobody remembers what they gave, the tables begin anew.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/contact_walk.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/plan/request_plan.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/strand.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/search_misbehaviour.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"

namespace intercom_extractor {
namespace {

constexpr int kCount = 6000;
constexpr int64_t k2020 = 1577836800;
constexpr int64_t k2025 = 1735689600;

int64_t Between(int64_t low, int64_t high, std::mt19937_64* random) {
  return std::uniform_int_distribution<int64_t>(low, high)(*random);
}

// A third of them on the day of an import.
std::shared_ptr<fake::FixedWorkspace> MakeWorkspace(uint64_t seed) {
  std::mt19937_64 random(seed);
  fake::FixedRecords records;
  for (int i = 0; i < kCount; ++i) {
    const int64_t created_at =
        i % 3 == 0 ? k2020 + Between(0, 40000, &random) : Between(k2020, k2025, &random);
    const std::string json = absl::StrCat(
        R"({"id":")", 5000 + i, R"(","role":")", i % 4 == 0 ? "lead" : "user", R"(","created_at":)",
        created_at, R"(,"updated_at":)", Between(created_at, k2025, &random), "}");
    records.contacts.push_back({json, {}, {R"({"type":"segment","id":"all"})"}, {}, {}, {}});
    records.conversations.push_back({json, {}, json});
  }
  records.segments.push_back(absl::StrCat(R"({"type":"segment","id":"all","count":)", kCount, "}"));
  return std::make_shared<fake::FixedWorkspace>(std::move(records));
}

// What walks run on, as in an extraction of its own.
class Process {
 public:
  Process(const fake::FakeIntercom& intercom, const std::vector<std::string>& tables)
      : http_(HttpClient::Options()),
        client_(ConnectionTo(intercom), &http_, &clock_),
        group_(client_.NewGroup()),
        events_(size_t{1} << 30),
        strand_(std::make_shared<Strand>(&clock_)),
        report_(*TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, tables), clock_.Now()),
        run_(&report_, &client_, group_, &events_, &live_, strand_) {
    // No checkpoints, but rows are sent where there would be one.
    run_.checkpointer().Enable(0, [](int64_t /*number*/) { return std::string(); });
  }

  ~Process() {
    strand_->Stop();
    client_.CancelGroup(group_);
    events_.Cancel();
    strand_->Join();
  }

  Run& run() { return run_; }
  const RunReport& report() const { return report_; }

  // Runs `work` on the strand, until the function that it is given is called there.
  void Await(const std::function<void(std::function<void()> done)>& work) {
    std::promise<void> done;
    strand_->Start();
    strand_->Post([&] { work([&done] { done.set_value(); }); });
    done.get_future().wait();
    strand_->Stop();
    strand_->Join();
  }

  // On the strand: rows do not wait for more.
  void SendRows() { run_.checkpointer().Finish(run_.Now()); }

  // All events, once Await() has returned.
  std::vector<v1::ExtractResponse> TakeEvents() {
    SendRows();
    std::vector<v1::ExtractResponse> events;
    while (const auto event = events_.Pop()) {
      events.emplace_back();
      EXPECT_TRUE(events.back().ParseFromString(event->Flat()));
    }
    return events;
  }

 private:
  static Connection ConnectionTo(const fake::FakeIntercom& intercom) {
    Connection connection;
    connection.base_url = intercom.base_url();
    connection.access_token = "fake-access-token";
    return connection;
  }

  SteadyClock clock_;
  HttpClient http_;
  IntercomClient client_;
  const IntercomClient::GroupId group_;
  EventQueue events_;
  LiveProgress live_;
  const std::shared_ptr<Strand> strand_;
  RunReport report_;
  Run run_;
};

struct Part {
  // Ids that were given before it was saved, or up to the end.
  std::vector<std::string> given;
  // Nothing at the end.
  std::optional<SearchWindows::Saved> saved;
  int64_t shortfall = 0;
  absl::Status status;
};

SearchWindows::Search SearchOf(bool contacts) {
  const absl::Time start = absl::FromUnixSeconds(k2025);
  return contacts ? SearchWindows::Search::Contacts("America/New_York", start)
                  : SearchWindows::Search::Conversations(start);
}

// Goes on with `saved`, or begins, and stops after so many pages.
Part Read(const fake::FakeIntercom& intercom, bool contacts,
          std::optional<SearchWindows::Saved> saved, int pages) {
  Process process(intercom, {contacts ? "users" : "conversations"});
  Part part;
  Shape shape;
  SearchWindows::Options options;
  options.search = SearchOf(contacts);
  options.id = shape.AddValue(-1, "id");
  options.created_at = shape.AddValue(-1, "created_at");
  options.updated_at = shape.AddValue(-1, "updated_at");
  PageReader reader({"data", "conversations"}, "", &shape);
  std::vector<std::string> page;
  int read = 0;
  bool ended = false;
  std::shared_ptr<SearchWindows> windows;
  process.Await([&](std::function<void()> done) {
    options.reading.reader = &reader;
    options.reading.line = process.run().plan().AddLine("", v1::READ_WAY_WINDOWS, TableSet());
    options.reading.begin = [&] { page.clear(); };
    options.reading.on_record = [&](const PageReader::Record& record, UnitRows* /*unit*/) {
      page.emplace_back(record.values->Get(shape, options.id, 0).text);
    };
    options.reading.on_commit = [&, done] {
      // What comes after it was saved is lost with the process.
      if (part.saved.has_value()) return;
      part.given.insert(part.given.end(), page.begin(), page.end());
      if (++read == pages) {
        process.run().Post([&, done] {
          // It may have ended with just this page.
          if (ended) return;
          part.saved = windows->Save();
          done();
        });
      }
    };
    options.has_room = [](size_t in_flight) { return in_flight < 12; };
    options.on_total = [](int64_t) { return absl::OkStatus(); };
    options.on_end = [&, done](const absl::Status& status, int64_t shortfall) {
      if (part.saved.has_value()) return;
      part.status = status;
      part.shortfall = shortfall;
      ended = true;
      done();
    };
    windows = saved.has_value() ? SearchWindows::Resume(&process.run(), &shape, options, *saved)
                                : SearchWindows::Create(&process.run(), &shape, options);
    windows->Start();
  });
  return part;
}

class ResumedWindowsTest : public ::testing::TestWithParam<bool> {};

TEST_P(ResumedWindowsTest, GiveEachRecordOnceWithCursorsThatServeAndThatDoNot) {
  for (const bool cursors_serve : {true, false}) {
    for (const int pages : {1, 2, 3, 5, 11}) {
      SCOPED_TRACE(absl::StrCat("stopped every ", pages, " pages, cursors ",
                                cursors_serve ? "serve" : "expire"));
      fake::FakeIntercom intercom(fake::FakeIntercomOptions(), MakeWorkspace(3));
      std::multiset<std::string> given;
      Part part;
      int parts = 0;
      do {
        // Expired cursors are refused at their first use in a new process.
        intercom.ClearHandlers();
        if (!cursors_serve && part.saved.has_value()) {
          auto expired = std::make_shared<std::set<std::string>>();
          for (const std::string& cursor : part.saved->cursors) {
            if (!cursor.empty()) expired->insert(absl::StrCat("\"starting_after\":\"", cursor));
          }
          RefuseBodies(&intercom, GetParam() ? "/contacts/search" : "/conversations/search",
                       std::vector<std::string>(expired->begin(), expired->end()));
        }
        part = Read(intercom, GetParam(), std::move(part.saved), pages);
        ASSERT_TRUE(part.status.ok()) << part.status;
        given.insert(part.given.begin(), part.given.end());
        if (part.saved.has_value()) {
          ASSERT_LE(part.saved->plan.windows.size(), 64u);
          EXPECT_EQ(part.saved->given, static_cast<int64_t>(given.size()));
        }
      } while (part.saved.has_value() && ++parts < 300);
      EXPECT_GT(parts, 1);
      EXPECT_EQ(given.size(), static_cast<size_t>(kCount));
      EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), given.size())
          << "some came twice";
      EXPECT_EQ(part.shortfall, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Contacts, ResumedWindowsTest, ::testing::Bool());

TEST(ForgottenWindowsTest, BeginTheTablesAnewWhenTheListMustServe) {
  fake::FakeIntercom intercom(fake::FakeIntercomOptions(), MakeWorkspace(4));
  Process process(intercom, {"users", "leads", "users_segments"});
  auto pages = std::make_shared<std::atomic<int>>(0);
  auto pages_of_members = std::make_shared<std::atomic<int>>(0);
  intercom.AlterAnswers(
      "POST", "/contacts/search",
      [&process, pages, pages_of_members](const fake::Request& request, auto* answer) {
        if (absl::StrContains(request.body, "segment_id")) {
          ++*pages_of_members;
          return;
        }
        const int number = ++*pages;
        // Rows are on their way to the client, those of members too, when the search
        // for contacts fails.
        process.run().Post([&process] { process.SendRows(); });
        if (number > 2 && (*pages_of_members > 2 || number > 20)) answer->status = 400;
      });
  ContactWalk::Workspace workspace;
  workspace.time_zone = "America/New_York";
  workspace.start = absl::FromUnixSeconds(k2025);
  workspace.max_remembered = 100;
  SegmentList segments;
  std::unique_ptr<ContactWalk> walk;
  process.Await([&](std::function<void()> done) {
    walk = std::make_unique<ContactWalk>(&process.run(), process.report().tables(), nullptr,
                                         &segments, workspace);
    walk->Start(std::move(done));
  });
  std::map<std::string, std::multiset<std::string>> rows;
  std::multiset<std::string> restarts;
  for (const v1::ExtractResponse& event : process.TakeEvents()) {
    if (event.has_table_restarted()) {
      const std::string& table = event.table_restarted().table();
      EXPECT_GT(rows[table].size(), 0u) << "nothing is void of " << table;
      rows[table].clear();
      restarts.insert(table);
    }
    for (const auto& row : event.row_batch().users()) rows["users"].insert(row.id());
    for (const auto& row : event.row_batch().leads()) rows["leads"].insert(row.id());
    for (const auto& row : event.row_batch().users_segments()) {
      rows["users_segments"].insert(row.users_pk());
    }
  }
  EXPECT_THAT(restarts, ::testing::UnorderedElementsAre("users", "leads", "users_segments"));
  std::set<std::string> ids;
  for (const char* table : {"users", "leads"}) ids.insert(rows[table].begin(), rows[table].end());
  EXPECT_EQ(ids.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(rows["users"].size() + rows["leads"].size(), static_cast<size_t>(kCount));
  // Every user is in the segment, and search still tells.
  EXPECT_EQ(rows["users_segments"], rows["users"]);
  EXPECT_EQ(intercom.stats().by_route["GET /contacts/{id}/segments"], 0);
}

}  // namespace
}  // namespace intercom_extractor
