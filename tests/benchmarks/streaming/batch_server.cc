#include "tests/benchmarks/streaming/batch_server.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/sync/clock.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "server/extract_call.h"
#include "server/reaper.h"
#include "tests/benchmarks/streaming/child.h"
#include "tests/benchmarks/streaming/finished_batches.h"

namespace intercom_extractor {
namespace {

using RawService =
    v1::ExtractorService::WithRawCallbackMethod_Extract<v1::ExtractorService::Service>;
using RawReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// As in the product.
constexpr size_t kQueueBytes = size_t{2} << 20;

BatchOrder ReadOrder(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  v1::ExtractRequest request;
  request.ParseFromZeroCopyStream(&reader);
  return BatchOrder::FromRequest(request);
}

// Pushes finished batches instead of asking Intercom for rows.
class Replay : public Extraction {
 public:
  Replay(const BatchOrder& order, EventQueue* events)
      : batches_(FinishedBatches(order.bytes_each).Copies(order.count)), events_(events) {}
  ~Replay() override {
    events_->Cancel();
    if (thread_.joinable()) thread_.join();
  }

  void Start() override {
    thread_ = std::thread([this] {
      for (std::string& batch : batches_) {
        if (!events_->Push(Event(std::move(batch)))) return;
      }
      events_->Finish(absl::OkStatus());
    });
  }
  void Drain() override {}
  void DrainAfter(absl::Duration /*age*/, absl::Duration /*grace*/) override {}
  void Cancel() override { events_->Cancel(); }

 private:
  std::vector<std::string> batches_;
  EventQueue* const events_;
  std::thread thread_;
};

class OurService : public RawService {
 public:
  RawReactor* Extract(grpc::CallbackServerContext* /*context*/,
                      const grpc::ByteBuffer* request) override {
    auto events = std::make_unique<EventQueue>(kQueueBytes);
    auto extraction = std::make_unique<Replay>(ReadOrder(*request), events.get());
    auto* call = new ExtractCall({/*extraction_id=*/"", "default", /*caller=*/"", /*trace_id=*/""},
                                 std::move(events), std::move(extraction),
                                 /*kept=*/{}, &reaper_, &clock_);
    call->Begin();
    return call;
  }

 private:
  SteadyClock clock_;
  Reaper reaper_;
};

// No queue and no thread of its own: each write begins when the one before has ended.
class BareStream : public RawReactor {
 public:
  explicit BareStream(const BatchOrder& order) {
    for (const std::string& batch : FinishedBatches(order.bytes_each).Copies(order.count)) {
      const grpc::Slice slice(batch);
      batches_.emplace_back(&slice, 1);
    }
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) next_ = batches_.size();
    Next();
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (next_ == batches_.size()) return Finish(grpc::Status::OK);
    write_.Clear();
    write_.Swap(&batches_[next_++]);
    StartWrite(&write_);
  }

  std::vector<grpc::ByteBuffer> batches_;
  size_t next_ = 0;
  grpc::ByteBuffer write_;
};

class BareService : public RawService {
 public:
  RawReactor* Extract(grpc::CallbackServerContext* /*context*/,
                      const grpc::ByteBuffer* request) override {
    return new BareStream(ReadOrder(*request));
  }
};

}  // namespace

v1::ExtractRequest BatchOrder::ToRequest() const {
  v1::ExtractRequest request;
  request.add_tables(absl::StrCat(bytes_each));
  request.add_tables(absl::StrCat(count));
  return request;
}

BatchOrder BatchOrder::FromRequest(const v1::ExtractRequest& request) {
  BatchOrder order;
  if (request.tables_size() != 2 || !absl::SimpleAtoi(request.tables(0), &order.bytes_each) ||
      !absl::SimpleAtoi(request.tables(1), &order.count)) {
    return BatchOrder();
  }
  return order;
}

int ServeBatches(const std::string& way) {
  std::unique_ptr<RawService> service;
  if (way == kOurs) {
    service = std::make_unique<OurService>();
  } else {
    service = std::make_unique<BareService>();
  }
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service.get());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  Child::Serve(absl::StrCat("127.0.0.1:", port));
  server->Shutdown(absl::ToChronoTime(absl::InfinitePast()));
  return 0;
}

}  // namespace intercom_extractor
