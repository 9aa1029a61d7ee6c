#ifndef EXTRACTOR_TABLES_PRIVACY_RULES_H_
#define EXTRACTOR_TABLES_PRIVACY_RULES_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What is to happen to a connection's values before they leave: columns, and custom
// attributes by their names. docs/privacy.md is for who writes the rules.
//
// Not thread-safe while rules are added, thread-safe after.
class PrivacyRules {
 public:
  // A key that can be guessed makes hashes of e-mail addresses the addresses.
  static constexpr size_t kMinKeyBytes = 16;
  // What a masked text reads.
  static constexpr absl::string_view kMasked = "[masked]";

  // What `text`, as people write it, means: "leave_out", "mask" or "hash".
  // kInvalidArgument for another.
  static absl::StatusOr<v1::PrivacyAction> ParseAction(absl::string_view text);
  // The same the other way; "" for PRIVACY_ACTION_UNSPECIFIED.
  static absl::string_view ActionName(v1::PrivacyAction action);

  // `name` is "TABLE.COLUMN", or "*.COLUMN" for each table that has it and no rule of its
  // own for it. kInvalidArgument, without the name at the front, when there is no such
  // column, when the action cannot be done to it, or when it identifies or joins rows.
  absl::Status AddColumn(absl::string_view name, v1::PrivacyAction action);

  // Members of this name in the objects of every column `custom_attributes`, at any depth.
  absl::Status AddAttribute(absl::string_view name, v1::PrivacyAction action);

  // Secret: never printed, logged or put into an error. Needed where something is hashed.
  void set_hash_key(std::string key) { hash_key_ = std::move(key); }
  const std::string& hash_key() const { return hash_key_; }
  // Whether any rule hashes.
  bool hashes() const;
  bool empty() const { return columns_.empty() && attributes_.empty(); }

  // Says in the table's description what happens to its columns.
  void Describe(v1::TableDescription* description) const;

  // What happens to custom attributes, by name.
  const std::map<std::string, v1::PrivacyAction>& attributes() const { return attributes_; }

  // The rules in one line for people, as written: "leaves out notes.body; masks *.phone".
  std::string Summary() const;

  // Tells what happens to the values of these tables from everything else that could: 32
  // bytes, or none where nothing does. Tells nothing of the key.
  std::string Digest(const std::vector<v1::TableDescription>& tables) const;

  bool operator==(const PrivacyRules& other) const {
    return columns_ == other.columns_ && attributes_ == other.attributes_ &&
           hash_key_ == other.hash_key_;
  }

 private:
  v1::PrivacyAction ActionFor(const std::string& table, const std::string& column) const;

  // By name as written.
  std::map<std::string, v1::PrivacyAction> columns_;
  std::map<std::string, v1::PrivacyAction> attributes_;
  std::string hash_key_;
};

// HMAC-SHA-256 in lower-case hex.
std::string HmacHex(absl::string_view key, absl::string_view text);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_PRIVACY_RULES_H_
