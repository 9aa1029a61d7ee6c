#ifndef EXTRACTOR_PIPELINE_SAVED_WINDOWS_H_
#define EXTRACTOR_PIPELINE_SAVED_WINDOWS_H_

#include "absl/status/statusor.h"
#include "extractor/pipeline/search_windows.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Windows as a resume token holds them. Ids of the last second are left out of
// windows that have a cursor once all windows' together would take more than 8 KiB:
// only a cursor that Intercom refuses then gives that second again.
resume::Windows ToState(const SearchWindows::Saved& saved);

// kDataLoss: damaged ids, or numbers that no windows have.
absl::StatusOr<SearchWindows::Saved> FromState(const resume::Windows& state);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SAVED_WINDOWS_H_
