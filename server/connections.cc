#include "server/connections.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// What a caller sent, fit for a message.
std::string Printable(absl::string_view name) {
  constexpr size_t kMaxBytes = 64;
  return absl::StrCat(absl::CHexEscape(name.substr(0, kMaxBytes)),
                      name.size() > kMaxBytes ? "..." : "");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connections>> Connections::Create(
    const std::vector<Connection>& connections, const HttpClient::Options& http,
    const Clock* clock) {
  if (connections.empty()) {
    return absl::InvalidArgumentError("connections: there is none; configure at least one");
  }
  std::unique_ptr<Connections> result(new Connections(http));
  for (const Connection& connection : connections) {
    const absl::Status valid = ValidateConnection(connection);
    if (!valid.ok()) return valid;
    auto client = std::make_unique<IntercomClient>(connection, &result->http_, clock);
    if (!result->clients_.emplace(connection.name, std::move(client)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("connection ", connection.name, ": the name is used twice"));
    }
  }
  return result;
}

absl::StatusOr<IntercomClient*> Connections::Find(const std::string& name) const {
  const std::string wanted = name.empty() ? "default" : name;
  const auto found = clients_.find(wanted);
  if (found != clients_.end()) return found->second.get();

  // Some are enough to see a typing error; errors must stay small.
  constexpr int kMaxNames = 10;
  std::string names;
  int count = 0;
  for (const auto& entry : clients_) {
    if (++count > kMaxNames) {
      absl::StrAppend(&names, ", ...");
      break;
    }
    absl::StrAppend(&names, count > 1 ? ", " : "", entry.first);
  }
  return StatusWithReason(absl::StatusCode::kNotFound, "CONNECTION_UNKNOWN",
                          absl::StrCat("connection \"", Printable(wanted),
                                       "\" is not configured in this server; it has: ", names));
}

}  // namespace intercom_extractor
