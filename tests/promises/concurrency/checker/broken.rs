//! Histories that are each broken in one way. A checker that accepts them would be worth nothing.

use super::{Rule, Stored, check};
use crate::concurrency::history::{Ground, Need, Operation, Outcome, Want};
use crate::model::domain::{Tally, TallyEvent};
use chrono::{DateTime, TimeDelta};
use eventlogs::ids::{EventId, LogId};
use eventlogs::{EventRecord, LogPosition, RecordedEvent};

/// A log with the events 0 to 4: one operation created it, one appended two events, one decided on two. The other log has the
/// event 10, which was appended together with those of the second operation.
struct Sound {
    one: LogId,
    other: LogId,
    history: Vec<Operation>,
    stored: Stored,
}

fn record(log_id: LogId, index: u64, value: u64, basis: u64) -> RecordedEvent<TallyEvent> {
    let event = TallyEvent::Counted { value, basis };
    let time = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(index).unwrap());
    RecordedEvent::new(log_id, index, EventId::new(), event, time)
}

fn want(log_id: LogId, ground: Ground, values: &[u64]) -> Want {
    let values = values.to_vec();
    Want {
        log_id,
        ground,
        values,
    }
}

/// Creates an operation that runs alone.
fn operation(number: u64, wants: Vec<Want>, outcome: Outcome) -> Operation {
    Operation {
        invoked: number * 10,
        returned: Some(number * 10 + 5),
        key: None,
        wants,
        needs: Vec::new(),
        outcome,
        seen: None,
    }
}

impl Sound {
    fn new() -> Self {
        let (one, other) = (LogId::new(), LogId::new());
        let mut records: Vec<_> = (0..3).map(|value| record(one, value, value, 0)).collect();
        let basis = Tally::of(&records).order;
        records.extend((3..5).map(|value| record(one, value, value, basis)));
        let begun = record(other, 0, 10, 0);
        let states: Vec<_> = records.iter().map(RecordedEvent::position).collect();

        let first = want(one, Ground::New, &[0]);
        let create = operation(1, vec![first], Outcome::Written(vec![states[0]]));
        let second = want(one, Ground::After(states[0]), &[1, 2]);
        let beside = want(other, Ground::New, &[10]);
        let both = Outcome::Written(vec![states[2], begun.position()]);
        let mut many = operation(2, vec![second, beside], both);
        many.key = Some((None, "many".to_owned()));
        let third = want(one, Ground::Decided, &[3, 4]);
        let mut decide = operation(3, vec![third], Outcome::Written(vec![states[4]]));
        decide.seen = Some((states[4], Tally::of(&records)));
        Self {
            one,
            other,
            history: vec![create, many, decide],
            stored: [(one, records), (other, vec![begun])].into(),
        }
    }

    fn log(&mut self) -> &mut Vec<RecordedEvent<TallyEvent>> {
        self.stored.get_mut(&self.one).unwrap()
    }

    fn state(&self, index: usize) -> LogPosition {
        self.stored[&self.one][index].position()
    }

    /// Returns the rules that the checker reports as broken.
    fn broken(&self) -> Vec<Rule> {
        let violations = check(&self.history, &self.stored);
        let mut rules: Vec<_> = violations.iter().map(|violation| violation.rule).collect();
        rules.sort();
        rules.dedup();
        rules
    }

    #[track_caller]
    fn breaks(&self, rule: Rule) {
        let broken = self.broken();
        assert!(broken.contains(&rule), "{rule:?} is not among {broken:?}");
    }

    #[track_caller]
    fn breaks_only(&self, rule: Rule) {
        assert_eq!(self.broken(), [rule]);
    }
}

#[test]
fn a_sound_history_has_no_violations() {
    assert_eq!(Sound::new().broken(), []);
}

#[test]
fn a_gap_is_found() {
    let mut history = Sound::new();
    history.log().remove(3);
    history.breaks(Rule::Dense);
}

#[test]
fn a_time_that_falls_is_found() {
    let mut history = Sound::new();
    let last = history.log().pop().unwrap();
    let earlier = RecordedEvent::new(
        last.log_id(),
        last.index(),
        last.event_id(),
        last.event().clone(),
        DateTime::UNIX_EPOCH,
    );
    history.log().push(earlier);
    history.breaks(Rule::Time);
}

