#include "tests/fake_intercom/search.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace intercom_extractor::fake {
namespace {

using Field = Condition::Field;
using Kind = Condition::Kind;

constexpr size_t kMaxConditions = 15;
constexpr int kMaxGroupLevels = 2;
// Together; four bytes each. The windows of ten million contacts, and some that were split.
constexpr size_t kMaxCachedEntries = 32'000'000;
// Fewer are looked at one by one.
constexpr int kManyCandidates = 10'000;
constexpr int64_t kMin = ContactKey::kNever + 1;  // kNever itself matches no date.
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::optional<Field> FieldOf(std::string_view name, SearchQuery::Target target) {
  if (name == "created_at") return Field::kCreatedAt;
  if (name == "updated_at") return Field::kUpdatedAt;
  if (name == "id") return Field::kId;
  if (target == SearchQuery::Target::kConversations) return std::nullopt;
  if (name == "last_seen_at") return Field::kLastSeenAt;
  if (name == "role") return Field::kRole;
  if (name == "tag_id") return Field::kTagId;
  if (name == "segment_id") return Field::kSegmentId;
  return std::nullopt;
}

bool IsDate(Field field) {
  return field == Field::kCreatedAt || field == Field::kUpdatedAt || field == Field::kLastSeenAt;
}

class Parser {
 public:
  Parser(SearchQuery::Target target, DateRule rule, const absl::TimeZone& time_zone,
         SearchError* error)
      : target_(target), rule_(rule), time_zone_(time_zone), error_(*error) {}

  bool Parse(const JsonValue& json, int level, Condition* condition) {
    const std::string& operation = json["operator"].text();
    if (operation == "AND" || operation == "OR") return ParseGroup(json, level, condition);
    const std::optional<Field> field = FieldOf(json["field"].text(), target_);
    if (!field) return Refuse("Unknown or missing field: " + json["field"].text());
    condition->field = *field;
    return IsDate(*field) ? ParseDate(json, condition) : ParseText(json, condition);
  }

 private:
  bool Refuse(std::string message) {
    error_ = {"parameter_invalid", std::move(message)};
    return false;
  }

  bool ParseGroup(const JsonValue& json, int level, Condition* condition) {
    if (level >= kMaxGroupLevels) return Refuse("Queries may be nested at most 2 levels deep");
    const JsonValue& value = json["value"];
    if (!value.IsArray()) return Refuse("A group's value must be an array");
    if (value.elements().size() > kMaxConditions) {
      return Refuse("A group may hold at most 15 filters");
    }
    condition->kind = json["operator"].text() == "AND" ? Kind::kAnd : Kind::kOr;
    for (const JsonValue& element : value.elements()) {
      if (!Parse(element, level + 1, &condition->conditions.emplace_back())) return false;
    }
    return true;
  }

  bool ParseDate(const JsonValue& json, Condition* condition) {
    const std::string& operation = json["operator"].text();
    const std::optional<int64_t> value = json["value"].AsInt();
    if (!value) return Refuse("A date must be a Unix timestamp");
    int64_t begin = *value;
    int64_t end = *value + 1;
    if (rule_ == DateRule::kWholeDays) {
      const absl::CivilDay day(time_zone_.At(absl::FromUnixSeconds(*value)).cs);
      begin = absl::ToUnixSeconds(absl::FromCivil(day, time_zone_));
      end = absl::ToUnixSeconds(absl::FromCivil(day + 1, time_zone_));
    }
    condition->kind = Kind::kDate;
    condition->low = kMin;
    condition->high = kMax;
    if (operation == ">") {
      condition->low = end;
    } else if (operation == "<") {
      condition->high = begin;
    } else if (operation == "=") {
      condition->low = begin;
      condition->high = end;
    } else if (operation == ">=" && target_ == SearchQuery::Target::kConversations) {
      condition->low = begin;
    } else if (operation == "<=" && target_ == SearchQuery::Target::kConversations) {
      condition->high = end;
    } else {
      return Refuse("Operator " + operation + " is not supported for dates");
    }
    return true;
  }

