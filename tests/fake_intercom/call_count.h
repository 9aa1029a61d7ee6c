#ifndef TESTS_FAKE_INTERCOM_CALL_COUNT_H_
#define TESTS_FAKE_INTERCOM_CALL_COUNT_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// The requests that one walk over a workspace makes.
class CallCount {
 public:
  struct Line {
    // What is asked for: "GET /contacts", "POST /contacts/search segment_id".
    std::string operation;
    int64_t calls = 0;
    // Tables whose rows the answers feed.
    std::set<std::string> tables;
  };

  // Leaves out lines of no calls.
  void Add(Line line);

  const std::vector<Line>& lines() const { return lines_; }
  int64_t Total() const;
  int64_t Of(const std::string& operation) const;
  // Of all lines that feed the table; lines that feed several count for each.
  int64_t For(const std::string& table) const;

 private:
  std::vector<Line> lines_;
};

// Requests of which each needs the answer before it.
struct CallChain {
  std::string what;
  int64_t requests = 0;
  // In all their answers together.
  int64_t records = 0;
};

// How many requests Intercom's API asks for at least to read the rows of some
// tables of a workspace: counted from its records, with the API's page sizes and
// none of the extractor's code. Thread-safe. Throws std::runtime_error when a
// record is no JSON.
class CallCounter {
 public:
  struct Options {
    // Of the 22 tables; empty: all of them.
    std::set<std::string> tables;
    // Bodies as plain text, which only details of conversations give.
    bool plaintext = true;
    // An incremental run; not set: a full one.
    std::optional<ChangedSince> since = std::nullopt;
  };

  // Looks at every record once. `workspace` need not outlive the construction.
  CallCounter(const Workspace& workspace, const Options& options);

  // How the segments of contacts are read.
  enum class Segments {
    kCheaper,     // Whichever of the two takes fewer requests.
    kPerContact,  // One request per contact.
  };

  // Lists in full pages, sub-resources only where what is embedded is cut short,
  // notes only where there are any. An incremental run searches for what changed
  // instead of listing, and asks for nothing that belongs to anything else.
  CallCount Cheapest(Segments segments = Segments::kCheaper) const;

  // What a walk makes that asks each contact for each of its lists.
  CallCount Naive() const;

  // The chain that takes longest when an answer takes `latency`, and
  // `per_record` more for each record in it. Lists that search can split are no
  // chain: one answer counts, the next ones come at once.
  CallChain LongestChain(std::chrono::microseconds latency,
                         std::chrono::microseconds per_record) const;

 private:
  enum Role : size_t { kUser, kLead };

  // Of the contacts of one role.
  struct People {
    int64_t count = 0;
    // Requests: one per contact at least, and one per contact that has any beyond
    // what it embeds.
    int64_t naive_companies = 0;
    int64_t naive_notes = 0;
    int64_t long_tags = 0;
    int64_t long_companies = 0;
    int64_t notes = 0;
    // Of the contact with the longest list.
    int64_t most_companies = 0;
    int64_t most_notes = 0;
    // By segment.
    std::vector<int64_t> members;
  };

  bool Wants(const char* table) const;
  bool WantsAny(const std::vector<const char*>& tables) const;
  bool WantsDetails() const;
  std::set<std::string> Wanted(const std::vector<const char*>& tables) const;
  void CountContact(const Workspace& workspace, size_t contact,
                    const std::vector<std::string>& segments);
  // Adds the ids of contacts whose role the conversation does not say.
  void CountRoles(const Workspace& workspace, size_t conversation, std::set<std::string>* unknown);
  int64_t SegmentSearches() const;
  // Whether the walk sees the contact, of whatever role, when it lists contacts.
  bool IsListed(const Workspace& workspace, size_t contact) const;
  int64_t DeletedPages(const Workspace& workspace) const;
  // What both walks have in common.
  CallCount Lists() const;

  const Options options_;
  // In the list or search.
  int64_t contacts_ = 0;
  int64_t conversations_ = 0;
  // Those that are read.
  std::array<People, 2> people_;
  int64_t details_ = 0;
  int64_t companies_ = 0;
  int64_t deleted_pages_ = 0;
  // Contacts to look up.
  int64_t unknown_roles_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CALL_COUNT_H_
