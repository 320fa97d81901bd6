//! First stage: the arguments of the attribute, `#[event_handler(YourEvent, ignore(A | B), crate = path)]`.

use crate::attribute::entries;
use crate::errors::Errors;
use crate::event_handler::parse::pattern::{self, Alternative};
use crate::keys::table::{HandlerKey, Keys};
use crate::keys::{self, Given};
use crate::library::Library;
use crate::tokens;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Path, Token, Type, token};

/// The message for something else than the path of an enum.
const NO_ENUM: &str =
    "the event type must be the path of an enum, as in `#[event_handler(YourEvent)]`";

/// The arguments as they were written.
pub(crate) struct Arguments {
    /// The path of the event enum.
    pub(crate) event: Option<Path>,
    /// The variants that need no handler.
    pub(crate) ignored: Ignored,
    /// `retired` in `ignore(…)`: retired variants without a handler need none.
    pub(crate) retired: Option<Ident>,
    /// The path of the library in generated code.
    pub(crate) library: Library,
}

/// `ignore(…)`
pub(crate) enum Ignored {
    /// These variants; none without the key.
    Listed(Vec<Alternative>),
    /// Every variant without a handler, now and in the future. Holds the underscore.
    Rest(Token![_]),
}

/// Reads the arguments.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Arguments {
    let mut parsed = Arguments {
        event: None,
        ignored: Ignored::Listed(Vec::new()),
        retired: None,
        library: Library::default(),
    };
    let (event, rest) = match split.parse2(tokens) {
        Ok(split) => split,
        Err(error) => {
            errors.push(error);
            return parsed;
        }
    };
    let entries = entries(rest, errors);
    match event.as_ref().map(tokens::ungrouped) {
        Some(Type::Path(event)) if event.qself.is_none() => {
            parsed.event = Some(event.path.clone());
        }
        Some(other) => errors.on(other, NO_ENUM),
        None if entries.iter().any(|entry| is_event_key(&entry.key.name)) => {}
        None => errors.at(
            Span::call_site(),
            "the event type is missing; write `#[event_handler(YourEvent)]`",
        ),
    }
    for (key, given) in keys::check(entries, "`#[event_handler(…)]`", errors) {
        match key {
            HandlerKey::Ignore => (parsed.ignored, parsed.retired) = ignored(&given, errors),
            HandlerKey::Crate => parsed.library = given.library(errors),
        }
    }
    parsed
}

/// Splits the arguments into the event type, if they start with one, and the keys after it.
fn split(input: ParseStream<'_>) -> syn::Result<(Option<Type>, TokenStream)> {
    if input.is_empty() || starts_with_key(input) {
        return Ok((None, input.parse()?));
    }
    let event = input
        .parse()
        .map_err(|error: syn::Error| syn::Error::new(error.span(), NO_ENUM))?;
    if !input.is_empty() {
        input
            .parse::<Token![,]>()
            .map_err(|error| syn::Error::new(error.span(), "expected `,` after the event type"))?;
    }
    Ok((Some(event), input.parse()?))
}

/// Returns `true` if there is a `key(…)` or `key = …` in the place of the event type.
fn starts_with_key(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let Ok(first) = ahead.call(Ident::parse_any) else {
        return false;
    };
    let first = first.to_string();
    let is_key = HandlerKey::named(&first).is_some() || is_event_key(&first);
    ahead.peek(Token![=]) || (is_key && ahead.peek(token::Paren))
}

/// Returns `true` for the keys with which other macros name their events. Here the event type has no key.
fn is_event_key(name: &str) -> bool {
    matches!(name, "event" | "events")
}

/// Reads the variants in `ignore(…)`, and the word `retired` among them.
fn ignored(given: &Given, errors: &mut Errors) -> (Ignored, Option<Ident>) {
    let nothing = (Ignored::Listed(Vec::new()), None);
    let Some(list) = errors.keep(given.list()) else {
        return nothing;
    };
    let separator = list
        .clone()
        .into_iter()
        .find(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
    if let Some(separator) = separator {
        errors.on(
            &separator.to_token_stream(),
            "separate the variants with `|`, as in `ignore(Requested | Voided)`",
        );
        return nothing;
    }
    if list.is_empty() {
        errors.at(
            given.key.span,
            "`ignore` takes a list of variants, as in `ignore(Requested | Voided)`",
        );
        return nothing;
    }
    let rest = |input: ParseStream<'_>| input.parse::<Token![_]>();
    if let Ok(underscore) = rest.parse2(list.clone()) {
        return (Ignored::Rest(underscore), None);
    }
    if is_everything(&list) {
        errors.on(&list, "to ignore the rest, write `ignore(_)`");
        return nothing;
    }
    let mut listed = pattern::parse(list, "ignore(Requested | Voided)", errors);
    let is_word = |found: &Alternative| found.is_bare() && found.variant == "retired";
    let retired = listed.iter().find(|found| is_word(found));
    let retired = retired.map(|found| found.variant.clone());
    listed.retain(|found| !is_word(found));
    (Ignored::Listed(listed), retired)
}

/// Returns `true` for what looks like a pattern of everything: `*` or `..`.
fn is_everything(list: &TokenStream) -> bool {
    let is_sign = |token| match token {
        TokenTree::Punct(sign) => matches!(sign.as_char(), '*' | '.'),
        _ => false,
    };
    list.clone().into_iter().all(is_sign)
}
