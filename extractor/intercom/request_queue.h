#ifndef EXTRACTOR_INTERCOM_REQUEST_QUEUE_H_
#define EXTRACTOR_INTERCOM_REQUEST_QUEUE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "extractor/intercom/intercom_client.h"

namespace intercom_extractor {

// What waits to be sent, and who is next: company scrolls before all else, as they
// die when they idle; then the extractions that share the token in turn; within an
// extraction pages before details, as they bring the work; within these the
// operations in turn, so that no table waits for another's long list.
//
// `Item` has `group`, `request.priority` and `request.operation`. Not thread-safe.
template <typename Item>
class RequestQueue {
 public:
  using ItemPtr = std::unique_ptr<Item>;

  bool empty() const { return size_ == 0; }
  bool NextIsScroll() const { return scrolls_.size > 0; }

  void Push(ItemPtr item) {
    const bool scroll = item->request.priority == Priority::kScroll;
    Turns& turns = scroll ? scrolls_ : groups_[item->group];
    if (!scroll && turns.size == 0) group_turns_.push_back(item->group);
    turns.Push(std::move(item));
    ++size_;
  }

  // Must not be empty.
  ItemPtr Pop() {
    --size_;
    if (scrolls_.size > 0) return scrolls_.Pop();
    const uint64_t group = group_turns_.front();
    group_turns_.pop_front();
    const auto found = groups_.find(group);
    ItemPtr item = found->second.Pop();
    if (found->second.size > 0) {
      group_turns_.push_back(group);
    } else {
      groups_.erase(found);
    }
    return item;
  }

  // Takes out all that match, in no particular order.
  std::vector<ItemPtr> Remove(const std::function<bool(const Item&)>& matches) {
    std::vector<ItemPtr> removed;
    std::vector<ItemPtr> kept;
    while (!empty()) {
      ItemPtr item = Pop();
      (matches(*item) ? removed : kept).push_back(std::move(item));
    }
    for (ItemPtr& item : kept) Push(std::move(item));
    return removed;
  }

 private:
  // Items of one priority, the operations in turn.
  struct Operations {
    std::map<std::string, std::deque<ItemPtr>> waiting;
    std::deque<std::string> turns;

    void Push(ItemPtr item) {
      std::deque<ItemPtr>& queue = waiting[item->request.operation];
      if (queue.empty()) turns.push_back(item->request.operation);
      queue.push_back(std::move(item));
    }

    ItemPtr Pop() {
      std::string operation = std::move(turns.front());
      turns.pop_front();
      const auto found = waiting.find(operation);
      ItemPtr item = std::move(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) {
        waiting.erase(found);
      } else {
        turns.push_back(std::move(operation));
      }
      return item;
    }
  };

  // Items of one extraction, the urgent ones first.
  struct Turns {
    std::map<Priority, Operations> priorities;
    size_t size = 0;

    void Push(ItemPtr item) {
      priorities[item->request.priority].Push(std::move(item));
      ++size;
    }

    ItemPtr Pop() {
      const auto first = priorities.begin();
      ItemPtr item = first->second.Pop();
      if (first->second.turns.empty()) priorities.erase(first);
      --size;
      return item;
    }
  };

  size_t size_ = 0;
  Turns scrolls_;
  std::map<uint64_t, Turns> groups_;
  std::deque<uint64_t> group_turns_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_REQUEST_QUEUE_H_
