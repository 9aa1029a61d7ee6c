#ifndef CLIENTS_FLEET_GROUP_MEMBER_H_
#define CLIENTS_FLEET_GROUP_MEMBER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_handle.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "librdkafka/rdkafka.h"

namespace intercom_extractor {

// Membership in a consumer group over one topic, of which each partition is read from its
// beginning: what the topic says is a state, and no offset is stored. For one thread, which
// must call Poll() several times within a session.
class GroupMember {
 public:
  struct Options {
    std::string group;
    // A member with a name gets its partitions back when it comes again within a session, and
    // keeps others from taking its name. Empty: a member like any other.
    std::string name;
    absl::Duration session_timeout = absl::Seconds(45);
  };

  // Called within Poll() and Leave().
  struct Handlers {
    std::function<void(const std::vector<int32_t>& partitions)> on_given;
    // Another member gets them once this returns; with `lost` it may have them already.
    std::function<void(const std::vector<int32_t>& partitions, bool lost)> on_taken;
    // No value: the record of the key is deleted.
    std::function<void(int32_t partition, const std::string& key,
                       std::optional<absl::string_view> value)>
        on_record;
    // All records of the partition up to now have come.
    std::function<void(int32_t partition)> on_all_read;
  };

  // Errors as KafkaError().
  static absl::StatusOr<std::unique_ptr<GroupMember>> Join(const KafkaTarget& target,
                                                           const std::string& topic,
                                                           const Options& options,
                                                           Handlers handlers);
  ~GroupMember();

  // Waits that long, or until there is something. An error ends the membership: kAborted
  // where another member has taken the name; else as KafkaError().
  absl::Status Poll(absl::Duration wait);

  // Gives everything back. At most once; the destructor alone tells the group nothing, and
  // calls no handler.
  void Leave();

 private:
  GroupMember(std::string name, Handlers handlers)
      : name_(std::move(name)), handlers_(std::move(handlers)) {}

  void OnRebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions);

  const std::string name_;
  const Handlers handlers_;
  std::unique_ptr<KafkaHandle> handle_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_GROUP_MEMBER_H_
