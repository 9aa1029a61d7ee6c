#include "clients/sinks/postgres/postgres_url.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "postgresql/libpq-fe.h"

namespace intercom_extractor {
namespace {

constexpr char kDefaultSchema[] = "intercom";

// Of PostgreSQL's names.
constexpr size_t kLongestName = 63;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--sink: ", what, "; write postgresql://USER@HOST:PORT/DATABASE?schema=NAME"));
}

// Takes "schema=..." out of the URL, as libpq does not know it.
std::string TakeSchema(const std::string& url, std::string* schema) {
  const size_t question = url.find('?');
  if (question == std::string::npos) return url;
  std::vector<std::string> kept;
  for (absl::string_view parameter :
       absl::StrSplit(absl::string_view(url).substr(question + 1), '&', absl::SkipEmpty())) {
    if (absl::StartsWith(parameter, "schema=")) {
      *schema = std::string(parameter.substr(7));
    } else {
      kept.emplace_back(parameter);
    }
  }
  const std::string base = url.substr(0, question);
  return kept.empty() ? base : absl::StrCat(base, "?", absl::StrJoin(kept, "&"));
}

}  // namespace

std::string PostgresTarget::name() const {
  const auto part = [this](const char* key) {
    const auto found = parameters.find(key);
    return found == parameters.end() ? std::string() : found->second;
  };
  std::string text = "postgresql://";
  if (!part("user").empty()) absl::StrAppend(&text, part("user"), "@");
  absl::StrAppend(&text, part("host"));
  if (!part("port").empty()) absl::StrAppend(&text, ":", part("port"));
  if (!part("dbname").empty()) absl::StrAppend(&text, "/", part("dbname"));
  return absl::StrCat(text, ", schema ", schema);
}

bool IsPostgresUrl(absl::string_view url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

absl::StatusOr<PostgresTarget> ParsePostgresUrl(const std::string& url) {
  if (!IsPostgresUrl(url)) return Malformed("this is no URL of PostgreSQL");
  PostgresTarget target;
  target.schema = kDefaultSchema;
  const std::string rest = TakeSchema(url, &target.schema);
  // libpq would take the rest of such a password for the host, and errors name hosts.
  const size_t begin = rest.find("://") + 3;
  const std::string authority = rest.substr(begin, rest.find_first_of("/?", begin) - begin);
  if (std::count(authority.begin(), authority.end(), '@') > 1) {
    return Malformed("the URL has more than one @ before the database; write %40 in a password");
  }
  if (target.schema.empty() || target.schema.size() > kLongestName ||
      absl::StrContains(target.schema, '%') || absl::StartsWith(target.schema, "pg_")) {
    return Malformed("schema= is no name of a schema");
  }
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(rest.c_str(), nullptr), &PQconninfoFree);
  // libpq's own message would quote the URL.
  if (options == nullptr) return Malformed("the URL cannot be read, or has an unknown parameter");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) target.parameters[option->keyword] = option->val;
  }
  return target;
}

}  // namespace intercom_extractor
