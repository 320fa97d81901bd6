//! Every key of every macro: one enum for each level, and for each key what to say of it.
//!
//! A new key is a variant here. The compiler then names the parser that does not handle it yet.

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
    /// `#[event_handler(…)]`, after the event type.
    HandlerBlock,
}

/// What messages say of a key.
pub(crate) struct KeyFacts {
    /// The key.
    pub(crate) name: &'static str,
    /// What it takes, for "takes …".
    pub(crate) takes: &'static str,
    /// How it is written right.
    pub(crate) example: &'static str,
    /// Whether it may be given more than once.
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
    /// The same of a key that may be given more than once.
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

    /// All of its keys.
    const ALL: &'static [Self];

    /// What messages say of this key.
    fn facts(self) -> &'static KeyFacts;

    /// The key of this name, if it is one of this level.
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
        /// Whether every variant must be given a stored name.
        ExplicitNames = key("explicit_names", "no value", "explicit_names"),
        /// The kind of the logs.
        LogType = key("log_type", "a string", "log_type = \"payment\""),
        /// A former kind of the logs.
        LogTypeAlias = key("log_type_alias", "a string", "log_type_alias = \"charge\"").repeatable(),
        /// Where the library is.
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
        /// How older versions are read.
        Upcast = key("upcast", "a list of functions", "upcast(1 = from_v1)"),
        /// Whether the variant stands for the events of another enum.
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
        /// When it is cached.
        Cache = key("cache", "a list of rules", "cache(min_events = 10)"),
        /// What its code fingerprint is made of, besides or instead of its code.
        Fingerprint = key("fingerprint", "a string or a number", "fingerprint = \"2\""),
        /// Where the library is.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}

keys! {
    /// The rules in `cache(…)`. Each but `never` is also called like the method of `CacheRules` that sets it.
    Cache: enum CacheKey {
        /// The least number of events.
        MinEvents = key("min_events", "an integer", "min_events = 10"),
        /// The greatest number of events.
        MaxEvents = key("max_events", "an integer", "max_events = 1000"),
        /// After how many events again.
        Every = key("every", "an integer", "every = 5"),
        /// The least age of the log.
        MinAge = key("min_age", "a duration", "min_age = \"30s\""),
        /// The greatest age of the log.
        MaxAge = key("max_age", "a duration", "max_age = \"7d\""),
        /// How long an entry lives.
        Ttl = key("ttl", "a duration", "ttl = \"1h\""),
        /// A function that decides.
        When = key("when", "the path of a function", "when = is_open"),
        /// Whether it is not cached at all.
        Never = key("never", "no value", "cache(never)"),
    }
}

keys! {
    /// The keys of `#[event_handler(…)]`.
    HandlerBlock: enum HandlerKey {
        /// The variants that need no handler.
        Ignore = key("ignore", "a list of variants", "ignore(Requested | Voided)"),
        /// Where the library is.
        Crate = key("crate", "a path", "crate = ::eventlogs"),
    }
}
