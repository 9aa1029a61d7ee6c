// Rows made with privacy rules beside those of the slow and plain converter to which the
// rules are applied afterwards, value by value: over answers of real shapes and changed
// ones, with rules drawn at random.

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/tables/converted_rows.h"
#include "extractor/tables/json_mutation.h"
#include "extractor/tables/privacy_rules.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/reference_converter.h"
#include "extractor/tables/reference_json.h"
#include "extractor/tables/request_tables.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/benchmarks/payloads/answers.h"

namespace intercom_extractor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using payloads::Answer;
using Type = ReferenceJson::Type;

constexpr uint64_t kSeed = 20261;
constexpr int kRounds = 40;
constexpr char kKey[] = "of the test, 16 bytes and more";

std::string Hmac(const std::string& text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), kKey, sizeof(kKey) - 1, reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), mac, &size);
  return absl::BytesToHexString(std::string(mac, mac + size));
}

std::string Treated(const std::string& text, v1::PrivacyAction action) {
  return action == v1::PRIVACY_ACTION_HASH ? Hmac(text) : "[masked]";
}

// Plain rules: no wildcards, one entry for each column and attribute.
struct PlainRules {
  std::map<std::string, v1::PrivacyAction> columns;
  std::map<std::string, v1::PrivacyAction> attributes;
};

bool Concerns(const ReferenceJson& json, const PlainRules& rules) {
  for (const ReferenceMember& member : json.members) {
    const auto rule = rules.attributes.find(member.key);
    if (rule != rules.attributes.end() &&
        (rule->second == v1::PRIVACY_ACTION_LEAVE_OUT || member.value.type != Type::kNull)) {
      return true;
    }
    if (rule == rules.attributes.end() && Concerns(member.value, rules)) return true;
  }
  return std::any_of(json.elements.begin(), json.elements.end(),
                     [&](const ReferenceJson& element) { return Concerns(element, rules); });
}

std::string Attributes(const ReferenceJson& json, const PlainRules& rules) {
  std::vector<std::string> parts;
  if (json.type == Type::kArray) {
    for (const ReferenceJson& element : json.elements) parts.push_back(Attributes(element, rules));
    return absl::StrCat("[", absl::StrJoin(parts, ","), "]");
  }
  if (json.type != Type::kObject) return std::string(json.raw);
  for (const ReferenceMember& member : json.members) {
    const auto rule = rules.attributes.find(member.key);
    const bool known = rule != rules.attributes.end();
    if (known && rule->second == v1::PRIVACY_ACTION_LEAVE_OUT) continue;
    // Its key as it is written, to the quote that ends it.
    size_t end = 1;
    while (member.raw[end] != '"') end += member.raw[end] == '\\' ? 2 : 1;
    std::string value = Attributes(member.value, rules);
    if (known && member.value.type != Type::kNull) {
      const std::string text =
          member.value.type == Type::kString ? member.value.string : std::string(member.value.raw);
      value = absl::StrCat("\"", Treated(text, rule->second), "\"");
    }
    parts.push_back(absl::StrCat(std::string(member.raw.substr(0, end + 1)), ":", value));
  }
  return absl::StrCat("{", absl::StrJoin(parts, ","), "}");
}

// Applies the rules to finished rows.
void Treat(const PlainRules& rules, v1::RowBatch* batch) {
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    const auto* reflection = batch->GetReflection();
    for (int i = 0; i < reflection->FieldSize(*batch, table.batch_field); ++i) {
      Message* const row = reflection->MutableRepeatedMessage(batch, table.batch_field, i);
      for (int j = 0; j < table.row->field_count(); ++j) {
        const FieldDescriptor* const field = table.row->field(j);
        if (!row->GetReflection()->HasField(*row, field)) continue;
        const auto rule = rules.columns.find(absl::StrCat(table.name(), ".", field->name()));
        if (rule != rules.columns.end() && rule->second == v1::PRIVACY_ACTION_LEAVE_OUT) {
          row->GetReflection()->ClearField(row, field);
          continue;
        }
        const bool attributes = field->name() == "custom_attributes";
        if (rule == rules.columns.end() && !attributes) continue;
        std::string text = row->GetReflection()->GetString(*row, field);
        if (rule != rules.columns.end()) {
          text = Treated(text, rule->second);
        } else if (const auto json = ReferenceJson::Parse(text);
                   json.has_value() && Concerns(*json, rules)) {
          text = Attributes(*json, rules);
        }
        row->GetReflection()->SetString(row, field, text);
      }
    }
  }
}

