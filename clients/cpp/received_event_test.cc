#include "clients/cpp/received_event.h"

#include <string>

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
