#include "extractor/pipeline/segment_list.h"

#include <utility>

namespace intercom_extractor {

std::optional<int64_t> SegmentMembers(const JsonValue& count) {
  const std::optional<int64_t> members = IntegerOf(count);
  if (members.has_value() && *members < 0) return std::nullopt;
  return members;
}

void SegmentList::Watch(Shape* shape, PagedList::Options* options) {
  watched_ = true;
  id_ = shape->AddValue(-1, "id");
  count_ = shape->AddValue(-1, "count");
  options->reading.begin = [this, begin = std::move(options->reading.begin)] {
    page_.clear();
    if (begin) begin();
  };
  options->reading.on_record = [this, shape, on_record = std::move(options->reading.on_record)](
                                   const PageReader::Record& record, UnitRows* unit) {
    Add(*record.values, *shape);
    if (on_record) on_record(record, unit);
  };
  options->reading.on_commit = [this, on_commit = std::move(options->reading.on_commit)] {
    Keep();
    if (on_commit) on_commit();
  };
  options->on_page = [this, on_page = std::move(options->on_page)](const PageInfo& info,
                                                                   std::function<void()> next) {
    if (info.malformed > 0) complete_ = false;
    if (on_page) {
      on_page(info, std::move(next));
    } else {
      next();
    }
  };
  options->on_end = [this, on_end = std::move(options->on_end)](const absl::Status& status) {
    if (on_end) on_end(status);
    End(status);
  };
}

void SegmentList::Ask(Run* run, RequestPlan::Line* line) {
  reader_ = std::make_unique<PageReader>(std::vector<std::string>{"segments", "data"}, "", &shape_);
  PagedList::Options options;
  options.operation = kOperation;
  options.path = kPath;
  options.reading.reader = reader_.get();
  // No table is worse off when it is damaged: there is another way to read each.
  options.reading.line = line;
  Watch(&shape_, &options);
  options.id = id_;
  PagedList::Walk(run, &shape_, std::move(options));
}

void SegmentList::Await(std::function<void()> done) {
  if (ended_) {
    done();
  } else {
    awaiting_.push_back(std::move(done));
  }
}

void SegmentList::Add(const RecordValues& values, const Shape& shape) {
  const std::string_view id = values.Get(shape, id_, 0).text;
  page_.push_back({std::string(id), SegmentMembers(values.Get(shape, count_, 0))});
}

void SegmentList::Keep() {
  for (Segment& segment : std::exchange(page_, {})) {
    if (segment.id.empty()) complete_ = false;
    if (ids_.insert(segment.id).second) segments_.push_back(std::move(segment));
  }
}

void SegmentList::End(const absl::Status& status) {
  if (!status.ok()) complete_ = false;
  ended_ = true;
  for (const auto& done : std::exchange(awaiting_, {})) done();
}

}  // namespace intercom_extractor
