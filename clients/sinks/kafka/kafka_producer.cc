#include "clients/sinks/kafka/kafka_producer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_errors.h"

namespace intercom_extractor {
namespace {

// Half a minute without brokers, then the sink is opened again, which people are told.
constexpr int kMessageTimeout = 30'000;
constexpr int kTransactionTimeout = 60'000;

// Between looks at what came of the records while the queue is full.
constexpr absl::Duration kFullQueueWait = absl::Milliseconds(100);

std::map<std::string, std::string> ProducerProperties(const KafkaTarget& target,
                                                      const std::string& transactional_id) {
  std::map<std::string, std::string> properties = {
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // The one of Java's clients: who joins topics finds keys in the same partitions.
      {"partitioner", "murmur2_random"},
      {"compression.type", "lz4"},
      {"linger.ms", "20"},
      {"queue.buffering.max.messages", "1000000"},
      {"message.max.bytes", absl::StrCat(target.max_message_bytes)},
  };
  int timeout = kMessageTimeout;
  if (!transactional_id.empty()) {
    properties["transactional.id"] = transactional_id;
    properties["transaction.timeout.ms"] = absl::StrCat(kTransactionTimeout);
    const auto own = target.properties.find("transaction.timeout.ms");
    int limit = 0;
    if (own != target.properties.end() && absl::SimpleAtoi(own->second, &limit)) {
      timeout = std::min(timeout, limit);
    }
  }
  properties["message.timeout.ms"] = absl::StrCat(timeout);
  for (const auto& [name, value] : target.properties) {
    if (transactional_id.empty() && name == "transaction.timeout.ms") continue;
    properties[name] = value;
  }
  return properties;
}

bool IsPurged(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

}  // namespace

KafkaHeaders& KafkaHeaders::Add(absl::string_view name, absl::string_view value) {
  rd_kafka_header_add(headers_.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
  return *this;
}

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::Connect(
    const KafkaTarget& target, const std::string& transactional_id) {
  std::unique_ptr<KafkaProducer> made(new KafkaProducer(target, !transactional_id.empty()));
  KafkaProducer* const self = made.get();
  auto handle =
      KafkaHandle::Make(target, RD_KAFKA_PRODUCER, ProducerProperties(target, transactional_id),
                        [self](const rd_kafka_message_t& message) {
                          if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR || IsPurged(message.err) ||
                              self->undelivered_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
                            return;
                          }
                          self->undelivered_ = message.err;
                          self->undelivered_topic_ = rd_kafka_topic_name(message.rkt);
                        });
  if (!handle.ok()) return handle.status();
  made->handle_ = *std::move(handle);
  return made;
}

KafkaProducer::~KafkaProducer() {
  // Else its rows hold readers back until the transaction times out. Brokers that did not
  // answer are not asked again: an opener waits.
  if (undelivered_ != RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && !fenced_) (void)Abort();
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
}

absl::Status KafkaProducer::MakeTopics(const std::vector<KafkaTopic>& topics, int replication) {
  const auto metadata = handle_->AskMetadata(nullptr);
  if (!metadata.ok()) return metadata.status();
  absl::flat_hash_set<std::string> there;
  for (int i = 0; i < (*metadata)->topic_cnt; ++i) there.insert((*metadata)->topics[i].topic);
  std::vector<std::unique_ptr<rd_kafka_NewTopic_t, decltype(&rd_kafka_NewTopic_destroy)>> owned;
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (const KafkaTopic& topic : topics) {
    if (there.contains(topic.name)) continue;
    char said[512];
    rd_kafka_NewTopic_t* const made = rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                            replication, said, sizeof(said));
    if (made == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("--sink: topic ", topic.name, ": ", said));
    }
    owned.emplace_back(made, &rd_kafka_NewTopic_destroy);
    wanted.push_back(made);
    for (const auto& [name, value] : topic.settings) {
      rd_kafka_NewTopic_set_config(made, name.c_str(), value.c_str());
    }
  }
  if (wanted.empty()) return absl::OkStatus();
  const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
      rd_kafka_queue_new(handle_->get()), &rd_kafka_queue_destroy);
  const std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)> options(
      rd_kafka_AdminOptions_new(handle_->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS),
      &rd_kafka_AdminOptions_destroy);
  char said[512];
  // So long do brokers wait until all of them know the topics.
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), Milliseconds(kKafkaCallTimeout), said,
                                              sizeof(said));
  rd_kafka_CreateTopics(handle_->get(), wanted.data(), wanted.size(), options.get(), queue.get());
  const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
      rd_kafka_queue_poll(queue.get(), Milliseconds(6 * kKafkaCallTimeout)),
      &rd_kafka_event_destroy);
  constexpr absl::string_view kWhat = "cannot make topics";
  if (event == nullptr) return handle_->Error(RD_KAFKA_RESP_ERR__TIMED_OUT, kWhat);
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return handle_->Error(code, kWhat, rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const rd_kafka_topic_result_t** const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      continue;
    }
    const char* const why = rd_kafka_topic_result_error_string(results[i]);
    return handle_->Error(
        code, absl::StrCat("cannot make topic ", rd_kafka_topic_result_name(results[i])),
        why == nullptr ? "" : why);
  }
  return absl::OkStatus();
}

