#include "clients/fleet/group_member.h"

#include <map>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// So that who is dead, or was frozen, knows it soon.
constexpr int kHeartbeatsPerSession = 10;

std::vector<int32_t> NumbersOf(const rd_kafka_topic_partition_list_t& partitions) {
  std::vector<int32_t> numbers;
  numbers.reserve(partitions.cnt);
  for (int i = 0; i < partitions.cnt; ++i) numbers.push_back(partitions.elems[i].partition);
  return numbers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GroupMember>> GroupMember::Join(const KafkaTarget& target,
                                                               const std::string& topic,
                                                               const Options& options,
                                                               Handlers handlers) {
  std::unique_ptr<GroupMember> member(new GroupMember(options.name, std::move(handlers)));
  const int64_t session = absl::ToInt64Milliseconds(options.session_timeout);
  std::map<std::string, std::string> properties = {
      {"group.id", options.group},
      {"session.timeout.ms", absl::StrCat(session)},
      {"heartbeat.interval.ms", absl::StrCat(session / kHeartbeatsPerSession)},
      // A worker that dies takes nothing from those that live.
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"auto.offset.reset", "earliest"},
      {"isolation.level", "read_committed"},
  };
  if (!options.name.empty()) properties["group.instance.id"] = options.name;
  GroupMember* const self = member.get();
  auto handle = KafkaHandle::Make(
      target, RD_KAFKA_CONSUMER, properties, nullptr,
      [self](rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions) {
        self->OnRebalance(code, partitions);
      });
  if (!handle.ok()) return handle.status();
  member->handle_ = *std::move(handle);
  rd_kafka_poll_set_consumer(member->handle_->get());
  const KafkaPartitions topics(rd_kafka_topic_partition_list_new(1),
                               &rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(member->handle_->get(), topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return member->handle_->Error(code, "cannot join the fleet");
  }
  return member;
}

GroupMember::~GroupMember() = default;

void GroupMember::OnRebalance(rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* const consumer = handle_->get();
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    for (int i = 0; i < partitions->cnt; ++i) {
      partitions->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    handlers_.on_given(NumbersOf(*partitions));
    if (rd_kafka_error_t* const error = rd_kafka_incremental_assign(consumer, partitions)) {
      rd_kafka_error_destroy(error);  // Comes again, from Poll().
    }
    return;
  }
  const bool lost = rd_kafka_assignment_lost(consumer) != 0;
  handlers_.on_taken(NumbersOf(*partitions), lost);
  if (rd_kafka_error_t* const error = rd_kafka_incremental_unassign(consumer, partitions)) {
    rd_kafka_error_destroy(error);
  }
}

absl::Status GroupMember::Poll(absl::Duration wait) {
  const KafkaMessage message(rd_kafka_consumer_poll(handle_->get(), Milliseconds(wait)),
                             &rd_kafka_message_destroy);
  if (message == nullptr) return absl::OkStatus();
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: {
      std::optional<absl::string_view> value;
      if (message->payload != nullptr) {
        value = absl::string_view(static_cast<const char*>(message->payload), message->len);
      }
      handlers_.on_record(message->partition,
                          std::string(static_cast<const char*>(message->key), message->key_len),
                          value);
      return absl::OkStatus();
    }
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      handlers_.on_all_read(message->partition);
      return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return absl::OkStatus();  // What it took comes as a rebalance.
    default:
      break;
  }
  char said[512] = "";
  rd_kafka_resp_err_t code = message->err;
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    code = rd_kafka_fatal_error(handle_->get(), said, sizeof(said));
  }
  if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
    return absl::AbortedError(absl::StrCat("another worker named ", name_,
                                           " has joined the fleet; this one ends. Give each worker "
                                           "a --worker name of its own"));
  }
  absl::Status error = handle_->Error(code, "the membership in the fleet ended", said);
  // librdkafka connects and joins again by itself.
  return message->err == RD_KAFKA_RESP_ERR__FATAL || !absl::IsUnavailable(error) ? error
                                                                                 : absl::OkStatus();
}

void GroupMember::Leave() { rd_kafka_consumer_close(handle_->get()); }

}  // namespace intercom_extractor
