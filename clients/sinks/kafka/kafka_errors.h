#ifndef CLIENTS_SINKS_KAFKA_KAFKA_ERRORS_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "librdkafka/rdkafka.h"

namespace intercom_extractor {

// An error of librdkafka's or a broker's as a sink's: what failed ("cannot write to topic
// intercom.users"), where ("kafka://k1:9092, topics intercom.*"), what Kafka says, what to do.
//  kUnavailable: another try, with a new producer, may help. So is a transaction that was
//    ended by others: whether a newer instance did is for the caller to find out.
//  kPermissionDenied, kFailedPrecondition: a person has to do something first.
absl::Status KafkaError(rd_kafka_resp_err_t code, absl::string_view what, absl::string_view where,
                        absl::string_view said = "");

// Whether the code may mean that another instance has the transactional id.
bool MayBeFenced(rd_kafka_resp_err_t code);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_ERRORS_H_
