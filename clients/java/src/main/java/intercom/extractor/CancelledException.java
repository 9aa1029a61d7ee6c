package intercom.extractor;

/**
 * The caller has enough: it closed the extraction or its client, was interrupted, or ended gRPC's
 * context.
 */
public final class CancelledException extends ExtractorException {
  private static final long serialVersionUID = 1;

  CancelledException(Failure failure) {
    super(failure);
  }
}
