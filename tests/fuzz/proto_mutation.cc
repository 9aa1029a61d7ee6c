#include "tests/fuzz/proto_mutation.h"

#include <array>
#include <limits>

#include "absl/strings/string_view.h"

namespace intercom_extractor::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kMaxDepth = 6;

}  // namespace

void ProtoMutation::Change(Message* message) {
  for (uint64_t changes = 1 + Below(4); changes > 0; --changes) ChangeOnce(message, 0);
}

void ProtoMutation::ChangeOnce(Message* message, int depth) {
  const int fields = message->GetDescriptor()->field_count();
  if (fields == 0) return;
  const FieldDescriptor& field =
      *message->GetDescriptor()->field(static_cast<int>(Below(static_cast<uint64_t>(fields))));
  const Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) return ChangeRepeated(message, field, depth);
  if (Below(8) == 0) return reflection.ClearField(message, &field);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return SetScalar(message, field);
  if (depth < kMaxDepth) ChangeOnce(reflection.MutableMessage(message, &field), depth + 1);
}

void ProtoMutation::ChangeRepeated(Message* message, const FieldDescriptor& field, int depth) {
  const Reflection& reflection = *message->GetReflection();
  const int size = reflection.FieldSize(*message, &field);
  const bool messages = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const uint64_t what = size == 0 ? 0 : Below(6);
  if (what == 0) {
    if (messages) {
      Message* added = reflection.AddMessage(message, &field);
      // Often like one that is there.
      if (size > 0 && Below(2) == 0) {
        added->CopyFrom(reflection.GetRepeatedMessage(
            *message, &field, static_cast<int>(Below(static_cast<uint64_t>(size)))));
      }
      if (depth < kMaxDepth) ChangeOnce(added, depth + 1);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.AddString(message, &field, Text(field, ""));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      reflection.AddInt32(message, &field, static_cast<int32_t>(Number(0)));
    }
    return;
  }
  const int at = static_cast<int>(Below(static_cast<uint64_t>(size)));
  if (what == 1) {
    reflection.SwapElements(message, &field, at, size - 1);
    reflection.RemoveLast(message, &field);
  } else if (messages && depth < kMaxDepth) {
    ChangeOnce(reflection.MutableRepeatedMessage(message, &field, at), depth + 1);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    reflection.SetRepeatedString(message, &field, at,
                                 Text(field, reflection.GetRepeatedString(*message, &field, at)));
  }
}

void ProtoMutation::SetScalar(Message* message, const FieldDescriptor& field) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(
          message, &field, static_cast<int32_t>(Number(reflection.GetInt32(*message, &field))));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(message, &field, Number(reflection.GetInt64(*message, &field)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(
          message, &field, static_cast<uint32_t>(Number(reflection.GetUInt32(*message, &field))));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(message, &field, !reflection.GetBool(*message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      // Now and then one that nobody knows.
      return reflection.SetEnumValue(message, &field, static_cast<int>(Below(9)));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(message, &field,
                                  Text(field, reflection.GetString(*message, &field)));
    default:
      return;
  }
}

int64_t ProtoMutation::Number(int64_t before) {
  using Limits = std::numeric_limits<int64_t>;
  constexpr std::array<int64_t, 16> kNumbers = {0,
                                                1,
                                                -1,
                                                2,
                                                3,
                                                7,
                                                11,
                                                1500,
                                                86400,
                                                1700000000,
                                                1699920000,
                                                2147483647,
                                                -2147483648,
                                                253402300800,
                                                Limits::max(),
                                                Limits::min()};
  switch (Below(4)) {
    case 0:
      return kNumbers[Below(kNumbers.size())];
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(before) + Below(200) - 100);
    case 2:
      return static_cast<int64_t>(Below(5000));
    default:
      return static_cast<int64_t>(engine_() >> Below(64));
  }
}

std::string ProtoMutation::Text(const FieldDescriptor& field, std::string before) {
  static constexpr std::array<absl::string_view, 10> kPieces = {
      "a",  "7",  "default",  "users",        " ",
      "\n", "\"", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  if (suggest_ != nullptr && Below(2) == 0) {
    std::string suggested = suggest_(field, engine_());
    if (!suggested.empty()) return suggested;
  }
  if (field.type() == FieldDescriptor::TYPE_BYTES && !before.empty() && Below(2) == 0) {
    const auto at = static_cast<size_t>(Below(before.size()));
    if (Below(3) == 0) {
      before.resize(at);
    } else {
      before[at] = static_cast<char>(before[at] ^ static_cast<char>(1 << Below(8)));
    }
    return before;
  }
  if (Below(3) == 0) before.clear();
  // Long ones, too: what is cut is cut within a character.
  for (uint64_t i = 1 + (Below(6) == 0 ? Below(300) : Below(4)); i > 0; --i) {
    const absl::string_view piece = kPieces[Below(kPieces.size())];
    before.append(piece.data(), piece.size());
  }
  return before;
}

}  // namespace intercom_extractor::fuzz
