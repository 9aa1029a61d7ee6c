package intercom.extractor;

/** The time that the caller gave is over. */
public final class DeadlineExceededException extends ExtractorException {
  private static final long serialVersionUID = 1;

  DeadlineExceededException(Failure failure) {
    super(failure);
  }
}
