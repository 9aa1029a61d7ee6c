#include "extractor/tables/privacy_rules.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "extractor/tables/nearest_name.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {
namespace {

constexpr char kAttributes[] = "custom_attributes";
constexpr char kEvery[] = "*";

constexpr std::pair<const char*, v1::PrivacyAction> kActions[] = {
    {"leave_out", v1::PRIVACY_ACTION_LEAVE_OUT},
    {"mask", v1::PRIVACY_ACTION_MASK},
    {"hash", v1::PRIVACY_ACTION_HASH},
};

const v1::ColumnDescription* FindColumn(const v1::TableDescription& table, absl::string_view name) {
  for (const v1::ColumnDescription& column : table.columns()) {
    if (column.name() == name) return &column;
  }
  return nullptr;
}

std::vector<std::string> ColumnNames(const v1::TableDescription& table) {
  std::vector<std::string> names;
  for (const v1::ColumnDescription& column : table.columns()) names.push_back(column.name());
  return names;
}

// Why rows could not be told apart or joined without the column; empty when they could.
std::string WhatItIsFor(const v1::TableDescription& table, const v1::ColumnDescription& column) {
  const auto& key = table.table().key();
  if (column.column().primary_key() ||
      std::find(key.begin(), key.end(), column.name()) != key.end()) {
    return absl::StrCat("identifies the rows of ", table.table().name());
  }
  if (!column.column().references().empty()) {
    return absl::StrCat("refers to ", absl::StrJoin(column.column().references(), " or "));
  }
  // "author_type" says which table "author_id" is of.
  absl::string_view prefix = column.name();
  if (absl::ConsumeSuffix(&prefix, "type")) {
    const v1::ColumnDescription* const id = FindColumn(table, absl::StrCat(prefix, "id"));
    if (id != nullptr && !id->column().references().empty()) {
      return absl::StrCat("says what ", id->name(), " refers to");
    }
  }
  return "";
}

// Why the action cannot be done to the column; empty when it can.
std::string Objection(const v1::TableDescription& table, const v1::ColumnDescription& column,
                      v1::PrivacyAction action) {
  const std::string name = absl::StrCat(table.table().name(), ".", column.name());
  const std::string purpose = WhatItIsFor(table, column);
  if (!purpose.empty()) return absl::StrCat(name, " ", purpose, " and stays as it is");
  if (action == v1::PRIVACY_ACTION_LEAVE_OUT) return "";
  const absl::string_view verb = PrivacyRules::ActionName(action);
  if (column.type() != v1::COLUMN_TYPE_STRING) {
    return absl::StrCat(name, " is no text, ", verb, " is for texts; leave_out works for all");
  }
  // Whoever reads these columns would no longer find in them what they are said to hold.
  if (column.column().format() == v1::COLUMN_FORMAT_JSON_TEXT) {
    return absl::StrCat(
        name, " holds JSON, which ", verb, " would not leave JSON; leave it out",
        column.name() == kAttributes ? ", or name single attributes under custom_attributes" : "");
  }
  if (column.column().format() == v1::COLUMN_FORMAT_ISO_8601) {
    return absl::StrCat(name, " holds times, which ", verb,
                        " would not leave times; leave_out works");
  }
  return "";
}

std::string NoSuchColumn(const std::vector<std::string>& known, absl::string_view column) {
  return absl::StrCat("there is no such column; ", Suggestion(column, known));
}

}  // namespace

absl::StatusOr<v1::PrivacyAction> PrivacyRules::ParseAction(absl::string_view text) {
  for (const auto& [name, action] : kActions) {
    if (text == name) return action;
  }
  std::vector<std::string> names;
  for (const auto& [name, action] : kActions) names.emplace_back(name);
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(text.substr(0, 64)),
                                                 "\" cannot be done to a value; ",
                                                 Suggestion(text, names)));
}

absl::string_view PrivacyRules::ActionName(v1::PrivacyAction action) {
  for (const auto& [name, known] : kActions) {
    if (action == known) return name;
  }
  return "";
}

