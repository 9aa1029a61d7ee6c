package intercom.extractor;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a call failed with, before it is an exception. A retryDelay of null: nobody said. */
record Failure(
    Status.Code code,
    String reason,
    String message,
    Map<String, String> metadata,
    Duration retryDelay,
    Throwable cause) {

  /** What this package itself says. */
  static Failure of(Status.Code code, String message) {
    return new Failure(code, "", message, Map.of(), null, null);
  }

  /** What gRPC says of a call. */
  static Failure of(Status status, Metadata trailers) {
    String reason = "";
    Map<String, String> metadata = Map.of();
    Duration retryDelay = null;
    for (Any detail : details(status, trailers)) {
      try {
        if (detail.is(ErrorInfo.class)) {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          reason = info.getReason();
          metadata = info.getMetadataMap();
        } else if (detail.is(RetryInfo.class)) {
          var delay = detail.unpack(RetryInfo.class).getRetryDelay();
          retryDelay = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        }
      } catch (InvalidProtocolBufferException unreadable) {
        // The code and the message say enough.
        continue;
      }
    }
    String description = status.getDescription();
    String message = description == null ? "the server gives no reason" : description;
    return new Failure(
        status.getCode(),
        reason,
        message,
        metadata,
        retryDelay,
        new StatusRuntimeException(status, trailers));
  }

  private static Iterable<Any> details(Status status, Metadata trailers) {
    try {
      return StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList();
    } catch (IllegalArgumentException unreadable) {
      return List.of();
    }
  }

  /**
   * Whether another call can make up for it. What a server says of Intercom has a reason; what gRPC
   * says of the connection has none. CANCELLED, which nobody here asked for, is a server's last
   * answer as it stops.
   */
  boolean isLostConnection() {
    return (code == Status.Code.UNAVAILABLE || code == Status.Code.CANCELLED)
        && (reason.isEmpty()
            || reason.equals("SERVER_STOPPING")
            || reason.equals("CONNECTION_AGE"));
  }

  ExtractorException toException() {
    return switch (code) {
      case INVALID_ARGUMENT -> new InvalidRequestException(this);
      case NOT_FOUND -> new ConnectionUnknownException(this);
      case UNAUTHENTICATED -> new UnauthenticatedException(this);
      case PERMISSION_DENIED -> new PermissionDeniedException(this);
      case RESOURCE_EXHAUSTED -> new ResourceExhaustedException(this);
      case UNAVAILABLE -> new UnavailableException(this);
      case DATA_LOSS -> new BrokenStreamException(this);
      case DEADLINE_EXCEEDED -> new DeadlineExceededException(this);
      case CANCELLED -> new CancelledException(this);
      case FAILED_PRECONDITION ->
          reason.startsWith("RESUME_TOKEN_")
              ? new ResumeTokenException(this)
              : new ExtractorException(this);
      default -> new ExtractorException(this);
    };
  }
}
