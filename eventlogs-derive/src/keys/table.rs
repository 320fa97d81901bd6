//! Every key of every macro: one enum per level, with the facts about each key.
//!
//! A new key is a new variant here. The compiler then reports the parser that does not handle it yet.

use crate::codecs::BuiltInCodec;

/// A place where keys are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// `#[event(…)]` on the enum.
    EventEnum,
    /// `#[event(…)]` on a variant.
    EventVariant,
    /// `#[event(…)]` on a field.
    EventField,
    /// `#[aggregate(…)]`.
    Aggregate,
    /// `cache(…)` in `#[aggregate(…)]`.
    Cache,
    /// `#[projection(…)]`.
    Projection,
    /// `#[event_handler(…)]`, after the event type.
    HandlerBlock,
}

/// The facts about a key, for messages.
pub(crate) struct KeyFacts {
    /// The key.
    pub(crate) name: &'static str,
    /// The kind of value that it takes, for "takes …".
    pub(crate) takes: &'static str,
    /// A correct example.
    pub(crate) example: &'static str,
    /// `true` if the key may be given more than once.
    pub(crate) repeatable: bool,
}

/// The facts of a key that is given once.
const fn key(name: &'static str, takes: &'static str, example: &'static str) -> KeyFacts {
    KeyFacts {
        name,
        takes,
        example,
        repeatable: false,
    }
}

impl KeyFacts {
    /// Marks the key as one that may be given more than once.
    const fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }
}

/// The keys of one level.
pub(crate) trait Keys: Copy + 'static {
    /// The level.
    const LEVEL: Level;

    /// All keys of the level.
    const ALL: &'static [Self];

    /// The facts about this key, for messages.
    fn facts(self) -> &'static KeyFacts;

    /// The key with this name, if the level has one.
    fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|key| key.facts().name == name)
    }

    /// The names of all keys of this level.
    fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|key| key.facts().name)
    }
}

/// Declares the keys of a level.
macro_rules! keys {
    ($(#[$level_doc:meta])* $level:ident: enum $keys:ident { $($(#[$doc:meta])* $key:ident = $facts:expr,)* }) => {
        $(#[$level_doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $keys {
            $($(#[$doc])* $key,)*
        }

        impl Keys for $keys {
            const LEVEL: Level = Level::$level;

            const ALL: &'static [Self] = &[$(Self::$key),*];

            fn facts(self) -> &'static KeyFacts {
                match self {
                    $(Self::$key => const { &$facts },)*
                }
            }
        }
    };
}

keys! {
    /// The keys of `#[event(…)]` on the enum.
    EventEnum: enum EventKey {
        /// The codec that payloads are written with.
        Codec = key("codec", BuiltInCodec::TAKES, "codec = \"json\""),
        /// Requires a stored name on every variant.
        ExplicitNames = key("explicit_names", "no value", "explicit_names"),
        /// The kind of the logs.
        LogType = key("log_type", "a string", "log_type = \"payment\""),
        /// A former kind of the logs.
        LogTypeAlias = key("log_type_alias", "a string", "log_type_alias = \"charge\"").repeatable(),
        /// The path of the library.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}

keys! {
    /// The keys of `#[event(…)]` on a variant.
    EventVariant: enum VariantKey {
        /// The stored name.
        Name = key("name", "a string", "name = \"payment.captured\""),
        /// A former stored name.
        Alias = key("alias", "a string", "alias = \"payment.credited\"").repeatable(),
        /// The version of the payload.
        Version = key("version", "an integer", "version = 2"),
        /// The upcasters, which read older versions.
        Upcast = key("upcast", "a list of functions", "upcast(1 = from_v1)"),
        /// The functions that read newer versions.
        Accept = key("accept", "a list of functions", "accept(2 = from_v2)"),
        /// Marks a variant that is read but no longer written.
        Retired = key("retired", "no value", "retired"),
        /// Marks a variant that holds the events of another enum.
        Flatten = key("flatten", "no value", "flatten"),
    }
}

keys! {
    /// The keys of `#[event(…)]` on a field: there are none.
    EventField: enum FieldKey {}
}

keys! {
    /// The keys of `#[aggregate(…)]`.
    Aggregate: enum AggregateKey {
        /// The events that it is reduced from.
        Event = key("event", "a type", "event = YourEvent"),
        /// The rules of its cache.
        Cache = key("cache", "a list of rules", "cache(min_events = 10)"),
        /// A part of its code fingerprint in addition to its code, or a replacement for it.
        Fingerprint = key("fingerprint", "a string or a number", "fingerprint = \"2\""),
        /// The path of the library.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}

keys! {
    /// The rules in `cache(…)`. Each except `never` has the name of the method of `CacheRules` that sets it.
    Cache: enum CacheKey {
        /// The minimum number of events.
        MinEvents = key("min_events", "an integer", "min_events = 10"),
        /// The maximum number of events.
        MaxEvents = key("max_events", "an integer", "max_events = 1000"),
        /// The number of events after which it is cached again.
        Every = key("every", "an integer", "every = 5"),
        /// The minimum age of the log.
        MinAge = key("min_age", "a duration", "min_age = \"30s\""),
        /// The maximum age of the log.
        MaxAge = key("max_age", "a duration", "max_age = \"7d\""),
        /// The time after which an entry expires.
        Ttl = key("ttl", "a duration", "ttl = \"1h\""),
        /// A function that decides.
        When = key("when", "the path of a function", "when = is_open"),
        /// Turns caching off.
        Never = key("never", "no value", "cache(never)"),
    }
}

keys! {
    /// The keys of `#[projection(…)]`.
    Projection: enum ProjectionKey {
        /// The name of its progress and of its tables.
        Name = key("name", "a string", "name = \"ledger\""),
        /// The events that it wants.
        Events = key("events", "a list of event enums", "events(YourEvent)"),
        /// Where its handlers write.
        Database = key("database", "`postgres`, `sqlite` or `elsewhere`", "database = postgres"),
        /// The statements that create its tables.
        Create = key("create", "a string", "create = \"ledger.sql\""),
        /// The table whose rows it is.
        Table = key("table", "a string", "table = \"payments\""),
        /// A function that decides which rows stay in the table.
        Keep = key("keep", "the path of a function", "keep = is_open"),
        /// A part of its fingerprint in addition to its code, or a replacement for it.
        Fingerprint = key("fingerprint", "a string or a number", "fingerprint = \"2\""),
        /// The path of the library.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}

keys! {
    /// The keys of `#[event_handler(…)]`.
    HandlerBlock: enum HandlerKey {
        /// The variants that need no handler.
        Ignore = key("ignore", "a list of variants", "ignore(Requested | Voided)"),
        /// The path of the library.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}
