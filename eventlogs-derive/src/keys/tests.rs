//! Messages about keys.

use super::{Place, check};
use crate::attribute::entries;
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::quote;

fn mistakes(tokens: TokenStream, place: Place) -> Vec<String> {
    let mut errors = Errors::default();
    let entries = entries(tokens, &mut errors);
    check(entries, place, "`enum PaymentEvent`", &mut errors);
    errors.messages()
}

#[test]
fn an_unknown_key_gets_the_closest_or_all_of_its_place() {
    assert_eq!(
        mistakes(quote!(ecvent = E), Place::Aggregate),
        ["unknown key `ecvent`; did you mean `event`?"]
    );
    assert_eq!(
        mistakes(quote!(snapshot), Place::Aggregate),
        ["unknown key `snapshot`; expected one of `event`, `cache`, `fingerprint`, `crate`"]
    );
}

#[test]
fn a_key_of_another_level_is_sent_there() {
    assert_eq!(
        mistakes(quote!(codec = "json"), Place::EventVariant),
        ["`codec` is chosen for the whole enum; move it up to `enum PaymentEvent`"]
    );
    assert_eq!(
        mistakes(quote!(name = "x"), Place::EventEnum),
        [
            "`name` is given for each variant; move it down to one, or write `log_type` for the kind of the logs"
        ]
    );
    assert_eq!(
        mistakes(quote!(version = 2), Place::EventEnum),
        ["`version` is given for each variant; move it down to the one that it is meant for"]
    );
    assert_eq!(
        mistakes(
            quote!(log_type = "x", log_type_alias = "y"),
            Place::EventVariant
        ),
        [
            "`log_type` is chosen for the whole enum; move it up to `enum PaymentEvent`",
            "`log_type_alias` is chosen for the whole enum; move it up to `enum PaymentEvent`"
        ]
    );
    assert_eq!(
        mistakes(quote!(log_type = "x"), Place::Aggregate),
        ["`log_type` belongs to the events; write `#[event(log_type = \"payment\")]` there"]
    );
    assert_eq!(
        mistakes(quote!(cache(never)), Place::EventEnum),
        ["`cache` belongs to the aggregate; write `#[aggregate(cache(min_events = 10))]` there"]
    );
    assert_eq!(
        mistakes(quote!(ttl = "5m"), Place::Aggregate),
        ["`ttl` is a rule of the cache; write `cache(ttl = \"1h\")`"]
    );
}

#[test]
fn only_repeatable_keys_may_be_repeated() {
    assert_eq!(
        mistakes(quote!(alias = "a", alias = "b"), Place::EventVariant),
        [""; 0]
    );
    assert_eq!(
        mistakes(quote!(version = 1, version = 2), Place::EventVariant),
        ["`version` is given twice", "first given here"]
    );
}
