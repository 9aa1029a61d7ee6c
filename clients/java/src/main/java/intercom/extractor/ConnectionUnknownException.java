package intercom.extractor;

/** The server has no connection of that name. */
public final class ConnectionUnknownException extends ExtractorException {
  private static final long serialVersionUID = 1;

  ConnectionUnknownException(Failure failure) {
    super(failure);
  }
}
