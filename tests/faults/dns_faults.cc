// Preloaded into a program, makes its look-ups of one name go wrong:
//
//   DNS_FAULTS=api.example=again,dead,here   the answers, one after the other; the last goes on
//
// dns.py says what each answer is. All other names are looked up as ever.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace {

using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

// Nothing listens there: servers of tests are on 127.0.0.1 alone.
constexpr char kDead[] = "127.0.0.2";
constexpr char kHere[] = "127.0.0.1";

int Real(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, result);
}

// The `turn`-th of a list with commas, from 0; the last where there are not so many.
std::string Nth(const std::string& list, int turn) {
  size_t begin = 0;
  for (; turn > 0; --turn) {
    const size_t comma = list.find(',', begin);
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  return list.substr(begin, list.find(',', begin) - begin);
}

int Both(const char* service, const addrinfo* hints, addrinfo** result) {
  const int error = Real(kDead, service, hints, result);
  if (error != 0) return error;
  // The same with another address behind it; whoever frees the list frees both.
  addrinfo* second = nullptr;
  if (Real(kHere, service, hints, &second) == 0) {
    addrinfo* last = *result;
    while (last->ai_next != nullptr) last = last->ai_next;
    last->ai_next = second;
  }
  return 0;
}

}  // namespace

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  const char* told = std::getenv("DNS_FAULTS");
  const std::string faults = told == nullptr ? "" : told;
  const size_t equals = faults.find('=');
  if (host == nullptr || equals == std::string::npos || faults.substr(0, equals) != host) {
    return Real(host, service, hints, result);
  }
  static std::atomic<int> turns{0};
  const std::string answer = Nth(faults.substr(equals + 1), turns++);
  if (answer == "again") return EAI_AGAIN;
  if (answer == "dead") return Real(kDead, service, hints, result);
  if (answer == "both") return Both(service, hints, result);
  if (answer == "here") return Real(kHere, service, hints, result);
  return EAI_NONAME;
}
