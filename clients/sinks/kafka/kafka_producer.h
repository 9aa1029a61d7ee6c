#ifndef CLIENTS_SINKS_KAFKA_KAFKA_PRODUCER_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_PRODUCER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/kafka/kafka_handle.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "librdkafka/rdkafka.h"

namespace intercom_extractor {

// A topic as it is to be made.
struct KafkaTopic {
  std::string name;
  int partitions = 1;
  std::map<std::string, std::string> settings;
};

// The headers of one or many records.
class KafkaHeaders {
 public:
  KafkaHeaders() : headers_(rd_kafka_headers_new(8), &rd_kafka_headers_destroy) {}

  KafkaHeaders& Add(absl::string_view name, absl::string_view value);
  const rd_kafka_headers_t* get() const { return headers_.get(); }

 private:
  std::unique_ptr<rd_kafka_headers_t, decltype(&rd_kafka_headers_destroy)> headers_;
};

// Writes records, each acknowledged by all replicas and in order once: in transactions, or
// without. Blocks while the local queue is full. Errors as KafkaError(); after one, only
// fenced() and the destructor may be called, which throws away what was not committed.
class KafkaProducer {
 public:
  // Connects. Without transactions where `transactional_id` is empty. kInvalidArgument:
  // librdkafka refuses a property.
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> Connect(
      const KafkaTarget& target, const std::string& transactional_id);
  ~KafkaProducer();

  // Makes those that are not there.
  absl::Status MakeTopics(const std::vector<KafkaTopic>& topics, int replication);

  // Ends the transactions of every other producer with the transactional id, for ever.
  // Nothing without one.
  absl::Status TakeTransactionalId();

  // Null as the value is a tombstone. kByKey: the key tells the partition.
  static constexpr int32_t kByKey = RD_KAFKA_PARTITION_UA;
  absl::Status Send(const std::string& topic, absl::string_view key,
                    std::optional<absl::string_view> value, const KafkaHeaders& headers,
                    int32_t partition = kByKey);

  // Once all that was sent is safe; with transactions, readers see it then.
  absl::Status Commit();

  // Throws away what was sent since. Nothing without transactions.
  absl::Status Abort();

  // Whether the last error may be the work of another producer with the transactional id.
  bool fenced() const { return fenced_; }

 private:
  KafkaProducer(const KafkaTarget& target, bool transactional)
      : target_(target), transactional_(transactional) {}

  rd_kafka_topic_t* Topic(const std::string& name);
  absl::Status BeginTransaction();
  // What came of sending, so far as it is known.
  absl::Status Delivered();
  absl::Status Failed(rd_kafka_error_t* error, absl::string_view what);
  absl::Status Failed(rd_kafka_resp_err_t code, absl::string_view what);

  const KafkaTarget target_;
  const bool transactional_;
  std::unique_ptr<KafkaHandle> handle_;
  absl::flat_hash_map<std::string, rd_kafka_topic_t*> topics_;
  bool in_transaction_ = false;
  bool fenced_ = false;
  // Of the first record that could not be written.
  rd_kafka_resp_err_t undelivered_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string undelivered_topic_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_PRODUCER_H_
