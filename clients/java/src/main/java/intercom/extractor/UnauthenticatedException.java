package intercom.extractor;

/** Intercom refuses the connection's access token, or the server this caller. */
public final class UnauthenticatedException extends ExtractorException {
  private static final long serialVersionUID = 1;

  UnauthenticatedException(Failure failure) {
    super(failure);
  }
}
