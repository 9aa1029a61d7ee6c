use std::sync::Mutex;

use futures::{StreamExt as _, TryStreamExt as _};
use tonic::{Code, Status};

use super::*;
use crate::testing::*;
use crate::v1::{ExtractResponse, Tag};

// The clock of these tests stands still while there is something to do, and jumps otherwise.

fn extraction_of(script: &Arc<Script>, request: crate::Request) -> Extraction {
    let random: Random = Arc::new(|| 0.5);
    Extraction::new(script.clone(), random, request.extract(""))
}

fn extract(script: &Arc<Script>) -> Extraction {
    extraction_of(script, crate::Request::tables(["tags"]))
}

/// The ids of all rows, and the error that came after them.
async fn ids(extraction: &mut Extraction) -> (Vec<String>, Option<Error>) {
    let mut ids = Vec::new();
    while let Some(row) = extraction.next().await {
        match row {
            Ok(row) => ids.push(row.value("id").unwrap().to_string()),
            Err(error) => return (ids, Some(error)),
        }
    }
    (ids, None)
}

type Log = Arc<Mutex<Vec<String>>>;

fn log(log: &Log, line: impl Into<String>) {
    log.lock().unwrap().push(line.into());
}

#[tokio::test(start_paused = true)]
async fn an_extraction_gives_rows_and_their_end() {
    let script = Script::new([Call::ends(vec![
        progress(),
        tags(&["a", "b"]),
        notice(),
        checkpoint(1, 2),
        tags(&["c"]),
        checkpoint(2, 1),
        summary(),
    ])]);
    let told = Log::default();
    let (one, two, three) = (told.clone(), told.clone(), told.clone());
    let mut extraction = extract(&script)
        .on_progress(move |_| log(&one, "progress"))
        .on_notice(move |_| log(&two, "notice"))
        .on_checkpoint(move |checkpoint| log(&three, format!("checkpoint {}", checkpoint.number)));
    let (got, error) = ids(&mut extraction).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(got, ["a", "b", "c"]);
    let wanted = ["progress", "notice", "checkpoint 1", "checkpoint 2"];
    assert_eq!(*told.lock().unwrap(), wanted);
    assert!(extraction.summary().is_some());
    assert_eq!(extraction.last_checkpoint(), Some(&b"t2"[..]));
    assert_eq!(extraction.reconnects(), 0);
    assert!(extraction.is_terminated());
    assert!(extraction.next().await.is_none(), "it has ended for good");
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_counts_once_the_next_row_is_asked_for() {
    let script = Script::new([Call::ends(vec![
        tags(&["a"]),
        checkpoint(1, 1),
        tags(&["b"]),
        checkpoint(2, 1),
        summary(),
    ])]);
    let mut extraction = extract(&script);
    let mut before = Vec::new();
    while extraction.try_next().await.unwrap().is_some() {
        before.push(extraction.last_checkpoint().map(<[u8]>::to_vec));
    }
    assert_eq!(before, [None, Some(b"t1".to_vec())]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_goes_on_from_the_last_checkpoint() {
    let hour = Some(Duration::from_secs(3600));
    for end in [
        lost(),
        Status::cancelled("scripted"),
        failure(Code::Unavailable, "SERVER_STOPPING", hour),
        failure(Code::Unavailable, "CONNECTION_AGE", None),
    ] {
        let first = vec![tags(&["a"]), checkpoint(1, 1), tags(&["b"])];
        let second = vec![tags(&["b", "c"]), checkpoint(2, 2), summary()];
        let script = Script::new([Call::fails(first, end.clone()), Call::ends(second)]);
        let told = Log::default();
        let listener = told.clone();
        let mut extraction = extract(&script).on_reconnect(move |error, pause| {
            log(&listener, format!("{:?} {pause:?}", error.code()));
        });
        let start = Instant::now();
        let (got, error) = ids(&mut extraction).await;
        assert!(error.is_none(), "{end:?}: {error:?}");
        assert_eq!(got, ["a", "b", "c"], "{end:?}");
        assert_eq!(script.tokens(), ["", "t1"]);
        assert_eq!(extraction.reconnects(), 1);
        assert_eq!(*told.lock().unwrap(), [format!("{:?} 750ms", end.code())]);
        assert_eq!(start.elapsed().as_millis(), 750);
    }
}

#[tokio::test(start_paused = true)]
async fn at_least_once_repeats_rows_since_the_checkpoint() {
    let first = vec![tags(&["a"]), checkpoint(1, 1), tags(&["b"])];
    let second = vec![tags(&["b"]), checkpoint(2, 1), summary()];
    let script = Script::new([Call::fails(first, lost()), Call::ends(second)]);
    let (got, error) = ids(&mut extract(&script).at_least_once()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(got, ["a", "b", "b"]);
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_the_callers() {
    let cases = [
        (
            vec![progress()],
            failure(Code::ResourceExhausted, "RATE_LIMITED", None),
        ),
        (
            vec![progress()],
            failure(Code::Unavailable, "INTERCOM_UNREACHABLE", None),
        ),
        (
            vec![progress()],
            failure(Code::FailedPrecondition, "RESUME_TOKEN_EXPIRED", None),
        ),
        (vec![progress()], Status::unknown("scripted")),
        // A server that was never heard, and one that has said all.
        (vec![], lost()),
        (vec![summary()], lost()),
    ];
    for (events, end) in cases {
        let code = end.code();
        let script = Script::new([Call::fails(events, end), Call::ends(vec![summary()])]);
        let mut extraction = extract(&script);
        let (_, error) = ids(&mut extraction).await;
        assert_eq!(error.map(|error| error.code()), Some(code));
        assert_eq!(script.tokens().len(), 1, "{code:?}");
        assert!(extraction.next().await.is_none(), "an error ends it");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_summary_is_a_broken_stream() {
    let script = Script::new([Call::ends(vec![progress()])]);
    let (_, error) = ids(&mut extract(&script)).await;
    assert!(matches!(error, Some(Error::BrokenStream(_))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn five_tries_in_a_row_are_enough() {
    let hopeless = || Call::fails(vec![progress()], lost());
    let mut calls: Vec<Call> = (0..3).map(|_| hopeless()).collect();
    // A checkpoint sets the pauses back.
    calls.push(Call::fails(vec![checkpoint(1, 0)], lost()));
    calls.extend((0..9).map(|_| hopeless()));
    let script = Script::new(calls);
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let listener = pauses.clone();
    let mut extraction = extract(&script)
        .on_reconnect(move |_, pause| listener.lock().unwrap().push(pause.as_secs_f64()));
    let (_, error) = ids(&mut extraction).await;
    assert!(matches!(error, Some(Error::Unavailable(_))), "{error:?}");
    assert_eq!(
        *pauses.lock().unwrap(),
        [0.75, 1.5, 3.0, 0.75, 1.5, 3.0, 6.0, 12.0]
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_cancels_the_call() {
    let script = Script::new([Call::holds(vec![tags(&["a"]), checkpoint(1, 1)])]);
    let mut extraction = extract(&script);
    extraction.try_next().await.unwrap();
    assert_eq!(
        extraction.last_checkpoint(),
        None,
        "the row may not be dealt with"
    );
    assert_eq!(script.open_streams(), 1);
    drop(extraction);
    assert_eq!(script.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_stream_cancels_the_call() {
    let script = Script::new([Call::holds(vec![tags(&["a"]), summary()])]);
    let mut extraction = extract(&script);
    let (_, error) = ids(&mut extraction).await;
    assert!(matches!(error, Some(Error::BrokenStream(_))), "{error:?}");
    assert_eq!(script.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_the_call() {
    let script = Script::new([Call::holds(vec![progress()])]);
    let start = Instant::now();
    let mut extraction = extract(&script).timeout(Duration::from_secs(60));
    let (_, error) = ids(&mut extraction).await;
    assert!(
        matches!(error, Some(Error::DeadlineExceeded(_))),
        "{error:?}"
    );
    assert_eq!(start.elapsed().as_secs(), 60);
    assert_eq!(script.timeouts(), [Some(Duration::from_secs(60))]);
    assert_eq!(script.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_over_lost_connections() {
    let first = Call::fails(vec![progress()], lost());
    let script = Script::new([first, Call::holds(vec![progress()])]);
    let start = Instant::now();
    let (_, error) = ids(&mut extract(&script).timeout(Duration::from_secs(3))).await;
    assert!(
        matches!(error, Some(Error::DeadlineExceeded(_))),
        "{error:?}"
    );
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(script.timeouts()[1], Some(Duration::from_millis(2250)));
}

#[tokio::test(start_paused = true)]
async fn no_try_is_made_that_has_no_time() {
    let script = Script::new([Call::fails(vec![progress()], lost())]);
    let start = Instant::now();
    let mut extraction = extract(&script).timeout(Duration::from_millis(750));
    let (_, error) = ids(&mut extraction).await;
    assert!(
        matches!(error, Some(Error::DeadlineExceeded(_))),
        "{error:?}"
    );
    assert!(start.elapsed().is_zero(), "it is said at once");
    assert_eq!(extraction.reconnects(), 0);
}

#[tokio::test(start_paused = true)]
async fn rows_held_back_do_not_come_after_the_timeout() {
    let events = vec![tags(&["a"]), tags(&["b"]), checkpoint(1, 2), summary()];
    let script = Script::new([Call::ends(events)]);
    let mut extraction = extract(&script).timeout(Duration::from_secs(60));
    assert!(extraction.try_next().await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(61)).await;
    let error = extraction.try_next().await.unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded(_)), "{error:?}");
}

fn restarting() -> Vec<ExtractResponse> {
    vec![
        tags(&["a"]),
        checkpoint(1, 1),
        restarted(2),
        tags_of(2, &["b"]),
        checkpoint_of(2, 2, 1),
        summary(),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_nobody_listens_for_is_an_error() {
    let script = Script::new([Call::ends(restarting())]);
    let (got, error) = ids(&mut extract(&script)).await;
    assert_eq!(got, ["a"]);
    let Some(Error::TableRestarted {
        table, generation, ..
    }) = error
    else {
        panic!("got {error:?}");
    };
    assert_eq!((table.as_str(), generation), ("tags", 2));

    let script = Script::new([Call::ends(restarting())]);
    let batches: Result<Vec<Batch>, Error> = extract(&script).batches().try_collect().await;
    assert!(
        matches!(batches, Err(Error::TableRestarted { .. })),
        "{batches:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_told_to_who_listens() {
    let script = Script::new([Call::ends(restarting())]);
    let told = Log::default();
    let listener = told.clone();
    let mut extraction = extract(&script)
        .on_table_restarted(move |restarted| log(&listener, restarted.reason.clone()));
    let (got, error) = ids(&mut extraction).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(got, ["a", "b"]);
    assert_eq!(*told.lock().unwrap(), ["scripted"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_without_rows_before_it_is_nobodys_affair() {
    let events = || restarting().split_off(2);
    let script = Script::new([Call::ends(events()), Call::ends(events())]);
    let (got, error) = ids(&mut extract(&script)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(got, ["b"]);
    // The process before may have had rows.
    let resumed = crate::Request::tables(["tags"]).resume_from("t0");
    let (_, error) = ids(&mut extraction_of(&script, resumed)).await;
    assert!(
        matches!(error, Some(Error::TableRestarted { .. })),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn events_tell_everything() {
    let mut events = restarting();
    events.insert(0, progress());
    let script = Script::new([Call::ends(events)]);
    let mut extraction = extract(&script).events();
    let mut all = Vec::new();
    while let Some(event) = extraction.try_next().await.unwrap() {
        if let Event::Checkpoint(checkpoint) = &event {
            // Who has the checkpoint itself has had all before it.
            assert_eq!(
                extraction.last_checkpoint(),
                Some(&*checkpoint.resume_token)
            );
        }
        all.push(event);
    }
    let wanted = [
        "progress",
        "a",
        "checkpoint 1",
        "restart 2",
        "b",
        "checkpoint 2",
        "summary",
    ];
    assert_eq!(names(&all), wanted);
}

#[tokio::test(start_paused = true)]
async fn rows_of_one_table_have_their_type() {
    let events = vec![tags(&["a", "b"]), checkpoint(1, 2), summary()];
    let script = Script::new([Call::ends(events.clone()), Call::ends(events)]);
    let tags: Vec<Tag> = extract(&script).rows_of().try_collect().await.unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(tags[1].id.as_deref(), Some("b"));
    let leads: Vec<v1::Lead> = extract(&script).rows_of().try_collect().await.unwrap();
    assert!(leads.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_extraction_that_continues_has_a_checkpoint() {
    let script = Script::new([Call::ends(vec![summary()])]);
    let resumed = crate::Request::tables(["tags"]).resume_from("t0");
    let mut extraction = extraction_of(&script, resumed);
    assert!(ids(&mut extraction).await.1.is_none());
    assert_eq!(script.tokens(), ["t0"]);
    assert_eq!(extraction.last_checkpoint(), Some(&b"t0"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_extraction_describes_its_tables() {
    let script = Script::new([]);
    let describe = |request| extraction_of(&script, request).tables();
    let named = |tables: Result<Vec<v1::TableDescription>, Error>| -> Vec<String> {
        tables
            .unwrap()
            .into_iter()
            .map(|table| table.table.unwrap().name)
            .collect()
    };
    let all = named(describe(crate::Request::all()).await);
    assert_eq!(all, ["tags", "conversations", "conversation_parts"]);
    assert_eq!(
        named(describe(crate::Request::tables(["tags"])).await),
        ["tags"]
    );
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "has been read from")]
async fn what_has_been_read_from_cannot_be_read_in_another_way() {
    let script = Script::new([Call::ends(vec![
        tags(&["a", "b"]),
        checkpoint(1, 2),
        summary(),
    ])]);
    let mut extraction = extract(&script);
    extraction.try_next().await.unwrap();
    // Row b would be lost.
    let _ = extraction.events();
}

#[test]
fn extractions_can_go_to_other_threads() {
    fn is_send<T: Send>() {}
    is_send::<Extraction>();
    is_send::<Extraction<Event>>();
}
