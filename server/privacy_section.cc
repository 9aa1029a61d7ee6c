#include "server/privacy_section.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/config_secret.h"

namespace intercom_extractor {
namespace {

using Add = absl::Status (PrivacyRules::*)(absl::string_view, v1::PrivacyAction);

// Of the first rule that hashes, an error at it; else OK.
absl::Status ReadRules(const ConfigSection& privacy, const std::string& file,
                       const std::string& path, const std::string& key, Add add,
                       PrivacyRules* rules, absl::Status* needs_key) {
  if (!privacy.Has(key)) return absl::OkStatus();
  const absl::StatusOr<ConfigSection> section =
      ConfigSection::OpenFree(file, absl::StrCat(path, ".", key), privacy.Get(key));
  if (!section.ok()) return section.status();
  for (const std::string& name : section->Keys()) {
    std::string text;
    const absl::Status read = section->Read(name, &text);
    if (!read.ok()) return read;
    const absl::StatusOr<v1::PrivacyAction> action = PrivacyRules::ParseAction(text);
    if (!action.ok()) return section->Error(name, action.status().message());
    const absl::Status added = (rules->*add)(name, *action);
    if (!added.ok()) return section->Error(name, added.message());
    if (*action != v1::PRIVACY_ACTION_HASH) continue;
    needs_key->Update(
        section->Error(name, absl::StrCat("hash needs a key; name its source with ", path,
                                          ".hash_key_file, hash_key_env or hash_key_command")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const PrivacyRules>> ReadPrivacy(const ConfigSection& connection,
                                                                const std::string& file,
                                                                const std::string& path,
                                                                const SecretSources& secrets) {
  if (!connection.Has("privacy")) return nullptr;
  const std::string privacy_path = absl::StrCat(path, ".privacy");
  const absl::StatusOr<ConfigSection> privacy = ConfigSection::Open(
      file, privacy_path, connection.Get("privacy"),
      {"hash_key_env", "hash_key_file", "hash_key_command", "columns", "custom_attributes"});
  if (!privacy.ok()) return privacy.status();
  auto rules = std::make_shared<PrivacyRules>();
  absl::Status needs_key;
  absl::Status read = ReadRules(*privacy, file, privacy_path, "columns", &PrivacyRules::AddColumn,
                                rules.get(), &needs_key);
  if (!read.ok()) return read;
  read = ReadRules(*privacy, file, privacy_path, "custom_attributes", &PrivacyRules::AddAttribute,
                   rules.get(), &needs_key);
  if (!read.ok()) return read;
  std::string key;
  read = ReadConfigSecret(*privacy, "hash_key", secrets, &key);
  if (!read.ok()) return read;
  if (key.empty()) {
    if (!needs_key.ok()) return needs_key;
  } else if (key.size() < PrivacyRules::kMinKeyBytes) {
    return privacy->Error(
        absl::StrCat("the hash key has ", key.size(), " bytes and must have at least ",
                     PrivacyRules::kMinKeyBytes,
                     "; with a short one hashes can be turned back; make one with openssl rand "
                     "-hex 32"));
  }
  rules->set_hash_key(std::move(key));
  if (rules->empty()) return nullptr;
  return rules;
}

}  // namespace intercom_extractor
