#ifndef CLIENTS_SINKS_POSTGRES_POSTGRES_URL_H_
#define CLIENTS_SINKS_POSTGRES_POSTGRES_URL_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// A database and the schema in it.
struct PostgresTarget {
  // As libpq knows them: "host", "user", ... The password, where there is one, is secret.
  std::map<std::string, std::string> parameters;
  std::string schema;

  // For people, without a password: "postgresql://etl@db.example:5432/crm, schema intercom".
  std::string name() const;
};

// Whether a sink's URL is one of PostgreSQL.
bool IsPostgresUrl(absl::string_view url);

// Reads "postgresql://user:password@host:port/database?schema=name&...", with every
// parameter of libpq's; what is left out libpq takes from PGHOST, .pgpass and the like, the
// schema is "intercom". kInvalidArgument, without any part of the URL: it may be a password.
absl::StatusOr<PostgresTarget> ParsePostgresUrl(const std::string& url);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_POSTGRES_POSTGRES_URL_H_
