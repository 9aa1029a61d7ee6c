#ifndef CLIENTS_CPP_EVENT_SCRIPT_H_
#define CLIENTS_CPP_EVENT_SCRIPT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Events of a stream that a test makes up.
struct EventScript {
  // Adds an event to the script.
  v1::ExtractResponse* Add() { return &events.emplace_back(); }

  // Adds a batch of tags whose names are `names`.
  void AddTags(const std::vector<std::string>& names, uint32_t generation = 1) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("tags");
    batch->set_generation(generation);
    for (const std::string& name : names) batch->add_tags()->set_name(name);
  }

  // Adds a batch of users with these ids.
  void AddUsers(const std::vector<std::string>& ids, uint32_t generation = 1) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("users");
    batch->set_generation(generation);
    for (const std::string& id : ids) batch->add_users()->set_id(id);
  }

  // Adds users that exist, changed or not.
  void AddLivingUsers(const std::vector<std::string>& ids, uint32_t generation = 1) {
    v1::LivingRecords* living = Add()->mutable_living_records();
    living->set_table("users");
    living->set_generation(generation);
    for (const std::string& id : ids) living->add_ids(id);
  }

  // Adds conversations that were deleted at a second of that number.
  void AddDeletedConversations(const std::vector<std::string>& ids, int64_t deleted_at) {
    v1::DeletedRecords* deleted = Add()->mutable_deleted_records();
    deleted->set_table("conversations");
    for (const std::string& id : ids) {
      v1::DeletedRecords::Record* record = deleted->add_records();
      record->set_id(id);
      record->set_deleted_at(deleted_at);
    }
  }

  // Adds a batch of tags with these ids.
  void AddTagIds(const std::vector<std::string>& ids) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("tags");
    batch->set_generation(1);
    for (const std::string& id : ids) batch->add_tags()->set_id(id);
  }

  // Adds a checkpoint with the token "token <number>" that covers so many rows of
  // tables.
  void AddCheckpoint(int64_t number, const std::map<std::string, int64_t>& rows,
                     uint32_t generation = 1) {
    v1::Checkpoint* checkpoint = Add()->mutable_checkpoint();
    checkpoint->set_number(number);
    checkpoint->set_resume_token("token " + std::to_string(number));
    for (const auto& [table, count] : rows) {
      v1::TableRows* covered = checkpoint->add_rows();
      covered->set_table(table);
      covered->set_rows(count);
      covered->set_generation(generation);
    }
  }

  void AddRestart(const std::string& table, uint32_t generation) {
    v1::TableRestarted* restarted = Add()->mutable_table_restarted();
    restarted->set_table(table);
    restarted->set_generation(generation);
    restarted->set_reason("the scroll expired");
  }

  // Adds the summary, if there is none yet, and a table to it.
  v1::TableSummary* AddSummary(const std::string& table, v1::TableStatus status, int64_t rows) {
    if (events.empty() || !events.back().has_summary()) Add();
    v1::TableSummary* summary = events.back().mutable_summary()->add_tables();
    summary->set_table(table);
    summary->set_status(status);
    summary->set_rows(rows);
    return summary;
  }

  // Says in the summary, which is the last event, when the extraction began.
  void SetStartedAt(int64_t unix_seconds) {
    events.back().mutable_summary()->mutable_started_at()->set_seconds(unix_seconds);
  }

  std::vector<v1::ExtractResponse> events;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_EVENT_SCRIPT_H_
