#ifndef CLIENTS_SINKS_KAFKA_KAFKA_HANDLE_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_HANDLE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "librdkafka/rdkafka.h"

namespace intercom_extractor {

// How long one call to brokers may take that do not answer.
inline constexpr absl::Duration kKafkaCallTimeout = absl::Seconds(10);

// As librdkafka takes times.
inline int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                        decltype(&rd_kafka_topic_partition_list_destroy)>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)>;
using KafkaMetadata =
    std::unique_ptr<const rd_kafka_metadata_t, decltype(&rd_kafka_metadata_destroy)>;

// One client of librdkafka's, a producer or a consumer, with what it says of its connections.
// Says nothing on stderr. For one thread; librdkafka has its own besides.
class KafkaHandle {
 public:
  // Told once a record is acknowledged, or was given up.
  using OnDelivery = std::function<void(const rd_kafka_message_t&)>;
  // Told what a consumer's group gives or takes; must assign it.
  using OnRebalance =
      std::function<void(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions)>;

  // Connects to nothing yet. `properties` come on top of those of the target that are about
  // connections. kInvalidArgument: librdkafka refuses one of them.
  static absl::StatusOr<std::unique_ptr<KafkaHandle>> Make(
      const KafkaTarget& target, rd_kafka_type_t type,
      const std::map<std::string, std::string>& properties, OnDelivery on_delivery = nullptr,
      OnRebalance on_rebalance = nullptr);

  // Throws away what waits to be sent.
  ~KafkaHandle();

  KafkaHandle(const KafkaHandle&) = delete;
  KafkaHandle& operator=(const KafkaHandle&) = delete;

  rd_kafka_t* get() const { return handle_; }
  const std::string& name() const { return name_; }

  // Serves librdkafka's callbacks for so long, or until there was one.
  void Serve(absl::Duration wait);

  // What the brokers say of topics: of `topic`, or of all where it is null.
  absl::StatusOr<KafkaMetadata> AskMetadata(rd_kafka_topic_t* topic);

  // An error of a call, told in the words that explain it best: where brokers refused the
  // connection, theirs.
  absl::Status Error(rd_kafka_resp_err_t code, absl::string_view what, absl::string_view said = "");

 private:
  explicit KafkaHandle(std::string name) : name_(std::move(name)) {}

  static void OnError(rd_kafka_t*, int code, const char* reason, void* opaque);
  static void OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);

  const std::string name_;
  OnDelivery on_delivery_;
  OnRebalance on_rebalance_;
  rd_kafka_t* handle_ = nullptr;
  // Of the connections, the last one of its kind.
  rd_kafka_resp_err_t refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string refusal_;
  rd_kafka_resp_err_t lost_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string loss_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_HANDLE_H_
