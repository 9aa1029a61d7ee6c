package intercom.extractor;

import io.grpc.Status;

/**
 * Rows may be missing, as the server broke the promises of its stream or Intercom's answers are no
 * good. Report it.
 */
public final class BrokenStreamException extends ExtractorException {
  private static final long serialVersionUID = 1;

  BrokenStreamException(Failure failure) {
    super(failure);
  }

  BrokenStreamException(String format, Object... arguments) {
    this(
        Failure.of(
            Status.Code.DATA_LOSS,
            "the server's stream is broken: " + String.format(format, arguments)));
  }
}
