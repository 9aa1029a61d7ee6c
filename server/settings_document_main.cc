// Prints docs/configuration.md.

#include <iostream>

#include "server/setting_list.h"

int main() {
  std::cout << intercom_extractor::SettingsDocument();
  return 0;
}
