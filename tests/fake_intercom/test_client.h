#ifndef TESTS_FAKE_INTERCOM_TEST_CLIENT_H_
#define TESTS_FAKE_INTERCOM_TEST_CLIENT_H_

#include <httplib.h>

#include <string>
#include <utility>

#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {

// A client with a token, for tests of the fake itself. Not thread-safe.
class TestClient {
 public:
  struct Answer {
    int status = 0;  // 0: no complete answer came.
    httplib::Headers headers;
    std::string body;
    JsonValue json;

    std::string Header(const std::string& name) const {
      const auto found = headers.find(name);
      return found == headers.end() ? "" : found->second;
    }
    // The code of the error that a body holds.
    std::string ErrorCode() const {
      const auto& errors = json["errors"].elements();
      return errors.empty() ? "" : errors[0]["code"].text();
    }
  };

  explicit TestClient(const std::string& base_url) : client_(base_url) {
    client_.enable_server_certificate_verification(false);
    client_.set_keep_alive(true);
    // What a test sends is encoded already.
    client_.set_url_encode(false);
  }

  httplib::Headers headers = {{"Authorization", "Bearer fake-access-token"},
                              {"Accept", "application/json"}};

  Answer Get(const std::string& target) { return ToAnswer(client_.Get(target, headers)); }
  Answer Post(const std::string& target, const std::string& body) {
    return ToAnswer(client_.Post(target, headers, body, "application/json"));
  }

 private:
  static Answer ToAnswer(const httplib::Result& result) {
    Answer answer;
    if (!result) return answer;
    answer.status = result->status;
    answer.headers = result->headers;
    answer.body = result->body;
    answer.json = JsonValue::Parse(result->body).value_or(JsonValue());
    return answer;
  }

  httplib::Client client_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_TEST_CLIENT_H_
