#include "release/build_info.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/stubs/common.h"
#include "grpcpp/grpcpp.h"
#include "release/facts.h"

namespace intercom_extractor {
namespace {

std::string ProtobufVersion() {
  return absl::StrFormat("%d.%d.%d", GOOGLE_PROTOBUF_VERSION / 1'000'000,
                         GOOGLE_PROTOBUF_VERSION / 1'000 % 1'000, GOOGLE_PROTOBUF_VERSION % 1'000);
}

}  // namespace

absl::string_view Version() { return kVersion; }

std::string VersionText(absl::string_view program) {
  return absl::StrCat(program, " ", kVersion, "\nrevision   ", kRevision, "\ncompiler   ",
                      kCompiler, "\nlibraries  gRPC ", grpc::Version(), ", protobuf ",
                      ProtobufVersion(), ", libcurl ", curl_version_info(CURLVERSION_NOW)->version,
                      ", OpenSSL ", OpenSSL_version(OPENSSL_VERSION_STRING),
                      "\ncontracts  intercom.extractor.v1, Intercom API 2.16\n");
}

}  // namespace intercom_extractor
