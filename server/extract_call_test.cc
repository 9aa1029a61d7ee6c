#include "server/extract_call.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "grpc/grpc.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/reaper.h"

namespace intercom_extractor {
namespace {

constexpr size_t kQueueBytes = size_t{4} << 20;

// Set by one thread, awaited by another.
class Flag {
 public:
  void Set() {
    MutexLock lock(&mu_);
    set_ = true;
    changed_.SignalAll();
  }
  void Wait() {
    MutexLock lock(&mu_);
    while (!set_) changed_.Wait(&mu_);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool set_ = false;
};

// What a test sees of the extraction that the service made.
struct Observed {
  std::atomic<size_t> pushed_bytes{0};
  Flag cancelled;
  Flag destroyed;
};

// Runs `work` instead of talking to Intercom.
class FakeExtraction : public Extraction {
 public:
  using Work = std::function<void(EventQueue*, Observed*)>;

  FakeExtraction(Work work, EventQueue* events, Observed* observed)
      : work_(std::move(work)), events_(events), observed_(observed) {}
  ~FakeExtraction() override {
    Cancel();
    if (thread_.joinable()) thread_.join();
    observed_->destroyed.Set();
  }
  void Start() override {
    thread_ = std::thread([this] { work_(events_, observed_); });
  }
  void Drain() override {}
  void DrainAfter(absl::Duration, absl::Duration) override {}
  void Cancel() override {
    observed_->cancelled.Set();
    events_->Cancel();
  }

 private:
  const Work work_;
  EventQueue* const events_;
  Observed* const observed_;
  std::thread thread_;
};

class FakeService
    : public v1::ExtractorService::WithRawCallbackMethod_Extract<v1::ExtractorService::Service> {
 public:
  FakeService(FakeExtraction::Work work, Observed* observed, Reaper* reaper, const Clock* clock)
      : work_(std::move(work)), observed_(observed), reaper_(reaper), clock_(clock) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Extract(grpc::CallbackServerContext*,
                                                      const grpc::ByteBuffer*) override {
    auto events = std::make_unique<EventQueue>(kQueueBytes);
    auto extraction = std::make_unique<FakeExtraction>(work_, events.get(), observed_);
    auto* call = new ExtractCall({/*extraction_id=*/"", "default", /*caller=*/"", /*trace_id=*/""},
                                 std::move(events), std::move(extraction),
                                 /*kept=*/{}, reaper_, clock_);
    call->Begin();
    return call;
  }

 private:
  const FakeExtraction::Work work_;
  Observed* const observed_;
  Reaper* const reaper_;
  const Clock* const clock_;
};

// With a socket, and within the process, where gRPC calls back on the thread that
// writes.
enum class Transport { kTcp, kInProcess };

class ExtractCallTest : public ::testing::TestWithParam<Transport> {
 protected:
  void Serve(FakeExtraction::Work work) {
    service_ = std::make_unique<FakeService>(std::move(work), &observed_, &reaper_, &clock_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    // Probing lets the client's windows grow with what it measures, to more than
    // what a test of our own bounds could tell from a leak.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    stub_ = v1::ExtractorService::NewStub(
        GetParam() == Transport::kInProcess
            ? server_->InProcessChannel(arguments)
            : grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                        grpc::InsecureChannelCredentials(), arguments));
    reader_ = stub_->Extract(&context_, v1::ExtractRequest());
  }

  // gRPC's own clean-up after its last user may wait 10 s for a poller; never have
  // a last one.
  static void SetUpTestSuite() { grpc_init(); }

  // At once: otherwise gRPC waits for the idle client's connection as well.
  void TearDown() override { server_->Shutdown(std::chrono::system_clock::now()); }

