#ifndef EXTRACTOR_TABLES_PAGE_READER_H_
#define EXTRACTOR_TABLES_PAGE_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/body_splitter.h"
#include "extractor/tables/json_document.h"
#include "extractor/tables/json_document_pool.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/shape.h"

namespace intercom_extractor {

// What a list's answer says besides its records. Intercom's `pages.next` is
// null, absent, an object or a URL, depending on the endpoint. Numbers below 0 or above
// 10^12 are not set.
struct PageInfo {
  // From `pages.next.starting_after`, or the same parameter of a URL.
  std::optional<std::string> next_starting_after;
  // From `pages.next.page`, or the `page` parameter of a URL.
  std::optional<int64_t> next_page;
  std::optional<int64_t> page;
  std::optional<int64_t> total_pages;
  std::optional<int64_t> total_count;
  std::optional<std::string> scroll_param;
  size_t records = 0;
  // Records that were no good JSON; in salvage only.
  size_t malformed = 0;
  // False when the body ended early; in salvage only.
  bool complete = true;
};

// Reads the records of a list's answer one by one.
class PageReader {
 public:
  // `items`: the keys that may hold the records; the first that holds a list
  // counts ("data", "companies"). Empty: the answer itself is the only record.
  // `split`: the path of the longest list in a record ("a.b"), so that a record
  // that is an answer of its own can be read piece by piece; may be empty.
  // `shape` must outlive the reader.
  PageReader(std::vector<std::string> items, std::string split, Shape* shape);

  // What is done with each record. `part` is 0 for a whole record; a record that
  // is read in pieces comes first without its longest list, as part 1, then as
  // part 2 once per element. `split_count` is the number of these elements.
  struct Record {
    const RecordValues* values;
    int part;
    size_t split_count;
  };
  using OnRecord = absl::FunctionRef<absl::Status(const Record&)>;
  using OnMalformed = absl::FunctionRef<void(const std::string& what)>;

  // Reads a body in memory. kDataLoss when it, or one record, is no good JSON;
  // then some records may have been given already. Another error of `on_record`
  // ends reading and is returned.
  absl::StatusOr<PageInfo> Read(ResponseBody* body, OnRecord on_record);

  // Reads a body of any size, damaged or not: records that are no good JSON go
  // to `on_malformed`, what was cut off is missing and `complete` is false.
  // kDataLoss when what is around the records makes no sense.
  absl::StatusOr<PageInfo> Salvage(ResponseBody* body, OnRecord on_record,
                                   OnMalformed on_malformed);

  // The list at `split`, or -1.
  int split_list() const { return split_list_; }

 private:
  // Reads what is around the records and gives these to `on_record`. `whole`: nothing
  // follows it.
  absl::Status ReadEnvelope(PageInfo* info, OnRecord on_record, bool* whole);
  absl::Status ReadPages(JsonDocument::Token* token, PageInfo* info);
  absl::Status ReadItems(JsonDocument::Token* token, PageInfo* info, OnRecord on_record);
  bool IsItems(std::string_view key) const;
  absl::StatusOr<PageInfo> ReadText(absl::string_view text, OnRecord on_record);
  absl::Status OpenSlice(ResponseBody* body, const SplitBody::Slice& slice, JsonDocument* document);
  absl::StatusOr<PageInfo> SalvageList(ResponseBody* body, OnRecord on_record,
                                       OnMalformed on_malformed);
  absl::StatusOr<PageInfo> SalvageRecord(ResponseBody* body, OnRecord on_record,
                                         OnMalformed on_malformed);

  const std::vector<std::string> items_;
  const std::string split_;
  RecordReader reader_;
  // While something is read.
  PooledJsonDocument document_;
  RecordValues values_;
  // What lies at "pages" in the envelope.
  Shape pages_shape_;
  const ValueRef next_;
  const ValueRef next_page_;
  const ValueRef next_starting_after_;
  const ValueRef page_;
  const ValueRef total_pages_;
  RecordReader pages_reader_{&pages_shape_};
  RecordValues pages_;
  std::string buffer_;
  std::string rest_;
  int split_list_ = -1;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_PAGE_READER_H_
