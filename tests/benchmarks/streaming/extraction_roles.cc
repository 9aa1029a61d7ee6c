#include "tests/benchmarks/streaming/extraction_roles.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "tests/benchmarks/streaming/child.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

// Answers that were given before. Thread-safe.
class KnownAnswers {
 public:
  void Watch(const std::string& method, const std::string& path, fake::FakeIntercom* intercom) {
    intercom->SetHandler(method, path, [this](const fake::Request& request, fake::Response* to) {
      const std::lock_guard<std::mutex> lock(mu_);
      const auto found = bodies_.find(KeyOf(request));
      if (found == bodies_.end()) return false;
      to->body = found->second;
      return true;
    });
    intercom->AlterAnswers(method, path,
                           [this](const fake::Request& request, fake::Response* answer) {
                             if (answer->status != 200) return;
                             const std::lock_guard<std::mutex> lock(mu_);
                             bodies_.emplace(KeyOf(request), answer->body);
                           });
  }

 private:
  static std::string KeyOf(const fake::Request& request) {
    return absl::StrCat(request.target, " ", request.body);
  }

  std::mutex mu_;
  std::unordered_map<std::string, std::string> bodies_;
};

}  // namespace

int ServeIntercom(size_t contacts) {
  fake::GeneratorOptions sizes;
  sizes.users = contacts * 3 / 4;
  sizes.leads = contacts - sizes.users - 1;
  sizes.companies = 10;
  sizes.conversations = 0;
  fake::FakeIntercomOptions options;
  fake::FakeIntercom intercom(options, std::make_shared<fake::GeneratedWorkspace>(sizes));
  KnownAnswers answers;
  answers.Watch("GET", "/contacts", &intercom);
  answers.Watch("POST", "/contacts/search", &intercom);
  Child::Serve(intercom.base_url());
  intercom.ClearHandlers();
  return 0;
}

int64_t RowsOf(size_t contacts) { return static_cast<int64_t>(contacts) - 1; }

int ServeExtractions(const std::string& intercom, int connections) {
  ServerConfig config;
  config.listen = "127.0.0.1:0";
  for (int i = 0; i < connections; ++i) {
    Connection& connection = config.connections.emplace_back();
    connection.name = ConnectionName(i);
    connection.access_token = fake::FakeIntercomOptions().access_token;
    connection.base_url = intercom;
  }
  const auto server = ExtractorServer::Start(config);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  Child::Serve(absl::StrCat("127.0.0.1:", (*server)->port()));
  (*server)->Shutdown(absl::ZeroDuration());
  return 0;
}

std::string ConnectionName(int connection) { return absl::StrCat("workspace", connection); }

}  // namespace intercom_extractor
