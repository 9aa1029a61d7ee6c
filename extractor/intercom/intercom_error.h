#ifndef EXTRACTOR_INTERCOM_INTERCOM_ERROR_H_
#define EXTRACTOR_INTERCOM_INTERCOM_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// The body of an error answer, `{"type":"error.list","errors":[{...}]}`.
struct IntercomError {
  // Such as "rate_limit_exceeded"; empty when the body says none (HTML, say).
  std::string code;
  // For people; printable and at most 200 bytes.
  std::string message;
  std::string request_id;
};

// Reads what is there; a body that is no error list gives empty fields.
IntercomError ParseIntercomError(absl::string_view body);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_INTERCOM_ERROR_H_
