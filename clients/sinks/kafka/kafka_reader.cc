#include "clients/sinks/kafka/kafka_reader.h"

#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_handle.h"
#include "librdkafka/rdkafka.h"

namespace intercom_extractor {
namespace {

// Longer than a transaction may be open.
constexpr absl::Duration kPatience = absl::Minutes(3);

constexpr absl::Duration kSettleWait = absl::Milliseconds(100);

KafkaRecord RecordOf(const rd_kafka_message_t& message) {
  KafkaRecord record;
  record.key = {static_cast<const char*>(message.key), message.key_len};
  if (message.payload != nullptr) {
    record.value = absl::string_view(static_cast<const char*>(message.payload), message.len);
  }
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers[name] = std::string(static_cast<const char*>(value), size);
  }
  return record;
}

absl::StatusOr<std::unique_ptr<KafkaHandle>> ConsumerOf(const KafkaTarget& target,
                                                        const char* isolation) {
  return KafkaHandle::Make(target, RD_KAFKA_CONSUMER,
                           {{"group.id", "intercom-extract"},  // Wanted, and never used.
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"enable.partition.eof", "true"},
                            {"fetch.wait.max.ms", "100"},
                            {"isolation.level", isolation}});
}

// Reads one topic, once.
class TopicReader {
 public:
  // `all` sees where the topic ends, `committed` only to where a transaction is open.
  TopicReader(KafkaHandle* all, KafkaHandle* committed, const std::string& topic,
              const TopicRange& range)
      : all_(all),
        handle_(committed),
        topic_(topic),
        range_(range),
        what_(absl::StrCat("cannot read topic ", topic)),
        assigned_(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy) {}

  // Finds what is to be read. A topic that has just been made has no leaders for a moment.
  absl::Status FindEnds() {
    const absl::Time deadline = absl::Now() + kKafkaCallTimeout;
    for (;;) {
      const auto partitions = CountPartitions();
      if (!partitions.ok()) return partitions.status();
      const rd_kafka_resp_err_t code =
          *partitions == 0 ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : AskEnds(*partitions);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
      const bool settles = code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
      if (!settles || absl::Now() >= deadline) return handle_->Error(code, what_);
      absl::SleepFor(kSettleWait);
    }
  }

  absl::Status ReadToEnds(const std::function<void(const KafkaRecord&)>& on_record) {
    rd_kafka_poll_set_consumer(handle_->get());
    if (const auto code = rd_kafka_assign(handle_->get(), assigned_.get());
        code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return handle_->Error(code, what_);
    }
    const absl::Time deadline = absl::Now() + kPatience;
    while (!ends_.empty()) {
      if (absl::Now() >= deadline) {
        return handle_->Error(RD_KAFKA_RESP_ERR__TIMED_OUT, what_,
                              "its end is held back by a transaction that stays open");
      }
      const KafkaMessage message(rd_kafka_consumer_poll(handle_->get(), 1000),
                                 &rd_kafka_message_destroy);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_record(RecordOf(*message));
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        // With an open transaction this is its beginning, and another one follows.
        const auto end = ends_.find(message->partition);
        if (end == ends_.end()) continue;
        if (!range_.wait_for_open || message->offset >= end->second) ends_.erase(end);
      } else {
        return handle_->Error(message->err, what_, rd_kafka_message_errstr(message.get()));
      }
    }
    return absl::OkStatus();
  }

  // 0: the brokers do not know yet.
  absl::StatusOr<int> CountPartitions() {
    const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> described(
        rd_kafka_topic_new(handle_->get(), topic_.c_str(), nullptr), &rd_kafka_topic_destroy);
    const auto metadata = handle_->AskMetadata(described.get());
    if (!metadata.ok()) return metadata.status();
    if ((*metadata)->topic_cnt != 1) return 0;
    const rd_kafka_metadata_topic_t& topic = (*metadata)->topics[0];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) return topic.partition_cnt;
    if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        topic.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
      return 0;
    }
    return handle_->Error(topic.err, what_);
  }

 private:
  rd_kafka_resp_err_t AskEnds(int partitions) {
    ends_.clear();
    assigned_.reset(rd_kafka_topic_partition_list_new(partitions));
    for (int32_t partition = 0; partition < partitions; ++partition) {
      if (range_.partition >= 0 && range_.partition != partition) continue;
      int64_t begin = 0;
      int64_t end = 0;
      const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
          all_->get(), topic_.c_str(), partition, &begin, &end, Milliseconds(kKafkaCallTimeout));
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
      if (begin == end) continue;
      ends_[partition] = end;
      rd_kafka_topic_partition_list_add(assigned_.get(), topic_.c_str(), partition)->offset = begin;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  KafkaHandle* const all_;
  KafkaHandle* const handle_;
  const std::string topic_;
  const TopicRange range_;
  const std::string what_;
  KafkaPartitions assigned_;
  std::map<int32_t, int64_t> ends_;  // By partition: what is still to be read.
};

}  // namespace

absl::StatusOr<int> CountPartitions(const KafkaTarget& target, const std::string& topic) {
  auto handle = ConsumerOf(target, "read_committed");
  if (!handle.ok()) return handle.status();
  return TopicReader(handle->get(), handle->get(), topic, {}).CountPartitions();
}

absl::Status ReadTopic(const KafkaTarget& target, const std::string& topic, const TopicRange& range,
                       const std::function<void(const KafkaRecord&)>& on_record) {
  auto all = ConsumerOf(target, "read_uncommitted");
  if (!all.ok()) return all.status();
  auto committed = ConsumerOf(target, "read_committed");
  if (!committed.ok()) return committed.status();
  TopicReader reader(all->get(), committed->get(), topic, range);
  if (absl::Status found = reader.FindEnds(); !found.ok()) return found;
  return reader.ReadToEnds(on_record);
}

}  // namespace intercom_extractor
