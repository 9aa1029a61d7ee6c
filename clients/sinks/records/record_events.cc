#include "clients/sinks/records/record_events.h"

#include "clients/cli/json_text.h"

namespace intercom_extractor {
namespace {

std::string KeyOf(absl::string_view event, absl::string_view table, absl::string_view id) {
  JsonText key;
  key.BeginArray().String(event).String(table);
  if (!id.empty()) key.String(id);
  key.EndArray();
  return key.text();
}

// The members that all have.
void Begin(absl::string_view event, absl::string_view table, uint64_t run, JsonText* value) {
  value->BeginObject().Key("event").String(event).Key("table").String(table);
  value->Key("run").Int(static_cast<int64_t>(run));
}

RecordEvent EventOf(absl::string_view event, absl::string_view table, RowVersion version,
                    absl::string_view id = "") {
  JsonText value;
  Begin(event, table, version.run, &value);
  value.Key("generation").Int(version.generation);
  if (!id.empty()) value.Key("id").String(id);
  value.EndObject();
  return {KeyOf(event, table, id), value.text()};
}

}  // namespace

RecordEvent RestartedEvent(absl::string_view table, RowVersion version, bool whole) {
  JsonText value;
  Begin("restarted", table, version.run, &value);
  value.Key("generation").Int(version.generation).Key("whole").Bool(whole).EndObject();
  return {KeyOf("restarted", table, ""), value.text()};
}

RecordEvent ParentEvent(const RecordTable& table, const v1::ParentRows& parent,
                        RowVersion version) {
  JsonText value;
  Begin("parent", table.name(), version.run, &value);
  value.Key("generation").Int(version.generation).Key("id").String(parent.id());
  value.Key("rows").Int(parent.rows()).Key("column").String(table.owner().column);
  if (!table.owner().through.empty()) {
    value.Key("through").String(table.owner().through);
    value.Key("through_column").String(table.owner().through_column);
  }
  value.EndObject();
  return {KeyOf("parent", table.name(), parent.id()), value.text()};
}

RecordEvent DeletedEvent(absl::string_view table, const v1::DeletedRecords::Record& record,
                         uint64_t run) {
  JsonText value;
  Begin("deleted", table, run, &value);
  value.Key("id").String(record.id());
  if (record.has_deleted_at()) value.Key("deleted_at").Int(record.deleted_at());
  value.EndObject();
  return {KeyOf("deleted", table, record.id()), value.text()};
}

RecordEvent LivingEvent(absl::string_view table, absl::string_view id, RowVersion version) {
  return EventOf("living", table, version, id);
}

RecordEvent WholeEvent(absl::string_view table, RowVersion version) {
  return EventOf("whole", table, version);
}

RecordEvent ListedEvent(absl::string_view table, RowVersion version) {
  return EventOf("listed", table, version);
}

}  // namespace intercom_extractor
