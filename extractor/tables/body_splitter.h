#ifndef EXTRACTOR_TABLES_BODY_SPLITTER_H_
#define EXTRACTOR_TABLES_BODY_SPLITTER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "extractor/http/response_body.h"

namespace intercom_extractor {

// A JSON text taken apart at one of its lists.
struct SplitBody {
  struct Slice {
    size_t offset = 0;
    size_t size = 0;
  };
  // The text without the list's elements: `{"data":[],"pages":...}`.
  std::string rest;
  // Where the elements stand in the body.
  std::vector<Slice> elements;
  // False when the text ended early; the elements so far are whole, and `rest`
  // is what came, closed.
  bool complete = false;
};

// Finds the elements of the list at one of `paths` (keys from the top, such as
// {"data"}), reading the body in pieces: for answers too large for memory, and
// for finding the healthy records of a damaged one. Follows brackets and quotes
// only; whether an element is good JSON is its parser's to say.
//
// kResourceExhausted: what is outside the list exceeds 64 MiB.
absl::StatusOr<SplitBody> SplitAtList(const ResponseBody& body,
                                      const std::vector<std::vector<std::string>>& paths);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_BODY_SPLITTER_H_
