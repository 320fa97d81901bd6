//! Messages about keys.

use super::check;
use super::table::{AggregateKey, EventKey, HandlerKey, Keys, ProjectionKey, VariantKey};
use crate::attribute::entries;
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::quote;

fn mistakes<K: Keys>(tokens: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    let entries = entries(tokens, &mut errors);
    check::<K>(entries, "`enum PaymentEvent`", &mut errors);
    errors.messages()
}

#[test]
fn an_unknown_key_gets_the_closest_or_all_of_its_place() {
    assert_eq!(
        mistakes::<AggregateKey>(quote!(ecvent = E)),
        ["unknown key `ecvent`; did you mean `event`?"]
    );
    assert_eq!(
        mistakes::<AggregateKey>(quote!(snapshot)),
        ["unknown key `snapshot`; expected one of `event`, `cache`, `fingerprint`, `crate`"]
    );
}

#[test]
fn words_of_other_libraries_get_the_key_for_the_same_thing() {
    assert_eq!(
        mistakes::<VariantKey>(quote!(event_type = "x", schema_version = 2)),
        [
            "unknown key `event_type`; did you mean `name`?",
            "unknown key `schema_version`; did you mean `version`?"
        ]
    );
    assert_eq!(
        mistakes::<ProjectionKey>(quote!(db = postgres)),
        ["unknown key `db`; did you mean `database`?"]
    );
}

#[test]
fn a_value_without_a_key_gets_one() {
    assert_eq!(
        mistakes::<VariantKey>(quote!("door.opened")),
        ["`\"door.opened\"` has no key; write `name = \"door.opened\"`"]
    );
    assert_eq!(
        mistakes::<AggregateKey>(quote!(DoorEvent)),
        ["`DoorEvent` has no key; write `event = DoorEvent` if it is the event enum"]
    );
    assert_eq!(
        mistakes::<HandlerKey>(quote!(DoorEvent)),
        ["a block handles the events of one enum; write a separate `impl` block for `DoorEvent`"]
    );
}

#[test]
fn a_key_of_another_level_is_sent_there() {
    assert_eq!(
        mistakes::<VariantKey>(quote!(codec = "json")),
        ["`codec` applies to the whole enum; move it up to `enum PaymentEvent`"]
    );
    assert_eq!(
        mistakes::<EventKey>(quote!(name = "x")),
        [
            "`name` belongs on a variant; move it down to one, or write `log_type` for the kind of the logs"
        ]
    );
    assert_eq!(
        mistakes::<EventKey>(quote!(version = 2)),
        ["`version` belongs on a variant; move it down to one"]
    );
    assert_eq!(
        mistakes::<VariantKey>(quote!(log_type = "x", log_type_alias = "y")),
        [
            "`log_type` applies to the whole enum; move it up to `enum PaymentEvent`",
            "`log_type_alias` applies to the whole enum; move it up to `enum PaymentEvent`"
        ]
    );
    assert_eq!(
        mistakes::<AggregateKey>(quote!(log_type = "x")),
        [
            "`log_type` is a key of the events; write `#[event(log_type = \"payment\")]` on their enum"
        ]
    );
    assert_eq!(
        mistakes::<EventKey>(quote!(cache(never))),
        [
            "`cache` is a key of the aggregate; write `#[aggregate(cache(min_events = 10))]` on its struct or enum"
        ]
    );
    assert_eq!(
        mistakes::<EventKey>(quote!(never)),
        [
            "`never` is a rule of the aggregate's cache; write `#[aggregate(cache(never))]` on its struct or enum"
        ]
    );
    assert_eq!(
        mistakes::<AggregateKey>(quote!(ttl = "5m")),
        ["`ttl` is a rule of the cache; write `cache(ttl = \"1h\")`"]
    );
}

#[test]
fn a_projection_has_several_enums_and_an_aggregate_has_one() {
    assert_eq!(
        mistakes::<ProjectionKey>(quote!(event = E)),
        ["a projection lists its event enums; write `events(YourEvent)`"]
    );
    assert_eq!(
        mistakes::<AggregateKey>(quote!(events(E))),
        ["an aggregate is reduced from one event enum; write `event = YourEvent`"]
    );
    assert_eq!(
        mistakes::<HandlerKey>(quote!(events(E), create = "x")),
        [
            "the event type needs no key; write `#[event_handler(YourEvent)]`",
            "`create` is a key of the projection; write `#[projection(create = \"ledger.sql\")]` on its struct or enum"
        ]
    );
}

#[test]
fn only_repeatable_keys_may_be_repeated() {
    assert_eq!(
        mistakes::<VariantKey>(quote!(alias = "a", alias = "b")),
        [""; 0]
    );
    assert_eq!(
        mistakes::<VariantKey>(quote!(version = 1, version = 2)),
        ["`version` is given twice", "first given here"]
    );
}
