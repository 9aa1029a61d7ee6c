package intercom.extractor;

import intercom.extractor.v1.Checkpoint;
import intercom.extractor.v1.Notice;
import intercom.extractor.v1.Progress;
import intercom.extractor.v1.TableRestarted;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * How to read, and who is told of what besides rows. Those who are told are called where the
 * extraction is read, between two rows. Immutable.
 */
public final class ExtractionOptions {
  private final boolean atLeastOnce;
  private final Duration timeout;
  private final Executor executor;
  private final Consumer<Progress> onProgress;
  private final Consumer<Notice> onNotice;
  private final Consumer<Checkpoint> onCheckpoint;
  private final Consumer<TableRestarted> onTableRestarted;
  private final BiConsumer<ExtractorException, Duration> onReconnect;

  private ExtractionOptions(Builder builder) {
    atLeastOnce = builder.atLeastOnce;
    timeout = builder.timeout;
    executor = builder.executor;
    onProgress = builder.onProgress;
    onNotice = builder.onNotice;
    onCheckpoint = builder.onCheckpoint;
    onTableRestarted = builder.onTableRestarted;
    onReconnect = builder.onReconnect;
  }

  /**
   * Makes options step by step.
   *
   * @return a builder that tells nobody
   */
  public static Builder builder() {
    return new Builder();
  }

  boolean isAtLeastOnce() {
    return atLeastOnce;
  }

  Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  Executor executor() {
    return executor;
  }

  Consumer<Progress> onProgress() {
    return onProgress;
  }

  Consumer<Notice> onNotice() {
    return onNotice;
  }

  Consumer<Checkpoint> onCheckpoint() {
    return onCheckpoint;
  }

  /** Empty: nobody could drop rows that are void. */
  Optional<Consumer<TableRestarted>> onTableRestarted() {
    return Optional.ofNullable(onTableRestarted);
  }

  BiConsumer<ExtractorException, Duration> onReconnect() {
    return onReconnect;
  }

  /** Makes options. */
  public static final class Builder {
    private boolean atLeastOnce;
    private Duration timeout;
    private Executor executor = Publishers.THREADS;
    private Consumer<Progress> onProgress = progress -> {};
    private Consumer<Notice> onNotice = notice -> {};
    private Consumer<Checkpoint> onCheckpoint = checkpoint -> {};
    private Consumer<TableRestarted> onTableRestarted;
    private BiConsumer<ExtractorException, Duration> onReconnect = (lost, pause) -> {};

    private Builder() {}

    /**
     * Hands rows out as they arrive. A connection that is lost and made again repeats those since
     * the last checkpoint, by default none.
     *
     * @return this
     */
    public Builder atLeastOnce() {
      atLeastOnce = true;
      return this;
    }

    /**
     * Ends it with a {@link DeadlineExceededException} when it takes longer, from the first row
     * asked for, lost connections included. A deadline of gRPC's context counts besides.
     *
     * @param most how long it may take
     * @return this
     */
    public Builder timeout(Duration most) {
      timeout = most;
      return this;
    }

    /**
     * Where publishers call their subscriber, in place of threads of this package's own.
     *
     * @param threads the executor
     * @return this
     */
    public Builder executor(Executor threads) {
      executor = threads;
      return this;
    }

    /**
     * Is told at least every 10 seconds how far the extraction is.
     *
     * @param tell whom to tell
     * @return this
     */
    public Builder onProgress(Consumer<Progress> tell) {
      onProgress = tell;
      return this;
    }

    /**
     * Is told of odd records and the like.
     *
     * @param tell whom to tell
     * @return this
     */
    public Builder onNotice(Consumer<Notice> tell) {
      onNotice = tell;
      return this;
    }

    /**
     * Is told when all rows before a checkpoint have been handed out and the next one is asked for.
     *
     * @param tell whom to tell
     * @return this
     */
    public Builder onCheckpoint(Consumer<Checkpoint> tell) {
      onCheckpoint = tell;
      return this;
    }

    /**
     * Is told when a table begins anew, so that the rows of it so far are void. Without it, that is
     * a {@link TableRestartedException} where there were any.
     *
     * @param tell whom to tell
     * @return this
     */
    public Builder onTableRestarted(Consumer<TableRestarted> tell) {
      onTableRestarted = tell;
      return this;
    }

    /**
     * Is told of each lost connection, and how long it takes until the next try.
     *
     * @param tell whom to tell
     * @return this
     */
    public Builder onReconnect(BiConsumer<ExtractorException, Duration> tell) {
      onReconnect = tell;
      return this;
    }

    /**
     * Makes the options.
     *
     * @return the options
     */
    public ExtractionOptions build() {
      return new ExtractionOptions(this);
    }
  }
}
