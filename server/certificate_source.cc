#include "server/certificate_source.h"

#include <utility>

#include "server/log.h"

namespace intercom_extractor {

CertificateSource::CertificateSource(const ServerConfig& config, const Clock* clock,
                                     TlsMaterial material)
    : clock_(clock), looked_at_(clock->Now()), material_(std::move(material)) {
  config_.tls_cert_file = config.tls_cert_file;
  config_.tls_key_file = config.tls_key_file;
  config_.tls_client_ca_file = config.tls_client_ca_file;
}

absl::StatusOr<std::unique_ptr<CertificateSource>> CertificateSource::Create(
    const ServerConfig& config, const Clock* clock) {
  absl::StatusOr<TlsMaterial> material = ReadTlsFiles(config);
  if (!material.ok()) return material.status();
  return std::unique_ptr<CertificateSource>(
      new CertificateSource(config, clock, *std::move(material)));
}

std::optional<TlsMaterial> CertificateSource::TakeNew() {
  MutexLock lock(&mu_);
  if (clock_->Now() - looked_at_ >= kLookAgainAfter) Look();
  if (taken_) return std::nullopt;
  taken_ = true;
  return material_;
}

void CertificateSource::LookNow() {
  MutexLock lock(&mu_);
  Look();
}

void CertificateSource::Look() {
  looked_at_ = clock_->Now();
  absl::StatusOr<TlsMaterial> material = ReadTlsFiles(config_);
  if (!material.ok()) {
    std::string error(material.status().message());
    if (error == error_) return;
    error_ = std::move(error);
    Log(spdlog::level::err, "certificates cannot be read again; those from before stay",
        {{"error", error_}});
    return;
  }
  error_.clear();
  if (*material == material_) return;
  material_ = *std::move(material);
  taken_ = false;
  Log(spdlog::level::info, "certificates read again; new connections get them",
      {{"cert_file", config_.tls_cert_file}});
}

}  // namespace intercom_extractor
