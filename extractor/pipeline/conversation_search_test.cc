#include "extractor/pipeline/conversation_search.h"

#include <gtest/gtest.h>

namespace intercom_extractor {
namespace {

TEST(ConversationSearchTest, FirstPageOfSomeSeconds) {
  WindowFilter filter;
  filter.created_from = 1700000000;
  filter.created_before = 1700000060;
  EXPECT_EQ(ConversationSearchBody(filter, 150, ""),
            R"({"query":{"operator":"AND","value":[)"
            R"({"field":"created_at","operator":">","value":1699999999},)"
            R"({"field":"created_at","operator":"<","value":1700000060}]},)"
            R"("sort":{"field":"created_at","order":"ascending"},)"
            R"("pagination":{"per_page":150}})");
}

TEST(ConversationSearchTest, WhatChangedSinceASecond) {
  WindowFilter filter;
  filter.created_before = 60;
  filter.updated_from = 50;
  EXPECT_EQ(ConversationSearchBody(filter, 150, ""),
            R"({"query":{"operator":"AND","value":[)"
            R"({"field":"updated_at","operator":">","value":49},)"
            R"({"field":"created_at","operator":"<","value":60}]},)"
            R"("sort":{"field":"created_at","order":"ascending"},)"
            R"("pagination":{"per_page":150}})");
}

TEST(ConversationSearchTest, LaterPageFromTheBeginningOfTime) {
  WindowFilter filter;
  filter.created_before = 60;
  EXPECT_EQ(ConversationSearchBody(filter, 50, "a+/\"\n"),
            R"({"query":{"operator":"AND","value":[)"
            R"({"field":"created_at","operator":"<","value":60}]},)"
            R"("sort":{"field":"created_at","order":"ascending"},)"
            R"("pagination":{"per_page":50,"starting_after":"a+/\"\u000a"}})");
}

}  // namespace
}  // namespace intercom_extractor
