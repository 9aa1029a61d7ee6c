#ifndef EXTRACTOR_PIPELINE_PROTO_DURATION_H_
#define EXTRACTOR_PIPELINE_PROTO_DURATION_H_

#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {

inline google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(
      absl::ToInt64Nanoseconds(duration));
}

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_PROTO_DURATION_H_
