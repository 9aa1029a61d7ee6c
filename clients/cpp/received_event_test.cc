#include "clients/cpp/received_event.h"

#include <string>
#include <vector>

#include "clients/cpp/rows.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

grpc::ByteBuffer Bytes(const std::string& content) {
  const grpc::Slice slice(content);
  return grpc::ByteBuffer(&slice, 1);
}

v1::ExtractResponse Batch(int rows, size_t length) {
  v1::ExtractResponse event;
  event.mutable_row_batch()->set_table("users");
  event.mutable_row_batch()->set_generation(1);
  for (int i = 0; i < rows; ++i) {
    v1::User* user = event.mutable_row_batch()->add_users();
    user->set_id(std::string(length, 'i'));
    if (i % 2 == 0) user->set_name("name");
  }
  return event;
}

v1::ExtractResponse Checkpoint() {
  v1::ExtractResponse event;
  event.mutable_checkpoint()->set_number(1);
  return event;
}

// Every event comes out as it is in a message that was never used.
TEST(ReceivedEventTest, NothingOfAnEarlierEventStays) {
  v1::ExtractResponse tags;
  tags.mutable_row_batch()->add_tags()->set_name("tag");
  ReceivedEvent received;
  for (int round = 0; round < 100; ++round) {
    for (const v1::ExtractResponse& event :
         {Batch(10, 20), Batch(3, 40), Checkpoint(), Batch(5, 1), tags, v1::ExtractResponse(),
          Batch(0, 0), Batch(2, size_t{3} << 20), Checkpoint(), Checkpoint(), Batch(1, 1)}) {
      grpc::ByteBuffer bytes = Bytes(event.SerializeAsString());
      ASSERT_TRUE(received.Parse(&bytes));
      ASSERT_EQ(received.get().SerializeAsString(), event.SerializeAsString());
    }
  }
}

TEST(ReceivedEventTest, RowsUseTheMemoryOfTheRowsBefore) {
  ReceivedEvent received;
  grpc::ByteBuffer bytes = Bytes(Batch(10, 20).SerializeAsString());
  ASSERT_TRUE(received.Parse(&bytes));
  const v1::User* user = &received.get().row_batch().users(0);
  for (const v1::ExtractResponse& event : {Checkpoint(), Batch(4, 20)}) {
    bytes = Bytes(event.SerializeAsString());
    ASSERT_TRUE(received.Parse(&bytes));
  }
  EXPECT_EQ(&received.get().row_batch().users(0), user);
}

TEST(ReceivedEventTest, MemoryOfALargeRowIsGivenBack) {
  ReceivedEvent received;
  grpc::ByteBuffer bytes = Bytes(Batch(1, size_t{8} << 20).SerializeAsString());
  ASSERT_TRUE(received.Parse(&bytes));
  bytes = Bytes(Batch(1, 1).SerializeAsString());
  ASSERT_TRUE(received.Parse(&bytes));
  EXPECT_LT(received.get().SpaceUsedLong(), size_t{1} << 20);
}

// In pieces, as a network gives it.
grpc::ByteBuffer Pieces(const std::string& content) {
  std::vector<grpc::Slice> slices;
  for (size_t i = 0; i < content.size(); i += 7) slices.emplace_back(content.substr(i, 7));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

TEST(ReceivedEventTest, SerializedRowsAreThoseOfTheBatchAndTheRestIsParsed) {
  v1::ExtractResponse parents = Batch(0, 0);
  parents.mutable_row_batch()->add_parents()->set_id("5");
  ReceivedEvent received(ReceivedEvent::Rows::kSerialized);
  for (const v1::ExtractResponse& event :
       {Batch(10, 20), Checkpoint(), Batch(3, 40), parents, v1::ExtractResponse(), Batch(0, 0),
        Batch(2, size_t{3} << 20), Batch(1, 1)}) {
    grpc::ByteBuffer bytes = Pieces(event.SerializeAsString());
    ASSERT_TRUE(received.Parse(&bytes));
    v1::ExtractResponse expected = event;
    if (event.has_row_batch()) expected.mutable_row_batch()->clear_users();
    EXPECT_EQ(received.get().SerializeAsString(), expected.SerializeAsString());
    ASSERT_EQ(received.row_count(), event.row_batch().users_size());
    for (int i = 0; i < received.row_count(); ++i) {
      EXPECT_EQ(received.serialized_rows()[i], event.row_batch().users(i).SerializeAsString());
    }
  }
}

TEST(ReceivedEventTest, SerializedRowsOfABatchWithSomethingBesideAreFound) {
  const std::string content =
      Batch(3, 5).SerializeAsString() + Batch(2, 9).SerializeAsString() + "\xf8\x3f\x01";
  grpc::ByteBuffer bytes = Pieces(content);
  ReceivedEvent received(ReceivedEvent::Rows::kSerialized);
  ASSERT_TRUE(received.Parse(&bytes));
  v1::ExtractResponse event;
  ASSERT_TRUE(event.ParseFromString(content));
  ASSERT_EQ(received.row_count(), 5);
  EXPECT_EQ(received.get().row_batch().table(), "users");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(received.serialized_rows()[i], event.row_batch().users(i).SerializeAsString());
  }
}

TEST(ReceivedEventTest, SerializedRowsOfATableThatIsNotKnownAreKept) {
  v1::RowBatch batch;
  batch.set_table("calls");
  batch.GetReflection()->MutableUnknownFields(&batch)->AddLengthDelimited(60, "a call");
  v1::ExtractResponse event;
  *event.mutable_row_batch() = batch;
  grpc::ByteBuffer bytes = Pieces(event.SerializeAsString());
  ReceivedEvent received(ReceivedEvent::Rows::kSerialized);
  ASSERT_TRUE(received.Parse(&bytes));
  EXPECT_EQ(received.serialized_rows(), SerializedRows({"a call"}));
}

TEST(ReceivedEventTest, EventThatIsCutIsNone) {
  const std::string content = Batch(2, 5).SerializeAsString();
  for (const auto rows : {ReceivedEvent::Rows::kParsed, ReceivedEvent::Rows::kSerialized}) {
    ReceivedEvent received(rows);
    for (size_t size = 1; size < content.size(); ++size) {
      grpc::ByteBuffer bytes = Pieces(content.substr(0, size));
      EXPECT_FALSE(received.Parse(&bytes)) << size;
    }
  }
}

TEST(ReceivedEventTest, WhatIsNoEventIsSaid) {
  ReceivedEvent received;
  for (const char* content : {"\x0a\x05x", "\xff"}) {
    grpc::ByteBuffer bytes = Bytes(content);
    EXPECT_FALSE(received.Parse(&bytes));
  }
  grpc::ByteBuffer bytes = Bytes(Batch(1, 1).SerializeAsString());
  EXPECT_TRUE(received.Parse(&bytes));
}

}  // namespace
}  // namespace intercom_extractor
