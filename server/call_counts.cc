#include "server/call_counts.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace intercom_extractor {

// One call. gRPC destroys it when the call is over in every respect.
class CallCounts::Call : public grpc::experimental::Interceptor {
 public:
  Call(CallCounts* counts, std::string method) : counts_(counts), method_(std::move(method)) {
    counts_->Begin(method_);
  }
  ~Call() override { counts_->End(method_, code_); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using Point = grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(Point::PRE_SEND_STATUS)) {
      code_ = methods->GetSendStatus().error_code();
    }
    methods->Proceed();
  }

 private:
  CallCounts* const counts_;
  const std::string method_;
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
};

class CallCounts::Calls : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Calls(CallCounts* counts) : counts_(counts) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new Call(counts_, std::string(absl::StripPrefix(info->method(), "/")));
  }

 private:
  CallCounts* const counts_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CallCounts::MakeInterceptors() {
  return std::make_unique<Calls>(this);
}

std::map<std::string, CallCounts::Method> CallCounts::Get() const {
  MutexLock lock(&mu_);
  return methods_;
}

void CallCounts::Begin(const std::string& method) {
  MutexLock lock(&mu_);
  ++methods_[method].running;
}

void CallCounts::End(const std::string& method, grpc::StatusCode code) {
  MutexLock lock(&mu_);
  Method& counts = methods_[method];
  --counts.running;
  ++counts.ended[code];
}

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

}  // namespace intercom_extractor
