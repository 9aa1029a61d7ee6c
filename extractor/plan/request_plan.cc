#include "extractor/plan/request_plan.h"

#include <algorithm>

namespace intercom_extractor {

Estimate& Estimate::operator+=(const Estimate& other) {
  min += other.min;
  likely += other.likely;
  max += other.max;
  return *this;
}

void Estimate::Fill(v1::CountEstimate* estimate) const {
  estimate->set_min(min);
  estimate->set_likely(likely);
  estimate->set_max(max);
}

int64_t PagesOf(int64_t records, int64_t per_page) {
  return std::max<int64_t>(1, (records + per_page - 1) / per_page);
}

void RequestPlan::Line::Ask(int64_t requests) {
  asked_ += requests;
  for (int64_t* bound : {&further_.min, &further_.likely, &further_.max}) {
    *bound = std::max<int64_t>(0, *bound - requests);
  }
}

void RequestPlan::Line::Expect(const Estimate& further) {
  further_ = further;
  known_ = true;
}

void RequestPlan::Line::End() {
  Expect(Estimate());
  for (const auto& part : parts_) part->End();
}

RequestPlan::Line* RequestPlan::Line::AddPart() {
  parts_.push_back(std::make_unique<Line>(operation_, way_, tables_));
  return parts_.back().get();
}

int64_t RequestPlan::Line::asked() const {
  int64_t asked = asked_;
  for (const auto& part : parts_) asked += part->asked();
  return asked;
}

Estimate RequestPlan::Line::Total() const {
  Estimate total = further_;
  total += Estimate::Exactly(asked_);
  for (const auto& part : parts_) total += part->Total();
  return total;
}

RequestPlan::Line* RequestPlan::AddLine(absl::string_view operation, v1::ReadWay way,
                                        TableSet tables) {
  lines_.push_back(std::make_unique<Line>(operation, way, tables));
  return lines_.back().get();
}

bool RequestPlan::Known() const {
  return std::all_of(lines_.begin(), lines_.end(), [](const auto& line) { return line->known(); });
}

Estimate RequestPlan::Total() const {
  Estimate total;
  for (const auto& line : lines_) total += line->Total();
  return total;
}

int64_t RequestPlan::Asked() const {
  int64_t asked = 0;
  for (const auto& line : lines_) asked += line->asked();
  return asked;
}

void RequestPlan::Fill(v1::ExtractionPlan* plan) const {
  for (const auto& line : lines_) {
    const Estimate total = line->Total();
    if (total.max == 0) continue;
    v1::PlannedRequests* entry = plan->add_requests();
    entry->set_operation(line->operation_);
    entry->set_way(line->way_);
    for (const TableInfo* table : tables_) {
      if (line->tables().test(table->index)) entry->add_tables(table->name());
    }
    total.Fill(entry->mutable_requests());
    entry->set_reason(line->reason_);
  }
  for (const TableInfo* table : tables_) {
    Estimate requests;
    for (const auto& line : lines_) {
      if (line->tables().test(table->index)) requests += line->Total();
    }
    v1::TablePlan* entry = plan->add_tables();
    entry->set_table(table->name());
    requests.Fill(entry->mutable_requests());
  }
  Total().Fill(plan->mutable_total());
}

}  // namespace intercom_extractor
