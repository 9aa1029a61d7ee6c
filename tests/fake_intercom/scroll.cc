#include "tests/fake_intercom/scroll.h"

#include "tests/fake_intercom/random.h"

namespace intercom_extractor::fake {

std::string Scroll::NewParam() {
  // In the form of a UUID.
  std::string param = HexId(0, kCatalogKind, ++params_made_) + "5e8244307";
  for (const size_t dash : {8, 13, 18, 23}) param.insert(dash, "-");
  return param.substr(0, 36);
}

void Scroll::Expire() {
  if (param_ && clock_() - last_used_ > options_.time_to_live) {
    param_.reset();
    ++expired_;
  }
}

Scroll::Step Scroll::Next(std::string_view param, size_t total) {
  const std::lock_guard<std::mutex> lock(mu_);
  Expire();
  Step step;
  if (param.empty()) {
    if (param_ || clock_() < busy_until_) {
      ++refused_;
      step.kind = Step::Kind::kExists;
      return step;
    }
    param_ = NewParam();
    offset_ = 0;
    ++opened_;
  } else if (!param_ || *param_ != param) {
    step.kind = Step::Kind::kNotFound;
    return step;
  } else if (options_.param_changes) {
    param_ = NewParam();
  }
  step.offset = offset_;
  step.param = *param_;
  last_used_ = clock_();
  if (offset_ >= total) {
    param_.reset();
  } else {
    offset_ += kPageSize;
  }
  return step;
}

void Scroll::Break() {
  const std::lock_guard<std::mutex> lock(mu_);
  param_.reset();
}

void Scroll::SetBusy(absl::Duration duration) {
  const std::lock_guard<std::mutex> lock(mu_);
  busy_until_ = clock_() + duration;
}

Scroll::State Scroll::state() const {
  const std::lock_guard<std::mutex> lock(mu_);
  State state;
  state.open = param_.has_value() && clock_() - last_used_ <= options_.time_to_live;
  state.busy = clock_() < busy_until_;
  state.offset = offset_;
  state.param = param_.value_or("");
  state.opened = opened_;
  state.expired = expired_;
  state.refused = refused_;
  return state;
}

std::string Scroll::Offset(bool new_scroll) const {
  const std::lock_guard<std::mutex> lock(mu_);
  return "@" + std::to_string(new_scroll ? 0 : offset_);
}

std::string Scroll::Position() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return "#" + std::to_string(opened_) + "." + std::to_string(offset_);
}

}  // namespace intercom_extractor::fake
