#include "tests/fake_intercom/fault_rule.h"

#include <algorithm>

namespace intercom_extractor::fake {

void FaultAction::Add(const FaultAction& other) {
  delay += other.delay;
  refuse = std::max(refuse, other.refuse);
  if (other.status) {
    status = other.status;
    code = other.code;
  }
  reset = reset || other.reset;
  carried_out = carried_out || other.carried_out;
  if (other.body) body = other.body;
  malformed = malformed || other.malformed;
  replace.insert(replace.end(), other.replace.begin(), other.replace.end());
  headers.insert(headers.end(), other.headers.begin(), other.headers.end());
  clock += other.clock;
  if (other.gzip != Gzip::kNone) gzip = other.gzip;
  if (other.cut) cut = other.cut;
  if (other.drip) drip = other.drip;
  length_error += other.length_error;
  if (other.framing != Delivery::Framing::kLength) framing = other.framing;
  if (other.end) end = other.end;
  if (other.raw) raw = other.raw;
}

bool FaultAction::Harmless() const {
  return !status && !body && !malformed && replace.empty() &&
         (gzip == Gzip::kNone || gzip == Gzip::kGood);
}

}  // namespace intercom_extractor::fake