// Names that the answers' attributes have.
void CollectNames(const ReferenceJson& json, bool inside, std::set<std::string>* names) {
  for (const ReferenceMember& member : json.members) {
    if (inside) names->insert(member.key);
    CollectNames(member.value, inside || member.key == "custom_attributes", names);
  }
  for (const ReferenceJson& element : json.elements) CollectNames(element, inside, names);
}

class PrivacyReferenceTest : public testing::TestWithParam<Answer> {
 protected:
  // About a third of all columns and attributes that can be treated.
  PlainRules Draw(const std::set<std::string>& names, PrivacyRules* rules) {
    PlainRules plain;
    rules->set_hash_key(kKey);
    const auto action = [this] { return static_cast<v1::PrivacyAction>(engine_() % 9); };
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      for (const auto& column : table.description.columns()) {
        const std::string name = absl::StrCat(table.name(), ".", column.name());
        const v1::PrivacyAction drawn = action();
        if (drawn < v1::PRIVACY_ACTION_LEAVE_OUT || drawn > v1::PRIVACY_ACTION_HASH) continue;
        if (rules->AddColumn(name, drawn).ok()) plain.columns[name] = drawn;
      }
    }
    for (const std::string& name : names) {
      const v1::PrivacyAction drawn = action();
      if (drawn < v1::PRIVACY_ACTION_LEAVE_OUT || drawn > v1::PRIVACY_ACTION_HASH) continue;
      EXPECT_TRUE(rules->AddAttribute(name, drawn).ok());
      plain.attributes[name] = drawn;
    }
    return plain;
  }

  std::mt19937_64 engine_{kSeed};
};

TEST_P(PrivacyReferenceTest, FastRowsAreSlowRowsWithTheRulesApplied) {
  const Answer& answer = GetParam();
  const auto parsed = ReferenceJson::Parse(answer.text);
  ASSERT_TRUE(parsed.has_value());
  std::vector<const ReferenceJson*> records = {&*parsed};
  if (!answer.items.empty()) {
    records.clear();
    for (const ReferenceJson& element : parsed->Find(answer.items)->elements) {
      records.push_back(&element);
    }
  }
  std::set<std::string> names;
  for (const ReferenceJson* record : records) CollectNames(*record, false, &names);
  JsonMutation mutation(kSeed, {"custom_attributes", "source", "author", "location", "avatar",
                                "contacts", "conversation_parts", "data", "tags"});
  RecordContext context;
  context.parent_id = answer.parent_id;
  context.parent_role = answer.parent_role;
  context.parts_truncated = false;
  ReferenceContext reference;
  reference.parent_id = answer.parent_id;
  reference.parent_role = answer.parent_role;
  reference.parts_truncated = false;
  const size_t rounds = answer.text.size() / records.size() > 200'000 ? 2 : kRounds;
  for (size_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    auto rules = std::make_shared<PrivacyRules>();
    const PlainRules plain = Draw(names, rules.get());
    const auto tables = RequestTables::Create(TablesNamed({}), {}, rules);
    ASSERT_TRUE(tables.ok());
    std::string record(records[round % records.size()]->raw);
    if (round % 2 == 1) record = mutation.Change(record);
    const auto json = ReferenceJson::Parse(record);
    ASSERT_TRUE(json.has_value());
    v1::RowBatch expected = ReferenceConvert(answer.record, *json, reference).batch;
    Treat(plain, &expected);
    const ConvertedRows rows = ConvertRecordInto(answer.record, record, tables->tables(), context);
    ASSERT_TRUE(rows.status.ok()) << rows.status;
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    ASSERT_TRUE(differencer.Compare(expected, rows.batch)) << difference << record;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PrivacyReferenceTest, testing::ValuesIn(payloads::AllAnswers(kSeed)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace intercom_extractor
