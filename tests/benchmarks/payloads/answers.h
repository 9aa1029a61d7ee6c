#ifndef TESTS_BENCHMARKS_PAYLOADS_ANSWERS_H_
#define TESTS_BENCHMARKS_PAYLOADS_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "intercom/extractor/v1/annotations.pb.h"
#include "proto/v1.h"

namespace intercom_extractor::payloads {

// One answer of Intercom as it comes over the wire: keys and, unless the name says
// otherwise, their order as in the examples of the official OpenAPI description, made-up
// content.
struct Answer {
  // Permanent, as reports compare figures by it: "contacts_3KB".
  std::string name;
  v1::SourceRecord record = v1::SOURCE_RECORD_UNSPECIFIED;
  // The key whose list holds the records; empty when the answer is the record.
  std::string items;
  size_t records = 0;
  std::string text;
  // The contact asked for, where the answer is about one.
  std::string parent_id;
  v1::ContactRole parent_role = v1::CONTACT_ROLE_UNSPECIFIED;
};

// Pages of 150 contacts, the most that Intercom gives; the first, with every
// field and about 2.8 KB each, is the one that figures are quoted for.
std::vector<Answer> ContactAnswers(uint64_t seed);

// Details with parts, and a page of the list, which has none.
std::vector<Answer> ConversationAnswers(uint64_t seed);

// Companies, admins, teams, tags, segments.
std::vector<Answer> WorkspaceAnswers(uint64_t seed);

// What is asked for once per contact: tags, segments, companies, notes, events.
std::vector<Answer> ContactChildAnswers(uint64_t seed);

// All of these: every kind of answer that any table is made of. The same seed
// gives the same bytes.
std::vector<Answer> AllAnswers(uint64_t seed);

}  // namespace intercom_extractor::payloads

#endif  // TESTS_BENCHMARKS_PAYLOADS_ANSWERS_H_
