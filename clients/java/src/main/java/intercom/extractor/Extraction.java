package intercom.extractor;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import intercom.extractor.v1.ExtractRequest;
import intercom.extractor.v1.ExtractResponse;
import intercom.extractor.v1.Summary;
import intercom.extractor.v1.TableDescription;
import intercom.extractor.v1.Template;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Rows on their way. It begins when the first one is asked for, and is read once: as an {@code
 * Iterable} of rows, with one of the other methods, or by one subscriber of a publisher. Reading
 * slowly slows the extraction at the server, and nothing is dropped. {@link #close()} it when not
 * all is read, so that the server stops asking Intercom.
 *
 * <p>It is read by one thread at a time; any thread may close it, or ask how far it is. What is
 * read throws an {@link ExtractorException}, publishers give it to their subscriber.
 */
public final class Extraction implements Iterable<Row>, AutoCloseable {
  private final ExtractorClient client;
  private final ExtractionRequest request;
  private final ExtractionOptions options;
  private final Mailbox mailbox = new Mailbox();
  private final EventSource events;
  private final BatchSource batches;
  private boolean isRead;

  Extraction(
      ExtractorClient client,
      ExtractionRequest request,
      ExtractRequest message,
      ExtractionOptions options,
      Timing timing) {
    this.client = client;
    this.request = request;
    this.options = options;
    events = new EventSource(client, message, options, mailbox, timing);
    batches = new BatchSource(events, options, !request.resumeToken().isEmpty());
  }

  /**
   * The rows of all tables, which interleave.
   *
   * @return an iterator, whose {@code hasNext} waits for the next row
   */
  @Override
  public Iterator<Row> iterator() {
    return iterator(new RowSource(batches));
  }

  /**
   * The rows of one table with their type, as in {@code for (User user :
   * extraction.rowsOf(User.class))}; those of others are skipped.
   *
   * @param <M> the table's message
   * @param type the table's message
   * @return what can be iterated over once
   */
  public <M extends Message> Iterable<M> rowsOf(Class<M> type) {
    return () -> ofType(type).iterator();
  }

  /**
   * The rows as the server sent them.
   *
   * @return what can be iterated over once
   */
  public Iterable<Batch> batches() {
    return () -> iterator(batches);
  }

  /**
   * Everything: rows, checkpoints, restarts, progress, notices, deletions, the summary. Every event
   * before a checkpoint is covered by its token.
   *
   * @return what can be iterated over once
   */
  public Iterable<ExtractResponse> events() {
    return () -> iterator(events);
  }

  /**
   * The rows of all tables, as a stream that closes the extraction when it is closed.
   *
   * @return a sequential stream
   */
  public Stream<Row> stream() {
    return stream(iterator());
  }

  /**
   * The rows of one table with their type, as in {@link #rowsOf}, as a stream that closes the
   * extraction when it is closed.
   *
   * @param <M> the table's message
   * @param type the table's message
   * @return a sequential stream
   */
  public <M extends Message> Stream<M> stream(Class<M> type) {
    return ofType(type);
  }

  /**
   * The rows of all tables, for one subscriber. As with the others, no thread waits for the server.
   * The end is told to a subscriber that has asked for more.
   *
   * @return the publisher
   */
  public Flow.Publisher<Row> rowPublisher() {
    return publisher(new RowSource(batches));
  }

  /**
   * As {@link #batches()}, for one subscriber.
   *
   * @return the publisher
   */
  public Flow.Publisher<Batch> batchPublisher() {
    return publisher(batches);
  }

  /**
   * As {@link #events()}, for one subscriber.
   *
   * @return the publisher
   */
  public Flow.Publisher<ExtractResponse> eventPublisher() {
    return publisher(events);
  }

  /**
   * Asks the server to describe the tables that are read, with their columns.
   *
   * @return the tables, in the order of their documentation
   */
  public List<TableDescription> tables() {
    return client.tables(Template.TEMPLATE_UNSPECIFIED).stream()
        .filter(table -> request.asksFor(table.getTable()))
        .toList();
  }

  /**
   * The token that covers all rows up to the last checkpoint among those handed out: where another
   * request goes on.
   *
   * @return the token; empty before the first one
   */
  public Optional<ByteString> lastCheckpoint() {
    return Optional.of(events.lastCheckpoint()).filter(token -> !token.isEmpty());
  }

  /**
   * How it ended, table by table.
   *
   * @return the summary; empty before the end
   */
  public Optional<Summary> summary() {
    return Optional.ofNullable(events.summary());
  }

  /**
   * How often the connection was lost and made again.
   *
   * @return how often
   */
  public int reconnects() {
    return events.reconnects();
  }

  /**
   * Cancels what has not ended: the server stops asking Intercom. Who reads on, or waits for a row,
   * gets a {@link CancelledException}.
   */
  @Override
  public void close() {
    events.close();
  }

  private synchronized void read() {
    if (isRead) {
      throw new IllegalStateException("an extraction can be read only once");
    }
    isRead = true;
  }

  private <T> Iterator<T> iterator(Source<T> source) {
    read();
    return new BlockingIterator<>(source, mailbox, this::close);
  }

  private <M extends Message> Stream<M> ofType(Class<M> type) {
    return stream().map(Row::message).filter(type::isInstance).map(type::cast);
  }

  private Stream<Row> stream(Iterator<Row> rows) {
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(rows, traits), false)
        .onClose(this::close);
  }

  private <T> Flow.Publisher<T> publisher(Source<T> source) {
    return Publishers.publisher(
        () -> {
          read();
          return source;
        },
        mailbox,
        options.executor(),
        this::close);
  }
}
