#include "tests/benchmarks/streaming/finished_batches.h"

#include "absl/strings/str_cat.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr int kBatches = 8;
// Ten digits wherever a row differs from another, so that all are equally long.
constexpr int64_t kFirstId = 1'000'000'000;

void FillUser(int64_t id, v1::User* user) {
  user->set_type("user");
  user->set_id(absl::StrCat("6762f0dd1bb69f", id));
  user->set_created_at(1571672154 + id);
  user->set_updated_at(1703481178 + id);
  user->set_signed_up_at(1571069751 + id);
  user->set_last_request_at(1723984109 + id);
  user->set_email(absl::StrCat("joe.bloggs", id, "@example.com"));
  user->set_user_id(absl::StrCat("f3b87a2e09d514c6c2e79b9a", id));
  user->set_name(absl::StrCat("Joe \"Joey\" Bloggs ", id));
  user->set_unsubscribed_from_emails(true);
  user->set_marked_email_as_spam(false);
  user->set_has_hard_bounced(false);
  user->set_anonymous(false);
  user->set_user_agent_data(
      R"({"browser":"chrome","browser_version":"77.0.3865.90","browser_language":"en","os":"OS X"})");
  user->set_location_data_city_name("Montréal");
  user->set_location_data_country_name("Canada");
  user->set_custom_attributes(absl::StrCat(
      R"({"paid_subscriber":true,"monthly_spend":155.5,"team_mates":9,"plan":"Pro","customer":")",
      id, R"(","account_manager":"Zoë","last_order_at":1571672158,"source":"autumn campaign",)",
      R"("referrer":"https://www.example.com/pricing?from=search&page=)", id, R"("})"));
}

}  // namespace

FinishedBatches::FinishedBatches(size_t bytes) : bytes_each(bytes) {
  int64_t id = kFirstId;
  v1::User user;
  FillUser(id, &user);
  // A tag and a length of two bytes around each row.
  rows = bytes_each / (user.ByteSizeLong() + 3);
  v1::ExtractResponse event;
  for (int i = 0; i < kBatches; ++i) {
    v1::RowBatch* batch = event.mutable_row_batch();
    batch->Clear();
    batch->set_table("users");
    batch->mutable_extracted_at()->set_seconds(1703481178);
    batch->set_generation(1);
    for (size_t row = 0; row < rows; ++row) FillUser(id++, batch->add_users());
    events.push_back(event.SerializeAsString());
  }
}

std::vector<std::string> FinishedBatches::Copies(size_t count) const {
  std::vector<std::string> copies;
  copies.reserve(count);
  for (size_t i = 0; i < count; ++i) copies.push_back(events[i % events.size()]);
  return copies;
}

}  // namespace intercom_extractor
