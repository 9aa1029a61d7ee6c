#include "tests/fake_intercom/generated_workspace.h"

#include <functional>

#include "tests/fake_intercom/catalog.h"

namespace intercom_extractor::fake {
namespace {

// Fills `cache` with records 0, 1, ... while `*budget` bytes last.
void FillCache(size_t count, const std::function<void(size_t, std::string*)>& append,
               size_t* budget, std::vector<std::string>* cache) {
  std::string record;
  for (size_t i = 0; i < count; ++i) {
    record.clear();
    append(i, &record);
    const size_t cost = record.size() + sizeof(std::string);
    if (cost > *budget) return;
    *budget -= cost;
    cache->push_back(record);
  }
}

}  // namespace

GeneratedWorkspace::GeneratedWorkspace(const GeneratorOptions& options)
    : options_(options),
      companies_(options),
      people_(options, &companies_),
      conversations_(options, &people_),
      segment_counts_(kSegmentCount, 0),
      deleted_conversations_(conversations_.Deleted()),
      admins_(AdminRecords()),
      teams_(TeamRecords()),
      tags_(TagRecords()) {
  contact_keys_.reserve(people_.count());
  segment_masks_.reserve(people_.count());
  for (size_t i = 0; i < people_.count(); ++i) {
    contact_keys_.push_back(people_.Key(i));
    segment_masks_.push_back(SegmentMask(options.seed, i, contact_keys_.back().role));
    for (size_t s = 0; s < kSegmentCount; ++s) segment_counts_[s] += segment_masks_[i] >> s & 1;
  }
  conversation_keys_.reserve(conversations_.count());
  for (size_t i = 0; i < conversations_.count(); ++i) {
    conversation_keys_.push_back(conversations_.Key(i));
  }
  size_t budget = options.record_cache_bytes;
  FillCache(
      companies_.count(), [this](size_t i, std::string* out) { companies_.Append(i, out); },
      &budget, &company_cache_);
  FillCache(
      people_.count(), [this](size_t i, std::string* out) { people_.Append(i, out); }, &budget,
      &contact_cache_);
  FillCache(
      conversations_.count(),
      [this](size_t i, std::string* out) { conversations_.Append(i, false, false, out); }, &budget,
      &conversation_cache_);
}

std::optional<size_t> GeneratedWorkspace::FindContact(std::string_view id) const {
  return people_.Find(id);
}

std::optional<std::string> GeneratedWorkspace::MergedInto(std::string_view id) const {
  return people_.MergedInto(id);
}

void GeneratedWorkspace::AppendContact(size_t contact, std::string* out) const {
  if (contact < contact_cache_.size()) {
    *out += contact_cache_[contact];
  } else {
    people_.Append(contact, out);
  }
}

std::vector<std::string> GeneratedWorkspace::ContactTags(size_t contact) const {
  return people_.Tags(contact);
}

std::vector<std::string> GeneratedWorkspace::ContactSegments(size_t contact) const {
  std::vector<std::string> records;
  for (size_t s = 0; s < kSegmentCount; ++s) {
    if ((segment_masks_[contact] >> s & 1) != 0) {
      records.push_back(SegmentRecord(options_.seed, s, -1));
    }
  }
  return records;
}

std::vector<std::string> GeneratedWorkspace::ContactCompanies(size_t contact) const {
  std::vector<std::string> records;
  for (const size_t company : people_.CompaniesOf(contact)) {
    AppendCompany(company, &records.emplace_back());
  }
  return records;
}

std::vector<std::string> GeneratedWorkspace::ContactNotes(size_t contact) const {
  return people_.Notes(contact);
}

std::string GeneratedWorkspace::EventSummary(size_t contact) const {
  return people_.EventSummary(contact);
}

bool GeneratedWorkspace::HasTag(size_t contact, std::string_view tag_id) const {
  return people_.HasTag(contact, tag_id);
}

bool GeneratedWorkspace::InSegment(size_t contact, std::string_view segment_id) const {
  if (segment_masks_[contact] == 0) return false;
  for (size_t s = 0; s < kSegmentCount; ++s) {
    if ((segment_masks_[contact] >> s & 1) != 0 && SegmentId(options_.seed, s) == segment_id) {
      return true;
    }
  }
  return false;
}

void GeneratedWorkspace::AppendCompany(size_t company, std::string* out) const {
  if (company < company_cache_.size()) {
    *out += company_cache_[company];
  } else {
    companies_.Append(company, out);
  }
}

int64_t GeneratedWorkspace::CompanyLastRequestAt(size_t company) const {
  return companies_.LastRequestAt(company);
}

std::vector<std::string> GeneratedWorkspace::Segments(bool include_count) const {
  std::vector<std::string> records;
  records.reserve(kSegmentCount);
  for (size_t s = 0; s < kSegmentCount; ++s) {
    records.push_back(SegmentRecord(options_.seed, s, include_count ? segment_counts_[s] : -1));
  }
  return records;
}

std::string GeneratedWorkspace::ConversationId(size_t conversation) const {
  return conversations_.Id(conversation);
}

std::optional<size_t> GeneratedWorkspace::FindConversation(std::string_view id) const {
  return conversations_.Find(id);
}

void GeneratedWorkspace::AppendConversation(size_t conversation, std::string* out) const {
  if (conversation < conversation_cache_.size()) {
    *out += conversation_cache_[conversation];
  } else {
    conversations_.Append(conversation, false, false, out);
  }
}

std::string GeneratedWorkspace::ConversationDetail(size_t conversation, bool plaintext) const {
  std::string detail;
  conversations_.Append(conversation, plaintext, true, &detail);
  return detail;
}

}  // namespace intercom_extractor::fake