#[test]
fn an_event_that_is_stored_twice_is_found() {
    let mut history = Sound::new();
    let again = record(history.one, 5, 4, 0);
    history.log().push(again);
    history.breaks(Rule::Once);
}

#[test]
fn an_event_that_nobody_asked_for_is_found() {
    let mut history = Sound::new();
    let strange = record(history.one, 5, 99, 0);
    history.log().push(strange);
    history.breaks_only(Rule::Issued);
}

#[test]
fn an_order_against_the_clock_is_found() {
    let mut history = Sound::new();
    // The decision had ended before the append that it follows began.
    history.history[2].invoked = 11;
    history.history[2].returned = Some(12);
    history.breaks_only(Rule::Order);
    // It is allowed if the end of the decision is unknown.
    history.history[2].outcome = Outcome::Unknown;
    assert_eq!(history.broken(), []);
}

#[test]
fn two_winners_of_one_place_are_found() {
    let mut history = Sound::new();
    let state = history.state(4);
    let ground = Ground::After(history.state(3));
    let wants = vec![want(history.one, ground, &[20])];
    let second = operation(4, wants, Outcome::Written(vec![state]));
    history.history.push(second);
    history.breaks(Rule::Winner);
}

#[test]
fn an_acknowledged_event_that_is_lost_is_found() {
    let mut history = Sound::new();
    history.stored.remove(&history.other);
    history.breaks(Rule::Kept);
}

#[test]
fn an_answer_with_another_id_is_found() {
    let mut history = Sound::new();
    let state = LogPosition::new(history.one, 0, EventId::new());
    history.history[0].outcome = Outcome::Written(vec![state]);
    history.breaks_only(Rule::Kept);
}

#[test]
fn an_event_of_a_refused_operation_is_found() {
    let mut history = Sound::new();
    history.history[2].outcome = Outcome::Failed("no room".to_owned());
    history.breaks_only(Rule::Refused);
}

#[test]
fn half_a_write_is_found_even_if_its_answer_was_lost() {
    let mut history = Sound::new();
    history.history[2].outcome = Outcome::Unknown;
    history.history[2].seen = None;
    assert_eq!(history.broken(), []);
    history.log().pop();
    history.breaks_only(Rule::Whole);
}

#[test]
fn one_log_of_several_that_was_not_written_is_found() {
    let mut history = Sound::new();
    history.history[1].outcome = Outcome::Unknown;
    history.stored.remove(&history.other);
    history.breaks_only(Rule::Whole);
}

#[test]
fn a_decision_on_another_state_is_found() {
    let mut history = Sound::new();
    let log = history.log();
    let event = TallyEvent::Counted { value: 3, basis: 1 };
    let decided = &log[3];
    log[3] = RecordedEvent::new(
        decided.log_id(),
        decided.index(),
        decided.event_id(),
        event,
        decided.recorded_at(),
    );
    history.history[2].seen = None;
    history.breaks_only(Rule::Basis);
}

#[test]
fn an_append_behind_another_event_is_found() {
    let mut history = Sound::new();
    let other_history = LogPosition::new(history.one, 0, EventId::new());
    history.history[1].wants[0].ground = Ground::After(other_history);
    history.breaks_only(Rule::Basis);
}

#[test]
fn writers_that_require_each_others_log_are_found() {
    let mut history = Sound::new();
    let (one, other) = (
        history.state(4),
        history.stored[&history.other][0].position(),
    );
    // They run at the same time.
    for (own, required, index, value) in [(one, other, 5, 20), (other, one, 1, 21)] {
        let stored = record(own.log_id(), index, value, 0);
        let wants = vec![want(own.log_id(), Ground::After(own), &[value])];
        let mut skewed = operation(4, wants, Outcome::Written(vec![stored.position()]));
        let (log_id, ground) = (required.log_id(), Ground::After(required));
        skewed.needs = vec![Need { log_id, ground }];
        history.history.push(skewed);
        let log = history.stored.get_mut(&own.log_id()).unwrap();
        log.push(stored);
    }
    history.breaks_only(Rule::Serial);
    history.history[4].needs.clear();
    assert_eq!(history.broken(), []);
}

