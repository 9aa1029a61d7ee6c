#ifndef SERVER_CONFIG_SECTION_H_
#define SERVER_CONFIG_SECTION_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "yaml-cpp/yaml.h"

namespace intercom_extractor {

// Where values that were put before the file's are from, by their whole key: "--listen" for
// "listen". Errors name it in the place of file and line.
using ValueSources = std::map<std::string, std::string>;

// One mapping of a YAML file, read strictly: every error says file, line, key
// and what to write instead. Values of unknown keys are never repeated, as they
// may be secrets.
//
// The Read functions leave `value` alone when the key is absent.
class ConfigSection {
 public:
  // `path` is how errors call the section: "", "tls" or "connections[1]". Fails
  // when `node` is no mapping, has a key that is not in `known`, or one twice.
  static absl::StatusOr<ConfigSection> Open(const std::string& file, const std::string& path,
                                            const YAML::Node& node,
                                            const std::vector<std::string>& known,
                                            std::shared_ptr<const ValueSources> sources = nullptr);

  // The section at `key`, which is there.
  absl::StatusOr<ConfigSection> OpenChild(const std::string& key,
                                          const std::vector<std::string>& known) const;

  // The same where keys are names that the file's author chooses.
  static absl::StatusOr<ConfigSection> OpenFree(const std::string& file, const std::string& path,
                                                const YAML::Node& node);

  // All keys, in the file's order.
  std::vector<std::string> Keys() const;
  // True when the key stands there with a value.
  bool Has(const std::string& key) const;
  // Undefined node when absent.
  YAML::Node Get(const std::string& key) const;

  absl::Status Read(const std::string& key, std::string* value) const;
  absl::Status Read(const std::string& key, bool* value) const;
  // A list of values, or a single one.
  absl::Status Read(const std::string& key, std::vector<std::string>* values) const;
  // At least `min` and at most `max`.
  absl::Status Read(const std::string& key, int min, int max, int* value) const;
  // One of `choices`.
  absl::Status ReadChoice(const std::string& key, const std::vector<std::string>& choices,
                          std::string* value) const;
  // A share, at least 0 and below 1.
  absl::Status ReadShare(const std::string& key, double* value) const;
  // Such as "90s" or "1m30s"; from 1 s to 1 h.
  absl::Status Read(const std::string& key, absl::Duration* value) const;

  // An error at the key's line, or at the section's when the key is absent.
  absl::Status Error(const std::string& key, absl::string_view what) const;
  // An error about the whole section.
  absl::Status Error(absl::string_view what) const;

 private:
  ConfigSection(const std::string& file, const std::string& path, const YAML::Node& node,
                std::shared_ptr<const ValueSources> sources)
      : file_(file), path_(path), node_(node), sources_(std::move(sources)) {}

  std::string PathOf(const std::string& key) const;

  // Null `known`: any key.
  static absl::StatusOr<ConfigSection> Open(const std::string& file, const std::string& path,
                                            const YAML::Node& node,
                                            const std::vector<std::string>* known,
                                            std::shared_ptr<const ValueSources> sources);

  // Sets `text` to the scalar at `key` and returns true, or false when absent.
  absl::StatusOr<bool> ReadScalar(const std::string& key, std::string* text) const;

  std::string file_;
  std::string path_;
  YAML::Node node_;
  // May be null.
  std::shared_ptr<const ValueSources> sources_;
};

// Whether a name may stand in requests, logs and error metadata: 1 to 64 letters, digits,
// '-', '_' and '.'.
bool IsConfigName(absl::string_view name);

// kInvalidArgument "FILE:LINE: PATH: what", without what is unknown.
absl::Status ConfigError(const std::string& file, const YAML::Mark& mark, absl::string_view path,
                         absl::string_view what);

}  // namespace intercom_extractor

#endif  // SERVER_CONFIG_SECTION_H_