absl::Status PrivacyRules::AddColumn(absl::string_view name, v1::PrivacyAction action) {
  const size_t dot = name.find('.');
  if (dot == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be TABLE.COLUMN, or \"*.COLUMN\" for each table that has it"));
  }
  const absl::string_view table_name = name.substr(0, dot);
  const absl::string_view column_name = name.substr(dot + 1);
  std::vector<std::string> tables;
  std::set<std::string> columns;
  std::vector<std::string> objections;
  bool found = false;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    tables.push_back(table.name());
    if (table_name != kEvery && table_name != table.name()) continue;
    const std::vector<std::string> names = ColumnNames(table.description);
    columns.insert(names.begin(), names.end());
    const v1::ColumnDescription* const column = FindColumn(table.description, column_name);
    if (column == nullptr) continue;
    found = true;
    std::string objection = Objection(table.description, *column, action);
    if (!objection.empty()) objections.push_back(std::move(objection));
  }
  if (columns.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no such table; ", Suggestion(table_name, tables)));
  }
  if (!found) {
    return absl::InvalidArgumentError(NoSuchColumn({columns.begin(), columns.end()}, column_name));
  }
  if (!objections.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        absl::StrJoin(objections, "; "),
        table_name == kEvery ? "; name the other tables one by one, as TABLE.COLUMN" : ""));
  }
  columns_[std::string(name)] = action;
  return absl::OkStatus();
}

absl::Status PrivacyRules::AddAttribute(absl::string_view name, v1::PrivacyAction action) {
  if (name.empty()) return absl::InvalidArgumentError("an attribute needs a name");
  attributes_[std::string(name)] = action;
  return absl::OkStatus();
}

bool PrivacyRules::hashes() const {
  const auto is_hash = [](const auto& rule) { return rule.second == v1::PRIVACY_ACTION_HASH; };
  return std::any_of(columns_.begin(), columns_.end(), is_hash) ||
         std::any_of(attributes_.begin(), attributes_.end(), is_hash);
}

v1::PrivacyAction PrivacyRules::ActionFor(const std::string& table,
                                          const std::string& column) const {
  auto rule = columns_.find(absl::StrCat(table, ".", column));
  if (rule == columns_.end()) rule = columns_.find(absl::StrCat(kEvery, ".", column));
  return rule == columns_.end() ? v1::PRIVACY_ACTION_UNSPECIFIED : rule->second;
}

void PrivacyRules::Describe(v1::TableDescription* description) const {
  for (v1::ColumnDescription& column : *description->mutable_columns()) {
    column.set_privacy(ActionFor(description->table().name(), column.name()));
    column.clear_attributes();
    if (column.name() != kAttributes) continue;
    for (const auto& [name, action] : attributes_) {
      v1::AttributePrivacy* const attribute = column.add_attributes();
      attribute->set_name(name);
      attribute->set_privacy(action);
    }
  }
}

std::string PrivacyRules::Summary() const {
  static constexpr std::pair<const char*, v1::PrivacyAction> kVerbs[] = {
      {"leaves out ", v1::PRIVACY_ACTION_LEAVE_OUT},
      {"masks ", v1::PRIVACY_ACTION_MASK},
      {"hashes ", v1::PRIVACY_ACTION_HASH},
  };
  std::vector<std::string> parts;
  for (const auto& [verb, action] : kVerbs) {
    std::vector<std::string> names;
    for (const auto& [name, of] : columns_) {
      if (of == action) names.push_back(name);
    }
    for (const auto& [name, of] : attributes_) {
      if (of == action) names.push_back(absl::StrCat("attribute ", name));
    }
    if (!names.empty()) parts.push_back(absl::StrCat(verb, absl::StrJoin(names, ", ")));
  }
  return absl::StrJoin(parts, "; ");
}

std::string PrivacyRules::Digest(const std::vector<v1::TableDescription>& tables) const {
  std::string text;
  bool hashes = false;
  const auto append = [&](absl::string_view name, v1::PrivacyAction action) {
    // Names of attributes may hold anything.
    absl::StrAppend(&text, absl::CHexEscape(name), "\n", static_cast<int>(action), "\n");
    hashes = hashes || action == v1::PRIVACY_ACTION_HASH;
  };
  for (v1::TableDescription table : tables) {
    Describe(&table);
    for (const v1::ColumnDescription& column : table.columns()) {
      const std::string name = absl::StrCat(table.table().name(), ".", column.name());
      if (column.privacy() != v1::PRIVACY_ACTION_UNSPECIFIED) append(name, column.privacy());
      if (column.privacy() == v1::PRIVACY_ACTION_LEAVE_OUT) continue;
      for (const v1::AttributePrivacy& attribute : column.attributes()) {
        append(absl::StrCat(name, ".", attribute.name()), attribute.privacy());
      }
    }
  }
  if (text.empty()) return "";
  if (hashes) absl::StrAppend(&text, HmacHex(hash_key_, "intercom-extractor privacy rules"));
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(&digest[0]));
  return digest;
}

std::string HmacHex(absl::string_view key, absl::string_view text) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(&mac[0]), &size);
  return absl::BytesToHexString(mac);
}

}  // namespace intercom_extractor
