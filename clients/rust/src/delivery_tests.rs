use super::*;
use crate::testing::*;
use crate::v1::extract_response::Event as Said;
use crate::v1::ExtractResponse;

/// What a delivery hands out, until something is broken.
fn play(
    delivery: &mut Delivery,
    events: impl IntoIterator<Item = ExtractResponse>,
) -> Result<Vec<String>, Error> {
    let mut out = VecDeque::new();
    for event in events {
        delivery.on_event(received(&event), &mut out)?;
    }
    let out: Result<Vec<Event>, Error> = out.into_iter().map(Held::decode).collect();
    Ok(names(&out?))
}

fn begun(at_least_once: bool, resume_token: &str) -> Delivery {
    let mut delivery = Delivery::new(at_least_once, resume_token.into());
    delivery.begin();
    delivery
}

#[track_caller]
fn hands_out(events: impl IntoIterator<Item = ExtractResponse>, wanted: &[&str]) {
    assert_eq!(play(&mut begun(false, ""), events).unwrap(), wanted);
}

#[track_caller]
fn hands_out_at_once(events: impl IntoIterator<Item = ExtractResponse>, wanted: &[&str]) {
    assert_eq!(play(&mut begun(true, ""), events).unwrap(), wanted);
}

#[track_caller]
fn hands_out_after_resume(events: impl IntoIterator<Item = ExtractResponse>, wanted: &[&str]) {
    assert_eq!(play(&mut begun(false, "t0"), events).unwrap(), wanted);
}

#[test]
fn rows_come_after_their_checkpoint() {
    hands_out(
        [
            tags(&["a"]),
            progress(),
            tags(&["b"]),
            notice(),
            checkpoint(1, 2),
            tags(&["c"]),
        ],
        &["progress", "notice", "a", "b", "checkpoint 1"],
    );
}

#[test]
fn at_least_once_rows_come_at_once() {
    hands_out_at_once(
        [tags(&["a"]), progress(), checkpoint(1, 1), tags(&["b"])],
        &["a", "progress", "checkpoint 1", "b"],
    );
}

#[test]
fn what_is_deleted_or_lives_comes_in_its_order() {
    hands_out(
        [
            tags(&["a"]),
            deleted(),
            living(1),
            progress(),
            checkpoint(1, 1),
        ],
        &["progress", "a", "deleted", "living", "checkpoint 1"],
    );
}

#[test]
fn what_is_not_known_comes_to_nobody() {
    let unknown = ExtractResponse::default;
    hands_out(
        [unknown(), tags(&["a"]), unknown(), checkpoint(1, 1)],
        &["a", "checkpoint 1"],
    );
}

#[test]
fn deletions_that_no_checkpoint_follows_come_before_the_summary() {
    hands_out([deleted(), summary()], &["deleted", "summary"]);
}

#[test]
fn a_restart_voids_rows_that_are_held_back() {
    hands_out(
        [
            tags(&["a"]),
            living(1),
            restarted(2),
            tags(&["late"]),
            living(1),
            tags_of(2, &["b"]),
            checkpoint_of(2, 1, 1),
        ],
        &["restart 2", "b", "checkpoint 1"],
    );
}

#[test]
fn only_the_last_of_two_restarts_is_told() {
    hands_out(
        [
            restarted(2),
            tags_of(2, &["a"]),
            restarted(3),
            tags_of(3, &["b"]),
            checkpoint_of(3, 1, 1),
        ],
        &["restart 3", "b", "checkpoint 1"],
    );
}

#[test]
fn a_restart_that_is_told_twice_happens_once() {
    hands_out(
        [
            restarted(2),
            tags_of(2, &["a"]),
            restarted(2),
            tags_of(2, &["b"]),
            checkpoint_of(2, 1, 2),
        ],
        &["restart 2", "a", "b", "checkpoint 1"],
    );
}

#[test]
fn a_restart_to_the_first_generation_is_none() {
    hands_out([restarted(1), checkpoint(1, 0)], &["checkpoint 1"]);
}

