//! Contradictions: rules with which nothing is ever cached.

use crate::aggregate::parse::rules::{Rule, Setting};
use crate::errors::Errors;
use crate::keys::table::{CacheKey, Keys};
use crate::values::{DurationValue, NumberValue};
use syn::Path;

/// A comparison with the path of a constant. The compiler makes it, because only the compiler knows the constant.
pub(crate) struct Deferred {
    /// The side that must not be less.
    pub(crate) greatest: Operand,
    /// The side that must not be greater.
    pub(crate) least: Operand,
    /// The message if the comparison fails.
    pub(crate) message: &'static str,
}

/// One side of a deferred comparison.
#[derive(Clone)]
pub(crate) enum Operand {
    /// A literal.
    Number(u64),
    /// A constant.
    Constant(Path),
}

/// Records contradictions, and returns the comparisons that only the compiler can make.
pub(crate) fn check(rules: &[Rule], errors: &mut Errors) -> Vec<Deferred> {
    alone(rules, errors);
    zeroes(rules, errors);
    ages(rules, errors);
    events(rules, errors)
}

/// Records `never` together with other rules.
fn alone(rules: &[Rule], errors: &mut Errors) {
    let never = rules
        .iter()
        .find(|rule| matches!(rule.setting, Setting::Never));
    let other = rules
        .iter()
        .find(|rule| !matches!(rule.setting, Setting::Never));
    if let (Some(never), Some(other)) = (never, other) {
        errors.at(
            never.place,
            format!(
                "`{}` has no effect together with `never`; remove one of them",
                other.key.facts().name
            ),
        );
    }
}

/// Records limits of zero, with which nothing is ever cached.
fn zeroes(rules: &[Rule], errors: &mut Errors) {
    for rule in rules {
        let place = match &rule.setting {
            Setting::Number(NumberValue::Known(0, place)) => *place,
            Setting::Duration(DurationValue::Known(0, literal)) => literal.span(),
            _ => continue,
        };
        match rule.key {
            CacheKey::Every => errors.at(
                place,
                "`every` is 0, but must be at least 1; `every = 1` caches after each event",
            ),
            CacheKey::MaxEvents => errors.at(
                place,
                "these rules never cache anything: `max_events` is 0; if that is intended, write `cache(never)`",
            ),
            CacheKey::Ttl | CacheKey::MaxAge => {
                let name = rule.key.facts().name;
                errors.at(place, format!("these rules never cache anything: `{name}` is zero; if that is intended, write `cache(never)`"));
            }
            CacheKey::MinEvents | CacheKey::MinAge | CacheKey::When | CacheKey::Never => {}
        }
    }
}

/// Records a `max_age` below `min_age`.
fn ages(rules: &[Rule], errors: &mut Errors) {
    let find = |key| {
        rules.iter().find_map(|rule| match &rule.setting {
            Setting::Duration(DurationValue::Known(age, literal)) if rule.key == key => {
                Some((*age, literal))
            }
            _ => None,
        })
    };
    if let (Some((least, shortest)), Some((greatest, longest))) =
        (find(CacheKey::MinAge), find(CacheKey::MaxAge))
        && greatest < least
        && greatest > 0
    {
        let (shown_greatest, shown_least) = (longest.value(), shortest.value());
        errors.at(
            longest.span(),
            format!("these rules never cache anything: `max_age` ({shown_greatest}) is below `min_age` ({shown_least})"),
        );
    }
}

/// Records a `max_events` below `min_events`, and returns the comparisons with constants.
fn events(rules: &[Rule], errors: &mut Errors) -> Vec<Deferred> {
    let find = |key| {
        rules.iter().find_map(|rule| match &rule.setting {
            Setting::Number(number) if rule.key == key => Some(number),
            _ => None,
        })
    };
    let mut deferred = Vec::new();
    if let Some(NumberValue::Constant(path)) = find(CacheKey::Every) {
        deferred.push(Deferred {
            greatest: Operand::Constant(path.clone()),
            least: Operand::Number(1),
            message: "`every` is 0, but must be at least 1",
        });
    }
    match (find(CacheKey::MinEvents), find(CacheKey::MaxEvents)) {
        (Some(NumberValue::Known(least, _)), Some(NumberValue::Known(greatest, span)))
            if greatest < least && *greatest > 0 =>
        {
            errors.at(
                *span,
                format!("these rules never cache anything: `max_events` ({greatest}) is below `min_events` ({least})"),
            );
        }
        (Some(NumberValue::Known(..)), Some(NumberValue::Known(..))) => {}
        (Some(least), Some(greatest)) => deferred.push(Deferred {
            greatest: operand(greatest),
            least: operand(least),
            message: "these rules never cache anything: `max_events` is below `min_events`",
        }),
        _ => {}
    }
    deferred
}

/// A number as one side of a comparison.
fn operand(number: &NumberValue) -> Operand {
    match number {
        NumberValue::Known(number, _) => Operand::Number(*number),
        NumberValue::Constant(path) => Operand::Constant(path.clone()),
    }
}
