package intercom.extractor;

/** The server, or Intercom behind it, could not be reached. */
public final class UnavailableException extends ExtractorException {
  private static final long serialVersionUID = 1;

  UnavailableException(Failure failure) {
    super(failure);
  }
}
