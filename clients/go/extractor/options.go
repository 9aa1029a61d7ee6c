package extractor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// largestMessage: a batch is at most 1 MiB, but a single row may be as large as this.
const largestMessage = 64 << 20

// Option sets something of a [Client].
type Option func(*settings)

type settings struct {
	connection string
	token      string
	tls        *tls.Config
	extra      []grpc.DialOption
	timing     timing
}

// WithConnection names one of the server's connections to Intercom, instead of "default".
func WithConnection(name string) Option {
	return func(s *settings) { s.connection = name }
}

// WithToken shows the server the token that it asks its callers for.
func WithToken(token string) Option {
	return func(s *settings) { s.token = token }
}

// WithTLS uses TLS of one's own, also to targets on this machine; see [LoadTLS].
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.tls = config }
}

// WithDialOptions adds options of gRPC's, such as interceptors, after those of this package.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.extra = append(s.extra, options...) }
}

func withTiming(timing timing) Option {
	return func(s *settings) { s.timing = timing }
}

// LoadTLS makes a configuration from PEM files: caFile has the authorities to trust, the system's
// where it is empty; certFile and keyFile have the client's certificate, if it has one.
func LoadTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		authorities, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("%s holds no certificate", caFile)
		}
	}
	if certFile != "" || keyFile != "" {
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

func (s *settings) dialOptions(target string) []grpc.DialOption {
	config := s.tls
	if config == nil && !isLocal(target) {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport := insecure.NewCredentials()
	if config != nil {
		transport = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestMessage)),
		// The server says something at least every 10 s. More than one ping in 30 s it takes
		// for an attack.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: time.Minute, Timeout: 30 * time.Second,
		}),
		// By default gRPC waits up to two minutes before it connects again.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2,
				MaxDelay: time.Second,
			},
			MinConnectTimeout: 20 * time.Second,
		}),
		// Which calls are tried again is this package's business.
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
	}
	if isLocal(target) {
		// A proxy for the internet has no business between us and this machine.
		options = append(options, grpc.WithNoProxy())
	}
	return append(options, s.extra...)
}

// isLocal says whether an address stays within this machine: only there may text travel in the
// clear.
func isLocal(target string) bool {
	if strings.HasPrefix(target, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		host = strings.Trim(target, "[]")
	}
	if host == "localhost" {
		return true
	}
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback()
}

func checkToken(token string) error {
	for _, sign := range []byte(token) {
		if sign <= ' ' || sign > '~' {
			// Without the token: it would end in logs.
			return errors.New("the caller token must be one word of printable ASCII characters")
		}
	}
	return nil
}
