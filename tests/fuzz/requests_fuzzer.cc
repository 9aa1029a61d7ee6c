// Calls of any method, from anybody, to a whole server with a fake Intercom behind it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "extractor/checkpoint/resume_token.h"
#include "extractor/intercom/connection.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/resume_point.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/stubs/logging.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "resume_state.pb.h"
#include "server/caller_config.h"
#include "server/caller_token.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fuzz/json_facts.h"
#include "tests/fuzz/request_input.h"
#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

using Method = RequestInput::Method;

constexpr char kAccessToken[] = "dG9rOjEyMzQ1Njc4OTA";
constexpr char kCallerToken[] = "may-use-everything-0123456789abcdef";
constexpr char kTagReaderToken[] = "may-read-tags-only-0123456789abcdef";
// Then a call is given up; nothing here takes so long but what waits on purpose.
constexpr auto kDeadline = std::chrono::milliseconds(500);

CallerConfig CallerOf(const std::string& name, const std::string& token) {
  CallerConfig caller;
  caller.name = name;
  caller.token_hashes = {HashCallerToken(token)};
  caller.connections = {"default"};
  return caller;
}

// Lives as long as the process.
class Server {
 public:
  static Server& Get() {
    static auto* const server = new Server();
    return *server;
  }

  const Connection& connection() const { return config_.connections[0]; }
  grpc::GenericStub* stub() { return stub_.get(); }

 private:
  Server() {
    fake::FakeIntercomOptions options;
    options.access_token = kAccessToken;
    // A call that is given up leaves its scroll open.
    options.scroll.time_to_live = absl::Milliseconds(5);
    fake::GeneratorOptions workspace;
    workspace.users = 3;
    workspace.leads = 2;
    workspace.companies = 2;
    // Those behind have hundreds of parts.
    workspace.conversations = 2;
    intercom_ = std::make_unique<fake::FakeIntercom>(
        options, std::make_shared<fake::GeneratedWorkspace>(workspace));

    config_.listen.clear();
    config_.http.max_connections = 4;
    Connection connection;
    connection.access_token = kAccessToken;
    connection.base_url = intercom_->base_url();
    config_.connections.push_back(connection);
    connection.name = "other";
    config_.connections.push_back(connection);
    config_.callers = {CallerOf("all", kCallerToken), CallerOf("tags", kTagReaderToken)};
    config_.callers[1].tables = {"tags"};
    auto server = ExtractorServer::Start(config_);
    Require(server.ok(), "the server starts", server.status().ToString());
    server_ = *std::move(server);
    stub_ = std::make_unique<grpc::GenericStub>(server_->InProcessChannel());
  }

