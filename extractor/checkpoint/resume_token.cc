#include "extractor/checkpoint/resume_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/reflection.h"

namespace intercom_extractor {
namespace {

// "Intercom extractor resume token", and then one byte: the version of what follows.
constexpr absl::string_view kMagic = "ixrt";
constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 1;
constexpr size_t kMacBytes = 32;
// Keys for other uses of the same secret would name another purpose.
constexpr absl::string_view kPurpose = "intercom-extractor resume token v1";

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string DeriveKey(absl::string_view secret) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
  std::string key(kMacBytes, '\0');
  size_t size = key.size();
  const bool derived =
      context != nullptr && EVP_PKEY_derive_init(context.get()) > 0 &&
      EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) > 0 &&
      EVP_PKEY_CTX_set1_hkdf_key(context.get(), Bytes(secret), static_cast<int>(secret.size())) >
          0 &&
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), Bytes(kPurpose),
                                  static_cast<int>(kPurpose.size())) > 0 &&
      EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(&key[0]), &size) > 0;
  // Only without memory; a key that anybody could know must never be used.
  if (!derived) std::abort();
  return key;
}

// Whether no number in it is larger than an extraction can reach, so that who goes on from
// it can add to each.
bool HasSoundNumbers(const google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  constexpr int64_t kMost = 1'000'000'000'000'000;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      const int64_t number = reflection.GetInt64(message, field);
      if (number > kMost || number < -kMost) return false;
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (!field->is_repeated()) {
      if (!HasSoundNumbers(reflection.GetMessage(message, field))) return false;
    } else {
      for (const auto& inner :
           reflection.GetRepeatedFieldRef<google::protobuf::Message>(message, field)) {
        if (!HasSoundNumbers(inner)) return false;
      }
    }
  }
  return true;
}

absl::Status Refused(absl::string_view reason, absl::string_view message) {
  return StatusWithReason(absl::StatusCode::kFailedPrecondition, reason, message);
}

}  // namespace

ResumeTokenCodec::ResumeTokenCodec(const Connection& connection)
    : key_(DeriveKey(connection.resume_key.empty() ? connection.access_token
                                                   : connection.resume_key)) {}

std::string ResumeTokenCodec::Authenticate(absl::string_view bytes) const {
  std::array<unsigned char, kMacBytes> mac{};
  unsigned int size = mac.size();
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), Bytes(bytes), bytes.size(),
       mac.data(), &size);
  return {mac.begin(), mac.end()};
}

std::string ResumeTokenCodec::Seal(const resume::State& state) const {
  const std::string header = absl::StrCat(kMagic, absl::string_view(&kVersion, 1));
  const std::string payload = state.SerializeAsString();
  return absl::StrCat(header, Authenticate(absl::StrCat(header, payload)), payload);
}

absl::StatusOr<resume::State> ResumeTokenCodec::Open(absl::string_view token) const {
  if (token.substr(0, kMagic.size()) != kMagic || token.size() < kHeaderBytes + kMacBytes ||
      token.size() > kMaxTokenBytes) {
    return Refused("RESUME_TOKEN_INVALID",
                   "the resume token is damaged, or no token of this service; extract anew "
                   "without it");
  }
  if (token[kMagic.size()] != kVersion) {
    return Refused(
        "RESUME_TOKEN_VERSION",
        absl::StrCat("the resume token has version ", static_cast<int>(token[kMagic.size()]),
                     ", this release continues version ", static_cast<int>(kVersion),
                     " only; extract anew without it"));
  }
  const absl::string_view header = token.substr(0, kHeaderBytes);
  const absl::string_view mac = token.substr(kHeaderBytes, kMacBytes);
  const absl::string_view payload = token.substr(kHeaderBytes + kMacBytes);
  const std::string expected = Authenticate(absl::StrCat(header, payload));
  resume::State state;
  // In constant time: how much of a guess is right must not show.
  if (CRYPTO_memcmp(expected.data(), mac.data(), kMacBytes) != 0 ||
      !state.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      !HasSoundNumbers(state)) {
    return Refused("RESUME_TOKEN_INVALID",
                   "the resume token is damaged, or was made with another access token or resume "
                   "key; extract anew without it");
  }
  return state;
}

}  // namespace intercom_extractor
