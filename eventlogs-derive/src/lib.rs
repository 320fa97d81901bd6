//! The macros of the [`eventlogs`](https://docs.rs/eventlogs) crate, which re-exports them: depend on that one.
//!
//! Each macro is a file with a folder of its stages: *parse* reads the user's tokens, *model* holds their validated meaning,
//! and *expand* turns the model into code and cannot fail. The first two stages collect every mistake of an item. If there is
//! a mistake, *stub* generates the minimal code that avoids follow-up errors in the rest of the user's crate. A stage imports
//! only from earlier stages and from the files that all macros share.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod aggregate;
mod attribute;
mod codecs;
mod contents;
mod duration;
mod errors;
mod event;
mod event_handler;
mod fingerprint;
mod keys;
mod library;
#[cfg(test)]
mod mangle;
mod on;
mod projection;
mod serde_attributes;
mod spelling;
mod suggest;
mod tokens;
mod values;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/event.md")]
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn event(item: TokenStream) -> TokenStream {
    event::derive(item.into()).into()
}

#[doc = include_str!("../docs/aggregate.md")]
#[proc_macro_derive(Aggregate, attributes(aggregate))]
pub fn aggregate(item: TokenStream) -> TokenStream {
    aggregate::derive(item.into()).into()
}

#[doc = include_str!("../docs/projection.md")]
#[proc_macro_derive(Projection, attributes(projection, key, through))]
pub fn projection(item: TokenStream) -> TokenStream {
    projection::derive(item.into()).into()
}

#[doc = include_str!("../docs/event_handler.md")]
#[proc_macro_attribute]
pub fn event_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event_handler::expand(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/on.md")]
#[proc_macro_attribute]
pub fn on(arguments: TokenStream, item: TokenStream) -> TokenStream {
    on::expand(arguments.into(), item.into()).into()
}
