#ifndef TESTS_END_TO_END_RESUMING_CONSUMER_H_
#define TESTS_END_TO_END_RESUMING_CONSUMER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// A consumer as the service describes it: stores rows together with the token that
// covers them, loses everything else when it is cut off, and looks whether the
// stream keeps its promises.
class ResumingConsumer {
 public:
  void OnEvent(const v1::ExtractResponse& event);
  // The stream broke off: what came after the last checkpoint is gone.
  void Cut();

  // Of the last checkpoint; empty before the first.
  const std::string& token() const { return stored_.token; }
  bool complete() const { return summary_.has_value(); }
  const v1::Summary& summary() const { return *summary_; }

  // The serialized rows of a table, sorted.
  std::vector<std::string> Rows(const std::string& table) const;
  // Ids that LivingRecords of a table named, as often as they came, and those that
  // DeletedRecords named.
  std::multiset<std::string> Living(const std::string& table) const;
  std::set<std::string> Deleted(const std::string& table) const;
  // What the stream promised and did not keep, one sentence each.
  const std::vector<std::string>& broken_promises() const { return broken_promises_; }
  int64_t checkpoints() const { return checkpoints_; }
  size_t largest_token() const { return largest_token_; }
  // Rows that one stream gave beyond those that another had given and that were
  // stored: how many came in vain.
  int64_t rows_lost_by_cuts() const { return rows_lost_; }
  // The most rows that came between two checkpoints.
  int64_t largest_interval() const { return largest_interval_; }
  const std::vector<v1::TableRestarted>& restarts() const { return restarts_; }

 private:
  struct Table {
    std::vector<std::string> rows;
    uint32_t generation = 1;
    // Since the last checkpoint or, if it is later, the table's new beginning.
    int64_t since = 0;
    std::multiset<std::string> living;
    std::set<std::string> deleted;
  };
  struct Store {
    std::map<std::string, Table> tables;
    std::string token;
    int64_t number = 0;
  };
  void OnCheckpoint(const v1::Checkpoint& checkpoint);

  Store stored_;
  Store working_;
  std::optional<v1::Summary> summary_;
  std::vector<std::string> broken_promises_;
  std::vector<v1::TableRestarted> restarts_;
  int64_t checkpoints_ = 0;
  size_t largest_token_ = 0;
  int64_t rows_lost_ = 0;
  int64_t interval_ = 0;
  int64_t largest_interval_ = 0;
};

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_RESUMING_CONSUMER_H_
