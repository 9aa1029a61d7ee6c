#ifndef TESTS_FAKE_INTERCOM_PEOPLE_H_
#define TESTS_FAKE_INTERCOM_PEOPLE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fake_intercom/companies.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/json_writer.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// Writes generated contacts and what belongs to them; each record is a function
// of its number. Thread-safe. Users and leads are mixed; from 30 contacts on one
// more has the role "visitor", which no table knows.
class People {
 public:
  static constexpr size_t kMergedContacts = 3;

  // `companies` must outlive this.
  People(const GeneratorOptions& options, const Companies* companies);

  size_t count() const { return count_; }
  ContactKey Key(size_t contact) const;
  std::string Id(size_t contact) const;
  std::string ExternalId(size_t contact) const;
  std::optional<size_t> Find(std::string_view id) const;
  // Contacts that no longer exist: number `merged` of kMergedContacts.
  std::string MergedId(size_t merged) const;
  std::optional<std::string> MergedInto(std::string_view id) const;
  // Null when nobody is suitable: a user or lead, chosen by `number`.
  std::optional<size_t> AnyUserOrLead(uint64_t number) const;

  void Append(size_t contact, std::string* out) const;
  std::vector<std::string> Tags(size_t contact) const;
  bool HasTag(size_t contact, std::string_view tag_id) const;
  // Numbers of companies.
  std::vector<size_t> CompaniesOf(size_t contact) const;
  std::vector<std::string> Notes(size_t contact) const;
  std::string EventSummary(size_t contact) const;

 private:
  struct Lists {
    size_t tags, first_tag, companies, first_company, notes, events, profiles;
  };

  // Counts within the contact's role; SIZE_MAX for the visitor.
  size_t Ordinal(size_t contact) const;
  const Overrides* Edge(size_t contact) const;
  Lists ListsOf(size_t contact) const;
  void AppendEmbedded(std::string_view name, std::string_view type, const std::string& id,
                      const std::vector<std::string>& item_ids, size_t total, JsonWriter* json,
                      std::string* out) const;

  const GeneratorOptions options_;
  const Companies& companies_;
  const size_t people_;  // Users and leads.
  const bool has_visitor_;
  const size_t count_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_PEOPLE_H_
