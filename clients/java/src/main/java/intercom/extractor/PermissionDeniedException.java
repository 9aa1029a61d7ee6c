package intercom.extractor;

/** The access token lacks a scope, or the workspace's plan does not include it. */
public final class PermissionDeniedException extends ExtractorException {
  private static final long serialVersionUID = 1;

  PermissionDeniedException(Failure failure) {
    super(failure);
  }
}
