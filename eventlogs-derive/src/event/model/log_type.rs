//! The rules for the kind of an enum's logs.

use crate::errors::Errors;
use crate::event::model::stored_names::{self, RULE};
use crate::event::parse::ParsedEnum;
use proc_macro2::Span;
use syn::ext::IdentExt;

/// The kind of the logs that an enum's events belong to.
pub(crate) struct LogTypeModel {
    /// The name of the current kind.
    pub(crate) name: String,
    /// The former names.
    pub(crate) aliases: Vec<String>,
}

/// The kind from the attribute, otherwise the kind from the name of the enum.
pub(crate) fn claim(parsed: &ParsedEnum<'_>, errors: &mut Errors) -> LogTypeModel {
    let (name, span) = if let Some(literal) = &parsed.log_type {
        (stored_names::well_formed(literal, errors), literal.span())
    } else {
        let ident = parsed.ident.unraw().to_string();
        let name = told_by(&ident);
        if parsed.spoilt_log_type {
            // The mistake in `log_type` is already reported.
        } else if says_nothing(&name) {
            errors.on(
                parsed.ident,
                format!(
                    "the name `{ident}` does not distinguish one kind of log from another; name the kind: `#[event(log_type = \"…\")]`"
                ),
            );
        } else if !stored_names::is_well_formed(&name) {
            errors.on(
                parsed.ident,
                format!("{RULE}; name the kind of the logs: `#[event(log_type = \"…\")]`"),
            );
        }
        (name, parsed.ident.span())
    };
    let mut taken: Vec<(String, Span)> = Vec::new();
    for literal in &parsed.log_type_aliases {
        let alias = stored_names::well_formed(literal, errors);
        if alias == name && !parsed.spoilt_log_type {
            errors.at(
                literal.span(),
                format!(
                    "`{alias}` is the current kind of these logs; an alias must be a former one"
                ),
            );
            errors.at(span, format!("the current kind `{alias}` is given here"));
        } else if let Some((_, first)) = taken.iter().find(|(taken, _)| *taken == alias) {
            errors.at(literal.span(), format!("alias `{alias}` is given twice"));
            errors.at(*first, "first given here");
        } else {
            taken.push((alias, literal.span()));
        }
    }
    LogTypeModel {
        name,
        aliases: taken.into_iter().map(|(alias, _)| alias).collect(),
    }
}

/// The kind from the name of an enum: `payment` for `PaymentEvent`.
fn told_by(ident: &str) -> String {
    let name = snake_case(ident);
    name.strip_suffix("_event").unwrap_or(&name).to_owned()
}

/// Returns `true` if a kind would be the same for the enums of any two modules.
fn says_nothing(name: &str) -> bool {
    matches!(name.trim_matches('_'), "" | "event" | "events")
}

/// `HTTPRequestEvent` as `http_request_event`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut previous = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let begins_a_word = character.is_uppercase()
            && previous.is_some_and(|previous: char| {
                previous != '_'
                    && (!previous.is_uppercase()
                        || characters.peek().is_some_and(|next| next.is_lowercase()))
            });
        if begins_a_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
        previous = Some(character);
    }
    snake
}

#[cfg(test)]
mod tests;
