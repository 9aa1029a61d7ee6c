#ifndef EXTRACTOR_PIPELINE_CONTACT_WALK_H_
#define EXTRACTOR_PIPELINE_CONTACT_WALK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "extractor/pipeline/role_resolver.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/walk.h"
#include "extractor/tables/record_converter.h"

namespace intercom_extractor {

// Reads contacts: users, leads and all their child tables. One page of contacts
// feeds the tables that are embedded in it; lists that are longer than what
// Intercom embeds, segments, notes and event summaries are sub-resources, asked
// for only where they are needed.
class ContactWalk : public Walk {
 public:
  // `roles` may be null; else it hears the role of each contact. Both pointers
  // must outlive the walk.
  ContactWalk(Run* run, const std::vector<const TableInfo*>& wanted, RoleResolver* roles);
  ~ContactWalk() override;

  void Start(std::function<void()> done) override;

  // Whether any of the tables comes from contacts.
  static TableSet TablesOf(const std::vector<const TableInfo*>& wanted);

 private:
  // One of the lists below a contact.
  struct SubResource;
  // A sub-resource that is to be read.
  struct Missing {
    const SubResource* resource = nullptr;
    // The rows of the beginning that is embedded in the contact; they serve when
    // the sub-resource is gone with its contact.
    std::shared_ptr<UnitRows> embedded;
  };
  // A contact whose sub-resources are to be read.
  struct Contact {
    std::string id;
    v1::ContactRole role = v1::CONTACT_ROLE_UNSPECIFIED;
    std::vector<Missing> missing;
  };
  // An embedded list: complete, or only its beginning.
  struct Embedded {
    int list = -1;
    ValueRef has_more;
    ValueRef total_count;
  };

  Embedded AddEmbedded(const std::string& key);
  void OnContact(const RecordValues& values, UnitRows* unit);
  bool IsComplete(const RecordValues& values, const Embedded& embedded) const;
  void OnPage(const PageInfo& info, std::function<void()> next);
  void FetchSubResource(const std::shared_ptr<Contact>& contact, const Missing& missing);
  void OnSubResourceEnd();
  void MaybeEnd();

  Run* const run_;
  RoleResolver* const roles_;
  const TableSet tables_;
  RecordConverter converter_;
  ValueRef id_;
  ValueRef role_;
  Embedded tags_;
  Embedded companies_;
  Embedded notes_;
  PageReader reader_;
  std::vector<std::unique_ptr<SubResource>> resources_;

  std::function<void()> done_;
  // Contacts of the page that is being read.
  std::vector<Contact> page_;
  // Sub-resources that are not read to their end.
  size_t pending_ = 0;
  // Asks for the next page, kept while too many are pending.
  std::function<void()> paused_;
  int64_t contacts_seen_ = 0;
  bool list_ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_WALK_H_
