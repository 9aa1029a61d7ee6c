#ifndef EXTRACTOR_TABLES_ANSWER_CONVERTER_H_
#define EXTRACTOR_TABLES_ANSWER_CONVERTER_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/reference_converter.h"
#include "extractor/tables/unit_rows.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// One kind of answer that tables are made of, and what it does not say of itself.
struct AnswerKind {
  v1::SourceRecord record = v1::SOURCE_RECORD_UNSPECIFIED;
  // The key whose list holds the records; empty when the answer is the record.
  std::string items;
  // Its roles, if nobody knows them, are notices.
  ReferenceContext context;
};

// What the real converter makes of one kind of answer, record by record, in the form of
// the reference's, for comparing the two. It keeps what it has learned of the order of
// keys. Not thread-safe.
class AnswerConverter {
 public:
  explicit AnswerConverter(const AnswerKind& kind);

  // The rows of each record of an answer's text. The reader's error, or kInternal where
  // bytes that were written are no rows as a client reads them.
  absl::StatusOr<std::vector<ReferenceRows>> Read(absl::string_view text);

  // The same through salvage, which reads damaged answers, and a large detail in pieces.
  struct Salvaged {
    std::vector<ReferenceRows> records;
    size_t malformed = 0;
  };
  absl::StatusOr<Salvaged> Salvage(absl::string_view text);

 private:
  class KnownRoles : public RoleDirectory {
   public:
    explicit KnownRoles(const ReferenceContext* context) : context_(context) {}
    std::optional<absl::string_view> Role(absl::string_view contact_id) const override;

   private:
    const ReferenceContext* const context_;
  };

  absl::StatusOr<ReferenceRows> Rows();

  const AnswerKind kind_;
  const KnownRoles roles_{&kind_.context};
  RecordContext context_;
  RecordConverter converter_;
  PageReader reader_;
  UnitRows unit_;
};

// What differs between rows and notices; "" when nothing does.
std::string Difference(const ReferenceRows& expected, const ReferenceRows& actual);

// The notices, sorted, one a line.
std::string NoticesText(std::vector<ReferenceNotice> notices);

// Keys that lead to some column or list of some table.
struct AnnotatedKeys {
  std::set<std::string> all;
  // Those whose values hold others that matter.
  std::set<std::string> containers;

  static const AnnotatedKeys& Get();

 private:
  AnnotatedKeys();
  void Add(const std::string& path, bool is_list);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_ANSWER_CONVERTER_H_
