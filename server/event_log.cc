#include "server/event_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/event_kind.h"

namespace intercom_extractor {
namespace {

void LogNotice(const v1::Notice& notice, const CallLabels& labels) {
  std::vector<LogField> fields = {
      {"table", notice.table()},
      {"reason",
       std::string(absl::StripPrefix(v1::NoticeCode_Name(notice.code()), "NOTICE_CODE_"))}};
  if (!notice.record_id().empty()) fields.emplace_back("record_id", notice.record_id());
  if (!notice.request_id().empty()) fields.emplace_back("request_id", notice.request_id());
  fields.emplace_back("detail", notice.message());
  Log(notice.severity() >= v1::SEVERITY_WARNING ? spdlog::level::warn : spdlog::level::debug,
      "notice", labels.With(std::move(fields)));
}

}  // namespace

void LogEvent(const Event& event, const CallLabels& labels) {
  if (!IsEvent(event, v1::ExtractResponse::kNoticeFieldNumber) &&
      !IsEvent(event, v1::ExtractResponse::kTableRestartedFieldNumber)) {
    return;
  }
  const absl::string_view bytes = event.pieces().front().bytes;
  v1::ExtractResponse response;
  if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  if (response.has_notice()) {
    LogNotice(response.notice(), labels);
  } else {
    const v1::TableRestarted& restarted = response.table_restarted();
    Log(spdlog::level::info, "table begins anew",
        labels.With({{"table", restarted.table()}, {"detail", restarted.reason()}}));
  }
}

}  // namespace intercom_extractor
