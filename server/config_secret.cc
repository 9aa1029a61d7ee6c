#include "server/config_secret.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/secrets.h"

namespace intercom_extractor {
namespace {

// For a command that gives a secret.
constexpr absl::Duration kCommandPatience = absl::Seconds(30);

}  // namespace

SecretSources SystemSecrets() {
  return {ReadSecretVariable, ReadSecretFile, [](const std::vector<std::string>& command) {
            return ReadSecretOfCommand(command, kCommandPatience);
          }};
}

absl::Status ReadConfigSecret(const ConfigSection& section, const std::string& key,
                              const SecretSources& secrets, std::string* secret) {
  const std::string variable_key = absl::StrCat(key, "_env");
  const std::string file_key = absl::StrCat(key, "_file");
  const std::string command_key = absl::StrCat(key, "_command");
  std::string variable;
  std::string file;
  std::vector<std::string> command;
  absl::Status read = section.Read(variable_key, &variable);
  read.Update(section.Read(file_key, &file));
  read.Update(section.Read(command_key, &command));
  if (!read.ok()) return read;
  std::vector<std::string> given;
  if (!variable.empty()) given.push_back(variable_key);
  if (!file.empty()) given.push_back(file_key);
  if (!command.empty()) given.push_back(command_key);
  if (given.empty()) return absl::OkStatus();
  if (given.size() > 1) {
    return section.Error(given[0], absl::StrCat("stands beside ", given[1], "; keep one of them"));
  }
  const absl::StatusOr<std::string> found = !variable.empty() ? secrets.variable(variable)
                                            : !file.empty()   ? secrets.file(file)
                                                              : secrets.command(command);
  if (!found.ok()) return section.Error(given[0], found.status().message());
  *secret = *found;
  return absl::OkStatus();
}

}  // namespace intercom_extractor