  bool ParseText(const JsonValue& json, Condition* condition) {
    const std::string& operation = json["operator"].text();
    const JsonValue& value = json["value"];
    condition->kind = Kind::kText;
    condition->negated = operation == "!=" || operation == "NIN";
    if (operation == "IN" || operation == "NIN") {
      if (!value.IsArray()) return Refuse("Operator " + operation + " needs an array");
      for (const JsonValue& element : value.elements()) condition->values.push_back(element.text());
    } else if (operation == "=" || operation == "!=") {
      if (!value.IsString() && !value.IsNumber()) return Refuse("The value must be a text");
      condition->values.push_back(value.text());
    } else {
      return Refuse("Unknown operator: " + operation);
    }
    return true;
  }

  const SearchQuery::Target target_;
  const DateRule rule_;
  const absl::TimeZone& time_zone_;
  SearchError& error_;
};

// The conditions that all matches fulfil.
std::vector<const Condition*> Required(const Condition& condition) {
  if (condition.kind != Kind::kAnd) return {&condition};
  std::vector<const Condition*> required;
  required.reserve(condition.conditions.size());
  for (const Condition& part : condition.conditions) required.push_back(&part);
  return required;
}

bool Contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

int64_t DateOf(const ContactKey& key, Field field) {
  switch (field) {
    case Field::kUpdatedAt:
      return key.updated_at;
    case Field::kLastSeenAt:
      return key.last_seen_at;
    default:
      return key.created_at;
  }
}

int64_t DateOf(const ConversationKey& key, Field field) {
  return field == Field::kUpdatedAt ? key.updated_at : key.created_at;
}

template <typename KeyOf>
void Sort(const SearchSort& sort, const KeyOf& key_of, std::vector<uint32_t>* matches) {
  // Each key once: a generated record's is computed.
  std::vector<std::pair<int64_t, uint32_t>> dated;
  dated.reserve(matches->size());
  for (const uint32_t match : *matches) {
    const int64_t date = DateOf(key_of(match), sort.field);
    dated.emplace_back(sort.ascending ? date : ~date, match);
  }
  std::sort(dated.begin(), dated.end());
  std::transform(dated.begin(), dated.end(), matches->begin(),
                 [](const auto& entry) { return entry.second; });
}

}  // namespace

bool SearchQuery::Parse(const JsonValue& query, Target target, DateRule rule,
                        const absl::TimeZone& time_zone, Condition* condition, SearchError* error) {
  if (!query.IsObject()) {
    *error = {"parameter_missing", "query is required"};
    return false;
  }
  return Parser(target, rule, time_zone, error).Parse(query, 0, condition);
}

bool ParseSort(const JsonValue& json, SearchQuery::Target target, SearchSort* sort,
               SearchError* error) {
  if (json.IsAbsentOrNull()) return true;
  if (!json["field"].IsAbsentOrNull()) {
    const std::optional<Field> field = FieldOf(json["field"].text(), target);
    if (!field || !IsDate(*field)) {
      *error = {"parameter_invalid", "Cannot sort by " + json["field"].text()};
      return false;
    }
    sort->field = *field;
  }
  if (json["order"].IsAbsentOrNull()) return true;
  const std::string& order = json["order"].text();
  if (order != "ascending" && order != "descending") {
    *error = {"invalid_sort_order",
              "Invalid sort order '" + order + "'. Must be one of: ascending, descending"};
    return false;
  }
  sort->ascending = order == "ascending";
  return true;
}

