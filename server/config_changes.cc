#include "server/config_changes.h"

#include "server/setting_list.h"

namespace intercom_extractor {

std::vector<std::string> ChangesForRestart(const ServerConfig& running, const ServerConfig& next) {
  std::vector<std::string> changed;
  for (const Setting& setting : SettingList()) {
    // Of files the contents are read again; their names are not.
    if (setting.needs_restart && setting.text(running) != setting.text(next)) {
      changed.emplace_back(setting.key);
    }
  }
  return changed;
}

}  // namespace intercom_extractor
