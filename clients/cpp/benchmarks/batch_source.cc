#include "clients/cpp/benchmarks/batch_source.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/slice.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// As the server's: batches of some 256 KiB, a checkpoint after 5,000 rows.
constexpr int kBatchRows = 400;
constexpr int kBatchesPerCheckpoint = 12;

grpc::ByteBuffer Bytes(const v1::ExtractResponse& event) {
  const grpc::Slice slice(event.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer Batch() {
  std::string attributes;
  for (int i = 0; i < 10; ++i) {
    absl::StrAppend(&attributes, i == 0 ? "{" : ", ", "\"attribute_", i, "\": \"",
                    std::string(20, 'x'), "\"");
  }
  absl::StrAppend(&attributes, "}");
  v1::ExtractResponse event;
  v1::RowBatch& batch = *event.mutable_row_batch();
  batch.set_table("users");
  batch.set_generation(1);
  for (int i = 0; i < kBatchRows; ++i) {
    v1::User& user = *batch.add_users();
    user.set_type("user");
    user.set_id(absl::StrCat("5ba682d23d7cf92bef87", absl::Dec(i, absl::kZeroPad4)));
    user.set_created_at(1'538'097'800 + i);
    user.set_updated_at(1'638'097'800 + i);
    user.set_email(absl::StrCat("somebody.", i, "@example.com"));
    user.set_phone("+1 555 0100");
    user.set_user_id(absl::StrCat(i));
    user.set_unsubscribed_from_emails(false);
    user.set_name("Somebody With A Name");
    user.set_location_data_city_name("Dublin");
    user.set_location_data_country_name("Ireland");
    user.set_location_data_latitude(53.159233);
    user.set_custom_attributes(attributes);
  }
  return Bytes(event);
}

grpc::ByteBuffer Checkpoint(int64_t number) {
  v1::ExtractResponse event;
  v1::Checkpoint& checkpoint = *event.mutable_checkpoint();
  checkpoint.set_number(number);
  checkpoint.set_resume_token(std::string(200, 't'));
  v1::TableRows& rows = *checkpoint.add_rows();
  rows.set_table("users");
  rows.set_rows(int64_t{kBatchRows} * kBatchesPerCheckpoint);
  rows.set_generation(1);
  return Bytes(event);
}

grpc::ByteBuffer Summary() {
  v1::ExtractResponse event;
  event.mutable_summary();
  return Bytes(event);
}

// One stream; deletes itself at its end.
class Stream : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  Stream(const grpc::ByteBuffer* batch, int64_t rows) : batch_(batch), rows_(rows) { Next(); }

  void OnWriteDone(bool ok) override {
    if (ok) return Next();
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (batches_ == kBatchesPerCheckpoint) {
      batches_ = 0;
      rows_ -= int64_t{kBatchRows} * kBatchesPerCheckpoint;
      other_ = Checkpoint(++checkpoints_);
      StartWrite(&other_);
    } else if (rows_ > 0) {
      ++batches_;
      StartWrite(batch_);
    } else {
      other_ = Summary();
      StartWriteAndFinish(&other_, grpc::WriteOptions(), grpc::Status::OK);
    }
  }

  const grpc::ByteBuffer* const batch_;
  int64_t rows_;  // Not covered by a checkpoint.
  int batches_ = 0;
  int64_t checkpoints_ = 0;
  grpc::ByteBuffer other_;
};

}  // namespace

class BatchSource::Service
    : public v1::ExtractorService::WithRawCallbackMethod_Extract<v1::ExtractorService::Service> {
 public:
  explicit Service(int64_t rows) : rows_(rows), batch_(Batch()) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Extract(grpc::CallbackServerContext*,
                                                      const grpc::ByteBuffer*) override {
    return new Stream(&batch_, rows_);
  }

 private:
  const int64_t rows_;
  const grpc::ByteBuffer batch_;
};

BatchSource::BatchSource(int64_t rows) : service_(std::make_unique<Service>(rows)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
}

BatchSource::~BatchSource() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

std::string BatchSource::address() const { return absl::StrCat("127.0.0.1:", port_); }

}  // namespace intercom_extractor