Searcher::Searcher(const Workspace* workspace, size_t missing_newest) : workspace_(*workspace) {
  by_created_at_.reserve(workspace_.contact_count());
  for (size_t i = 0; i < workspace_.contact_count(); ++i) {
    by_created_at_.emplace_back(workspace_.contact_key(i).created_at, static_cast<uint32_t>(i));
  }
  std::sort(by_created_at_.begin(), by_created_at_.end());
  const size_t missing = std::min(missing_newest, by_created_at_.size());
  for (size_t i = by_created_at_.size() - missing; i < by_created_at_.size(); ++i) {
    missing_.insert(by_created_at_[i].second);
  }
}

int64_t Searcher::ContactDate(size_t contact, Condition::Field field) const {
  return DateOf(workspace_.contact_key(contact), field);
}

int64_t Searcher::ConversationDate(size_t conversation, Condition::Field field) const {
  return DateOf(workspace_.conversation_key(conversation), field);
}

bool Searcher::ContactMatches(size_t contact, const Condition& condition,
                              const std::unordered_set<size_t>& hidden) const {
  const auto matches = [&](const Condition& part) { return ContactMatches(contact, part, hidden); };
  const auto& parts = condition.conditions;
  switch (condition.kind) {
    case Kind::kAnd:
      return std::all_of(parts.begin(), parts.end(), matches);
    case Kind::kOr:
      return std::any_of(parts.begin(), parts.end(), matches);
    case Kind::kDate: {
      const int64_t date = DateOf(workspace_.contact_key(contact), condition.field);
      return date >= condition.low && date < condition.high;
    }
    case Kind::kText:
      break;
  }
  bool found = false;
  const auto any_value = [&](auto has) {
    return hidden.count(contact) == 0 &&
           std::any_of(condition.values.begin(), condition.values.end(), has);
  };
  switch (condition.field) {
    case Field::kRole:
      found = Contains(condition.values, workspace_.contact_key(contact).role);
      break;
    case Field::kTagId:
      found = any_value([&](const std::string& id) { return workspace_.HasTag(contact, id); });
      break;
    case Field::kSegmentId:
      found = any_value([&](const std::string& id) { return workspace_.InSegment(contact, id); });
      break;
    default:
      found = Contains(condition.values, workspace_.ContactId(contact));
  }
  return found != condition.negated;
}

bool Searcher::ConversationMatches(size_t conversation, const Condition& condition) const {
  const auto matches = [&](const Condition& part) {
    return ConversationMatches(conversation, part);
  };
  const auto& parts = condition.conditions;
  switch (condition.kind) {
    case Kind::kAnd:
      return std::all_of(parts.begin(), parts.end(), matches);
    case Kind::kOr:
      return std::any_of(parts.begin(), parts.end(), matches);
    case Kind::kDate: {
      const int64_t date = DateOf(workspace_.conversation_key(conversation), condition.field);
      return date >= condition.low && date < condition.high;
    }
    case Kind::kText:
      return Contains(condition.values, workspace_.ConversationId(conversation)) !=
             condition.negated;
  }
  return false;
}

Searcher::Range Searcher::Between(const Index& index, int64_t low, int64_t high) {
  const auto begin = std::lower_bound(index.begin(), index.end(), std::make_pair(low, uint32_t{0}));
  const auto end = std::lower_bound(begin, index.end(), std::make_pair(high, uint32_t{0}));
  return {begin, end};
}

const Searcher::Index& Searcher::ByUpdatedAt() const {
  std::call_once(by_updated_at_once_, [this] {
    by_updated_at_.reserve(by_created_at_.size());
    for (size_t i = 0; i < workspace_.contact_count(); ++i) {
      by_updated_at_.emplace_back(workspace_.contact_key(i).updated_at, static_cast<uint32_t>(i));
    }
    std::sort(by_updated_at_.begin(), by_updated_at_.end());
  });
  return by_updated_at_;
}

