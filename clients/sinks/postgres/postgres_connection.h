#ifndef CLIENTS_SINKS_POSTGRES_POSTGRES_CONNECTION_H_
#define CLIENTS_SINKS_POSTGRES_POSTGRES_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "postgresql/libpq-fe.h"

namespace intercom_extractor {

// Quoted as a name, or as a text, of SQL.
std::string SqlName(absl::string_view name);
std::string SqlText(absl::string_view text);

// What a statement gave: text, or nothing for null.
struct PostgresRows {
  std::vector<std::vector<std::optional<std::string>>> rows;
  int64_t affected = 0;
};

// One session. Calls block. Errors name the target and what PostgreSQL said, without the
// detail, which may show a row: kUnavailable where the session is lost or the server asks to
// try again, kPermissionDenied, kResourceExhausted (a full disk), else kFailedPrecondition.
// For one thread.
class PostgresConnection {
 public:
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect(const PostgresTarget& target);

  // Runs one statement with its parameters, $1 and so on, or several without.
  absl::StatusOr<PostgresRows> Run(const std::string& sql,
                                   const std::vector<std::string>& parameters = {});

  // As Run(), for what gives nothing.
  absl::Status Do(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    return Run(sql, parameters).status();
  }

  // Sends `bytes` to a "COPY ... FROM STDIN".
  absl::Status Copy(const std::string& sql, absl::string_view bytes);

  // Such as 150018.
  int server_version() const { return PQserverVersion(connection_.get()); }

 private:
  PostgresConnection(PGconn* connection, std::string name)
      : connection_(connection, &PQfinish), name_(std::move(name)) {}

  absl::Status Error(const PGresult* result) const;

  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  const std::string name_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_POSTGRES_POSTGRES_CONNECTION_H_
