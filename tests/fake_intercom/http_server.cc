#include "tests/fake_intercom/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <thread>

#include "tests/fake_intercom/wire_bytes.h"

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

template <typename Stream>
void Reset(Stream* stream) {
  beast::error_code ignored;
  auto& socket = beast::get_lowest_layer(*stream).socket();
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

template <typename Stream>
void CloseAbruptly(Stream* stream) {
  beast::error_code ignored;
  auto& socket = beast::get_lowest_layer(*stream).socket();
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  socket.close(ignored);
}

// Where connections come in. Its own work runs on one strand.
class Door {
 public:
  using Enter = std::function<void(tcp::socket)>;

  // Throws std::exception when the port cannot be used.
  Door(asio::io_context* context, uint16_t port, Enter enter)
      : context_(*context),
        acceptor_(asio::make_strand(*context)),
        reopening_(acceptor_.get_executor()),
        enter_(std::move(enter)),
        endpoint_(asio::ip::address_v4::loopback(), port) {
    Open();
    endpoint_ = acceptor_.local_endpoint();
  }

  uint16_t port() const { return endpoint_.port(); }

  // Whether connections that are there are not served either. Any thread.
  bool refuses() const { return refuses_; }

  // Nothing listens for so long. Any thread.
  void RefuseFor(std::chrono::microseconds time) {
    refuses_ = true;
    asio::post(acceptor_.get_executor(), [this, time] {
      beast::error_code ignored;
      acceptor_.close(ignored);
      ReopenAfter(time);
    });
  }

 private:
  void Open() {
    acceptor_.open(endpoint_.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint_);
    acceptor_.listen(asio::socket_base::max_listen_connections);
    Accept();
  }

  void ReopenAfter(std::chrono::microseconds time) {
    reopening_.expires_after(time);
    reopening_.async_wait([this](beast::error_code error) {
      if (error) return;
      try {
        Open();
        refuses_ = false;
      } catch (const boost::system::system_error&) {
        // Somebody else has the port for a moment.
        acceptor_.close(error);
        ReopenAfter(std::chrono::milliseconds(50));
      }
    });
  }

  void Accept() {
    acceptor_.async_accept(asio::make_strand(context_),
                           [this](beast::error_code error, tcp::socket socket) {
                             if (error == asio::error::operation_aborted) return;
                             if (!error) enter_(std::move(socket));
                             if (acceptor_.is_open()) Accept();
                           });
  }

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  asio::steady_timer reopening_;
  const Enter enter_;
  tcp::endpoint endpoint_;
  std::atomic<bool> refuses_{false};
};

// A connection that never gets as far as a request.
class OddConnection : public std::enable_shared_from_this<OddConnection> {
 public:
  OddConnection(PlainStream stream, ConnectionFault fault)
      : stream_(std::move(stream)), fault_(fault) {}

  void Start() {
    if (fault_ == ConnectionFault::kReset) return Reset(&stream_);
    if (fault_ == ConnectionFault::kClose) return CloseAbruptly(&stream_);
    Read();
  }

 private:
  void Read() {
    stream_.async_read_some(asio::buffer(heard_),
                            [self = shared_from_this()](beast::error_code error, size_t) {
                              if (error) return;
                              if (self->fault_ == ConnectionFault::kSilence) return self->Read();
                              self->Say();
                            });
  }

  void Say() {
    // A TLS 1.2 record of two bytes: fatal, handshake failure.
    static constexpr std::string_view kAlert("\x15\x03\x03\x00\x02\x02\x28", 7);
    static constexpr std::string_view kGarbage = "\x01\x7f neither TLS nor HTTP \xfe\xff\r\n\r\n";
    const std::string_view said = fault_ == ConnectionFault::kTlsAlert ? kAlert : kGarbage;
    asio::async_write(
        stream_, asio::buffer(said),
        [self = shared_from_this()](beast::error_code, size_t) { CloseAbruptly(&self->stream_); });
  }

  PlainStream stream_;
  const ConnectionFault fault_;
  std::array<char, 4096> heard_;
};

// One connection. Everything runs on the connection's strand; pending operations
// keep the session alive.
template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, const HttpServer::Handler* handler, Door* door)
      : stream_(std::move(stream)),
        timer_(stream_.get_executor()),
        handler_(*handler),
        door_(*door) {}

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
    const Delivery& delivery = response_.delivery;
    if (delivery.refuse.count() > 0) door_.RefuseFor(delivery.refuse);
    if (delivery.reset || door_.refuses()) {
      Reset(&stream_);
      return Done();
    }
    if (!delivery.ByTheBook()) {
      wire_ = WireBytes(response_);
      return SendOddly();
    }
    message_.emplace();
    message_->version(11);
    message_->result(static_cast<unsigned>(response_.status));
    if (!response_.content_type.empty()) {
      message_->set(http::field::content_type, response_.content_type);
    }
    for (const auto& [name, value] : response_.headers) message_->set(name, value);
    message_->body() = std::move(response_.body);
    message_->keep_alive(keep_alive_);
    message_->prepare_payload();
    http::async_write(stream_, *message_,
                      [self = this->shared_from_this()](beast::error_code error, size_t) {
                        self->Done();
                        if (error) return;
                        if (self->keep_alive_) return self->Read();
                        CloseAbruptly(&self->stream_);
                      });
  }

  // What is left of `wire_`.
  void SendOddly() {
    const size_t drip = response_.delivery.drip_bytes;
    const size_t piece = drip == 0 ? wire_.size() : std::min(drip, wire_.size());
    asio::async_write(stream_, asio::buffer(wire_.data(), piece),
                      [self = this->shared_from_this(), piece](beast::error_code error, size_t) {
                        if (error) return self->Done();
                        self->wire_.erase(0, piece);
                        if (self->wire_.empty()) return self->EndOddly();
                        self->timer_.expires_after(self->response_.delivery.drip_interval);
                        self->timer_.async_wait([self](beast::error_code stopped) {
                          if (!stopped) self->SendOddly();
                        });
                      });
  }

  void EndOddly() {
    Done();
    switch (response_.delivery.end) {
      case Delivery::End::kKeep:
        if (keep_alive_) return Read();
        break;
      case Delivery::End::kReset:
        return Reset(&stream_);
      case Delivery::End::kClose:
        if constexpr (std::is_same_v<Stream, TlsStream>) {
          stream_.async_shutdown([self = this->shared_from_this()](beast::error_code) {
            CloseAbruptly(&self->stream_);
          });
          return;
        }
        break;
      case Delivery::End::kAbrupt:
        break;
    }
    CloseAbruptly(&stream_);
  }

  void Done() {
    if (response_.on_done) std::exchange(response_.on_done, nullptr)();
  }

  Stream stream_;
  asio::steady_timer timer_;
  const HttpServer::Handler& handler_;
  Door& door_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  std::optional<http::response<http::string_body>> message_;
  std::string wire_;
  bool keep_alive_ = false;
};

}  // namespace

