#ifndef TESTS_FAKE_INTERCOM_EDGE_CASES_H_
#define TESTS_FAKE_INTERCOM_EDGE_CASES_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {

// What the first records of each kind have that an ordinary record has not. Each
// function gives the deviations of record `ordinal`, or null for an ordinary one.

// `ordinal` counts within a role, so that users and leads both get them all.
const Overrides* ContactEdge(size_t ordinal);
// How long a contact's lists are on purpose; -1: as it comes. A list whose member
// is overridden must be empty, which the caller sees to.
int EdgeTagCount(size_t ordinal);
int EdgeCompanyCount(size_t ordinal);
int EdgeNoteCount(size_t ordinal);
int EdgeEventCount(size_t ordinal);

const Overrides* CompanyEdge(size_t company);
const Overrides* NoteEdge(size_t note_of_contact);
const Overrides* EventEdge(size_t event_of_contact);
const Overrides* SocialProfileEdge(size_t contact_ordinal, size_t profile);
const Overrides* TagEdge(size_t tag);
const Overrides* SegmentEdge(size_t segment);
const Overrides* AdminEdge(size_t admin);
const Overrides* TeamEdge(size_t team);
const Overrides* AttachmentEdge(size_t attachment);

// Whom a conversation's references name.
enum class ConversationContacts {
  kOne,
  kGroup,  // Three contacts.
  kNone,   // An empty list.
  kNull,   // "contacts": null
  kAbsent,
  kBareArray,          // A plain array with roles, as up to version 2.6.
  kUnknown,            // One id that no contact has; written by an admin.
  kUnknownAuthor,      // The same, written by that contact, which names its role.
  kConflictingAuthor,  // The author's type says the other role than the contact's.
  kMerged,             // The id of a contact that was merged into another.
};

struct ConversationEdge {
  ConversationContacts contacts = ConversationContacts::kOne;
  int parts = -1;  // -1: as it comes.
  Overrides fields;
  Overrides source;
};
// Null for an ordinary conversation.
const ConversationEdge* EdgeOfConversation(size_t conversation);

// The conversation whose parts are odd, one oddity after the other.
inline constexpr size_t kOddPartsConversation = 15;
const Overrides* PartEdge(size_t part);
size_t PartEdgeCount();

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_EDGE_CASES_H_