  SteadyClock clock_;
  Observed observed_;
  Reaper reaper_;
  std::unique_ptr<FakeService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::ExtractorService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::ExtractResponse>> reader_;
};

// An event of about `bytes` whose table is `name`.
Event Named(const std::string& name, size_t bytes = 0) {
  v1::ExtractResponse event;
  event.mutable_notice()->set_table(name);
  event.mutable_notice()->set_message(std::string(bytes, 'x'));
  return Event(event.SerializeAsString());
}

TEST_P(ExtractCallTest, EventsArriveInOrderThenTheStatus) {
  constexpr int kEvents = 5000;
  Serve([](EventQueue* events, Observed*) {
    for (int i = 0; i < kEvents; ++i) events->Push(Named(std::to_string(i)));
    events->Finish(absl::UnavailableError("why"));
  });
  v1::ExtractResponse event;
  int count = 0;
  while (reader_->Read(&event)) ASSERT_EQ(event.notice().table(), std::to_string(count++));
  EXPECT_EQ(count, kEvents);
  const grpc::Status status = reader_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "why");
  observed_.destroyed.Wait();
}

TEST_P(ExtractCallTest, StreamWithoutEventsEnds) {
  Serve([](EventQueue* events, Observed*) { events->Finish(absl::OkStatus()); });
  v1::ExtractResponse event;
  EXPECT_FALSE(reader_->Read(&event));
  EXPECT_TRUE(reader_->Finish().ok());
  observed_.destroyed.Wait();
}

TEST_P(ExtractCallTest, LargeEventTravelsWhole) {
  constexpr size_t kBytes = size_t{48} << 20;
  Serve([](EventQueue* events, Observed*) {
    events->Push(Named("large", kBytes));
    events->Finish(absl::OkStatus());
  });
  v1::ExtractResponse event;
  ASSERT_TRUE(reader_->Read(&event));
  EXPECT_EQ(event.notice().message().size(), kBytes);
  EXPECT_FALSE(reader_->Read(&event));
  EXPECT_TRUE(reader_->Finish().ok());
}

TEST_P(ExtractCallTest, SlowReaderSlowsTheExtractionAndLosesNothing) {
  constexpr size_t kEventBytes = size_t{1} << 20;
  constexpr size_t kEvents = 64;
  Flag waits;
  Serve([&waits](EventQueue* events, Observed* observed) {
    // Says when the producer is first held up.
    std::atomic<bool> done{false};
    std::thread watcher([&] {
      while (!events->ProducerWaits() && !done) std::this_thread::yield();
      waits.Set();
    });
    for (size_t i = 0; i < kEvents; ++i) {
      if (!events->Push(Named("x", kEventBytes))) break;
      observed->pushed_bytes += kEventBytes;
    }
    done = true;
    watcher.join();
    events->Finish(absl::OkStatus());
  });
  waits.Wait();
  // At each moment the queue, one write and the transport's windows hold what is
  // pushed and not read, however much there is in all.
  constexpr size_t kTransportBytes = size_t{8} << 20;
  constexpr size_t kBound = kQueueBytes + 2 * kEventBytes + kTransportBytes;
  size_t received_bytes = 0;
  EXPECT_LT(observed_.pushed_bytes, kBound);
  v1::ExtractResponse event;
  while (reader_->Read(&event)) {
    received_bytes += kEventBytes;
    EXPECT_LT(observed_.pushed_bytes, received_bytes + kBound);
  }
  EXPECT_TRUE(reader_->Finish().ok());
  EXPECT_EQ(received_bytes, kEvents * kEventBytes);
}

TEST_P(ExtractCallTest, ClientCancelStopsAProducerThatWaits) {
  Serve([](EventQueue* events, Observed*) {
    while (events->Push(Named("x", 1 << 20))) {
    }
    events->Finish(absl::CancelledError("cancelled"));
  });
  v1::ExtractResponse event;
  ASSERT_TRUE(reader_->Read(&event));
  context_.TryCancel();
  observed_.cancelled.Wait();
  observed_.destroyed.Wait();
  while (reader_->Read(&event)) {
  }
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(ExtractCallTest, ClientCancelStopsAnIdleExtraction) {
  Serve([](EventQueue* events, Observed* observed) {
    events->Push(Named("x"));
    observed->cancelled.Wait();
  });
  v1::ExtractResponse event;
  ASSERT_TRUE(reader_->Read(&event));
  context_.TryCancel();
  observed_.destroyed.Wait();
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(ExtractCallTest, ServerShutdownEndsAStream) {
  Serve([](EventQueue* events, Observed* observed) {
    events->Push(Named("x"));
    observed->cancelled.Wait();
  });
  v1::ExtractResponse event;
  ASSERT_TRUE(reader_->Read(&event));
  server_->Shutdown(std::chrono::system_clock::now());
  observed_.destroyed.Wait();
  EXPECT_FALSE(reader_->Read(&event));
  EXPECT_FALSE(reader_->Finish().ok());
}

TEST(ToByteBufferTest, SharesTheBytes) {
  const auto rows = std::make_shared<const std::string>(100, 'x');
  Event event(std::string(50, 'h'));
  event.Append({rows, absl::string_view(*rows).substr(10, 20)});
  grpc::ByteBuffer buffer = ToByteBuffer(event);
  EXPECT_EQ(buffer.Length(), 70u);
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(buffer.Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(static_cast<const void*>(slices[1].begin()), rows->data() + 10);
}

TEST(ToByteBufferTest, LetsGoOfTheBytesWhenItGoes) {
  auto rows = std::make_shared<const std::string>(100, 'x');
  const std::weak_ptr<const std::string> alive = rows;
  Event event;
  event.Append({rows, *rows});
  grpc::ByteBuffer buffer = ToByteBuffer(event);
  event = Event();
  rows.reset();
  EXPECT_FALSE(alive.expired());
  buffer.Clear();
  EXPECT_TRUE(alive.expired());
}

INSTANTIATE_TEST_SUITE_P(Transports, ExtractCallTest,
                         ::testing::Values(Transport::kTcp, Transport::kInProcess),
                         [](const auto& info) {
                           return info.param == Transport::kTcp ? "Tcp" : "InProcess";
                         });

}  // namespace
}  // namespace intercom_extractor
