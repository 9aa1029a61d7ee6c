#include "extractor/checkpoint/resume_token.h"

#include <cstdint>
#include <limits>

#include "absl/strings/escaping.h"
#include "extractor/intercom/intercom_client.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

Connection ConnectionOf(const std::string& access_token, const std::string& resume_key = "") {
  Connection connection;
  connection.access_token = access_token;
  connection.resume_key = resume_key;
  return connection;
}

resume::State SomeState() {
  resume::State state;
  state.set_request_digest("digest");
  state.set_made_at(1750000000);
  state.set_number(7);
  state.add_tables()->set_batch_field(11);
  return state;
}

std::string ReasonFor(const ResumeTokenCodec& codec, const std::string& token) {
  const auto state = codec.Open(token);
  if (state.ok()) return "OK";
  EXPECT_EQ(state.status().code(), absl::StatusCode::kFailedPrecondition);
  return ReasonOf(state.status());
}

TEST(ResumeTokenTest, AStateComesBackAsItWas) {
  const ResumeTokenCodec codec(ConnectionOf("secret"));
  const auto state = codec.Open(codec.Seal(SomeState()));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->SerializeAsString(), SomeState().SerializeAsString());
}

// A stream that goes on from them would count beyond what a number holds.
TEST(ResumeTokenTest, NumbersThatNoExtractionReachesAreRefused) {
  const ResumeTokenCodec codec(ConnectionOf("secret"));
  for (const int64_t number :
       {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    resume::State state = SomeState();
    state.set_number(number);
    EXPECT_EQ(ReasonFor(codec, codec.Seal(state)), "RESUME_TOKEN_INVALID");
    state = SomeState();
    state.mutable_tables(0)->set_rows(number);
    EXPECT_EQ(ReasonFor(codec, codec.Seal(state)), "RESUME_TOKEN_INVALID");
    state = SomeState();
    state.mutable_contacts()->mutable_windows()->add_windows()->set_total(number);
    EXPECT_EQ(ReasonFor(codec, codec.Seal(state)), "RESUME_TOKEN_INVALID");
  }
}

TEST(ResumeTokenTest, AnotherServerWithTheSameAccessTokenTakesIt) {
  const std::string token = ResumeTokenCodec(ConnectionOf("secret")).Seal(SomeState());
  EXPECT_EQ(ReasonFor(ResumeTokenCodec(ConnectionOf("secret")), token), "OK");
}

TEST(ResumeTokenTest, AConnectionWithAnotherAccessTokenRefusesIt) {
  const std::string token = ResumeTokenCodec(ConnectionOf("secret")).Seal(SomeState());
  EXPECT_EQ(ReasonFor(ResumeTokenCodec(ConnectionOf("other")), token), "RESUME_TOKEN_INVALID");
}

TEST(ResumeTokenTest, AResumeKeySurvivesANewAccessToken) {
  const std::string token = ResumeTokenCodec(ConnectionOf("old", "key")).Seal(SomeState());
  EXPECT_EQ(ReasonFor(ResumeTokenCodec(ConnectionOf("new", "key")), token), "OK");
  EXPECT_EQ(ReasonFor(ResumeTokenCodec(ConnectionOf("old")), token), "RESUME_TOKEN_INVALID");
}

TEST(ResumeTokenTest, EveryChangedBitAndEveryCutIsNoticed) {
  const ResumeTokenCodec codec(ConnectionOf("secret"));
  const std::string token = codec.Seal(SomeState());
  for (size_t at = 0; at < token.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = token;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_NE(ReasonFor(codec, damaged), "OK") << "byte " << at << ", bit " << bit;
    }
    EXPECT_EQ(ReasonFor(codec, token.substr(0, at)), "RESUME_TOKEN_INVALID") << at;
  }
  EXPECT_EQ(ReasonFor(codec, token + "x"), "RESUME_TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(codec, ""), "RESUME_TOKEN_INVALID");
  EXPECT_EQ(ReasonFor(codec, std::string(ResumeTokenCodec::kMaxTokenBytes + 1, 'i')),
            "RESUME_TOKEN_INVALID");
}

TEST(ResumeTokenTest, AnotherVersionSaysSo) {
  const ResumeTokenCodec codec(ConnectionOf("secret"));
  std::string token = codec.Seal(SomeState());
  token[4] = 2;
  EXPECT_EQ(ReasonFor(codec, token), "RESUME_TOKEN_VERSION");
}

TEST(ResumeTokenTest, NeitherKeyNorAccessTokenStandsInIt) {
  const Connection connection = ConnectionOf("the-access-token", "the-resume-key");
  const std::string token = ResumeTokenCodec(connection).Seal(SomeState());
  EXPECT_EQ(token.find("the-access-token"), std::string::npos);
  EXPECT_EQ(token.find("the-resume-key"), std::string::npos);
}

// A token of the first release: must stay readable, or the version must go up.
TEST(ResumeTokenTest, ATokenOfTheFirstVersionStaysReadable) {
  const ResumeTokenCodec codec(ConnectionOf("secret"));
  const auto state = codec.Open(
      absl::HexStringToBytes("697872740103c4aa79fe75df0cc9d69a750843545ec762e76f9462339238fde1"
                             "97658c85d80a066469676573741080c3bbc20620072a02080b"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->number(), 7);
}

}  // namespace
}  // namespace intercom_extractor
