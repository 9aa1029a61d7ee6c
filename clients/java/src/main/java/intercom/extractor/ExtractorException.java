package intercom.extractor;

import io.grpc.Status;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A call that failed. Its subclasses are the kinds that callers tell apart. It names operations and
 * ids, never a token or customer content.
 */
public class ExtractorException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** gRPC's code. */
  private final Status.Code code;

  /** Of docs/errors.md, or empty. */
  private final String reason;

  /** What it is about. */
  private final TreeMap<String, String> metadata;

  /** Null where nobody said. */
  private final Duration retryDelay;

  ExtractorException(Failure failure) {
    super(
        (failure.reason().isEmpty() ? failure.code().name() : failure.reason())
            + ": "
            + failure.message(),
        failure.cause());
    code = failure.code();
    reason = failure.reason();
    metadata = new TreeMap<>(failure.metadata());
    retryDelay = failure.retryDelay();
  }

  /**
   * gRPC's code.
   *
   * @return the code
   */
  public final Status.Code code() {
    return code;
  }

  /**
   * Why, in the words of docs/errors.md, such as {@code TOKEN_INVALID}.
   *
   * @return the reason; empty when gRPC itself, or this package, says it
   */
  public final String reason() {
    return reason;
  }

  /**
   * What it is about, such as which connection.
   *
   * @return names and values, unmodifiable
   */
  public final Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /**
   * After how long a further try may help.
   *
   * @return the time; empty where the server does not say
   */
  public final Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }
}
