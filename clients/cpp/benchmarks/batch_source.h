#ifndef CLIENTS_CPP_BENCHMARKS_BATCH_SOURCE_H_
#define CLIENTS_CPP_BENCHMARKS_BATCH_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "grpcpp/server.h"

namespace intercom_extractor {

// A server that sends the same batches again and again, without work of its own, so that
// its reader is what is measured.
class BatchSource {
 public:
  // Listens on a free port of the loopback. Each stream has at least `rows` rows.
  explicit BatchSource(int64_t rows);
  ~BatchSource();
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;

  // "127.0.0.1:PORT".
  std::string address() const;

 private:
  class Service;

  const std::unique_ptr<Service> service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_BENCHMARKS_BATCH_SOURCE_H_