absl::Status KafkaProducer::TakeTransactionalId() {
  if (!transactional_) return absl::OkStatus();
  // -1: as long as a transaction may last, twice; one of an older producer may have to end.
  return Failed(rd_kafka_init_transactions(handle_->get(), -1), "cannot take the sink id");
}

rd_kafka_topic_t* KafkaProducer::Topic(const std::string& name) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  return topics_[name] = rd_kafka_topic_new(handle_->get(), name.c_str(), nullptr);
}

absl::Status KafkaProducer::BeginTransaction() {
  if (!transactional_ || in_transaction_) return absl::OkStatus();
  absl::Status status =
      Failed(rd_kafka_begin_transaction(handle_->get()), "cannot begin a transaction");
  in_transaction_ = status.ok();
  return status;
}

absl::Status KafkaProducer::Send(const std::string& topic, absl::string_view key,
                                 std::optional<absl::string_view> value,
                                 const KafkaHeaders& headers, int32_t partition) {
  if (absl::Status status = BeginTransaction(); !status.ok()) return status;
  rd_kafka_headers_t* const copy = rd_kafka_headers_copy(headers.get());
  // A value without bytes is not null.
  const char* const bytes = !value.has_value() ? nullptr : value->empty() ? "" : value->data();
  for (;;) {
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        handle_->get(), RD_KAFKA_V_RKT(Topic(topic)), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(bytes), value.has_value() ? value->size() : 0),
        RD_KAFKA_V_HEADERS(copy), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    absl::Status status;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      handle_->Serve(kFullQueueWait);
      status = Delivered();
    } else {
      status = Failed(code, absl::StrCat("cannot write a record of ",
                                         key.size() + (value.has_value() ? value->size() : 0),
                                         " bytes with key ", key, " to topic ", topic));
    }
    if (status.ok()) continue;
    rd_kafka_headers_destroy(copy);
    return status;
  }
}

absl::Status KafkaProducer::Delivered() {
  if (undelivered_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Failed(undelivered_, absl::StrCat("cannot write to topic ", undelivered_topic_));
  }
  return absl::OkStatus();
}

absl::Status KafkaProducer::Commit() {
  if (!transactional_) {
    // Records that cannot be written are given up in time.
    while (rd_kafka_flush(handle_->get(), Milliseconds(kKafkaCallTimeout)) ==
           RD_KAFKA_RESP_ERR__TIMED_OUT) {
      if (absl::Status status = Delivered(); !status.ok()) return status;
    }
    return Delivered();
  }
  if (absl::Status status = BeginTransaction(); !status.ok()) return status;
  rd_kafka_error_t* const error = rd_kafka_commit_transaction(handle_->get(), -1);
  if (error == nullptr) {
    in_transaction_ = false;
    return absl::OkStatus();
  }
  absl::Status status = Failed(error, "cannot commit the transaction");
  // What a record met is why the transaction cannot be committed.
  absl::Status delivered = Delivered();
  return delivered.ok() ? status : delivered;
}

absl::Status KafkaProducer::Abort() {
  if (!in_transaction_) return absl::OkStatus();
  in_transaction_ = false;
  return Failed(rd_kafka_abort_transaction(handle_->get(), Milliseconds(kKafkaCallTimeout)),
                "cannot abort the transaction");
}

absl::Status KafkaProducer::Failed(rd_kafka_error_t* error, absl::string_view what) {
  if (error == nullptr) return absl::OkStatus();
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  const std::string said = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  fenced_ |= MayBeFenced(code);
  return handle_->Error(code, what, said);
}

absl::Status KafkaProducer::Failed(rd_kafka_resp_err_t code, absl::string_view what) {
  fenced_ |= MayBeFenced(code);
  char said[512] = "";
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    code = rd_kafka_fatal_error(handle_->get(), said, sizeof(said));
  }
  return handle_->Error(code, what, said);
}

}  // namespace intercom_extractor
