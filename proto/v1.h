#ifndef PROTO_V1_H_
#define PROTO_V1_H_

namespace intercom::extractor::v1 {}

namespace intercom_extractor {
// The public contract's C++ namespace, under the name our code calls it by.
namespace v1 = ::intercom::extractor::v1;
}  // namespace intercom_extractor

#endif  // PROTO_V1_H_
