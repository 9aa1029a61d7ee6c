package intercom.extractor;

/** The resume token cannot be used, and never will be: extract anew. */
public final class ResumeTokenException extends ExtractorException {
  private static final long serialVersionUID = 1;

  ResumeTokenException(Failure failure) {
    super(failure);
  }
}
