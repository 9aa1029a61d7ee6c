#ifndef TESTS_FAKE_INTERCOM_OAUTH_H_
#define TESTS_FAKE_INTERCOM_OAUTH_H_

#include <map>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "tests/fake_intercom/clock.h"
#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// Intercom's OAuth: the page where a person authorizes an app, who here agrees or refuses at
// once, and the exchange of the code. Both need no access token and cost no quota.
// Thread-safe.
class OAuth {
 public:
  struct Options {
    std::string client_id = "fake-client-id";
    std::string client_secret = "fake-client-secret";
    // The person refuses.
    bool denied = false;
  };

  // A code is exchanged for `access_token`.
  OAuth(Options options, std::string access_token, Clock clock);

  // True when the request was one of these.
  bool Answer(const Request& request, Response* response);

 private:
  void AnswerAuthorize(const Request& request, Response* response);
  void AnswerToken(const Request& request, Response* response);

  const Options options_;
  const std::string access_token_;
  const Clock clock_;
  std::mutex mu_;
  // Guarded by mu_: codes that nobody has exchanged yet, and until when they work.
  std::map<std::string, absl::Time> codes_;
  int issued_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_OAUTH_H_
