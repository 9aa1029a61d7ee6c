#include "extractor/pipeline/paged_list.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// `parameter` says which page.
std::string PageTarget(const std::string& path, int per_page, const std::string& parameter) {
  std::string query;
  if (per_page > 0) query = absl::StrCat("per_page=", per_page);
  if (!parameter.empty()) absl::StrAppend(&query, query.empty() ? "" : "&", parameter);
  if (query.empty()) return path;
  const bool has_query = path.find('?') != std::string::npos;
  return absl::StrCat(path, has_query ? "&" : "?", query);
}

}  // namespace

std::string UrlEncode(absl::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      result.push_back(c);
    } else {
      result.push_back('%');
      result.push_back(kHex[byte >> 4]);
      result.push_back(kHex[byte & 15]);
    }
  }
  return result;
}

std::string NextPageParameter(const PageInfo& info, int64_t page) {
  if (info.records == 0 && info.malformed == 0) return "";
  if (info.next_starting_after.has_value()) {
    return absl::StrCat("starting_after=", UrlEncode(*info.next_starting_after));
  }
  const int64_t present = info.page.value_or(page);
  if (!info.next_page.has_value() || *info.next_page <= present) return "";
  if (info.total_pages.has_value() && present >= *info.total_pages) return "";
  return absl::StrCat("page=", *info.next_page);
}

void ProgressWatch::BeginPage() {
  hash_ = 0;
  empty_ = true;
}

void ProgressWatch::AddRecord(absl::string_view id) {
  hash_ = absl::HashOf(hash_, id);
  empty_ = false;
}

bool ProgressWatch::EndPage() { return empty_ || seen_.insert(hash_).second; }

void PagedList::Walk(Run* run, const Shape* shape, Options options) {
  std::shared_ptr<PagedList> list(new PagedList(run, shape, std::move(options)));
  const auto& from = list->options_.from;
  list->Fetch(from.has_value() ? from->parameter() : "");
}

PagedList::PagedList(Run* run, const Shape* shape, Options options)
    : run_(run), shape_(shape), options_(std::move(options)) {
  options_.reading.operation = options_.operation;
  if (options_.from.has_value()) {
    page_ = std::max<int64_t>(1, options_.from->page());
    records_ = options_.from->records();
  }
}

void PagedList::Fetch(const std::string& parameter) {
  ApiRequest request;
  request.operation = options_.operation;
  request.path_and_query = PageTarget(options_.path, options_.per_page, parameter);
  if (options_.by_cursor) {
    request.set_page_size = [path = options_.path, parameter, most = options_.per_page](
                                int page_size, ApiRequest* page) {
      page->path_and_query = PageTarget(path, std::min(page_size, most), parameter);
    };
  }
  request.priority = options_.priority;

  Run::Reading reading = options_.reading;
  if (options_.prepare) options_.prepare(&reading);
  reading.begin = [self = shared_from_this(), begin = std::move(reading.begin)] {
    self->watch_.BeginPage();
    if (begin) begin();
  };
  reading.on_record = [self = shared_from_this(), on_record = std::move(reading.on_record)](
                          const PageReader::Record& record, UnitRows* unit) {
    if (record.part < 2 && self->options_.id.valid()) {
      const std::string_view id = record.values->Get(*self->shape_, self->options_.id, 0).text;
      self->watch_.AddRecord(absl::string_view(id.data(), id.size()));
    }
    on_record(record, unit);
  };
  run_->FetchRows(request, reading, [self = shared_from_this()](absl::StatusOr<PageInfo> info) {
    if (info.ok()) {
      self->OnPage(*info);
    } else {
      self->options_.on_end(info.status());
    }
  });
}

void PagedList::PlanPages(const PageInfo& info, bool last) {
  const auto records = static_cast<int64_t>(info.records + info.malformed);
  if (last) {
    options_.reading.line->End();
  } else if (info.total_count.has_value()) {
    // As large as this one, which may have been smaller than asked for at first.
    const int64_t page_size = std::clamp<int64_t>(records, 1, options_.per_page);
    options_.reading.line->Expect(
        Estimate::Exactly(PagesOf(*info.total_count - records_, page_size)));
  } else {
    // At least the next; a list without a total does not say more.
    options_.reading.line->Expect(Estimate::Exactly(1));
  }
}

void PagedList::OnPage(const PageInfo& info) {
  const std::string parameter = NextPageParameter(info, page_);
  if (!watch_.EndPage() && !parameter.empty()) {
    options_.on_end(StatusWithReason(
        absl::StatusCode::kDataLoss, "NO_PROGRESS",
        absl::StrCat(options_.operation, " (page ", page_,
                     "): Intercom sent the records of an earlier page again; stopped, as the "
                     "list would never end")));
    return;
  }
  ++page_;
  records_ += static_cast<int64_t>(info.records + info.malformed);
  if (options_.on_position) {
    resume::ListPosition position;
    position.set_parameter(parameter);
    position.set_page(page_);
    position.set_records(records_);
    options_.on_position(position);
  }
  if (options_.plan_pages) PlanPages(info, parameter.empty());
  auto next = [self = shared_from_this(), parameter] {
    if (parameter.empty()) {
      self->options_.on_end(absl::OkStatus());
    } else {
      self->Fetch(parameter);
    }
  };
  if (options_.on_page) {
    options_.on_page(info, std::move(next));
  } else {
    next();
  }
}

}  // namespace intercom_extractor
