#include "clients/cli/progress_display.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ProgressDisplayTest : public ::testing::Test {
 protected:
  ProgressDisplayTest() {
    console_.err = [this](absl::string_view text) { err_.append(text.data(), text.size()); };
    console_.columns = [] { return 60; };
  }

  ProgressDisplay Display(ProgressDisplay::Mode mode) {
    return ProgressDisplay(mode, &console_, {"users"}, [this] { return now_; });
  }

  static v1::Notice NoticeOf(v1::Severity severity, const std::string& id) {
    v1::Notice notice;
    notice.set_code(v1::NOTICE_CODE_VALUE_INVALID);
    notice.set_severity(severity);
    notice.set_table("users");
    notice.set_record_id(id);
    notice.set_message("created_at: want an integer");
    return notice;
  }

  absl::Time now_ = absl::UnixEpoch();
  Console console_;
  std::string err_;
};

TEST_F(ProgressDisplayTest, BarIsRedrawnInPlaceAndRemovedAtTheEnd) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kBar);
  display.Tick();
  EXPECT_EQ(err_, "\r0 rows  0 rows/s  0/1 tables  0 requests  0:00\x1b[K");
  err_.clear();
  display.OnRows("users", 5);
  now_ += absl::Seconds(1);
  display.Tick();
  EXPECT_THAT(err_, StartsWith("\r5 rows"));
  EXPECT_THAT(err_, Not(HasSubstr("\n")));
  err_.clear();
  display.End();
  EXPECT_EQ(err_, "\r\x1b[K");
  display.Tick();
  display.Say("too late");
  EXPECT_EQ(err_, "\r\x1b[K");
}

TEST_F(ProgressDisplayTest, NoticeStandsAboveTheBar) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kBar);
  display.Tick();
  err_.clear();
  display.OnNotice(NoticeOf(v1::SEVERITY_INFO, "7"));
  EXPECT_EQ(err_, "\r\x1b[Knote: users 7: created_at: want an integer\n");
}

TEST_F(ProgressDisplayTest, LogGetsALineEveryTenSecondsAndOneAtTheEnd) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kLines);
  for (int i = 0; i < 99; ++i) {
    now_ += absl::Milliseconds(100);
    display.Tick();
  }
  EXPECT_EQ(err_, "");
  now_ += absl::Milliseconds(100);
  display.Tick();
  EXPECT_THAT(err_, StartsWith(R"({"event":"progress","elapsed_seconds":10,)"));
  EXPECT_THAT(err_, EndsWith("}\n"));
  err_.clear();
  display.End();
  display.End();
  EXPECT_THAT(err_, StartsWith(R"({"event":"progress")"));
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1);
}

TEST_F(ProgressDisplayTest, FewNoticesOfACodeAreShownAndTheRestCounted) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kLines);
  for (int i = 0; i < 12; ++i) {
    display.OnNotice(NoticeOf(v1::SEVERITY_INFO, std::to_string(i)));
  }
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 5);
  display.End();
  EXPECT_THAT(err_, HasSubstr("... and 7 more of VALUE_INVALID\n"));
  EXPECT_FALSE(display.saw_warning());
}

TEST_F(ProgressDisplayTest, WarningsAreRememberedEvenWhenQuiet) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kQuiet);
  display.OnNotice(NoticeOf(v1::SEVERITY_WARNING, "7"));
  display.Tick();
  display.Say("hello");
  display.End();
  EXPECT_EQ(err_, "");
  EXPECT_TRUE(display.saw_warning());
}

TEST_F(ProgressDisplayTest, ProgramsGetOnlyJson) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kJsonLines);
  for (int i = 0; i < 7; ++i) display.OnNotice(NoticeOf(v1::SEVERITY_WARNING, "7"));
  v1::TableRestarted restarted;
  restarted.set_table("users");
  display.OnRestart(restarted);
  display.Say("words");
  display.End();
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 9);
  EXPECT_THAT(err_, Not(HasSubstr("words")));
  EXPECT_THAT(err_, HasSubstr(R"("code":"VALUE_INVALID","severity":"warning")"));
}

TEST_F(ProgressDisplayTest, NotesAreForPeopleAndForPrograms) {
  ProgressDisplay lines = Display(ProgressDisplay::Mode::kLines);
  lines.Note("goes on");
  EXPECT_EQ(err_, "note: goes on\n");
  err_.clear();
  ProgressDisplay json = Display(ProgressDisplay::Mode::kJsonLines);
  json.Note("goes on");
  EXPECT_EQ(err_, R"({"event":"note","message":"goes on"})"
                  "\n");
}

TEST_F(ProgressDisplayTest, MessagesCannotSteerTheTerminal) {
  ProgressDisplay display = Display(ProgressDisplay::Mode::kLines);
  v1::Notice notice = NoticeOf(v1::SEVERITY_INFO, "7");
  notice.set_message("a\x1b[2Jb\nc");
  display.OnNotice(notice);
  EXPECT_EQ(err_, "note: users 7: a [2Jb c\n");
}

}  // namespace
}  // namespace intercom_extractor
