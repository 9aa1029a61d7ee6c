#ifndef SERVER_CERTIFICATE_SOURCE_H_
#define SERVER_CERTIFICATE_SOURCE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "server/server_config.h"
#include "server/tls_files.h"

namespace intercom_extractor {

// Certificates, key and client authorities that are read again when their files change.
// Files that do not fit together (a new certificate whose key is still to come, say) leave
// what was there; the log has why, once for each error.
//
// Thread-safe.
class CertificateSource {
 public:
  // How long a change of the files may go unseen.
  static constexpr absl::Duration kLookAgainAfter = absl::Seconds(1);

  // Reads the `tls_*` files of `config`; errors as ReadTlsFiles(). `clock` must outlive it.
  static absl::StatusOr<std::unique_ptr<CertificateSource>> Create(const ServerConfig& config,
                                                                   const Clock* clock);

  // What is to be used from now on; nothing when it is what the last call gave. Looks at
  // the files unless it did so within the last second. Called for each new connection.
  std::optional<TlsMaterial> TakeNew() ABSL_LOCKS_EXCLUDED(mu_);

  // Looks at the files now.
  void LookNow() ABSL_LOCKS_EXCLUDED(mu_);

  bool wants_client_certificates() const { return !config_.tls_client_ca_file.empty(); }

 private:
  CertificateSource(const ServerConfig& config, const Clock* clock, TlsMaterial material);
  void Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Only the `tls_*` files.
  ServerConfig config_;
  const Clock* const clock_;

  Mutex mu_;
  absl::Time looked_at_ ABSL_GUARDED_BY(mu_);
  TlsMaterial material_ ABSL_GUARDED_BY(mu_);
  bool taken_ ABSL_GUARDED_BY(mu_) = false;
  // What was wrong when they were looked at last; empty: nothing.
  std::string error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // SERVER_CERTIFICATE_SOURCE_H_
