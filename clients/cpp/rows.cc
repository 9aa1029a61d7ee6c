#include "clients/cpp/rows.h"

#include "google/protobuf/descriptor.h"

namespace intercom_extractor {
namespace {

// Null for a table that is not known.
const google::protobuf::FieldDescriptor* RowsField(const v1::RowBatch& batch) {
  const auto* field = v1::RowBatch::descriptor()->FindFieldByName(batch.table());
  return field != nullptr && field->is_repeated() ? field : nullptr;
}

}  // namespace

int RowCount(const v1::RowBatch& batch) {
  const auto* field = RowsField(batch);
  return field == nullptr ? 0 : v1::RowBatch::GetReflection()->FieldSize(batch, field);
}

const google::protobuf::Message& RowAt(const v1::RowBatch& batch, int index) {
  return v1::RowBatch::GetReflection()->GetRepeatedMessage(batch, RowsField(batch), index);
}

}  // namespace intercom_extractor
