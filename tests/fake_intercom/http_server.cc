#include "tests/fake_intercom/http_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <thread>

namespace intercom_extractor::fake {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr uint64_t kMaxRequestBytes = 16 << 20;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

Request ToRequest(http::request<http::string_body>&& message) {
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  const size_t question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string::npos) {
    request.query = ParseQuery(std::string_view(request.target).substr(question + 1));
  }
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

// One connection. Everything runs on the connection's strand; pending operations
// keep the session alive.
template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, const HttpServer::Handler* handler)
      : stream_(std::move(stream)), timer_(stream_.get_executor()), handler_(*handler) {}

  void Start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code error) {
                                if (!error) self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  void Read() {
    parser_.emplace();
    parser_->body_limit(kMaxRequestBytes);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, size_t) {
                       if (!error) self->Answer();
                     });
  }

  void Answer() {
    if (!parser_) return;
    keep_alive_ = parser_->get().keep_alive();
    const Request request = ToRequest(parser_->release());
    response_ = Response();
    handler_(request, &response_);
    if (response_.delay.count() <= 0) return Send();
    timer_.expires_after(response_.delay);
    timer_.async_wait([self = this->shared_from_this()](beast::error_code error) {
      if (!error) self->Send();
    });
  }

  void Send() {
    switch (response_.delivery) {
      case Delivery::kReset: {
        beast::error_code ignored;
        auto& socket = beast::get_lowest_layer(stream_).socket();
        socket.set_option(asio::socket_base::linger(true, 0), ignored);
        socket.close(ignored);
        return Done();
      }
      case Delivery::kTruncated:
        return SendTruncated();
      case Delivery::kWhole:
        break;
    }
    message_.emplace();
    FillHeader(&*message_);
    message_->body() = std::move(response_.body);
    message_->keep_alive(keep_alive_);
    message_->prepare_payload();
    http::async_write(stream_, *message_,
                      [self = this->shared_from_this()](beast::error_code error, size_t) {
                        self->Done();
                        if (error) return;
                        if (self->keep_alive_) return self->Read();
                        self->Close();
                      });
  }

  void SendTruncated() {
    header_only_.emplace();
    FillHeader(&*header_only_);
    header_only_->content_length(response_.body.size());
    serializer_.emplace(*header_only_);
    http::async_write_header(
        stream_, *serializer_, [self = this->shared_from_this()](beast::error_code error, size_t) {
          if (error) return self->Done();
          const size_t half = self->response_.body.size() / 2;
          asio::async_write(self->stream_, asio::buffer(self->response_.body.data(), half),
                            [self](beast::error_code, size_t) {
                              self->Done();
                              self->Close();
                            });
        });
  }

  template <typename Body>
  void FillHeader(http::response<Body>* message) {
    message->version(11);
    message->result(static_cast<unsigned>(response_.status));
    message->set(http::field::content_type, response_.content_type);
    for (const auto& [name, value] : response_.headers) message->set(name, value);
  }

  void Done() {
    if (response_.on_done) std::exchange(response_.on_done, nullptr)();
  }

  void Close() {
    beast::error_code ignored;
    auto& socket = beast::get_lowest_layer(stream_).socket();
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    socket.close(ignored);
  }

  Stream stream_;
  asio::steady_timer timer_;
  const HttpServer::Handler& handler_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  std::optional<http::response<http::string_body>> message_;
  std::optional<http::response<http::empty_body>> header_only_;
  std::optional<http::response_serializer<http::empty_body>> serializer_;
  bool keep_alive_ = false;
};

}  // namespace

struct HttpServer::Impl {
  Impl(const Options& options, Handler handler_in)
      : handler(std::move(handler_in)), context(options.threads), acceptor(context) {
    if (!options.tls_cert_file.empty() || !options.tls_key_file.empty()) {
      tls.emplace(asio::ssl::context::tls_server);
      tls->use_certificate_chain_file(options.tls_cert_file);
      tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem);
    }
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), options.port);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(asio::socket_base::max_listen_connections);
    port = acceptor.local_endpoint().port();
    Accept();
    for (int i = 0; i < options.threads; ++i) threads.emplace_back([this] { context.run(); });
  }

  ~Impl() {
    context.stop();
    for (std::thread& thread : threads) thread.join();
  }

  void Accept() {
    acceptor.async_accept(asio::make_strand(context),
                          [this](beast::error_code error, tcp::socket socket) {
                            if (error == asio::error::operation_aborted) return;
                            if (!error) Open(std::move(socket));
                            Accept();
                          });
  }

  void Open(tcp::socket socket) {
    beast::error_code error;
    // A client that is gone already.
    if (socket.set_option(tcp::no_delay(true), error)) return;
    if (tls) {
      std::make_shared<Session<TlsStream>>(TlsStream(PlainStream(std::move(socket)), *tls),
                                           &handler)
          ->Start();
    } else {
      std::make_shared<Session<PlainStream>>(PlainStream(std::move(socket)), &handler)->Start();
    }
  }

  const Handler handler;
  std::optional<asio::ssl::context> tls;
  // After what sessions refer to: its destruction ends the sessions.
  asio::io_context context;
  tcp::acceptor acceptor;
  uint16_t port = 0;
  std::vector<std::thread> threads;
};

HttpServer::HttpServer(const Options& options, Handler handler)
    : impl_(std::make_unique<Impl>(options, std::move(handler))) {}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const { return impl_->port; }

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) return value;
  }
  return {};
}

std::string_view Request::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool Request::HasQuery(std::string_view name) const {
  return std::any_of(query.begin(), query.end(),
                     [name](const auto& entry) { return entry.first == name; });
}

std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    const size_t equals = std::min(part.find('='), part.size());
    query.emplace_back(UrlDecode(part.substr(0, equals)),
                       UrlDecode(part.substr(std::min(equals + 1, part.size()))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

std::string UrlDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
               HexDigit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string UrlEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace intercom_extractor::fake
