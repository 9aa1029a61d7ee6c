#ifndef TESTS_FAKE_INTERCOM_WIRE_BYTES_H_
#define TESTS_FAKE_INTERCOM_WIRE_BYTES_H_

#include <string>

#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What goes over the connection for an answer whose `delivery` is not by the book: header
// and body in HTTP/1.1, cut, framed and measured as it says.
std::string WireBytes(const Response& response);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_WIRE_BYTES_H_
