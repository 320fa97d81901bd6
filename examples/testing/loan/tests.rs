//! Tests of the form given, when, then; and at the end the laws, in one line each.

use super::*;
use eventlogs::testing::{given, laws::every_sequence};

fn lent_to(reader: &str) -> LoanEvent {
    LoanEvent::Lent {
        reader: reader.to_owned(),
    }
}

fn day(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + number)
}

#[test]
fn a_new_book_can_be_lent() {
    given([]).when(lend("Ishmael")).then([lent_to("Ishmael")]);
}

#[test]
fn a_book_is_lent_to_one_reader_at_a_time() {
    given([lent_to("Ishmael")])
        .when(lend("Ahab"))
        .then_error(Refusal::LentTo("Ishmael".to_owned()))
        .when(take_back)
        .then([LoanEvent::Returned])
        .when(lend("Ahab"))
        .then([lent_to("Ahab")]);
}

#[test]
fn a_book_that_is_back_cannot_be_taken_back() {
    given([lent_to("Ishmael"), LoanEvent::Returned])
        .when(take_back)
        .then_nothing()
        .reduces_to(Loan::default());
}

#[test]
fn a_reader_with_many_reminders_is_sent_to_the_counter() {
    given([lent_to("Ishmael")])
        .and_given(vec![LoanEvent::Reminded; 3])
        .when(take_back)
        .then([LoanEvent::Returned]);
    given([lent_to("Ishmael")])
        .and_given(vec![LoanEvent::Reminded; 4])
        .when(take_back)
        .then_error(Refusal::ToTheCounter);
}

#[test]
fn a_reader_is_reminded_every_four_weeks() {
    given([lent_to("Ishmael")])
        .recorded_at(day(0))
        .when(remind(day(27)))
        .then_error(Refusal::NotOverdue)
        .when(remind(day(28)))
        .recorded_at(day(28))
        .then([LoanEvent::Reminded])
        .when(remind(day(55)))
        .then_error(Refusal::NotOverdue)
        .when(remind(day(56)))
        .recorded_at(day(56))
        .reduces_to(Loan {
            reader: Some("Ishmael".to_owned()),
            since: Some(day(56)),
            reminders: 2,
        });
}

#[test]
fn nobody_is_reminded_of_a_book_that_is_there() {
    given([])
        .when(remind(day(100)))
        .then_error_matches(|refusal| refusal.to_string().contains("no one"));
}

/// At least one of each event; a test fails when one is missing.
fn samples() -> [LoanEvent; 3] {
    [lent_to("Ishmael"), LoanEvent::Reminded, LoanEvent::Returned]
}

eventlogs::testing::event_laws!(loan_event_laws, LoanEvent, samples());
eventlogs::testing::aggregate_laws!(loan_laws, Loan, every_sequence(samples(), 4));
eventlogs::testing::snapshot_laws!(loan_snapshot_laws, Loan, every_sequence(samples(), 4));

/// Compares the events with `examples/events.lock`, which is committed and keeps the encoded samples. If a field is renamed
/// although events are stored, this test fails and prints what to write.
#[test]
fn what_was_stored_can_still_be_read() {
    eventlogs::testing::check_events_lock!(LoanEvent => samples());
}
