#ifndef EXTRACTOR_TABLES_VALUE_PROTECTION_H_
#define EXTRACTOR_TABLES_VALUE_PROTECTION_H_

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "extractor/tables/json_document.h"
#include "extractor/tables/privacy_rules.h"

namespace intercom_extractor {

// Does to values what privacy rules say. Keeps its buffers; not thread-safe.
class ValueProtection {
 public:
  explicit ValueProtection(const PrivacyRules& rules);

  // What a text becomes; lives until the next call. `action` masks or hashes.
  std::string_view Protect(std::string_view text, v1::PrivacyAction action);

  // What the JSON text of custom attributes becomes; as received where no rule names
  // anything in it, else without white space between its tokens. Lives until the next
  // call. Nothing when its members cannot be told apart: it is malformed, or deeper than
  // kMaxDepth.
  std::optional<std::string_view> ProtectAttributes(std::string_view json);
  static constexpr int kMaxDepth = 500;

 private:
  using Token = JsonDocument::Token;
  struct FreeMac {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };

  // These append to `out_` and return the token behind what they read, or null.
  Token AppendValue(Token token, int depth);
  Token AppendMembers(Token token, int depth);
  Token AppendProtected(Token token, v1::PrivacyAction action);

  std::unique_ptr<EVP_MAC_CTX, FreeMac> mac_;
  char hash_[64];
  absl::flat_hash_map<std::string, v1::PrivacyAction> attributes_;
  JsonDocument document_;
  std::string text_;
  std::string out_;
  bool changed_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_VALUE_PROTECTION_H_
