#include "clients/sinks/postgres/postgres_connection.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace intercom_extractor {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// What a socket does not take at once libpq moves to the front of its buffer, again and again:
// the less there is, the better.
constexpr size_t kCopyChunk = size_t{64} << 10;

// What libpq says, in one line.
std::string OneLine(absl::string_view message) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(message), {{"\n", " "}, {"\t", " "}});
}

absl::StatusCode CodeFor(absl::string_view state) {
  // Connection, shutdown and crash, deadlock and serialization, lock timeout.
  for (absl::string_view passing : {"08", "57P", "40", "55P03"}) {
    if (absl::StartsWith(state, passing)) return absl::StatusCode::kUnavailable;
  }
  if (absl::StartsWith(state, "53")) return absl::StatusCode::kResourceExhausted;
  if (absl::StartsWith(state, "28") || state == "42501") {
    return absl::StatusCode::kPermissionDenied;
  }
  return absl::StatusCode::kFailedPrecondition;
}

// What to do about a connection that was refused.
absl::string_view Advice(absl::string_view message) {
  if (absl::StrContains(message, "password authentication failed") ||
      absl::StrContains(message, "no password supplied")) {
    return "; check the user, and the password in PGPASSWORD, .pgpass or the URL";
  }
  if (absl::StrContains(message, "could not translate host name")) {
    return "; check the host in --sink";
  }
  if (absl::StrContains(message, "does not exist")) {
    return "; check the user and the database in --sink";
  }
  return "; check that PostgreSQL runs there";
}

}  // namespace

std::string SqlName(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

std::string SqlText(absl::string_view text) {
  return absl::StrCat("E'", absl::StrReplaceAll(text, {{"'", "''"}, {"\\", "\\\\"}}), "'");
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresTarget& target) {
  // Those of the URL come later, and count.
  std::vector<const char*> keys = {"connect_timeout", "fallback_application_name",
                                   "client_encoding"};
  std::vector<const char*> values = {"10", "intercom-extract", "UTF8"};
  for (const auto& [key, value] : target.parameters) {
    if (key == "client_encoding") continue;
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<PostgresConnection> made(new PostgresConnection(
      PQconnectdbParams(keys.data(), values.data(), /*expand_dbname=*/0), target.name()));
  PGconn* const connection = made->connection_.get();
  if (PQstatus(connection) != CONNECTION_OK) {
    const std::string said = OneLine(PQerrorMessage(connection));
    // An answer of the server that is no invitation to try again.
    const bool refused =
        absl::StrContains(said, "FATAL:") && !absl::StrContains(said, "starting up") &&
        !absl::StrContains(said, "shutting down") && !absl::StrContains(said, "recovery") &&
        !absl::StrContains(said, "too many");
    return absl::Status(
        refused ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable,
        absl::StrCat("cannot connect to ", made->name_, ": ", said, Advice(said)));
  }
  PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  return made;
}

absl::Status PostgresConnection::Error(const PGresult* result) const {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    return absl::UnavailableError(absl::StrCat("lost the connection to ", name_, ": ",
                                               OneLine(PQerrorMessage(connection_.get()))));
  }
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return absl::Status(
      CodeFor(state == nullptr ? "" : state),
      absl::StrCat(name_, ": ", message == nullptr ? "unknown error" : OneLine(message),
                   state == nullptr ? "" : absl::StrCat(" (SQLSTATE ", state, ")")));
}

absl::StatusOr<PostgresRows> PostgresConnection::Run(const std::string& sql,
                                                     const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  // Only the simple protocol takes several statements.
  const Result result(
      parameters.empty()
          ? PQexec(connection_.get(), sql.c_str())
          : PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                         values.data(), nullptr, nullptr, /*resultFormat=*/0),
      &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return Error(result.get());
  PostgresRows rows;
  // Empty where the command counts nothing.
  if (!absl::SimpleAtoi(PQcmdTuples(result.get()), &rows.affected)) rows.affected = 0;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    auto& values_of_row = rows.rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        values_of_row.emplace_back();
      } else {
        values_of_row.emplace_back(PQgetvalue(result.get(), row, column));
      }
    }
  }
  return rows;
}

absl::Status PostgresConnection::Copy(const std::string& sql, absl::string_view bytes) {
  const Result begun(PQexec(connection_.get(), sql.c_str()), &PQclear);
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN) return Error(begun.get());
  bool sent = true;
  for (size_t at = 0; sent && at < bytes.size(); at += kCopyChunk) {
    const absl::string_view chunk = bytes.substr(at, kCopyChunk);
    sent = PQputCopyData(connection_.get(), chunk.data(), static_cast<int>(chunk.size())) == 1;
  }
  if (sent) sent = PQputCopyEnd(connection_.get(), nullptr) == 1;
  absl::Status status = sent ? absl::OkStatus() : Error(nullptr);
  // To the end: the session takes no other command before.
  for (;;) {
    const Result result(PQgetResult(connection_.get()), &PQclear);
    if (result == nullptr) return status;
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK && status.ok()) {
      status = Error(result.get());
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK) return Error(nullptr);
  }
}

}  // namespace intercom_extractor
