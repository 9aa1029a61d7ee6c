#include "extractor/tables/json_document_pool.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {
namespace {

class Pool {
 public:
  PooledJsonDocument Take() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    if (kept_.empty()) return PooledJsonDocument(new JsonDocument());
    // The last one: its memory is the likeliest to be in a cache.
    PooledJsonDocument document(kept_.back().release());
    kept_.pop_back();
    return document;
  }

  void Give(std::unique_ptr<JsonDocument> document) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    if (kept_.size() < kMostKept) kept_.push_back(std::move(document));
  }

 private:
  static constexpr size_t kMostKept = 8;

  Mutex mu_;
  std::vector<std::unique_ptr<JsonDocument>> kept_ ABSL_GUARDED_BY(mu_);
};

Pool& Documents() {
  // Never destroyed: extractions end on threads of their own.
  static auto* const pool = new Pool;
  return *pool;
}

}  // namespace

void GiveBackJsonDocument::operator()(JsonDocument* document) const {
  Documents().Give(std::unique_ptr<JsonDocument>(document));
}

PooledJsonDocument TakeJsonDocument() { return Documents().Take(); }

}  // namespace intercom_extractor
