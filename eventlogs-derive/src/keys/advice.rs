//! The messages for a key that does not belong where it is written.

use super::table::{
    AggregateKey, CacheKey, EventKey, HandlerKey, Keys, Level, ProjectionKey, VariantKey,
};
use crate::suggest;

/// The message for a key that is not one of this level: where the key belongs, or which key was probably meant.
pub(super) fn stranger<K: Keys>(name: &str, owner: &str) -> String {
    let here = match K::LEVEL {
        Level::EventEnum => above_a_variant(name),
        Level::EventVariant => below_the_enum(name, owner),
        Level::EventField => below_a_variant(name, owner),
        Level::Aggregate => on_an_aggregate(name),
        Level::Cache => inside_the_cache(name),
        Level::Projection => on_a_projection(name),
        Level::HandlerBlock => beside_the_event_type(name),
    };
    without_key(K::LEVEL, name)
        .or(here)
        .or_else(|| elsewhere(name))
        .unwrap_or_else(|| unknown::<K>(name))
}

/// The message for a key that no level has.
fn unknown<K: Keys>(name: &str) -> String {
    if K::LEVEL == Level::EventField {
        return format!(
            "unknown key `{name}`; on a field, write serde's attributes, as in `#[serde(rename = \"…\")]`"
        );
    }
    match meant::<K>(name) {
        Some(closest) => format!("unknown key `{name}`; did you mean `{closest}`?"),
        None => format!(
            "unknown key `{name}`; expected one of {}",
            suggest::list(K::names())
        ),
    }
}

/// The key of the level that was probably meant: one with a similar spelling, or what other libraries call differently.
pub(super) fn meant<K: Keys>(name: &str) -> Option<&'static str> {
    suggest::closest(name, K::names()).or_else(|| other_word(K::LEVEL, name))
}

/// The key for a word that another library uses for the same thing.
fn other_word(level: Level, name: &str) -> Option<&'static str> {
    let key = match (level, name) {
        (Level::EventVariant, "event_name" | "event_type" | "type") => VariantKey::Name.facts(),
        (Level::EventVariant, "event_version" | "schema_version") => VariantKey::Version.facts(),
        (
            Level::EventEnum,
            "aggregate_type" | "category" | "kind" | "stream" | "stream_name" | "type",
        ) => EventKey::LogType.facts(),
        (Level::EventEnum, "encoding" | "format" | "serializer") => EventKey::Codec.facts(),
        (Level::Cache, "expire" | "expires" | "expiry") => CacheKey::Ttl.facts(),
        (Level::Cache, "disabled" | "none" | "off") => CacheKey::Never.facts(),
        (Level::Projection, "db" | "store") => ProjectionKey::Database.facts(),
        (Level::HandlerBlock, "except" | "ignored" | "skip") => HandlerKey::Ignore.facts(),
        _ => return None,
    };
    Some(key.name)
}

/// The message for a string without a key.
fn without_key(level: Level, text: &str) -> Option<String> {
    if !text.starts_with('"') {
        return None;
    }
    let key = match level {
        Level::EventVariant => VariantKey::Name.facts(),
        Level::EventEnum => EventKey::LogType.facts(),
        Level::Projection => ProjectionKey::Name.facts(),
        Level::EventField | Level::Aggregate | Level::Cache | Level::HandlerBlock => {
            return Some(format!("expected a key instead of `{text}`"));
        }
    };
    Some(format!(
        "`{text}` has no key; write `{} = {text}`",
        key.name
    ))
}

/// Returns `true` if a key is probably the name of a type.
pub(super) fn is_type_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_uppercase())
}

/// The message for a variant's key on the enum.
fn above_a_variant(name: &str) -> Option<String> {
    let of_the_enum = match VariantKey::named(name)? {
        VariantKey::Name => Some(EventKey::LogType),
        VariantKey::Alias => Some(EventKey::LogTypeAlias),
        VariantKey::Version
        | VariantKey::Upcast
        | VariantKey::Accept
        | VariantKey::Retired
        | VariantKey::Flatten => None,
    };
    Some(match of_the_enum {
        Some(key) => format!(
            "`{name}` belongs on a variant; move it down to one, or write `{}` for the kind of the logs",
            key.facts().name
        ),
        None => format!("`{name}` belongs on a variant; move it down to one"),
    })
}

