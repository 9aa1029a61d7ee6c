package intercom.extractor;

/** Correct the request: it names no table, or one that does not exist. */
public final class InvalidRequestException extends ExtractorException {
  private static final long serialVersionUID = 1;

  InvalidRequestException(Failure failure) {
    super(failure);
  }
}
