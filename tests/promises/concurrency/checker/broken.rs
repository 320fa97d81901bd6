//! Histories that are each broken in one way. A checker that accepts them would be worth nothing.

use super::{Rule, Stored, check};
use crate::concurrency::history::{Earlier, Found, Ground, Look, Operation, Outcome, Want};
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
        looks: Vec::new(),
        outcome,
        seen: Vec::new(),
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
        decide.seen = vec![(states[4], Tally::of(&records))];
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
    history.history[2].seen.clear();
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
    history.history[2].seen.clear();
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
fn an_aggregate_that_is_no_fold_is_found() {
    let mut history = Sound::new();
    history.history[2].seen[0].1 = Tally::default();
    history.breaks_only(Rule::Fold);
}

#[test]
fn a_reduction_that_is_too_old_is_found() {
    let mut history = Sound::new();
    let seen = Tally::of(&history.log()[..1]);
    let mut reduction = operation(4, Vec::new(), Outcome::Nothing);
    reduction.seen = vec![(history.state(0), seen)];
    history.history.push(reduction);
    history.breaks_only(Rule::Order);
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
    history.breaks_only(Rule::Order);
    history.history[3].outcome = Outcome::Exists(one(&history));
    assert_eq!(history.broken(), []);
    history.history[3].invoked = 0;
    history.history[3].returned = Some(1);
    history.breaks_only(Rule::Order);
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
    let replayed = |first_index, state| {
        Outcome::Replayed(Earlier {
            first_index,
            event_count: 2,
            state,
        })
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

#[test]
fn a_replay_without_all_parts_is_found() {
    let mut history = Sound::new();
    let part = |first_index, event_count, state| Earlier {
        first_index,
        event_count,
        state,
    };
    let other = history.stored[&history.other][0].position();
    let parts = vec![part(1, 2, history.state(2)), part(0, 1, other)];
    let wants = vec![want(history.one, Ground::Decided, &[30])];
    let mut retry = operation(4, wants, Outcome::ReplayedAll(parts.clone()));
    retry.key = Some((None, "many".to_owned()));
    history.history.push(retry);
    assert_eq!(history.broken(), []);
    history.history[3].outcome = Outcome::ReplayedAll(parts[..1].to_vec());
    history.breaks_only(Rule::Replay);
}

#[test]
fn a_returned_state_after_other_events_is_found() {
    let mut history = Sound::new();
    let state = history.state(2);
    let tally = Tally::of(&history.log()[..3]);
    history.history[1].seen = vec![(state, tally)];
    assert_eq!(history.broken(), []);
    let (state, tally) = history.history[2].seen[0].clone();
    // The events of the decision after it are in the state, too.
    history.history[1].returned = None;
    history.history[1].seen = vec![(state, tally)];
    history.breaks(Rule::Kept);
}

/// Operations that look at a log of [`Sound`] and write to another one, or to none.
impl Sound {
    fn look(&self, log_id: LogId, events: usize) -> Look {
        let tally = Tally::of(&self.stored[&log_id][..events]);
        Look {
            log_id,
            found: Found::Tally(tally),
        }
    }

    /// Adds a decision that takes place during the time 40 to 45, with the events that it writes, one per log.
    fn decide(&mut self, looks: &[(LogId, usize)], writes: &[(LogId, u64)]) {
        let (mut wants, mut states) = (Vec::new(), Vec::new());
        let looks = looks
            .iter()
            .map(|(log_id, events)| self.look(*log_id, *events));
        let looks = looks.collect();
        for (log_id, value) in writes {
            let records = self.stored.get_mut(log_id).unwrap();
            let basis = Tally::of(records).order;
            let written = record(*log_id, records.len() as u64, *value, basis);
            states.push(written.position());
            records.push(written);
            wants.push(want(*log_id, Ground::Decided, &[*value]));
        }
        let outcome = if wants.is_empty() {
            Outcome::Nothing
        } else {
            Outcome::Written(states)
        };
        let decision = Operation {
            looks,
            ..operation(4, wants, outcome)
        };
        self.history.push(decision);
    }
}

#[test]
fn two_decisions_that_each_missed_the_write_of_the_other_are_found() {
    let mut history = Sound::new();
    let (one, other) = (history.one, history.other);
    history.decide(&[(one, 5), (other, 1)], &[(one, 20)]);
    history.decide(&[(one, 5), (other, 1)], &[(other, 30)]);
    history.breaks_only(Rule::Order);
    // The second one has seen what the first one wrote.
    history.history[4].looks[0] = history.look(one, 6);
    assert_eq!(history.broken(), []);
    // So the second one must not have ended before.
    history.history[4].invoked = 36;
    history.history[4].returned = Some(37);
    history.breaks_only(Rule::Order);
    // Three that miss the writes of each other in a circle are found as well.
    let mut history = Sound::new();
    let third = LogId::new();
    history.stored.insert(third, vec![record(third, 0, 50, 0)]);
    let written = Outcome::Written(vec![history.stored[&third][0].position()]);
    let opening = operation(3, vec![want(third, Ground::New, &[50])], written);
    history.history.push(opening);
    history.decide(&[(history.one, 5), (third, 1)], &[(history.one, 20)]);
    let (one, other) = (history.one, history.other);
    history.decide(&[(other, 1), (one, 5)], &[(other, 30)]);
    assert_eq!(history.broken(), []);
    history.decide(&[(third, 1), (other, 1)], &[(third, 40)]);
    history.breaks_only(Rule::Order);
}

#[test]
fn a_refusal_on_states_that_were_never_true_together_is_found() {
    let mut history = Sound::new();
    let (one, other) = (history.one, history.other);
    history.decide(&[(one, 5), (other, 1)], &[(one, 20), (other, 30)]);
    history.decide(&[(one, 6), (other, 1)], &[]);
    history.breaks_only(Rule::Order);
    for (of_one, of_other) in [(5, 1), (6, 2)] {
        history.history[4].looks = vec![history.look(one, of_one), history.look(other, of_other)];
        assert_eq!(history.broken(), []);
    }
    // Two refusals may not disagree about the order of two writes either.
    let mut history = Sound::new();
    history.decide(&[(history.one, 5)], &[(history.one, 20)]);
    let (one, other) = (history.one, history.other);
    history.decide(&[(other, 1)], &[(other, 30)]);
    history.decide(&[(one, 6), (other, 1)], &[]);
    assert_eq!(history.broken(), []);
    history.decide(&[(one, 5), (other, 2)], &[]);
    history.breaks_only(Rule::Order);
}

#[test]
fn a_refusal_on_a_state_that_is_too_old_is_found() {
    let mut history = Sound::new();
    history.decide(&[(history.one, 5), (history.other, 1)], &[]);
    assert_eq!(history.broken(), []);
    history.history[3].looks[0] = history.look(history.one, 3);
    history.breaks_only(Rule::Order);
    // In the middle of a write, it would be wrong at any time.
    history.history[3].invoked = 0;
    assert_eq!(history.broken(), []);
    history.history[3].looks[0] = history.look(history.one, 4);
    history.breaks_only(Rule::Order);
}

#[test]
fn a_refusal_although_the_key_was_used_is_found() {
    let mut history = Sound::new();
    history.decide(&[(history.one, 5), (history.other, 1)], &[]);
    history.history[3].key = history.history[1].key.clone();
    history.breaks_only(Rule::Order);
    // It may have been first.
    history.history[3].invoked = 0;
    history.history[3].looks.clear();
    assert_eq!(history.broken(), []);
}

#[test]
fn a_requirement_that_did_not_hold_is_found() {
    let mut history = Sound::new();
    let (one, other) = (history.one, history.other);
    let end = history.state(4);
    history.decide(&[], &[(other, 30)]);
    let required = |found| vec![Look { log_id: one, found }];
    history.history[3].looks = required(Found::Events(end));
    assert_eq!(history.broken(), []);
    for found in [Found::Events(history.state(2)), Found::Nothing] {
        history.history[3].looks = required(found);
        history.breaks_only(Rule::Order);
    }
    // If its answer was lost, too.
    history.history[3].outcome = Outcome::Unknown;
    history.breaks_only(Rule::Order);
    let other_history = LogPosition::new(one, 4, EventId::new());
    for end in [other_history, LogPosition::at(one, 5)] {
        history.history[3].looks = required(Found::Events(end));
        history.breaks_only(Rule::Found);
    }
    // It may have come before the decision if it began before that ended.
    history.history[3].looks = required(Found::Events(history.state(2)));
    history.history[3].invoked = 31;
    assert_eq!(history.broken(), []);
    // If it was refused, there must be a reason.
    let mut history = Sound::new();
    let mut refused = operation(
        4,
        vec![want(history.other, Ground::Decided, &[30])],
        Outcome::Conflict(history.one),
    );
    refused.looks = vec![Look {
        log_id: history.one,
        found: Found::Events(history.state(4)),
    }];
    history.history.push(refused);
    history.breaks_only(Rule::Reason);
    history.history[3].looks[0].found = Found::Nothing;
    assert_eq!(history.broken(), []);
}

#[test]
fn a_state_that_never_was_is_found() {
    let mut history = Sound::new();
    history.decide(&[(history.one, 5), (history.other, 1)], &[]);
    let Found::Tally(tally) = &mut history.history[3].looks[0].found else {
        panic!("a decision sees tallies");
    };
    tally.sum += 1;
    history.breaks_only(Rule::Found);
}
