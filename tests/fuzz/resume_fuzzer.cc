// Resume tokens: forged bytes, and tokens of ours over any state. A byte says which.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/checkpoint/packed_ids.h"
#include "extractor/checkpoint/resume_token.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/day_calendar.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/latest_first.h"
#include "extractor/pipeline/resume_point.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/pipeline/saved_windows.h"
#include "extractor/pipeline/window_axis.h"
#include "extractor/pipeline/window_plan.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/stubs/logging.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "resume_state.pb.h"
#include "tests/fuzz/input_bytes.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/resume_input.h"

namespace intercom_extractor::fuzz {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

// A caller, what it asks for, and its server's key.
class Stream {
 public:
  Stream() {
    connection_.access_token = "dG9rOjEyMzQ1";
    request_.set_template_(v1::TEMPLATE_ALL);
    tables_ = *TableCatalog::Get().Select(request_.template_(), {});
  }

  const std::vector<const TableInfo*>& tables() const { return tables_; }
  ResumeTokenCodec codec() const { return ResumeTokenCodec(connection_); }

  absl::StatusOr<ResumePoint> Resume(const std::string& token) const {
    v1::ExtractRequest request = request_;
    request.set_resume_token(token);
    return ResumePoint::Create(request, tables_, Incremental(), connection_, "", kNow);
  }

  // What the state of this stream's tokens begins with.
  std::string Digest() const {
    const absl::StatusOr<ResumePoint> begin = Resume("");
    const RunReport report(tables_, kNow);
    return codec().Open(begin->MakeToken(1, kNow, kNow, report, {}))->request_digest();
  }

