package intercom.extractor;

/** Something that is read without ever waiting; by one thread at a time. */
interface Source<T> {
  /**
   * The next one, or null where there is none now, or none any more. Throws an ExtractorException
   * once, which ends it.
   */
  T poll();

  /** No more will come. */
  boolean ended();
}
