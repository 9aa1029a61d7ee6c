package intercom.extractor;

/** No quota, or no room; with a {@link #retryDelay()} where waiting helps. */
public final class ResourceExhaustedException extends ExtractorException {
  private static final long serialVersionUID = 1;

  ResourceExhaustedException(Failure failure) {
    super(failure);
  }
}
