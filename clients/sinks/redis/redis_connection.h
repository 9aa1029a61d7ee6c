#ifndef CLIENTS_SINKS_REDIS_REDIS_CONNECTION_H_
#define CLIENTS_SINKS_REDIS_REDIS_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/redis/redis_url.h"
#include "hiredis/hiredis.h"

namespace intercom_extractor {

struct RedisReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisReplyDeleter>;

// The text of a reply; empty where it has none.
absl::string_view RedisText(const redisReply& reply);

// What Redis said ("OOM command not allowed ...") as an error that says what to do:
// kUnavailable where it may pass, kPermissionDenied, kResourceExhausted (memory, disk), else
// kFailedPrecondition. Leaves out what may be a part of a command.
absl::Status RedisError(absl::string_view said, absl::string_view what, absl::string_view where);

// One session. Calls block. Errors as RedisError(), kUnavailable also where the session is
// lost or gives no answer for 30 s; after one, only the destructor may be called. For one
// thread.
class RedisConnection {
 public:
  // Connects, logs in and selects the database.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Connect(const RedisTarget& target);

  using Arguments = std::vector<absl::string_view>;

  // Puts a command into the pipeline. It is sent with others; an error in its reply shows in
  // a later call. Blocks while Redis is behind by more than it may be.
  absl::Status Send(const Arguments& arguments);

  // Sends all, and gives the reply to this command.
  absl::StatusOr<RedisReply> Ask(const Arguments& arguments);

 private:
  RedisConnection(redisContext* context, std::string name)
      : context_(context, &redisFree), name_(std::move(name)) {}

  absl::Status LogIn(const RedisTarget& target);
  // Sends what stands in the pipeline.
  absl::Status Flush();
  absl::StatusOr<RedisReply> ReadReply();
  // Reads replies, which must be no errors, until so many are left to come.
  absl::Status ReadUntil(size_t left);
  absl::Status Lost() const;

  const std::unique_ptr<redisContext, decltype(&redisFree)> context_;
  const std::string name_;
  std::string unsent_;
  size_t unsent_commands_ = 0;
  size_t sent_commands_ = 0;  // Whose replies have not been read.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_REDIS_REDIS_CONNECTION_H_
