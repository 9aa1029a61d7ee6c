#include "extractor/tables/value_protection.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "absl/strings/string_view.h"

namespace intercom_extractor {
namespace {

using Step = JsonDocument::Step;

std::string_view Masked() { return {PrivacyRules::kMasked.data(), PrivacyRules::kMasked.size()}; }

}  // namespace

ValueProtection::ValueProtection(const PrivacyRules& rules)
    : attributes_(rules.attributes().begin(), rules.attributes().end()) {
  if (!rules.hashes()) return;
  // Set up once: that takes longer than hashing an e-mail address.
  EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  mac_.reset(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const std::string& key = rules.hash_key();
  if (EVP_MAC_init(mac_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                   parameters) != 1) {
    mac_ = nullptr;
  }
}

std::string_view ValueProtection::Protect(std::string_view text, v1::PrivacyAction action) {
  if (action != v1::PRIVACY_ACTION_HASH) return Masked();
  unsigned char mac[SHA256_DIGEST_LENGTH];
  size_t size = 0;
  // What cannot be hashed, for whatever reason, must not leave as it is.
  if (mac_ == nullptr || EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) != 1 ||
      EVP_MAC_update(mac_.get(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size()) != 1 ||
      EVP_MAC_final(mac_.get(), mac, &size, sizeof(mac)) != 1) {
    return Masked();
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < sizeof(mac); ++i) {
    hash_[2 * i] = kDigits[mac[i] >> 4];
    hash_[2 * i + 1] = kDigits[mac[i] & 15];
  }
  return {hash_, sizeof(hash_)};
}

std::optional<std::string_view> ValueProtection::ProtectAttributes(std::string_view json) {
  text_.assign(json.data(), json.size());
  text_.append(JsonDocument::kPadding, ' ');
  out_.clear();
  changed_ = false;
  if (!document_.Open(absl::string_view(text_.data(), json.size())).ok()) return std::nullopt;
  if (document_.begin() == document_.end()) return std::nullopt;
  if (AppendValue(document_.begin(), 0) != document_.end()) return std::nullopt;
  if (!changed_) return std::string_view(text_).substr(0, json.size());
  return out_;
}

ValueProtection::Token ValueProtection::AppendValue(Token token, int depth) {
  if (token == nullptr || token >= document_.end() || depth > kMaxDepth) return nullptr;
  const char first = document_.At(token);
  if (first == '{') return AppendMembers(token, depth);
  if (first != '[') {
    const Token behind = document_.Skip(token);
    if (behind != nullptr) out_ += document_.Raw(token, behind);
    return behind;
  }
  bool any = false;
  out_ += '[';
  Step step = document_.Enter(&token, ']');
  for (; step == Step::kMember; step = document_.Next(&token, ']')) {
    if (any) out_ += ',';
    any = true;
    token = AppendValue(token, depth + 1);
  }
  out_ += ']';
  return step == Step::kEnd ? token : nullptr;
}

ValueProtection::Token ValueProtection::AppendMembers(Token token, int depth) {
  bool any = false;
  out_ += '{';
  Step step = document_.Enter(&token, '}');
  for (; step == Step::kMember; step = document_.Next(&token, '}')) {
    if (!document_.IsMember(token)) return nullptr;
    const auto key = document_.Key(token);
    if (!key.has_value()) return nullptr;
    const auto rule = attributes_.find(absl::string_view(key->data(), key->size()));
    const Token value = token + 2;
    if (rule != attributes_.end() && rule->second == v1::PRIVACY_ACTION_LEAVE_OUT) {
      changed_ = true;
      token = document_.Skip(value);
      continue;
    }
    if (any) out_ += ',';
    any = true;
    out_ += document_.Raw(token, token + 1);
    out_ += ':';
    token = rule == attributes_.end() ? AppendValue(value, depth + 1)
                                      : AppendProtected(value, rule->second);
  }
  out_ += '}';
  return step == Step::kEnd ? token : nullptr;
}

ValueProtection::Token ValueProtection::AppendProtected(Token token, v1::PrivacyAction action) {
  const Token behind = document_.Skip(token);
  if (behind == nullptr) return nullptr;
  // A string as it reads, so that the hash is that of the same text in a column.
  JsonValue value;
  const char first = document_.At(token);
  if (first == '{' || first == '[') {
    value = {JsonValue::Kind::kObject, document_.Raw(token, behind), document_.Raw(token, behind)};
  } else if (!document_.ReadScalar(token, &value)) {
    return nullptr;
  }
  if (value.kind == JsonValue::Kind::kNull) {
    out_ += "null";
    return behind;
  }
  changed_ = true;
  out_ += '"';
  out_ += Protect(value.text, action);
  out_ += '"';
  return behind;
}

}  // namespace intercom_extractor
