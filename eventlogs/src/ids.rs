//! The ids of logs and of events.

use crate::error_kind::ErrorKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The root of every [`LogId::derived`] id. Changing it would give every natural key another log.
const DERIVED_ROOT: Uuid = Uuid::from_u128(0x5a0c_2b9e_7d1f_4c63_9f0e_1b7a_64d8_e2c5);

/// The id of one log: 16 bytes that print and parse as a UUID.
///
/// A [new](LogId::new) id is a UUID of version 7: ids made later sort later, so inserts stay local in the database's index. If
/// the entity already has a natural key, [`LogId::derived`] returns the same id for the same key.
///
/// ```
/// use eventlogs::ids::LogId;
///
/// let id = LogId::new();
/// let same: LogId = id.to_string().parse()?;
/// assert_eq!(id, same);
/// # Ok::<(), eventlogs::ids::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(Uuid);

impl LogId {
    /// Makes a new, time-ordered id.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the id of the log that belongs to a natural key: the same `namespace` and `key` always give the same id.
    ///
    /// It is a UUID of version 5 (SHA-1 of the names), so other languages can compute it too. It contains no time. A namespace
    /// keeps the keys of different kinds of entities apart.
    ///
    /// ```
    /// use eventlogs::ids::LogId;
    ///
    /// assert_eq!(LogId::derived("invoice", "2026-00017"), LogId::derived("invoice", "2026-00017"));
    /// assert_ne!(LogId::derived("invoice", "2026-00017"), LogId::derived("order", "2026-00017"));
    /// ```
    #[must_use]
    pub fn derived(namespace: &str, key: impl AsRef<[u8]>) -> Self {
        let namespace = Uuid::new_v5(&DERIVED_ROOT, namespace.as_bytes());
        Self(Uuid::new_v5(&namespace, key.as_ref()))
    }
}

/// What names a log: a [`LogId`] or a UUID, by value or by reference, and every type that converts into a [`LogId`].
///
/// A type of your own gets it with `From`:
///
/// ```
/// use eventlogs::ids::{IntoLogId, LogId};
///
/// #[derive(Clone, Copy)]
/// struct PaymentId(uuid::Uuid);
///
/// impl From<PaymentId> for LogId {
///     fn from(id: PaymentId) -> Self { id.0.into() }
/// }
///
/// let id = PaymentId(uuid::Uuid::now_v7());
/// assert_eq!(id.into_log_id(), LogId::from(id.0));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the id of a log",
    label = "expected a `LogId` or a UUID",
    note = "make an id of a text with `LogId::derived(\"order\", text)`; `text.parse::<LogId>()?` reads a UUID; for a type of your own, implement `From<{Self}> for LogId`"
)]
pub trait IntoLogId {
    /// Returns the id of the log.
    fn into_log_id(self) -> LogId;
}

// Without the attribute, the compiler would name `Into`, and not say what to write.
#[diagnostic::do_not_recommend]
impl<T: Into<LogId>> IntoLogId for T {
    fn into_log_id(self) -> LogId {
        self.into()
    }
}

impl Default for LogId {
    /// Makes a new id, never a zero one, like [`LogId::new`].
    fn default() -> Self {
        Self::new()
    }
}

/// The id of one event, made by the client before the first attempt to write it.
///
/// A repeated attempt has the same id. So the library can distinguish its own event, stored by an attempt whose answer was
/// lost, from another writer's event at the same index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// Makes a new, time-ordered id.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default that differs on every call would surprise in derives"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

/// The error for a string that is not a UUID and so not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{input}` is not an id: {source}; give a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"
)]
pub struct ParseIdError {
    /// The first characters of the string.
    input: String,
    /// The reason why it is not a UUID.
    source: uuid::Error,
}

impl ParseIdError {
    /// Returns [`Invalid`](ErrorKind::Invalid): the text is not an id.
    ///
    /// ```
    /// use eventlogs::{ErrorKind, ids::LogId};
    ///
    /// let error = "order-17".parse::<LogId>().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// ```
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// Returns `false`: the same text fails again.
    ///
    /// ```
    /// use eventlogs::ids::LogId;
    ///
    /// let error = "order-17".parse::<LogId>().unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Implements the conversions of both ids: they wrap a UUID and differ only in meaning.
macro_rules! uuid_conversions {
    ($id:ident) => {
        impl $id {
            /// Wraps an existing UUID, of any version.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// The 16 bytes, as stores keep them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($id), "({})"), self.0)
            }
        }

        impl FromStr for $id {
            type Err = ParseIdError;

            fn from_str(input: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(input)
                    .map(Self)
                    .map_err(|source| ParseIdError {
                        // The input may be a whole document; an error message needs only its beginning.
                        input: input.chars().take(60).collect(),
                        source,
                    })
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Uuid::deserialize(deserializer).map(Self)
            }
        }

        impl From<&$id> for $id {
            fn from(id: &$id) -> Self {
                *id
            }
        }

        impl From<&Uuid> for $id {
            fn from(uuid: &Uuid) -> Self {
                Self(*uuid)
            }
        }

        impl From<Uuid> for $id {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$id> for Uuid {
            fn from(id: $id) -> Self {
                id.0
            }
        }
    };
}

uuid_conversions!(LogId);
uuid_conversions!(EventId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_never_changes() {
        // Stored data depends on this value: a natural key must always find its log.
        assert_eq!(
            LogId::derived("invoice", "2026-00017").to_string(),
            "c433ed1e-7c62-5476-90fd-c1ab13de6b68"
        );
    }

    #[test]
    fn namespace_and_key_do_not_run_together() {
        assert_ne!(LogId::derived("ab", "c"), LogId::derived("a", "bc"));
    }

    #[test]
    fn new_ids_rise() {
        let ids: Vec<_> = (0..1000).map(|_| LogId::new()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn what_is_no_uuid_is_refused_with_a_way_out() {
        let error = "order-17".parse::<LogId>().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("`order-17` is not an id: "), "{text}");
        assert!(text.contains("; give a UUID such as 0"), "{text}");
        assert!("".parse::<EventId>().is_err());
    }
}