#[test]
fn a_required_log_that_had_moved_or_was_never_there_is_found() {
    let mut history = Sound::new();
    let (one, log_id) = (history.one, LogId::new());
    let stored = record(log_id, 0, 20, 0);
    let wants = vec![want(log_id, Ground::New, &[20])];
    let written = Outcome::Written(vec![stored.position()]);
    history.stored.insert(log_id, vec![stored]);
    history.history.push(operation(4, wants, written));
    let forked = LogPosition::new(one, 4, EventId::new());
    for (ground, holds) in [
        (Ground::After(history.state(4)), true),
        (Ground::After(LogPosition::at(one, 4)), true),
        (Ground::After(history.state(2)), false),
        (Ground::After(LogPosition::at(one, 5)), false),
        (Ground::After(forked), false),
        (Ground::New, false),
    ] {
        history.history[3].needs = vec![Need {
            log_id: one,
            ground,
        }];
        if holds {
            assert_eq!(history.broken(), [], "{ground:?}");
        } else {
            history.breaks_only(Rule::Serial);
        }
    }
    // It may have come before the decision if it began before that ended.
    history.history[3].invoked = 31;
    history.history[3].needs = vec![Need {
        log_id: one,
        ground: Ground::After(history.state(2)),
    }];
    assert_eq!(history.broken(), []);
}

#[test]
fn an_aggregate_that_is_no_fold_is_found() {
    let mut history = Sound::new();
    let (state, _) = history.history[2].seen.take().unwrap();
    history.history[2].seen = Some((state, Tally::default()));
    history.breaks_only(Rule::Fold);
}

#[test]
fn a_reduction_that_is_too_old_is_found() {
    let mut history = Sound::new();
    let seen = Tally::of(&history.log()[..1]);
    let mut reduction = operation(4, Vec::new(), Outcome::Nothing);
    reduction.seen = Some((history.state(0), seen));
    history.history.push(reduction);
    history.breaks_only(Rule::Fresh);
}

#[test]
fn refusals_without_a_reason_are_found() {
    let append = |ground, outcome| {
        let mut history = Sound::new();
        let wants = vec![want(history.one, ground, &[20])];
        history.history.push(operation(4, wants, outcome));
        history
    };
    let one = |history: &Sound| history.one;
    // There is no event after the end, and no operation that would have written one.
    let mut history = append(Ground::New, Outcome::Nothing);
    let end = history.state(4);
    history.history[3].wants[0].ground = Ground::After(end);
    history.history[3].outcome = Outcome::Conflict(one(&history));
    history.breaks_only(Rule::Reason);
    let before = history.state(3);
    history.history[3].wants[0].ground = Ground::After(before);
    assert_eq!(history.broken(), []);
    // A log exists only from the time at which an operation created it.
    let mut history = append(Ground::New, Outcome::Nothing);
    history.history[3].outcome = Outcome::NotFound(one(&history));
    history.breaks_only(Rule::Reason);
    history.history[3].outcome = Outcome::Exists(one(&history));
    assert_eq!(history.broken(), []);
    history.history[3].invoked = 0;
    history.history[3].returned = Some(1);
    history.breaks_only(Rule::Reason);
}

#[test]
fn a_key_that_was_used_twice_is_found() {
    let mut history = Sound::new();
    history.history[2].key = history.history[1].key.clone();
    history.breaks_only(Rule::Key);
}

#[test]
fn a_replay_that_tells_of_something_else_is_found() {
    let mut history = Sound::new();
    let replayed = |first_index, state| Outcome::Replayed {
        first_index,
        event_count: 2,
        state,
    };
    let right = replayed(1, history.state(2));
    let mut retry = operation(4, vec![want(history.one, Ground::Decided, &[30])], right);
    retry.key = Some((None, "many".to_owned()));
    history.history.push(retry);
    assert_eq!(history.broken(), []);
    let wrong = [replayed(0, history.state(2)), replayed(1, history.state(3))];
    for wrong in wrong {
        history.history[3].outcome = wrong;
        history.breaks_only(Rule::Replay);
    }
    history.history[3].outcome = Outcome::Reused {
        log_id: history.one,
        event_index: 1,
    };
    assert_eq!(history.broken(), []);
    // The operation with the key wrote nothing.
    history.history[1].key = None;
    history.breaks_only(Rule::Replay);
}
