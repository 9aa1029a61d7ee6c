#ifndef CLIENTS_SINKS_NATS_NATS_CONNECTION_H_
#define CLIENTS_SINKS_NATS_NATS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "clients/sinks/nats/nats_url.h"
#include "nats/nats.h"

namespace intercom_extractor {

// What went wrong as an error that says what to do: kUnavailable where it may pass,
// kPermissionDenied, kResourceExhausted (disk, limits of the account), kAborted where a key
// has another revision than was expected, else kFailedPrecondition. `said` may be empty.
absl::Status NatsError(natsStatus status, int js_code, absl::string_view said,
                       absl::string_view what, absl::string_view where);

// A message to a subject. Texts of headers live as long as the call that takes it.
struct NatsMessage {
  std::string subject;
  std::string id;  // Messages with an id that the stream has seen within its window are dropped.
  std::vector<std::pair<const char*, const char*>> headers;
  absl::string_view data;
};

// A value of the bucket of positions.
struct NatsValue {
  std::string bytes;
  uint64_t revision = 0;  // 0: there is none.
};

// One session. Calls block; what is published is acknowledged in the background, at most
// 8 MiB and 4,000 messages of it. Errors as NatsError(), kUnavailable also where the session
// is lost; after one, only the destructor may be called. For one thread.
class NatsConnection {
 public:
  // Connects, and makes stream and bucket where they are not there.
  static absl::StatusOr<std::unique_ptr<NatsConnection>> Connect(const NatsTarget& target);
  ~NatsConnection();
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;

  // An error may show in a later call.
  absl::Status Publish(const NatsMessage& message);

  // Waits until all that was published is stored.
  absl::Status Flush();

  absl::StatusOr<NatsValue> Get(const std::string& key);
  // Of the bucket.
  absl::StatusOr<std::vector<std::string>> Keys();
  // Stores a value where the key's revision is the one given; gives the new one.
  absl::StatusOr<uint64_t> Put(const std::string& key, const std::string& bytes, uint64_t revision);

 private:
  // The first message that was not stored.
  struct Failure {
    absl::Mutex mutex;
    natsStatus status ABSL_GUARDED_BY(mutex) = NATS_OK;
    int js_code ABSL_GUARDED_BY(mutex) = 0;
    std::string said ABSL_GUARDED_BY(mutex);
  };

  explicit NatsConnection(const NatsTarget& target);

  static void OnFailure(jsCtx*, jsPubAckErr* error, void* closure);
  absl::Status Dial();
  absl::Status MakeStream();
  absl::Status OpenBucket();
  absl::Status Error(natsStatus status, int js_code, absl::string_view what) const;
  // Of what was published.
  absl::Status Failed() const;

  const NatsTarget target_;
  Failure* const failure_;
  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
  kvStore* bucket_ = nullptr;
  size_t pending_bytes_ = 0;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_NATS_NATS_CONNECTION_H_