/// The message for the enum's key on a variant or a field.
fn below_the_enum(name: &str, owner: &str) -> Option<String> {
    EventKey::named(name)
        .map(|_| format!("`{name}` applies to the whole enum; move it up to {owner}"))
}

/// The message for the enum's or a variant's key on a field.
fn below_a_variant(name: &str, variant: &str) -> Option<String> {
    below_the_enum(name, "the enum").or_else(|| {
        VariantKey::named(name)
            .map(|_| format!("`{name}` applies to the whole variant; move it up to `{variant}`"))
    })
}

/// The message for a cache rule outside `cache(…)`.
fn outside_the_cache(name: &str) -> Option<String> {
    CacheKey::named(name).map(|key| {
        let rule = as_rule(key);
        format!("`{name}` is a rule of the cache; write `cache({rule})`")
    })
}

/// The message for a cache rule on the aggregate, or for the list of a projection's events.
fn on_an_aggregate(name: &str) -> Option<String> {
    if ProjectionKey::named(name) == Some(ProjectionKey::Events) {
        return Some(
            "an aggregate is reduced from one event enum; write `event = YourEvent`".to_owned(),
        );
    }
    if is_type_name(name) {
        return Some(format!(
            "`{name}` has no key; write `event = {name}` if it is the event enum"
        ));
    }
    outside_the_cache(name)
}

/// The message for the aggregate's key `event` on a projection.
fn on_a_projection(name: &str) -> Option<String> {
    if is_type_name(name) {
        return Some(format!(
            "`{name}` has no key; write `events({name})` if it is an event enum"
        ));
    }
    (AggregateKey::named(name)? == AggregateKey::Event)
        .then(|| "a projection lists its event enums; write `events(YourEvent)`".to_owned())
}

/// The message for a key of the aggregate in `cache(…)`.
fn inside_the_cache(name: &str) -> Option<String> {
    AggregateKey::named(name)
        .map(|_| format!("`{name}` is not a cache rule; move it out of the parentheses"))
}

/// The message for the aggregate's key `event` where the event type needs no key.
fn beside_the_event_type(name: &str) -> Option<String> {
    if is_type_name(name) {
        return Some(format!(
            "a block handles the events of one enum; write a separate `impl` block for `{name}`"
        ));
    }
    let is_event = AggregateKey::named(name) == Some(AggregateKey::Event)
        || ProjectionKey::named(name) == Some(ProjectionKey::Events);
    is_event.then(|| "the event type needs no key; write `#[event_handler(YourEvent)]`".to_owned())
}

/// The message for a key of another macro.
fn elsewhere(name: &str) -> Option<String> {
    if let Some(key) = EventKey::named(name) {
        let example = key.facts().example;
        return Some(format!(
            "`{name}` is a key of the events; write `#[event({example})]` on their enum"
        ));
    }
    if let Some(key) = VariantKey::named(name) {
        let example = key.facts().example;
        return Some(format!(
            "`{name}` is a key of the events; write `#[event({example})]` on a variant of their enum"
        ));
    }
    if let Some(key) = AggregateKey::named(name) {
        let example = key.facts().example;
        return Some(format!(
            "`{name}` is a key of the aggregate; write `#[aggregate({example})]` on its struct or enum"
        ));
    }
    if let Some(key) = CacheKey::named(name) {
        let rule = as_rule(key);
        return Some(format!(
            "`{name}` is a rule of the aggregate's cache; write `#[aggregate(cache({rule}))]` on its struct or enum"
        ));
    }
    if let Some(key) = ProjectionKey::named(name) {
        let example = key.facts().example;
        return Some(format!(
            "`{name}` is a key of the projection; write `#[projection({example})]` on its struct or enum"
        ));
    }
    let example = HandlerKey::named(name)?.facts().example;
    Some(format!(
        "`{name}` is a key of the handlers; write `#[event_handler(YourEvent, {example})]` on their `impl` block"
    ))
}

/// A rule as it is written within the parentheses of `cache(…)`.
fn as_rule(key: CacheKey) -> &'static str {
    match key {
        // The example of `never` already has the parentheses, because the bare word explains nothing.
        CacheKey::Never => key.facts().name,
        CacheKey::MinEvents
        | CacheKey::MaxEvents
        | CacheKey::Every
        | CacheKey::MinAge
        | CacheKey::MaxAge
        | CacheKey::Ttl
        | CacheKey::When => key.facts().example,
    }
}
