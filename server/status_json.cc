#include "server/status_json.h"

#include <cmath>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "extractor/intercom/intercom_client.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "nlohmann/json.hpp"
#include "proto/v1.h"
#include "release/build_info.h"

namespace intercom_extractor {
namespace {

using nlohmann::json;

// Milliseconds are enough for people.
double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + std::round(duration.nanos() / 1e6) / 1e3;
}

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + std::round(time.nanos() / 1e6) / 1e3;
}

// "NOTICE_CODE_RECORD_GONE" as "RECORD_GONE". Codes are ours, so all have names.
std::string Name(const std::string& name, const char* prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

json Tables(const v1::ExtractionStatus& status) {
  std::map<std::string, double> rates;
  for (const v1::TableRate& rate : status.rates()) rates[rate.table()] = rate.rows_per_second();
  json tables = json::array();
  for (const v1::TableProgress& table : status.progress().tables()) {
    tables.push_back(
        {{"table", table.table()},
         {"rows", table.rows()},
         {"rows_expected", table.has_rows_expected() ? json(table.rows_expected()) : json()},
         {"rows_per_second", rates[table.table()]},
         {"bytes", table.bytes()},
         {"requests", table.requests()},
         {"done", table.done()}});
  }
  return tables;
}

json DescribeExtraction(const v1::ExtractionStatus& status) {
  const v1::Progress& progress = status.progress();
  json result = {
      {"id", status.id()},
      {"connection", status.connection()},
      {"caller", status.caller()},
      {"started_at", Seconds(status.started_at())},
      {"elapsed_seconds", Seconds(progress.elapsed())},
      {"waiting_for", progress.waiting_for() == v1::WAIT_REASON_UNSPECIFIED
                          ? ""
                          : absl::AsciiStrToLower(
                                Name(v1::WaitReason_Name(progress.waiting_for()), "WAIT_REASON_"))},
      {"time_spent",
       {{"quota", Seconds(progress.time_spent().quota())},
        {"intercom", Seconds(progress.time_spent().intercom())},
        {"consumer", Seconds(progress.time_spent().consumer())},
        {"cpu", Seconds(progress.time_spent().cpu())}}},
      {"requests",
       {{"sent", progress.requests().sent()},
        {"retries", progress.requests().retries()},
        {"rate_limited", progress.requests().rate_limited()},
        {"pending", progress.requests().pending()},
        {"planned",
         progress.has_requests_planned() ? json(progress.requests_planned().likely()) : json()}}},
      {"remaining_seconds",
       progress.has_remaining() ? json(Seconds(progress.remaining())) : json()},
      {"checkpoint_age_seconds",
       status.has_checkpoint_age() ? json(Seconds(status.checkpoint_age())) : json()},
      {"buffered_bytes", status.buffered_bytes()},
      {"tables", Tables(status)}};
  json& notices = result["notices"] = json::array();
  for (const v1::NoticeCount& notice : status.notices()) {
    notices.push_back({{"table", notice.table()},
                       {"reason", Name(v1::NoticeCode_Name(notice.code()), "NOTICE_CODE_")},
                       {"count", notice.count()}});
  }
  if (status.has_ended_at()) {
    result["ended_at"] = Seconds(status.ended_at());
    result["code"] = absl::StatusCodeToString(static_cast<absl::StatusCode>(status.code()));
    result["reason"] = status.reason();
  }
  return result;
}

json DescribeClient(const IntercomClient& client) {
  const RequestCounters totals = client.Totals();
  json result = {{"connection", client.connection().name},
                 {"requests",
                  {{"sent", totals.sent},
                   {"retries", totals.retries},
                   {"rate_limited", totals.rate_limited},
                   {"in_flight", totals.in_flight},
                   {"queued", totals.queued},
                   {"pausing", totals.waiting_for_retry}}},
                 {"held_by_quota", totals.held_by_quota},
                 {"quota", json()}};
  if (const auto quota = client.Quota()) {
    result["quota"] = {{"limit", quota->limit},
                       {"remaining", quota->remaining},
                       {"usable", quota->usable},
                       {"window_seconds", absl::ToDoubleSeconds(quota->window)}};
  }
  return result;
}

}  // namespace

std::string StatusJson(const StatusSources& sources) {
  const v1::ListExtractionsResponse list = sources.extractions->List(/*connection=*/"");
  json running = json::array();
  for (const v1::ExtractionStatus& status : list.running())
    running.push_back(DescribeExtraction(status));
  json ended = json::array();
  for (const v1::ExtractionStatus& status : list.ended())
    ended.push_back(DescribeExtraction(status));
  json connections = json::array();
  for (const auto& [name, client] : sources.connections) {
    connections.push_back(DescribeClient(*client));
  }
  const json status = {
      {"version", std::string(Version())},
      {"time", Seconds(list.time())},
      {"started_at", absl::ToDoubleSeconds(sources.started_at - absl::UnixEpoch())},
      {"ready", sources.ready},
      {"running", running},
      {"ended", ended},
      {"connections", connections},
      {"history", sources.history->ToJson()}};
  return status.dump();
}

}  // namespace intercom_extractor
