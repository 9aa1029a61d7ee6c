#ifndef TESTS_FUZZ_PROTO_MUTATION_H_
#define TESTS_FUZZ_PROTO_MUTATION_H_

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace intercom_extractor::fuzz {

// Changes messages field by field, so that what comes out is one of the same type: fields
// set, cleared, repeated, exchanged for odd values. Texts stay UTF-8. The same seed makes
// the same changes. Not thread-safe.
class ProtoMutation {
 public:
  // A value for a text or bytes field that means something there; nothing to say: "".
  using Suggest = std::function<std::string(const google::protobuf::FieldDescriptor&, uint64_t)>;

  explicit ProtoMutation(uint64_t seed, Suggest suggest = nullptr)
      : engine_(seed), suggest_(std::move(suggest)) {}

  // One to four changes.
  void Change(google::protobuf::Message* message);

 private:
  uint64_t Below(uint64_t bound) { return engine_() % bound; }
  void ChangeOnce(google::protobuf::Message* message, int depth);
  void ChangeRepeated(google::protobuf::Message* message,
                      const google::protobuf::FieldDescriptor& field, int depth);
  void SetScalar(google::protobuf::Message* message,
                 const google::protobuf::FieldDescriptor& field);
  // `before`: what stood there.
  std::string Text(const google::protobuf::FieldDescriptor& field, std::string before);
  int64_t Number(int64_t before);

  std::mt19937_64 engine_;
  const Suggest suggest_;
};

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_PROTO_MUTATION_H_
