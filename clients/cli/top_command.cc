#include "clients/cli/top_command.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/top_text.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// The server's own numbers are no fresher.
constexpr absl::Duration kInterval = absl::Seconds(1);
// Of a pipe or file.
constexpr int kPlainColumns = 120;

// A second screen beside the one with the user's work, and no cursor on it.
constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";

// What fits on the screen, drawn over what was there.
std::string Screen(const std::string& text, int lines) {
  std::vector<std::string> shown = absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
  const size_t room = static_cast<size_t>(std::max(lines, 2));
  if (shown.size() > room) {
    const size_t hidden = shown.size() - room + 1;
    shown.resize(room - 1);
    shown.push_back(absl::StrCat("... ", hidden, " more lines; a taller terminal shows them"));
  }
  return absl::StrCat("\x1b[H", absl::StrJoin(shown, "\x1b[K\r\n"), "\x1b[K\x1b[J");
}

Outcome CannotWrite() { return {ExitCode::kOutput, "cannot write to standard output"}; }

// Until the user interrupts, or the server does not answer.
Outcome Live(const TopOptions& options, const v1::ListExtractionsRequest& request,
             v1::ListExtractionsResponse response, ExtractorApi* api, const Console& console) {
  if (!console.out(kEnter)) return CannotWrite();
  Outcome outcome;
  while (true) {
    const std::string text = FormatTop(response, options.connection.server,
                                       std::max(console.columns(), 1), console.color);
    if (!console.out(Screen(text, console.lines()))) {
      outcome = CannotWrite();
      break;
    }
    if (api->interrupt()->WaitFor(kInterval)) break;
    auto next = api->ListExtractions(request);
    if (!next.ok()) {
      if (!api->interrupt()->cancelled()) {
        outcome = CallOutcome(next.status(), *api->interrupt(), options.connection);
      }
      break;
    }
    response = *std::move(next);
  }
  console.out(kLeave);
  return outcome;
}

}  // namespace

Outcome RunTop(const TopOptions& options, ExtractorApi* api, const Console& console) {
  v1::ListExtractionsRequest request;
  request.set_connection(options.only_connection);
  auto response = api->ListExtractions(request);
  if (!response.ok()) {
    return CallOutcome(response.status(), *api->interrupt(), options.connection);
  }
  if (options.json) {
    return console.out(absl::StrCat(TopJson(*response), "\n")) ? Outcome() : CannotWrite();
  }
  if (!console.out_is_terminal) {
    const std::string text =
        FormatTop(*response, options.connection.server, kPlainColumns, /*color=*/false);
    return console.out(text) ? Outcome() : CannotWrite();
  }
  return Live(options, request, *std::move(response), api, console);
}

}  // namespace intercom_extractor