  ServerConfig config_;
  std::unique_ptr<fake::FakeIntercom> intercom_;
  std::unique_ptr<ExtractorServer> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

// The request with a token of ours, over the input's state.
v1::ExtractRequest WithToken(v1::ExtractRequest request, const std::string& caller,
                             const std::string& state_bytes) {
  resume::State state;
  const absl::StatusOr<std::vector<const TableInfo*>> tables = TableCatalog::Get().Select(
      request.template_(), {request.tables().begin(), request.tables().end()});
  const absl::Time now = absl::Now();
  const absl::StatusOr<Incremental> incremental = IncrementalOf(request, now);
  if (!tables.ok() || !incremental.ok() || !state.ParseFromString(state_bytes)) return request;
  request.clear_resume_token();
  const Connection& connection = Server::Get().connection();
  const absl::StatusOr<ResumePoint> begin =
      ResumePoint::Create(request, *tables, *incremental, connection, caller, now);
  const ResumeTokenCodec codec(connection);
  const RunReport report(*tables, now);
  state.set_request_digest(codec.Open(begin->MakeToken(1, now, now, report, {}))->request_digest());
  if (state.made_at() == 0) state.set_made_at(absl::ToUnixSeconds(now));
  request.set_resume_token(codec.Seal(state));
  return request;
}

// As wrong as the request is odd; an empty one has a good one.
std::string TraceParent(const std::string& request) {
  static constexpr char kDigits[] = "0123456789abcdef-A";
  std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (size_t i = 0; i < request.size(); ++i) {
    const auto byte = static_cast<unsigned char>(request[i]);
    if (i < 8) {
      text[byte % text.size()] = kDigits[byte % (sizeof(kDigits) - 1)];
    } else if (i < 16) {
      text.push_back(kDigits[byte % (sizeof(kDigits) - 1)]);
    }
  }
  return text;
}

struct Answer {
  grpc::Status status;
  std::vector<std::string> messages;
  // Whether it was given up, after so many messages.
  bool cancelled = false;
};

Answer Call(const RequestInput& input, const std::string& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  switch (input.caller % 8) {
    case 0:
      break;
    case 1:
      context.AddMetadata("authorization", absl::StrCat("Bearer ", kTagReaderToken));
      break;
    case 2:
      context.AddMetadata("authorization", absl::StrCat("bearer  ", request.size()));
      break;
    case 3:
      context.AddMetadata("traceparent", TraceParent(input.request));
      [[fallthrough]];
    default:
      context.AddMetadata("authorization", absl::StrCat("Bearer ", kCallerToken));
  }
  grpc::CompletionQueue queue;
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = Server::Get().stub()->PrepareCall(&context, input.path(), &queue);
  call->StartCall(nullptr);
  await();
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  await();
  Answer answer;
  // To the end, which takes a hundred times as long, or for some events.
  const size_t most = input.patience % 32 == 31 ? 1'000'000 : input.patience % 4;
  while (true) {
    if (answer.messages.size() >= most && input.method == Method::kExtract) {
      context.TryCancel();
      answer.cancelled = true;
    }
    grpc::ByteBuffer bytes;
    call->Read(&bytes, nullptr);
    if (!await()) break;
    grpc::Slice received;
    Require(bytes.DumpToSingleSlice(&received).ok(), "an answer has bytes");
    answer.messages.emplace_back(received.begin(), received.end());
  }
  call->Finish(&answer.status, nullptr);
  await();
  queue.Shutdown();
  return answer;
}

bool HoldsToken(absl::string_view text) {
  return absl::StrContains(text, kAccessToken) || absl::StrContains(text, kCallerToken) ||
         absl::StrContains(text, kTagReaderToken);
}

// Codes and reasons that the service's comments promise.
void CheckError(const grpc::Status& status, Method method, bool is_message) {
  static const auto* const codes = new std::map<std::string, grpc::StatusCode>{
      {"BAD_REQUEST", grpc::INVALID_ARGUMENT},
      {"CALLER_UNKNOWN", grpc::UNAUTHENTICATED},
      {"CONNECTION_FORBIDDEN", grpc::PERMISSION_DENIED},
      {"TABLE_FORBIDDEN", grpc::PERMISSION_DENIED},
      {"CONNECTION_UNKNOWN", grpc::NOT_FOUND},
      {"RESUME_TOKEN_INVALID", grpc::FAILED_PRECONDITION},
      {"RESUME_TOKEN_MISMATCH", grpc::FAILED_PRECONDITION},
      {"RESUME_TOKEN_VERSION", grpc::FAILED_PRECONDITION},
      {"RESUME_TOKEN_EXPIRED", grpc::FAILED_PRECONDITION},
      // Of a token's state, which says that all tables failed so.
      {"TOKEN_INVALID", grpc::UNAUTHENTICATED},
      {"INTERCOM_UNREACHABLE", grpc::UNAVAILABLE},
  };
  const std::string message = status.error_message();
  Require(!HoldsToken(message), "no error holds a token", message);
  Require(IsUtf8(message), "an error's message is text", message);
  // gRPC itself parses all but Extract.
  if (!is_message && method != Method::kExtract) return;
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  Require(details.ParseFromString(status.error_details()), "an error has details", message);
  for (const auto& detail : details.details()) detail.UnpackTo(&info);
  const auto code = codes->find(info.reason());
  Require(code != codes->end() && code->second == status.error_code(),
          "an error is one that is documented", static_cast<int>(status.error_code()), " ",
          info.reason(), " ", message);
}

// `tags_only`: the caller may read no other table.
void CheckEvents(const Answer& answer, const v1::ExtractRequest& request, bool tags_only) {
  bool summarized = false;
  for (const std::string& bytes : answer.messages) {
    v1::ExtractResponse event;
    Require(event.ParseFromString(bytes), "an event is one");
    Require(!summarized, "nothing follows the summary");
    Require(!absl::StrContains(bytes, kAccessToken), "no event holds a token");
    Require(!tags_only || !event.has_row_batch() || event.row_batch().table() == "tags",
            "nobody gets what they may not read");
    if (!event.has_summary()) continue;
    summarized = true;
    const auto tables = TableCatalog::Get().Select(
        request.template_(), {request.tables().begin(), request.tables().end()});
    Require(tables.ok() && event.summary().tables_size() == static_cast<int>(tables->size()),
            "the summary has the tables that were asked for");
  }
  Require(summarized || !answer.status.ok() || answer.cancelled, "OK follows a summary");
}

void Check(const RequestInput& input) {
  // Who writes a token into a table's name reads it in the error.
  if (HoldsToken(input.request) || HoldsToken(input.state)) return;
  std::unique_ptr<google::protobuf::Message> message = input.NewRequest();
  const bool is_message = message->ParseFromString(input.request);
  std::string bytes = input.request;
  v1::ExtractRequest request;
  if (is_message && input.method == Method::kExtract) {
    request = static_cast<const v1::ExtractRequest&>(*message);
    if (!input.state.empty()) {
      request = WithToken(request, input.caller % 8 == 1 ? "tags" : "all", input.state);
      bytes = request.SerializeAsString();
    }
  }
  const Answer answer = Call(input, bytes);
  const grpc::StatusCode code = answer.status.error_code();
  if (input.method == Method::kExtract) {
    CheckEvents(answer, request, input.caller % 8 == 1);
  } else {
    Require(answer.messages.size() == (answer.status.ok() ? 1 : 0), "an answer or an error");
  }
  // Given up by us, in time or at once.
  if (code == grpc::DEADLINE_EXCEEDED || (answer.cancelled && code == grpc::CANCELLED)) return;
  if (!answer.status.ok()) CheckError(answer.status, input.method, is_message);
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  // It says of each text that it is no UTF-8.
  static const auto* const quiet = new google::protobuf::LogSilencer();
  (void)quiet;
  Check(RequestInput::Read(data, size));
  return 0;
}
