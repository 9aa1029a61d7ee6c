#ifndef CLIENTS_CPP_ROWS_H_
#define CLIENTS_CPP_ROWS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How many rows a batch has, of whichever table. 0 for a table that is newer than this
// library: it was not asked for.
int RowCount(const v1::RowBatch& batch);

// The rows of a batch as bytes: each is a serialized row message of its table.
using SerializedRows = std::vector<absl::string_view>;

// The row at `index`, below RowCount(), without its type: for who writes any table. Who
// reads one table takes its typed field, as in `batch.users()`.
const google::protobuf::Message& RowAt(const v1::RowBatch& batch, int index);

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ROWS_H_
