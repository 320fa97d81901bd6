//! The kinds from names and attributes, and the messages for wrong ones.

use super::told_by;
use crate::errors::Errors;
use crate::event::{model, parse};
use proc_macro2::TokenStream;
use quote::quote;

/// The kind of an enum, its aliases, and the messages for the mistakes in them.
fn kind(item: TokenStream) -> (String, Vec<String>, Vec<String>) {
    let input = syn::parse2(item).expect("the item is Rust");
    let mut errors = Errors::default();
    let parsed = parse::parse(&input, &mut errors);
    let log_type = model::validate(parsed, &mut errors).log_type;
    (log_type.name, log_type.aliases, errors.messages())
}

/// The messages for these keys on an enum.
fn mistakes(keys: &TokenStream) -> Vec<String> {
    kind(quote!(
        #[event(#keys)]
        enum PaymentEvent {
            Captured,
        }
    ))
    .2
}

#[test]
fn the_name_of_the_enum_tells_the_kind() {
    for (ident, expected) in [
        ("PaymentEvent", "payment"),
        ("Payment", "payment"),
        ("PaymentEvents", "payment_events"),
        ("LineItemEvent", "line_item"),
        ("HTTPRequestEvent", "http_request"),
        ("HTTPEvent", "http"),
        ("OAuth2TokenEvent", "o_auth2_token"),
        ("PAYMENT_EVENT", "payment"),
        ("payment_event", "payment"),
        ("Payment_Event", "payment"),
        ("Prevent", "prevent"),
        ("EventSource", "event_source"),
        ("Event2", "event2"),
        ("E", "e"),
    ] {
        assert_eq!(told_by(ident), expected);
    }
}

#[test]
fn raw_identifiers_are_told_without_their_mark() {
    let (name, _, mistakes) = kind(quote!(
        enum r#struct {
            Captured,
        }
    ));
    assert_eq!((name.as_str(), mistakes), ("struct", Vec::new()));
}

#[test]
fn a_name_that_tells_nothing_asks_for_a_kind() {
    for item in [
        quote!(
            enum Event {
                Captured,
            }
        ),
        quote!(
            enum Events {
                Captured,
            }
        ),
        quote!(
            enum _Event {
                Captured,
            }
        ),
        quote!(
            enum __ {
                Captured,
            }
        ),
    ] {
        let (_, _, mistakes) = kind(item);
        let [mistake] = &mistakes[..] else {
            panic!("{mistakes:?}")
        };
        assert!(
            mistake.ends_with("name the kind: `#[event(log_type = \"…\")]`"),
            "{mistake}"
        );
    }
    let (name, _, mistakes) = kind(quote!(
        #[event(log_type = "payment")]
        enum Event {
            Captured,
        }
    ));
    assert_eq!((name.as_str(), mistakes), ("payment", Vec::new()));
}

#[test]
fn a_name_that_cannot_be_stored_asks_for_a_kind() {
    let asked = "a stored name must consist of 1 to 128 of the characters `a-z A-Z 0-9 . _ -`; name the kind of the logs: `#[event(log_type = \"…\")]`";
    let long = proc_macro2::Ident::new(&"a".repeat(129), proc_macro2::Span::call_site());
    for item in [
        quote!(
            enum Événement {
                Captured,
            }
        ),
        quote!(
            enum ÉvénementEvent {
                Captured,
            }
        ),
        quote!(enum #long { Captured }),
    ] {
        assert_eq!(kind(item).2, [asked]);
    }
    let (name, _, mistakes) = kind(quote!(
        #[event(log_type = "evenement")]
        enum Événement {
            Captured,
        }
    ));
    assert_eq!((name.as_str(), mistakes), ("evenement", Vec::new()));
}

#[test]
fn what_is_written_counts() {
    let (name, aliases, mistakes) = kind(quote!(
        #[event(
            log_type_alias = "payment",
            log_type = "Charge.v2",
            log_type_alias = "old"
        )]
        enum PaymentEvent<T> {
            Captured(T),
        }
    ));
    assert_eq!(name, "Charge.v2");
    assert_eq!(aliases, ["payment", "old"]);
    assert_eq!(mistakes, [""; 0]);
}

#[test]
fn aliases_are_other_names() {
    assert_eq!(
        mistakes(&quote!(log_type_alias = "a", log_type_alias = "a")),
        ["alias `a` is given twice", "first given here"]
    );
    for keys in [
        quote!(log_type_alias = "payment"),
        quote!(log_type_alias = "payment", log_type = "payment"),
    ] {
        assert_eq!(
            mistakes(&keys),
            [
                "`payment` is the current kind of these logs; an alias must be a former one",
                "the current kind `payment` is given here"
            ]
        );
    }
}

#[test]
fn all_mistakes_are_found_at_once() {
    assert_eq!(
        mistakes(&quote!(
            log_type = "a b",
            log_type_alias = "",
            log_type = "c",
            log_type_alias = 1
        )),
        [
            "`log_type` is given twice",
            "first given here",
            "`log_type_alias` takes a string, as in `log_type_alias = \"charge\"`; repeat the key for another one",
            "`a b` has a space; a stored name must consist of 1 to 128 of the characters `a-z A-Z 0-9 . _ -`",
            "the name is empty; a stored name must consist of 1 to 128 of the characters `a-z A-Z 0-9 . _ -`",
        ]
    );
}

#[test]
fn one_mistake_is_reported_once() {
    let (_, _, mistakes) = kind(quote!(
        #[event(log_type = 5)]
        enum Event {
            Captured,
        }
    ));
    assert_eq!(
        mistakes,
        ["`log_type` takes a string, as in `log_type = \"payment\"`"]
    );
}
