//! The rules in `cache(…)`.

use crate::attribute::Entry;
use crate::errors::Errors;
use crate::keys;
use crate::keys::table::CacheKey;
use crate::values::{DurationValue, NumberValue};
use proc_macro2::Span;
use syn::Path;

/// One rule.
pub(crate) struct Rule {
    /// Its key.
    pub(crate) key: CacheKey,
    /// The span of the key.
    pub(crate) place: Span,
    /// Its value.
    pub(crate) setting: Setting,
}

/// The value of a rule.
pub(crate) enum Setting {
    /// A number of events.
    Number(NumberValue),
    /// A duration.
    Duration(DurationValue),
    /// A function that decides.
    Function(Path),
    /// `never`
    Never,
}

/// Reads the entries of the list.
pub(crate) fn parse(entries: Vec<Entry>, errors: &mut Errors) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (key, given) in keys::check(entries, "`cache(…)`", errors) {
        let setting = match key {
            CacheKey::MinEvents | CacheKey::MaxEvents | CacheKey::Every => {
                given.number().map(Setting::Number)
            }
            CacheKey::MinAge | CacheKey::MaxAge | CacheKey::Ttl => {
                given.duration().map(Setting::Duration)
            }
            CacheKey::When => given.path().cloned().map(Setting::Function),
            CacheKey::Never => given.flag().map(|()| Setting::Never),
        };
        rules.extend(errors.keep(setting).map(|setting| Rule {
            key,
            place: given.key.span,
            setting,
        }));
    }
    rules
}
