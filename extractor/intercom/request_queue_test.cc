#include "extractor/intercom/request_queue.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Item {
  uint64_t group = 0;
  ApiRequest request;
  std::string name;
};

class RequestQueueTest : public testing::Test {
 protected:
  void Push(const std::string& name, uint64_t group, Priority priority,
            const std::string& operation) {
    auto item = std::make_unique<Item>();
    item->name = name;
    item->group = group;
    item->request.priority = priority;
    item->request.operation = operation;
    queue_.Push(std::move(item));
  }

  std::vector<std::string> PopAll() {
    std::vector<std::string> names;
    while (!queue_.empty()) names.push_back(queue_.Pop()->name);
    return names;
  }

  RequestQueue<Item> queue_;
};

TEST_F(RequestQueueTest, OneOperationIsFirstComeFirstServed) {
  for (const char* name : {"a", "b", "c"}) Push(name, 1, Priority::kDetail, "GET /x");
  EXPECT_THAT(PopAll(), ElementsAre("a", "b", "c"));
}

TEST_F(RequestQueueTest, PagesGoBeforeDetails) {
  Push("detail", 1, Priority::kDetail, "GET /x/{id}");
  Push("page", 1, Priority::kPage, "GET /x");
  EXPECT_THAT(PopAll(), ElementsAre("page", "detail"));
}

TEST_F(RequestQueueTest, AScrollGoesBeforeAllExtractions) {
  Push("page", 1, Priority::kPage, "GET /x");
  EXPECT_FALSE(queue_.NextIsScroll());
  Push("scroll", 2, Priority::kScroll, "GET /companies/scroll");
  EXPECT_TRUE(queue_.NextIsScroll());
  EXPECT_THAT(PopAll(), ElementsAre("scroll", "page"));
}

TEST_F(RequestQueueTest, ExtractionsTakeTurnsThoughOneHasPagesAndTheOtherDetails) {
  for (const char* name : {"p1", "p2", "p3"}) Push(name, 1, Priority::kPage, "GET /x");
  for (const char* name : {"d1", "d2"}) Push(name, 2, Priority::kDetail, "GET /x/{id}");
  EXPECT_THAT(PopAll(), ElementsAre("p1", "d1", "p2", "d2", "p3"));
}

TEST_F(RequestQueueTest, OperationsOfAnExtractionTakeTurns) {
  for (const char* name : {"n1", "n2", "n3"}) Push(name, 1, Priority::kDetail, "GET notes");
  for (const char* name : {"e1", "e2"}) Push(name, 1, Priority::kDetail, "GET events");
  EXPECT_THAT(PopAll(), ElementsAre("n1", "e1", "n2", "e2", "n3"));
}

TEST_F(RequestQueueTest, AnExtractionThatComesBackWaitsForItsTurn) {
  Push("a1", 1, Priority::kPage, "GET /x");
  Push("b1", 2, Priority::kPage, "GET /x");
  EXPECT_EQ(queue_.Pop()->name, "a1");
  Push("a2", 1, Priority::kPage, "GET /x");
  EXPECT_THAT(PopAll(), ElementsAre("b1", "a2"));
}

TEST_F(RequestQueueTest, RemoveTakesWhatMatchesAndKeepsTheOrderOfTheRest) {
  for (const char* name : {"a1", "a2"}) Push(name, 1, Priority::kPage, "GET /x");
  for (const char* name : {"b1", "b2"}) Push(name, 2, Priority::kPage, "GET /x");
  Push("s", 1, Priority::kScroll, "GET /companies/scroll");
  std::vector<std::string> removed;
  for (const auto& item : queue_.Remove([](const Item& item) { return item.group == 1; })) {
    removed.push_back(item->name);
  }
  EXPECT_THAT(removed, UnorderedElementsAre("a1", "a2", "s"));
  EXPECT_THAT(PopAll(), ElementsAre("b1", "b2"));
  EXPECT_THAT(queue_.Remove([](const Item&) { return true; }), IsEmpty());
}

}  // namespace
}  // namespace intercom_extractor