struct HttpServer::Impl {
  Impl(const Options& options_in, Handler handler_in)
      : options(options_in), handler(std::move(handler_in)), context(options.threads) {
    if (!options.tls_cert_file.empty() || !options.tls_key_file.empty()) {
      tls.emplace(asio::ssl::context::tls_server);
      tls->use_certificate_chain_file(options.tls_cert_file);
      tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem);
    }
    door.emplace(&context, options.port, [this](tcp::socket socket) { Enter(std::move(socket)); });
    for (int i = 0; i < options.threads; ++i) threads.emplace_back([this] { context.run(); });
  }

  ~Impl() {
    context.stop();
    for (std::thread& thread : threads) thread.join();
  }

  void Enter(tcp::socket socket) {
    beast::error_code error;
    // A client that is gone already.
    if (socket.set_option(tcp::no_delay(true), error)) return;
    const ConnectionFault fault =
        options.on_connection ? options.on_connection() : ConnectionFault::kNone;
    PlainStream stream(std::move(socket));
    if (fault != ConnectionFault::kNone) {
      std::make_shared<OddConnection>(std::move(stream), fault)->Start();
    } else if (tls) {
      std::make_shared<Session<TlsStream>>(TlsStream(std::move(stream), *tls), &handler, &*door)
          ->Start();
    } else {
      std::make_shared<Session<PlainStream>>(std::move(stream), &handler, &*door)->Start();
    }
  }

  const Options options;
  const Handler handler;
  std::optional<asio::ssl::context> tls;
  // After what sessions refer to: its destruction ends the sessions.
  asio::io_context context;
  std::optional<Door> door;
  std::vector<std::thread> threads;
};

HttpServer::HttpServer(const Options& options, Handler handler)
    : impl_(std::make_unique<Impl>(options, std::move(handler))) {}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const { return impl_->door->port(); }

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
