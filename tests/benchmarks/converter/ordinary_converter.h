#ifndef TESTS_BENCHMARKS_CONVERTER_ORDINARY_CONVERTER_H_
#define TESTS_BENCHMARKS_CONVERTER_ORDINARY_CONVERTER_H_

#include <simdjson.h>

#include <string>

#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What the converter is measured against: the same rows, made as one would make
// them by hand. On-Demand fields, asked for in the order in which they come, are
// set in generated messages, which are then serialized. Messages and the bytes
// are reused from page to page; key names and types are known to the compiler.
//
// Less careful than ours: a value of the wrong type is null without a notice, a
// broken surrogate too, and it reads only what is in memory. Not thread-safe.
class OrdinaryConverter {
 public:
  static bool Knows(v1::SourceRecord record);

  // Turns an answer with records of this kind, in the list `items` or (when it is
  // empty) being one, into the bytes of a `RowBatch`. Everybody in a conversation
  // is a user.
  simdjson::error_code Convert(v1::SourceRecord record, const std::string& items,
                               const simdjson::padded_string& page);

  // Of the last Convert().
  const std::string& bytes() const { return bytes_; }

 private:
  void AddRecord(v1::SourceRecord record, simdjson::ondemand::object object);
  void AddContact(simdjson::ondemand::object contact);
  void AddConversation(simdjson::ondemand::object conversation);
  void AddCompany(simdjson::ondemand::object company);

  simdjson::ondemand::parser parser_;
  v1::RowBatch batch_;
  std::string bytes_;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_CONVERTER_ORDINARY_CONVERTER_H_
