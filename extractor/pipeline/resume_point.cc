#include "extractor/pipeline/resume_point.h"

#include <openssl/sha.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/tables/privacy_rules.h"

namespace intercom_extractor {
namespace {

// Intercom's cursors and our promises about what changed meanwhile grow old.
constexpr absl::Duration kMaxTokenAge = absl::Hours(24 * 30);

std::string DigestOf(const v1::ExtractRequest& request, const std::vector<const TableInfo*>& tables,
                     const Incremental& incremental, const Connection& connection,
                     const std::string& caller) {
  // However the tables were named.
  std::string text = absl::StrCat(connection.name, "\n");
  for (const TableInfo* table : tables) absl::StrAppend(&text, table->name(), "\n");
  const bool html = request.body_format() == v1::BODY_FORMAT_HTML;
  absl::StrAppend(&text, html ? "html" : "plaintext");
  // Nothing for a full run: tokens made before there were others go on.
  if (incremental.since.has_value()) absl::StrAppend(&text, "\nsince ", *incremental.since);
  if (request.with_parents()) absl::StrAppend(&text, "\nwith parents");
  if (incremental.find_deleted) absl::StrAppend(&text, "\nfind deleted");
  if (!caller.empty()) absl::StrAppend(&text, "\ncaller ", caller);
  if (!request.columns().empty()) {
    for (const TableInfo* table : tables) {
      absl::StrAppend(&text, "\ncolumns of ", table->name());
      for (const auto& column : table->description.columns()) {
        absl::StrAppend(&text, " ", column.name());
      }
    }
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(&digest[0]));
  return digest;
}

// Of what the connection does with the values of these tables.
std::string PrivacyDigestOf(const std::vector<const TableInfo*>& tables) {
  if (tables.empty() || tables.front()->privacy == nullptr) return "";
  std::vector<v1::TableDescription> descriptions;
  descriptions.reserve(tables.size());
  for (const TableInfo* table : tables) descriptions.push_back(table->description);
  return tables.front()->privacy->Digest(descriptions);
}

}  // namespace

absl::StatusOr<ResumePoint> ResumePoint::Create(const v1::ExtractRequest& request,
                                                const std::vector<const TableInfo*>& tables,
                                                const Incremental& incremental,
                                                const Connection& connection,
                                                const std::string& caller, absl::Time now) {
  ResumePoint point(connection, DigestOf(request, tables, incremental, connection, caller),
                    PrivacyDigestOf(tables));
  if (request.resume_token().empty()) return point;
  absl::StatusOr<resume::State> state = point.codec_.Open(request.resume_token());
  if (!state.ok()) return state.status();
  if (state->request_digest() != point.request_digest_) {
    return StatusWithReason(
        absl::StatusCode::kFailedPrecondition, "RESUME_TOKEN_MISMATCH",
        "the resume token continues another extraction: of another connection, other tables, "
        "other columns, another body format, another updated_since or another caller; ask for "
        "the same, or extract anew without it");
  }
  // Nobody should get a table whose first half is hashed and whose second is not.
  if (state->privacy_digest() != point.privacy_digest_) {
    return StatusWithReason(
        absl::StatusCode::kFailedPrecondition, "RESUME_TOKEN_MISMATCH",
        "the connection's privacy rules or its hash key have changed since the resume token was "
        "made: rows to come would not look like those that came; extract anew without it");
  }
  const absl::Duration age = now - absl::FromUnixSeconds(state->made_at());
  if (age > kMaxTokenAge) {
    return StatusWithReason(absl::StatusCode::kFailedPrecondition, "RESUME_TOKEN_EXPIRED",
                            absl::StrCat("the resume token is ", age / absl::Hours(24),
                                         " days old and the workspace has changed since; extract "
                                         "anew without it"));
  }
  point.earlier_ = *std::move(state);
  return point;
}

std::optional<absl::Time> ResumePoint::start() const {
  if (!earlier_.has_value()) return std::nullopt;
  return absl::FromUnixSeconds(earlier_->start());
}

std::string ResumePoint::MakeToken(int64_t number, absl::Time start, absl::Time now,
                                   const RunReport& report,
                                   const std::vector<const Walk*>& walks) const {
  resume::State state;
  state.set_request_digest(request_digest_);
  state.set_privacy_digest(privacy_digest_);
  state.set_made_at(absl::ToUnixSeconds(now));
  state.set_start(absl::ToUnixSeconds(start));
  state.set_number(number);
  report.Save(&state);
  for (const Walk* walk : walks) walk->Save(&state);
  std::string token = codec_.Seal(state);
  return token.size() <= ResumeTokenCodec::kMaxTokenBytes ? std::move(token) : std::string();
}

}  // namespace intercom_extractor
