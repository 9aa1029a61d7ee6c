#ifndef EXTRACTOR_PLAN_REQUEST_PLAN_H_
#define EXTRACTOR_PLAN_REQUEST_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// A number that is known within bounds.
struct Estimate {
  int64_t min = 0;
  int64_t likely = 0;
  int64_t max = 0;

  static Estimate Exactly(int64_t number) { return {number, number, number}; }
  Estimate& operator+=(const Estimate& other);
  void Fill(v1::CountEstimate* estimate) const;
};

// Pages of a list, the last maybe not full; 1 for an empty list.
int64_t PagesOf(int64_t records, int64_t per_page);

// How many requests an extraction needs, line by line: from the first estimate to
// the last request, when it says exactly what was asked. Requests that are tried
// again count once. Not thread-safe.
class RequestPlan {
 public:
  // The requests of one operation that is used in one way.
  class Line {
   public:
    Line(absl::string_view operation, v1::ReadWay way, TableSet tables)
        : operation_(operation), way_(way), tables_(tables) {}

    // To be called for each request that is made.
    void Ask(int64_t requests = 1);
    // How many are to come. Requests that are asked later take from this.
    void Expect(const Estimate& further);
    // None is to come, of its parts neither.
    void End();
    // A part of what this line is for, which somebody plans by himself: what is
    // asked and expected of it counts here as well. Lives as long as the line,
    // which does not wait for it to be known.
    Line* AddPart();
    // Why this way, or what the number depends on.
    void Explain(std::string reason) { reason_ = std::move(reason); }

    // Whether anybody has said how many are to come.
    bool known() const { return known_; }
    int64_t asked() const;
    Estimate Total() const;
    TableSet tables() const { return tables_; }

   private:
    friend class RequestPlan;
    const std::string operation_;
    const v1::ReadWay way_;
    const TableSet tables_;
    std::string reason_;
    int64_t asked_ = 0;
    Estimate further_;
    bool known_ = false;
    std::vector<std::unique_ptr<Line>> parts_;
  };

  // `tables`: those of the extraction.
  explicit RequestPlan(std::vector<const TableInfo*> tables) : tables_(std::move(tables)) {}

  // Lives as long as the plan.
  Line* AddLine(absl::string_view operation, v1::ReadWay way, TableSet tables);

  // Whether every line is known.
  bool Known() const;
  Estimate Total() const;
  int64_t Asked() const;

  // Lines without any request are left out.
  void Fill(v1::ExtractionPlan* plan) const;

 private:
  const std::vector<const TableInfo*> tables_;
  std::vector<std::unique_ptr<Line>> lines_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PLAN_REQUEST_PLAN_H_
