#ifndef CLIENTS_SINKS_RECORDS_RECORD_EVENTS_H_
#define CLIENTS_SINKS_RECORDS_RECORD_EVENTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "clients/sinks/records/record_table.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// A record of the stream, beside those of the tables, that says which rows are gone. The last one
// of a key makes those before it needless, so the topic may be compacted; each names run and
// generation, so it may be read before or after the rows that it is about.
struct RecordEvent {
  std::string key;    // A JSON array.
  std::string value;  // A JSON object.
};

// The number of a run, and a table's generation in it; from 1.
struct RowVersion {
  uint64_t run = 0;
  uint32_t generation = 0;
};

// The run's rows of the table so far are void; `whole` as in WholeEvent(): else those that
// do not come again stay.
RecordEvent RestartedEvent(absl::string_view table, RowVersion version, bool whole);

// All rows that a record has in the table have come: older ones are gone.
RecordEvent ParentEvent(const RecordTable& table, const v1::ParentRows& parent, RowVersion version);

// The record is gone, and with it what belongs to it.
RecordEvent DeletedEvent(absl::string_view table, const v1::DeletedRecords::Record& record,
                         uint64_t run);

// The record exists, whether it was read or not.
RecordEvent LivingEvent(absl::string_view table, absl::string_view id, RowVersion version);

// All rows of the table have come: older ones are gone.
RecordEvent WholeEvent(absl::string_view table, RowVersion version);

// All living records have come: those that neither came nor were read are gone.
RecordEvent ListedEvent(absl::string_view table, RowVersion version);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_RECORDS_RECORD_EVENTS_H_
