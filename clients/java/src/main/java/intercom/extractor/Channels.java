package intercom.extractor;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Connections to a server. */
final class Channels {
  /** A batch is at most 1 MiB, but a single row may be as large as this. */
  static final int LARGEST_MESSAGE = 64 << 20;

  private static final Pattern HOST = Pattern.compile("(?:\\[([^\\]]*)\\]|([^:]*))(?::\\d+)?");

  /** Numbers only: a name that looks like one would have to be looked up. */
  private static final Pattern LOOPBACK =
      Pattern.compile("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|(?:0{0,4}:){2,7}0{0,3}1");

  private Channels() {}

  /** `credentials` of null: the default, TLS but on this machine. */
  static ManagedChannel open(String target, ChannelCredentials credentials) {
    boolean local = isLocal(target);
    if (credentials == null) {
      credentials = local ? InsecureChannelCredentials.create() : TlsChannelCredentials.create();
    }
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(target, credentials)
            .maxInboundMessageSize(LARGEST_MESSAGE)
            // The server says something at least every 10 s. More than one ping in 30 s it takes
            // for an attack.
            .keepAliveTime(60, TimeUnit.SECONDS)
            .keepAliveTimeout(30, TimeUnit.SECONDS)
            // Which calls are tried again is this package's business.
            .disableServiceConfigLookUp()
            .disableRetry();
    if (local) {
      // A proxy for the internet has no business between us and this machine.
      builder.proxyDetector(address -> null);
    }
    return builder.build();
  }

  /** Whether an address stays within this machine: only there may text travel in the clear. */
  static boolean isLocal(String target) {
    Matcher address = HOST.matcher(target);
    String host;
    if (address.matches()) {
      host = address.group(1) != null ? address.group(1) : address.group(2);
    } else {
      host = target;
    }
    return host.equals("localhost") || LOOPBACK.matcher(host).matches();
  }
}
