#ifndef TESTS_BENCHMARKS_STREAMING_EVENT_READER_H_
#define TESTS_BENCHMARKS_STREAMING_EVENT_READER_H_

#include <functional>
#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// A connection of its own to the server at this address.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// Calls `Extract` and gives each event to `on_event`, which may block and says whether
// to go on. `ReadBytes` takes the events as the bytes that came, `ReadMessages` parses
// them, all into the same message, which is the fastest way. Block until the stream has
// ended; its status, kCancelled when `on_event` did not want to go on.
grpc::Status ReadBytes(const std::shared_ptr<grpc::Channel>& channel,
                       const v1::ExtractRequest& request,
                       const std::function<bool(grpc::ByteBuffer*)>& on_event);
grpc::Status ReadMessages(const std::shared_ptr<grpc::Channel>& channel,
                          const v1::ExtractRequest& request,
                          const std::function<bool(const v1::ExtractResponse&)>& on_event);

// Rows in a serialized `ExtractResponse`, counted without parsing them.
int64_t CountRows(grpc::ByteBuffer* event);

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_STREAMING_EVENT_READER_H_
