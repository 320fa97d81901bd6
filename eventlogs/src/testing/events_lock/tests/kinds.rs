//! Kinds of logs in the file.

use super::{event, extend, folder, named, payment, text};
use crate::event::LogType;
use crate::testing::events_lock::schema::EnumSchema;
use crate::testing::events_lock::{Mode, check_as};
use std::fs;

/// Creates the schema of `PaymentEvent` with this kind.
fn of_kind(log_type: LogType) -> EnumSchema {
    EnumSchema {
        log_type,
        ..payment(vec![event("x", &[])])
    }
}

/// Returns the report, or the file, after the kind of `PaymentEvent` changed from the first to the second.
fn change(before: LogType, after: LogType) -> Result<String, String> {
    let folder = folder();
    extend(&folder, &[of_kind(before)]).expect("the file is new");
    extend(&folder, &[of_kind(after)]).map(|()| text(&folder))
}

const PAYMENT: LogType = LogType::new("payment");
const CHARGE: LogType = LogType::new("charge");

#[test]
fn another_kind_needs_the_former_one_as_an_alias() {
    let said = change(PAYMENT, CHARGE).expect_err("logs of the former kind are not read");
    let expected = r#"
`PaymentEvent` no longer reads logs of the kind `payment`; its new logs have the kind `charge`
  keep the kind: #[event(log_type = "payment")]
  or read both kinds: #[event(log_type_alias = "payment")]
"#;
    assert!(said.contains(expected), "{said}");
    let text = change(PAYMENT, CHARGE.with_aliases(&["payment"])).expect("both are read");
    assert!(text.contains("\nlog_type charge alias payment\n"), "{text}");
}

#[test]
fn an_alias_stays() {
    let aliased = PAYMENT.with_aliases(&["charge", "bill"]);
    let text = change(PAYMENT, aliased).expect("an alias is an addition");
    assert!(
        text.contains("\nlog_type payment alias charge bill\n"),
        "{text}"
    );
    let said = change(aliased, PAYMENT.with_aliases(&["bill"])).expect_err("one is gone");
    assert!(
        said.contains("no longer reads logs of the kind `charge`"),
        "{said}"
    );
    assert!(!said.contains("kind `bill`"), "{said}");
    change(aliased, CHARGE.with_aliases(&["bill", "payment"])).expect("all are read");
}

#[test]
fn what_has_no_kind_yet_gets_one() {
    let folder = folder();
    let old = "enum PaymentEvent\ncodec 1\n\nx 1 ApprovalGiven\n";
    fs::write(folder.path().join("events.lock"), old).expect("it is written");
    let enums = [of_kind(PAYMENT)];
    check_as(folder.path(), &enums, Mode::Frozen).expect_err("it lacks the kind");
    extend(&folder, &enums).expect("the kind is an addition");
    assert!(text(&folder).contains("enum PaymentEvent\nlog_type payment\ncodec 1\n"));
    extend(&folder, &[of_kind(CHARGE)]).expect_err("another kind");
}

#[test]
fn two_enums_have_two_kinds() {
    let other = |log_type| EnumSchema {
        log_type,
        ..named("OrderEvent", vec![event("y", &[])])
    };
    let expected = "the logs of `PaymentEvent` and `OrderEvent` both have the kind `payment`";
    for (first, second) in [
        (PAYMENT, PAYMENT),
        (CHARGE.with_aliases(&["payment"]), PAYMENT),
        (PAYMENT, CHARGE.with_aliases(&["payment"])),
    ] {
        let said = extend(&folder(), &[of_kind(first), other(second)]).expect_err("one kind");
        assert_eq!(said.matches("the logs of").count(), 1, "{said}");
        assert!(said.contains(expected), "{said}");
    }
    // Logs of a former kind may have been divided between two enums.
    let folder = folder();
    let divided = [
        of_kind(PAYMENT.with_aliases(&["old"])),
        other(CHARGE.with_aliases(&["old"])),
    ];
    extend(&folder, &divided).expect("new logs can be told apart");
    // The call need not name the other enum.
    extend(&folder, &[other(PAYMENT.with_aliases(&["charge", "old"]))]).expect_err("one kind");
    // Two stores may each have an enum of the same kind.
    let accepted = [of_kind(PAYMENT), other(PAYMENT)];
    check_as(folder.path(), &accepted, Mode::Accept).expect("it is accepted");
    check_as(folder.path(), &accepted, Mode::Frozen).expect("it stays accepted");
}

#[test]
fn a_new_enum_with_the_kind_of_another_is_asked_about() {
    let folder = folder();
    extend(&folder, &[of_kind(PAYMENT)]).expect("the file is new");
    let renamed = EnumSchema {
        log_type: PAYMENT,
        ..named("ChargeEvent", vec![event("y", &[])])
    };
    let said = extend(&folder, &[renamed]).expect_err("the kind is another enum's");
    assert!(
        said.contains("rename `enum PaymentEvent` in events.lock"),
        "{said}"
    );
    assert!(!said.contains("the logs of"), "{said}");
}

#[test]
fn the_types_of_a_generic_enum_are_one() {
    let of = |name| EnumSchema {
        log_type: PAYMENT,
        ..named(name, vec![event("x", &[])])
    };
    extend(&folder(), &[of("Cart<Book>"), of("Cart<Toy>")]).expect("it is one enum");
}

#[test]
fn a_kind_that_fits_on_no_line_is_an_error() {
    for log_type in [
        LogType::new(""),
        LogType::new("a b"),
        PAYMENT.with_aliases(&["a\n"]),
    ] {
        let said = extend(&folder(), &[of_kind(log_type)]).expect_err("unfit");
        assert!(said.contains("cannot be written"), "{said}");
    }
}