 private:
  Connection connection_;
  v1::ExtractRequest request_;
  std::vector<const TableInfo*> tables_;
};

const Stream& TheStream() {
  static const auto* const stream = new Stream();
  return *stream;
}

bool IsOneOf(const std::string& reason, std::initializer_list<absl::string_view> reasons) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

// Only who has the key can make a token.
void CheckForged(const std::string& token) {
  const absl::StatusOr<resume::State> state = TheStream().codec().Open(token);
  Require(absl::IsFailedPrecondition(state.status()) &&
              IsOneOf(ReasonOf(state.status()), {"RESUME_TOKEN_INVALID", "RESUME_TOKEN_VERSION"}),
          "a forged token is refused", state.status().ToString());
  const absl::StatusOr<ResumePoint> point = TheStream().Resume(token);
  Require(token.empty() ? point.ok() : absl::IsFailedPrecondition(point.status()),
          "so is the stream that would go on from it");
}

// A token of ours of which a byte is another one, or with more or less of them.
void CheckDamaged(std::string token, InputBytes* steps) {
  const size_t at = steps->Word() % token.size();
  const uint8_t by = steps->Byte();
  if (by == 0) {
    token.resize(at);
  } else if (by == 255) {
    token.insert(at, 1, 'x');
  } else {
    token[at] = static_cast<char>(token[at] ^ static_cast<char>(by));
  }
  CheckForged(token);
}

// A report that goes on from `state` says the same in its own token.
void CheckReport(const ResumePoint& point) {
  RunReport report(TheStream().tables(), kNow);
  report.Restore(*point.earlier());
  const std::string token = point.MakeToken(point.number(), kNow, kNow, report, {});
  if (token.empty()) return;
  const absl::StatusOr<ResumePoint> next = TheStream().Resume(token);
  Require(next.ok(), "a token that was made is taken", next.status().ToString());
  RunReport again(TheStream().tables(), kNow);
  again.Restore(*next->earlier());
  Require(next->MakeToken(next->number(), kNow, kNow, again, {}) == token,
          "and makes the same token");
  v1::Summary summary;
  again.Fill(&summary, kNow, RequestCounters());
  Require(summary.tables_size() == static_cast<int>(TheStream().tables().size()),
          "a summary has every table");
}

void CheckIds(const std::string& packed) {
  absl::StatusOr<std::vector<std::string>> ids = UnpackIds(packed);
  if (!ids.ok()) {
    return Require(absl::IsDataLoss(ids.status()), "damaged ids are DATA_LOSS");
  }
  absl::StatusOr<std::vector<std::string>> again = UnpackIds(PackIds(*ids));
  Require(again.ok(), "ids that were packed can be unpacked");
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  std::sort(again->begin(), again->end());
  Require(*ids == *again, "and are the same");
}

// Pages of a list, latest first or not, that goes on behind these ids.
void CheckListed(const resume::RecordList& list, InputBytes* steps) {
  LatestFirst order(100);
  order.Restore(list.listed_ids(), list.listed_otherwise());
  for (size_t pages = steps->Below(4); pages > 0; --pages) {
    const uint8_t how = steps->Byte();
    if ((how & 16) != 0) order.BeginFront();
    order.BeginPage();
    for (int records = how & 7; records > 0; --records) {
      const uint8_t id = steps->Byte();
      const bool known = order.WasRead(absl::StrCat(id));
      Require(!order.Add(absl::StrCat(id), (how & 8) == 0 ? std::optional<int64_t>(steps->Byte())
                                                          : std::nullopt) == known,
              "what was read is not new");
    }
    order.CommitPage();
  }
  LatestFirst again(100);
  const std::string saved = order.Save();
  again.Restore(saved, order.sorted_otherwise());
  Require(again.sorted_otherwise() == order.sorted_otherwise(), "so does whether it has one");
  Require(saved.empty() || again.Save() == saved, "the order of a list comes back");
}

std::string TokenOf(const WindowPlan& plan) {
  SearchWindows::Saved saved;
  saved.plan = plan.Save();
  saved.cursors.resize(saved.plan.windows.size());
  return ToState(saved).SerializeAsString();
}

// A page that is made up for a window.
WindowPlan::Page MakePage(const WindowPlan& plan, size_t window, InputBytes* steps) {
  WindowPlan::Page page;
  const uint8_t how = steps->Byte();
  // Also so many that windows are split.
  if ((how & 1) == 0) page.total_count = steps->Byte() * ((how & 2) == 0 ? 4000 : 1);
  page.malformed = how >> 6;
  page.last = (how & 4) != 0;
  int64_t second = plan.filter(window).created_from.value_or(1600000000) + steps->Byte() * 86400;
  for (int i = (how >> 3) & 7; i > 0; --i) {
    const uint8_t step = steps->Byte();
    WindowPlan::Record record;
    const std::string id = absl::StrCat(step);
    record.id = id;
    second += (step & 7) * 3600 - ((step & 15) == 15 ? 7200 : 0);
    if ((step & 16) == 0) record.created_at = second;
    if ((step & 32) == 0) record.updated_at = second + step;
    plan.Add(window, record, &page);
  }
  return page;
}

void CheckWindows(const resume::Windows& state, const WindowAxis& axis,
                  const WindowPlan::Options& options, InputBytes* steps) {
  absl::StatusOr<SearchWindows::Saved> saved = FromState(state);
  if (!saved.ok()) {
    return Require(absl::IsDataLoss(saved.status()), "damaged windows are DATA_LOSS");
  }
  // Nothing was saved: all of it is to be read.
  const bool begins = state.windows().empty();
  const size_t before = saved->plan.windows.size();
  WindowPlan plan = begins ? WindowPlan(&axis, absl::ToUnixSeconds(kNow), options)
                           : WindowPlan(&axis, std::move(saved->plan), options);
  Require(plan.TakeNew().size() == (begins ? 1 : before), "every window goes on");
  while (!plan.open().empty() && !steps->empty()) {
    const auto window = std::next(plan.open().begin(),
                                  static_cast<std::ptrdiff_t>(steps->Below(plan.open().size())));
    const absl::Status status = (steps->Byte() & 7) == 0
                                    ? plan.Restart(*window)
                                    : plan.OnPage(*window, MakePage(plan, *window, steps));
    if (!status.ok()) {
      // The list begins anew then.
      return Require(absl::IsDataLoss(status), "a search that lies is DATA_LOSS");
    }
    plan.TakeNew();
    Require(plan.open().size() <= std::max(before, options.max_open), "windows are bounded");

    Require(plan.ExpectedPages() >= 0 && plan.Shortfall() >= 0, "pages and records are counted");
    WindowPlan again(&axis, plan.Save(), options);
    Require(TokenOf(again) == TokenOf(plan), "windows come back as they were");
  }
}

void CheckState(const ResumeInput& input) {
  resume::State state = input.state;
  static const auto* const digest = new std::string(TheStream().Digest());
  state.set_request_digest(*digest);
  // Most are not too old.
  if (state.made_at() == 0) state.set_made_at(absl::ToUnixSeconds(kNow));
  if (!state.privacy_digest().empty()) {
    const absl::StatusOr<ResumePoint> other = TheStream().Resume(TheStream().codec().Seal(state));
    Require(IsOneOf(ReasonOf(other.status()),
                    {"RESUME_TOKEN_MISMATCH", "RESUME_TOKEN_EXPIRED", "RESUME_TOKEN_INVALID"}),
            "a token of other privacy rules is refused", other.status().ToString());
    state.clear_privacy_digest();
  }
  const std::string token = TheStream().codec().Seal(state);
  const absl::StatusOr<ResumePoint> point = TheStream().Resume(token);
  if (token.size() > ResumeTokenCodec::kMaxTokenBytes) {
    return Require(!point.ok(), "a token that is too large is refused");
  }
  if (!point.ok()) {
    // Too old, or with numbers that no extraction reaches.
    return Require(
        IsOneOf(ReasonOf(point.status()), {"RESUME_TOKEN_EXPIRED", "RESUME_TOKEN_INVALID"}),
        "a token of ours is taken", point.status().ToString());
  }
  Require(point->earlier()->SerializeAsString() == state.SerializeAsString(),
          "a state comes back as it was");
  InputBytes steps(reinterpret_cast<const uint8_t*>(input.steps.data()), input.steps.size());
  CheckDamaged(token, &steps);
  CheckReport(*point);
  CheckIds(state.pending_conversations());
  for (const resume::PendingContacts& pending : state.pending_contacts()) CheckIds(pending.ids());
  CheckListed(state.contacts(), &steps);
  CheckListed(state.conversations(), &steps);

  WindowPlan::Options options;
  const DayAxis days{DayCalendar((steps.Byte() & 1) == 0 ? "America/Sao_Paulo" : "")};
  CheckWindows(state.contacts().windows(), days, options, &steps);
  const SecondAxis seconds;
  options.max_open = 8;
  CheckWindows(state.conversations().windows(), seconds, options, &steps);
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  // It says of each text that it is no UTF-8.
  static const auto* const quiet = new google::protobuf::LogSilencer();
  (void)quiet;
  InputBytes input(data, size);
  if (input.Byte() % 8 == 0) {
    CheckForged(std::string(input.rest()));
  } else if (const auto state = ResumeInput::Read(input.rest())) {
    CheckState(*state);
  }
  return 0;
}
