// Prints docs/metrics.md.

#include <iostream>

#include "server/metric_list.h"

int main() {
  std::cout << intercom_extractor::MetricsDocument();
  return 0;
}
