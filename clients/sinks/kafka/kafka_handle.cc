#include "clients/sinks/kafka/kafka_handle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "clients/sinks/kafka/kafka_errors.h"

namespace intercom_extractor {
namespace {

// Within it, what brokers refuse is told, which librdkafka would try for ever.
constexpr absl::Duration kStep = absl::Seconds(1);

bool IsRefusal(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

bool IsAboutConnections(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}

absl::Status Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  // librdkafka's own words would quote the value, which may be the password.
  char said[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), said, sizeof(said)) ==
      RD_KAFKA_CONF_OK) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--sink: librdkafka does not take the value of ", name));
}

absl::Status SetAll(rd_kafka_conf_t* conf, const KafkaTarget& target,
                    const std::map<std::string, std::string>& properties) {
  std::map<std::string, std::string> all = {{"bootstrap.servers", target.brokers},
                                            {"client.id", "intercom-extract"}};
  for (const auto& [name, value] : target.properties) {
    if (IsConnectionProperty(name)) all[name] = value;
  }
  for (const auto& [name, value] : properties) all[name] = value;
  if (!target.password.empty()) all["sasl.password"] = target.password;
  for (const auto& [name, value] : all) {
    if (absl::Status status = Set(conf, name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaHandle>> KafkaHandle::Make(
    const KafkaTarget& target, rd_kafka_type_t type,
    const std::map<std::string, std::string>& properties, OnDelivery on_delivery,
    OnRebalance on_rebalance) {
  std::unique_ptr<KafkaHandle> made(new KafkaHandle(target.name()));
  made->on_delivery_ = std::move(on_delivery);
  made->on_rebalance_ = std::move(on_rebalance);
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  if (absl::Status status = SetAll(conf, target, properties); !status.ok()) {
    rd_kafka_conf_destroy(conf);
    return status;
  }
  rd_kafka_conf_set_opaque(conf, made.get());
  rd_kafka_conf_set_error_cb(conf, &KafkaHandle::OnError);
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  if (made->on_delivery_) rd_kafka_conf_set_dr_msg_cb(conf, &KafkaHandle::OnReport);
  if (made->on_rebalance_) {
    rd_kafka_conf_set_rebalance_cb(
        conf,
        [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
           void* opaque) { static_cast<KafkaHandle*>(opaque)->on_rebalance_(code, partitions); });
  }
  char said[512];
  // Takes what it was given, unless it fails.
  made->handle_ = rd_kafka_new(type, conf, said, sizeof(said));
  if (made->handle_ == nullptr) {
    rd_kafka_conf_destroy(conf);
    return absl::InvalidArgumentError(absl::StrCat("--sink: librdkafka says: ", said));
  }
  return made;
}

KafkaHandle::~KafkaHandle() {
  if (handle_ == nullptr) return;
  on_delivery_ = nullptr;
  if (rd_kafka_type(handle_) == RD_KAFKA_PRODUCER) {
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }
  rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaHandle::OnError(rd_kafka_t*, int code, const char* reason, void* opaque) {
  auto* const self = static_cast<KafkaHandle*>(opaque);
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  if (IsRefusal(error)) {
    self->refused_ = error;
    self->refusal_ = reason;
  } else if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__RESOLVE) {
    self->lost_ = error;
    self->loss_ = reason;
  }
}

void KafkaHandle::OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* const self = static_cast<KafkaHandle*>(opaque);
  if (self->on_delivery_) self->on_delivery_(*message);
}

void KafkaHandle::Serve(absl::Duration wait) { rd_kafka_poll(handle_, Milliseconds(wait)); }

absl::StatusOr<KafkaMetadata> KafkaHandle::AskMetadata(rd_kafka_topic_t* topic) {
  const absl::Time deadline = absl::Now() + kKafkaCallTimeout;
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(handle_, topic == nullptr ? 1 : 0, topic, &metadata, Milliseconds(kStep));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      return KafkaMetadata(metadata, &rd_kafka_metadata_destroy);
    }
    Serve(absl::ZeroDuration());
    const bool over = absl::Now() >= deadline || refused_ != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (over || !IsAboutConnections(code)) return Error(code, "cannot connect");
  }
}

absl::Status KafkaHandle::Error(rd_kafka_resp_err_t code, absl::string_view what,
                                absl::string_view said) {
  Serve(absl::ZeroDuration());
  if (IsAboutConnections(code) && refused_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(refused_, what, name_, refusal_);
  }
  if (IsAboutConnections(code) && lost_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(lost_, what, name_, loss_);
  }
  return KafkaError(code, what, name_, said);
}

}  // namespace intercom_extractor
