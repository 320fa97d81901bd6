//! The rules for stored names.

use crate::errors::Errors;
use crate::event::parse::variant::ParsedVariant;
use proc_macro2::Span;
use std::collections::HashMap;
use syn::LitStr;
use syn::ext::IdentExt;

/// The rule for a stored name, as messages state it.
pub(crate) const RULE: &str =
    "a stored name must consist of 1 to 128 of the characters `a-z A-Z 0-9 . _ -`";

/// The greatest number of characters of a stored name.
const LONGEST: usize = 128;

/// The names that are already taken, each with its variant and its span.
pub(crate) struct StoredNames {
    /// `true` if every variant needs a `name`, and its identifier is not enough.
    explicit: bool,
    /// Every name and alias.
    taken: HashMap<String, (String, Span)>,
}

impl StoredNames {
    /// No names. With `explicit`, every variant needs a `name`.
    pub(crate) fn new(explicit: bool) -> Self {
        Self {
            explicit,
            taken: HashMap::new(),
        }
    }

    /// Takes the name that a variant is stored under, and its aliases.
    pub(crate) fn claim(
        &mut self,
        variant: &ParsedVariant<'_>,
        errors: &mut Errors,
    ) -> (String, Vec<String>) {
        let (name, span) = if let Some(literal) = &variant.name {
            (well_formed(literal, errors), literal.span())
        } else {
            let name = variant.ident.unraw().to_string();
            if self.explicit {
                errors.on(
                    variant.ident,
                    format!("`explicit_names` requires a stored name for every variant; give `{name}` one: `#[event(name = \"…\")]`"),
                );
            } else if !is_well_formed(&name) {
                errors.on(
                    &variant.ident,
                    format!("{RULE}; give this variant one: `#[event(name = \"…\")]`"),
                );
            }
            (name, variant.ident.span())
        };
        self.take(&name, span, variant, errors);
        let mut aliases = Vec::new();
        for literal in &variant.aliases {
            let alias = well_formed(literal, errors);
            self.take(&alias, literal.span(), variant, errors);
            aliases.push(alias);
        }
        (name, aliases)
    }

    /// Records that a name is taken, or the mistake that it is already taken.
    fn take(&mut self, name: &str, span: Span, variant: &ParsedVariant<'_>, errors: &mut Errors) {
        if let Some((owner, first)) = self.taken.get(name) {
            errors.at(
                span,
                format!("the stored name `{name}` already belongs to `{owner}`"),
            );
            errors.at(*first, "first used here");
            return;
        }
        self.taken
            .insert(name.to_owned(), (variant.ident.to_string(), span));
    }
}

/// Returns the string of the literal, and records a mistake if it is no stored name.
pub(crate) fn well_formed(literal: &LitStr, errors: &mut Errors) -> String {
    let name = literal.value();
    if let Some(problem) = problem(&name) {
        errors.at(literal.span(), format!("{problem}; {RULE}"));
    }
    name
}

/// Returns why a name cannot be stored; `None` if it can be.
fn problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the name is empty".to_owned());
    }
    if let Some(letter) = name.chars().find(|letter| !is_allowed(*letter)) {
        return Some(match letter {
            ' ' => format!("`{name}` has a space"),
            // `\n` and the like are shown as they are written.
            _ => format!(
                "`{}` has a `{}`",
                name.escape_debug(),
                letter.escape_debug()
            ),
        });
    }
    (name.len() > LONGEST).then(|| format!("the name has {} characters", name.len()))
}

/// Returns `true` if a name can be stored: it is short, and safe in a shell, a URL and a file name.
pub(crate) fn is_well_formed(name: &str) -> bool {
    problem(name).is_none()
}

/// Returns `true` if a name may have the character.
fn is_allowed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}
