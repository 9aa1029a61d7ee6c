#include "extractor/tables/record_reader.h"

#include <string>

#include "absl/base/attributes.h"

namespace intercom_extractor {
namespace {

using Kind = JsonValue::Kind;
using Step = JsonDocument::Step;

// Objects with generated keys must not grow what is learned without end.
constexpr size_t kMostSeenKeys = 256;

}  // namespace

absl::Status RecordReader::Read(JsonDocument* document, Token* token, RecordValues* values) {
  document_ = document;
  values_ = values;
  values->slots.assign(static_cast<size_t>(shape_->record_slots()), JsonValue());
  values->lists.resize(shape_->lists().size());
  for (ListValues& list : values->lists) {
    list.present = list.misplaced = false;
    list.count = 0;
    list.values.clear();
    list.outer.clear();
  }
  return ReadRecord(token, shape_->root(), {-1, 0, values->slots.data()});
}

absl::Status RecordReader::ReadElement(JsonDocument* document, Token* token, int list,
                                       RecordValues* values) {
  document_ = document;
  values_ = values;
  for (size_t i = 0; i < values->lists.size(); ++i) {
    if (static_cast<int>(i) != list && shape_->lists()[i].parent != list) continue;
    values->lists[i] = ListValues();
  }
  ListValues& target = values->lists[list];
  target.present = true;
  target.count = 1;
  target.values.resize(static_cast<size_t>(shape_->lists()[list].slots));
  target.outer.push_back(0);
  return ReadRecord(token, shape_->lists()[list].element.get(), {list, 0, target.values.data()});
}

absl::Status RecordReader::ReadRecord(Token* token, Shape::Node* node, const Place& place) {
  if (*token >= document_->end() || document_->At(*token) != '{') {
    return absl::DataLossError("malformed JSON: an object was expected");
  }
  const Token behind = ReadObject(*token, node, place);
  if (behind == nullptr) return absl::DataLossError("malformed JSON: an object is broken");
  *token = behind;
  return absl::OkStatus();
}

// Where a third of the time goes: inlined, as the compiler would not.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline RecordReader::Token RecordReader::ReadValue(
    Token token, Shape::Node* node, const Place& place) {
  const char first = document_->At(token);
  if (first == '{') {
    return node->wants_object() ? ReadObject(token, node, place) : ReadWhole(token, *node, place);
  }
  if (first == '[') {
    return node->list >= 0 ? ReadList(token, node->list, place.element)
                           : ReadWhole(token, *node, place);
  }
  if (node->scalar >= 0) {
    return document_->ReadScalar(token, &place.slots[node->scalar]) ? token + 1 : nullptr;
  }
  return ReadMisplaced(token, *node, place);
}

RecordReader::Token RecordReader::ReadObject(Token token, Shape::Node* node, const Place& place) {
  // The key that should come next.
  const Shape::SeenKey* expected = node->seen.data();
  const Shape::SeenKey* last = expected + node->seen.size();
  Step step = document_->Enter(&token, '}');
  for (; step == Step::kMember; step = document_->Next(&token, '}')) {
    if (!document_->IsMember(token)) return nullptr;
    Shape::Node* child = nullptr;
    if (expected != last && expected->Matches(document_->Text(token))) {
      child = expected++->node();
    } else if (const auto key = document_->Key(token)) {
      size_t next = static_cast<size_t>(expected - node->seen.data());
      child = LookUp({key->data(), key->size()}, node, &next);
      expected = node->seen.data() + next;
      last = node->seen.data() + node->seen.size();
    } else {
      return nullptr;
    }
    token += 2;
    token = child == nullptr ? document_->Skip(token) : ReadValue(token, child, place);
  }
  return step == Step::kEnd ? token : nullptr;
}

Shape::Node* RecordReader::LookUp(absl::string_view key, Shape::Node* node, size_t* expected) {
  if (const auto seen = node->seen_index.find(key); seen != node->seen_index.end()) {
    *expected = static_cast<size_t>(seen->second) + 1;
    return node->seen[static_cast<size_t>(seen->second)].node();
  }
  Shape::Node* child = nullptr;
  if (const auto wanted = node->fields.find(key); wanted != node->fields.end()) {
    child = wanted->second.get();
  }
  if (node->seen.size() < kMostSeenKeys && Shape::SeenKey::CanLearn(key)) {
    node->seen_index.emplace(std::string(key), static_cast<int>(node->seen.size()));
    node->seen.emplace_back(key, child);
    *expected = node->seen.size();
  }
  return child;
}

RecordReader::Token RecordReader::ReadMisplaced(Token token, const Shape::Node& node,
                                                const Place& place) {
  JsonValue scalar;
  if (!document_->ReadScalar(token, &scalar)) return nullptr;
  if (scalar.kind != Kind::kNull) Misplace(node, place, scalar.raw);
  return token + 1;
}

RecordReader::Token RecordReader::ReadWhole(Token token, const Shape::Node& node,
                                            const Place& place) {
  const Token behind = document_->Skip(token);
  if (behind == nullptr) return nullptr;
  const std::string_view raw = document_->Raw(token, behind);
  if (node.scalar >= 0) {
    place.slots[node.scalar] = {raw.front() == '{' ? Kind::kObject : Kind::kArray, raw, raw};
  } else {
    Misplace(node, place, raw);
  }
  return behind;
}

RecordReader::Token RecordReader::ReadList(Token token, int list, size_t outer) {
  const auto slots = static_cast<size_t>(shape_->lists()[list].slots);
  Shape::Node* const node = shape_->lists()[list].element.get();
  values_->lists[list].present = true;
  Step step = document_->Enter(&token, ']');
  for (; step == Step::kMember; step = document_->Next(&token, ']')) {
    if (document_->At(token) != '{') {
      values_->lists[list].misplaced = true;
      token = document_->Skip(token);
      continue;
    }
    ListValues& target = values_->lists[list];
    const size_t element = target.count++;
    target.values.resize(target.count * slots);
    target.outer.push_back(static_cast<uint32_t>(outer));
    // Reading the element grows the vectors of inner lists only.
    token = ReadObject(token, node, {list, element, target.values.data() + element * slots});
  }
  return step == Step::kEnd ? token : nullptr;
}

// Every wanted value below `node` is in the wrong place, which its columns and
// lists will report.
void RecordReader::Misplace(const Shape::Node& node, const Place& place, std::string_view raw) {
  if (node.list >= 0) values_->lists[node.list].misplaced = true;
  for (const auto& [key, child] : node.fields) {
    if (child->scalar >= 0) place.slots[child->scalar] = {Kind::kMisplaced, raw, raw};
    Misplace(*child, place, raw);
  }
}

}  // namespace intercom_extractor
