#include "extractor/pipeline/contact_plan.h"

#include <string>
#include <vector>

#include "extractor/tables/table_catalog.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

class ContactPlanTest : public ::testing::Test {
 protected:
  explicit ContactPlanTest(const std::vector<std::string>& tables = {"users", "notes",
                                                                     "events_summary"})
      : tables_(*TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, tables)),
        children_(tables_, &shape_),
        requests_(tables_),
        plan_(&children_, &requests_) {}

  // A contact whose lists of these kinds are missing.
  void Add(v1::ContactRole role, const std::vector<ContactChild::Kind>& kinds, int64_t pages = 1) {
    std::vector<ContactChildren::Missing> missing;
    for (const auto& child : children_.kinds()) {
      for (const ContactChild::Kind kind : kinds) {
        if (child->kind == kind) missing.push_back({child.get(), pages});
      }
    }
    plan_.AddContact(role, missing);
  }

  Estimate Total(ContactChild::Kind kind) const {
    for (const auto& child : children_.kinds()) {
      if (child->kind == kind) return plan_.line(*child)->Total();
    }
    return Estimate();
  }

  const std::vector<const TableInfo*> tables_;
  Shape shape_;
  ContactChildren children_;
  RequestPlan requests_;
  ContactPlan plan_;
};

TEST_F(ContactPlanTest, ContactsThatWereNotReadAreLikeThoseThatWere) {
  plan_.SetTotal(1000);
  for (int i = 0; i < 100; ++i) {
    // A quarter has notes, one in a hundred has two pages of them.
    Add(v1::CONTACT_ROLE_USER,
        i % 4 == 0 ? std::vector<ContactChild::Kind>{ContactChild::Kind::kNotes}
                   : std::vector<ContactChild::Kind>{},
        i == 0 ? 2 : 1);
  }
  plan_.UpdateFromSample();
  const Estimate notes = Total(ContactChild::Kind::kNotes);
  EXPECT_EQ(notes.min, 26);
  EXPECT_EQ(notes.likely, 260);
  EXPECT_EQ(notes.max, 926);
}

TEST_F(ContactPlanTest, ListsOfOneRoleDependOnHowManyHaveIt) {
  plan_.SetTotal(1000);
  for (int i = 0; i < 100; ++i) {
    Add(i < 80 ? v1::CONTACT_ROLE_USER : v1::CONTACT_ROLE_LEAD,
        i < 80 ? std::vector<ContactChild::Kind>{ContactChild::Kind::kEvents}
               : std::vector<ContactChild::Kind>{});
  }
  plan_.UpdateFromSample();
  EXPECT_EQ(Total(ContactChild::Kind::kEvents).min, 80);
  EXPECT_EQ(Total(ContactChild::Kind::kEvents).likely, 800);
  EXPECT_EQ(Total(ContactChild::Kind::kEvents).max, 980);
  plan_.SetUsers(700);
  plan_.UpdateFromSample();
  EXPECT_EQ(Total(ContactChild::Kind::kEvents).min, 700);
  EXPECT_EQ(Total(ContactChild::Kind::kEvents).max, 700);
}

TEST_F(ContactPlanTest, FewContactsDoNotStandForMany) {
  plan_.SetTotal(10000);
  Add(v1::CONTACT_ROLE_USER, {});
  plan_.Update();
  EXPECT_FALSE(requests_.Known());
  for (int i = 0; i < 450; ++i) Add(v1::CONTACT_ROLE_USER, {});
  plan_.Update();
  EXPECT_TRUE(requests_.Known());
}

TEST_F(ContactPlanTest, WhatWasAskedIsNotExpectedAgain) {
  plan_.SetTotal(2);
  for (int i = 0; i < 2; ++i) Add(v1::CONTACT_ROLE_USER, {ContactChild::Kind::kNotes});
  for (const auto& child : children_.kinds()) {
    if (child->kind == ContactChild::Kind::kNotes) plan_.line(*child)->Ask(2);
  }
  plan_.Update();
  EXPECT_EQ(Total(ContactChild::Kind::kNotes).max, 2);
  plan_.End();
  EXPECT_EQ(Total(ContactChild::Kind::kNotes).min, 2);
}

class SegmentsOfContactsTest : public ContactPlanTest {
 protected:
  SegmentsOfContactsTest() : ContactPlanTest({"users", "users_segments", "leads_segments"}) {}
  const ContactChild& segments() const { return *children_.Find(ContactChild::Kind::kSegments); }
};

TEST_F(SegmentsOfContactsTest, AreNotPlannedUntilItIsKnownWhoIsAsked) {
  plan_.SetTotal(1000);
  plan_.SetAsked(segments(), ContactPlan::Asked::kNotPlanned);
  for (int i = 0; i < 500; ++i) Add(v1::CONTACT_ROLE_USER, {});
  plan_.Update();
  EXPECT_FALSE(plan_.line(segments())->known());
  // They were read before: only now it is known that they have to be asked.
  plan_.SetAsked(segments(), ContactPlan::Asked::kAll);
  for (int i = 0; i < 500; ++i) plan_.AddLists({{&segments(), 1}});
  plan_.Update();
  EXPECT_EQ(Total(ContactChild::Kind::kSegments).min, 1000);
  EXPECT_EQ(Total(ContactChild::Kind::kSegments).max, 1000);
}

TEST_F(SegmentsOfContactsTest, TakeNoMoreThanTheContactsGivenWhenTheOthersAreSearched) {
  plan_.SetTotal(1000);
  for (int i = 0; i < 500; ++i) Add(v1::CONTACT_ROLE_LEAD, {ContactChild::Kind::kSegments});
  plan_.SetAsked(segments(), ContactPlan::Asked::kGiven);
  plan_.AddLists({{&segments(), 1}, {&segments(), 1}});
  plan_.Update();
  EXPECT_EQ(Total(ContactChild::Kind::kSegments).min, 2);
  EXPECT_EQ(Total(ContactChild::Kind::kSegments).max, 2);
}

}  // namespace
}  // namespace intercom_extractor