std::vector<uint32_t> Searcher::ContactCandidates(const Condition& condition) const {
  struct Bounds {
    int64_t low = std::numeric_limits<int64_t>::min();
    int64_t high = kMax;
  };
  Bounds created;
  std::optional<Bounds> updated;
  std::vector<uint32_t> candidates;
  for (const Condition* part : Required(condition)) {
    if (part->kind == Kind::kText && part->field == Field::kId && !part->negated) {
      for (const std::string& id : part->values) {
        const std::optional<size_t> contact = workspace_.FindContact(id);
        if (contact) candidates.push_back(static_cast<uint32_t>(*contact));
      }
      std::sort(candidates.begin(), candidates.end());
      candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
      return candidates;
    }
    const bool is_updated = part->field == Field::kUpdatedAt;
    if (part->kind != Kind::kDate || (!is_updated && part->field != Field::kCreatedAt)) continue;
    if (is_updated && !updated.has_value()) updated.emplace();
    Bounds* const bounds = is_updated ? &*updated : &created;
    bounds->low = std::max(bounds->low, part->low);
    bounds->high = std::min(bounds->high, part->high);
  }
  const auto [low, high] = created;
  Range range = Between(by_created_at_, low, high);
  // An import: all of them were created on one day.
  if (updated.has_value() && range.end - range.begin > kManyCandidates &&
      workspace_.version() == 0) {
    const Range by_update = Between(ByUpdatedAt(), updated->low, updated->high);
    if (by_update.end - by_update.begin < range.end - range.begin) range = by_update;
  }
  for (auto candidate = range.begin; candidate < range.end; ++candidate) {
    candidates.push_back(candidate->second);
  }
  for (size_t i = by_created_at_.size(); i < workspace_.contact_count(); ++i) {
    const int64_t created_at = workspace_.contact_key(i).created_at;
    if (created_at >= low && created_at < high) candidates.push_back(static_cast<uint32_t>(i));
  }
  return candidates;
}

Searcher::Matches Searcher::Cached(const std::string& query,
                                   const std::function<std::vector<uint32_t>()>& compute) {
  const std::string key = std::to_string(workspace_.version()) + " " + query;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const auto& [cached_key, matches] : cache_) {
      if (cached_key == key) return matches;
    }
  }
  auto matches = std::make_shared<const std::vector<uint32_t>>(compute());
  const std::lock_guard<std::mutex> lock(mu_);
  cache_.emplace_back(key, matches);
  cached_entries_ += matches->size();
  constexpr size_t kMaxCachedQueries = 256;
  while (cache_.size() > 1 &&
         (cached_entries_ > kMaxCachedEntries || cache_.size() > kMaxCachedQueries)) {
    cached_entries_ -= cache_.front().second->size();
    cache_.pop_front();
  }
  return matches;
}

Searcher::Matches Searcher::Contacts(const Condition& condition, const SearchSort& sort,
                                     const std::unordered_set<size_t>& hidden,
                                     const std::string& key) {
  return Cached("contacts " + key, [&] {
    std::vector<uint32_t> matches;
    for (const uint32_t contact : ContactCandidates(condition)) {
      if (workspace_.ContactExists(contact) && missing_.count(contact) == 0 &&
          ContactMatches(contact, condition, hidden)) {
        matches.push_back(contact);
      }
    }
    Sort(sort, [this](uint32_t i) { return workspace_.contact_key(i); }, &matches);
    return matches;
  });
}

Searcher::Matches Searcher::Conversations(const Condition& condition, const SearchSort& sort,
                                          const std::string& key) {
  return Cached("conversations " + key, [&] {
    std::vector<uint32_t> matches;
    for (size_t i = 0; i < workspace_.conversation_count(); ++i) {
      if (workspace_.ConversationExists(i) && ConversationMatches(i, condition)) {
        matches.push_back(static_cast<uint32_t>(i));
      }
    }
    Sort(sort, [this](uint32_t i) { return workspace_.conversation_key(i); }, &matches);
    return matches;
  });
}

Searcher::Matches Searcher::AllConversations(const SearchSort& sort) {
  // A group of no conditions.
  return Conversations(Condition(), sort, "all");
}

}  // namespace intercom_extractor::fake
