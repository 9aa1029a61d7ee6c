#include "clients/sinks/postgres/copy_rows.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "nlohmann/json.hpp"
#include "simdjson.h"

namespace intercom_extractor {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

// Between the epochs of Unix and of PostgreSQL, which is 2000-01-01.
constexpr int64_t kEpochSeconds = 946'684'800;
// From 4713 BC to 294276 AD, in Unix seconds.
constexpr int64_t kFirstSecond = -210'866'803'200;
constexpr int64_t kLastSecond = 9'224'318'015'999;

// Big-endian, as PostgreSQL's protocol has it.
template <typename Unsigned>
void AppendBigEndian(Unsigned value, std::string* out) {
  char bytes[sizeof(Unsigned)];
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(Unsigned) - 1 - i)));
  }
  out->append(bytes, sizeof(bytes));
}

void AppendLength(size_t length, std::string* out) {
  AppendBigEndian(static_cast<uint32_t>(length), out);
}

void AppendInt64(int64_t value, std::string* out) {
  AppendLength(sizeof(value), out);
  AppendBigEndian(static_cast<uint64_t>(value), out);
}

void AppendTime(int64_t seconds, std::string* out) {
  if (seconds < kFirstSecond) return AppendInt64(std::numeric_limits<int64_t>::min(), out);
  if (seconds > kLastSecond) return AppendInt64(std::numeric_limits<int64_t>::max(), out);
  AppendInt64((seconds - kEpochSeconds) * 1'000'000, out);
}

void AppendText(absl::string_view text, std::string* out) {
  if (std::memchr(text.data(), 0, text.size()) == nullptr) {
    AppendLength(text.size(), out);
    out->append(text.data(), text.size());
    return;
  }
  std::string clean;
  for (const char c : text) {
    if (c == '\0') {
      clean += kReplacement;
    } else {
      clean += c;
    }
  }
  AppendText(clean, out);
}

// Where "\\u0000" stands for a zero character, and not for a backslash and a text.
size_t FindEscapedZero(absl::string_view text) {
  for (size_t at = text.find("\\u0000"); at != absl::string_view::npos;
       at = text.find("\\u0000", at + 1)) {
    size_t first = at;
    while (first > 0 && text[first - 1] == '\\') --first;
    if ((at - first) % 2 == 0) return at;
  }
  return absl::string_view::npos;
}

// Whether jsonb takes the text as it is. The parsers refuse lone surrogates, too.
bool JsonbTakes(absl::string_view text) {
  if (absl::StrContains(text, "\\u0000")) return false;
  thread_local simdjson::dom::parser parser;
  // The slower one also knows integers of more than 64 bits.
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS ||
         nlohmann::json::accept(text.begin(), text.end());
}

void AppendJson(absl::string_view text, std::string* out) {
  std::string made;
  if (!JsonbTakes(text)) {
    auto parsed = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    if (parsed.is_discarded()) parsed = std::string(text);
    made = parsed.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    for (size_t at; (at = FindEscapedZero(made)) != absl::string_view::npos;) {
      made.replace(at, 6, kReplacement);
    }
    text = made;
  }
  AppendLength(text.size() + 1, out);
  out->push_back('\x01');  // The version of the format.
  out->append(text.data(), text.size());
}

// Appends the values of a row, in the order of its columns.
class ValueWriter {
 public:
  ValueWriter(const PostgresTable& table, std::string* out)
      : type_(table.types().data()), in_key_(table.in_key().begin()), out_(out) {}

  void Null() {
    AppendLength(std::numeric_limits<uint32_t>::max(), out_);
    Done(sizeof(uint32_t));
  }
  void String(absl::string_view text) {
    const size_t before = out_->size();
    if (*type_ == PostgresType::kJson) {
      AppendJson(text, out_);
    } else {
      AppendText(text, out_);
    }
    Done(out_->size() - before);
  }
  void Int64(int64_t value) {
    if (*type_ == PostgresType::kTimestamp) {
      AppendTime(value, out_);
    } else {
      AppendInt64(value, out_);
    }
    Done(sizeof(uint32_t) + sizeof(value));
  }
  void Double(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    AppendLength(sizeof(bits), out_);
    AppendBigEndian(bits, out_);
    Done(sizeof(uint32_t) + sizeof(bits));
  }
  void Bool(bool value) {
    AppendLength(1, out_);
    out_->push_back(value ? '\x01' : '\x00');
    Done(sizeof(uint32_t) + 1);
  }

  size_t key_hash() const { return key_hash_; }

 private:
  // The value's last bytes are so many.
  void Done(size_t bytes) {
    if (*in_key_) {
      key_hash_ = absl::HashOf(key_hash_, absl::string_view(*out_).substr(out_->size() - bytes));
    }
    ++in_key_;
    ++type_;
  }

  const PostgresType* type_;
  std::vector<bool>::const_iterator in_key_;
  std::string* const out_;
  size_t key_hash_ = 0;
};

}  // namespace

void AppendCopyHeader(std::string* out) {
  // The signature, no flags, no extension.
  constexpr char kHeader[] = "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0";
  out->append(kHeader, sizeof(kHeader));
}

void AppendCopyTrailer(std::string* out) { out->append("\xff\xff", 2); }

std::optional<size_t> AppendCopyRow(const PostgresTable& table, absl::string_view row,
                                    std::string* out) {
  const size_t begin = out->size();
  AppendBigEndian(static_cast<uint16_t>(table.types().size()), out);
  ValueWriter writer(table, out);
  if (table.columns().VisitRow(row, &writer)) return writer.key_hash();
  out->resize(begin);
  return std::nullopt;
}

void AppendCopyText(absl::string_view text, std::string* out) {
  AppendBigEndian(uint16_t{1}, out);
  AppendText(text, out);
}

}  // namespace intercom_extractor