#[test]
fn at_least_once_nothing_comes_between_a_restart_and_its_checkpoint() {
    hands_out_at_once(
        [
            tags(&["a"]),
            restarted(2),
            tags_of(2, &["b"]),
            progress(),
            checkpoint_of(2, 1, 1),
            tags_of(2, &["c"]),
        ],
        &["a", "progress", "restart 2", "b", "checkpoint 1", "c"],
    );
}

#[test]
fn rows_may_be_of_the_generation_that_an_earlier_extraction_left() {
    hands_out_after_resume(
        [tags_of(3, &["a"]), checkpoint_of(3, 7, 1)],
        &["a", "checkpoint 7"],
    );
}

#[test]
fn any_restart_is_told_where_the_generations_before_are_not_known() {
    hands_out_after_resume(
        [restarted(1), tags(&["a"]), checkpoint(7, 1)],
        &["restart 1", "a", "checkpoint 7"],
    );
}

#[test]
fn a_server_need_not_count_generations() {
    hands_out(
        [tags_of(0, &["a"]), checkpoint_of(0, 1, 1)],
        &["a", "checkpoint 1"],
    );
}

#[test]
fn parents_alone_are_no_rows() {
    hands_out(
        [tags(&[]), checkpoint(1, 0), summary()],
        &["checkpoint 1", "summary"],
    );
}

#[test]
fn a_new_stream_goes_on_from_the_last_checkpoint() {
    let mut delivery = begun(false, "");
    let first = [
        tags(&["a"]),
        checkpoint(1, 1),
        restarted(2),
        tags_of(2, &["lost"]),
    ];
    play(&mut delivery, first).unwrap();
    assert_eq!(delivery.begin(), b"t1");
    // In the generation that the checkpoint was in, and without the rows since.
    let second = play(&mut delivery, [tags(&["b"]), checkpoint(2, 1), summary()]);
    assert_eq!(second.unwrap(), ["b", "checkpoint 2", "summary"]);
    assert!(delivery.on_end().is_ok());
}

#[test]
fn a_new_stream_without_a_checkpoint_begins_as_the_first() {
    let mut delivery = begun(false, "given");
    play(&mut delivery, [tags(&["a"])]).unwrap();
    assert_eq!(delivery.begin(), b"given");
}

fn with_token(size: usize) -> ExtractResponse {
    said(Said::Checkpoint(Checkpoint {
        number: 1,
        resume_token: vec![b't'; size],
        rows: vec![],
    }))
}

#[test]
fn broken_promises_are_found() {
    let cases: [(&str, Vec<ExtractResponse>); 12] = [
        ("a generation out of nowhere", vec![tags_of(2, &["a"])]),
        ("living records out of nowhere", vec![living(2)]),
        ("a checkpoint's generation", vec![checkpoint_of(2, 1, 1)]),
        ("a row too many", vec![tags(&["a", "b"]), checkpoint(1, 1)]),
        ("a row too few", vec![tags(&["a"]), checkpoint(1, 2)]),
        ("a table left out", vec![tags(&["a"]), checkpoint(1, 0)]),
        (
            "a checkpoint of an earlier generation",
            vec![restarted(2), tags_of(2, &["a"]), checkpoint(1, 1)],
        ),
        (
            "a checkpoint twice",
            vec![checkpoint(1, 0), checkpoint(1, 0)],
        ),
        ("a checkpoint without a token", vec![with_token(0)]),
        (
            "a token that is too large",
            vec![with_token(LARGEST_TOKEN + 1)],
        ),
        (
            "rows that no checkpoint covers",
            vec![tags(&["a"]), summary()],
        ),
        ("an event after the summary", vec![summary(), progress()]),
    ];
    for (name, mut events) in cases {
        let broken = play(&mut begun(false, ""), events.clone());
        assert!(
            matches!(broken, Err(Error::BrokenStream(_))),
            "{name}: {broken:?}"
        );
        events.pop();
        let fine = play(&mut begun(false, ""), events);
        assert!(fine.is_ok(), "{name}, too early: {fine:?}");
    }
    assert!(play(&mut begun(false, ""), [with_token(LARGEST_TOKEN)]).is_ok());
    assert!(
        begun(false, "").on_end().is_err(),
        "an end without a summary"
    );
}
