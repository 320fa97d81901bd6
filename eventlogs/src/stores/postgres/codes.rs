//! Error codes of PostgreSQL, from the appendix "PostgreSQL Error Codes" of its documentation.

pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";
pub(super) const INVALID_AUTHORIZATION: &str = "28000";
pub(super) const INVALID_PASSWORD: &str = "28P01";
pub(super) const PROTOCOL_VIOLATION: &str = "08P01";
pub(super) const UNTRANSLATABLE_CHARACTER: &str = "22P05";
pub(super) const UNDEFINED_STATEMENT: &str = "26000";
pub(super) const DUPLICATE_STATEMENT: &str = "42P05";
pub(super) const INVALID_CATALOG: &str = "3D000";
pub(super) const INVALID_SCHEMA: &str = "3F000";
pub(super) const UNDEFINED_TABLE: &str = "42P01";
pub(super) const INSUFFICIENT_PRIVILEGE: &str = "42501";
pub(super) const READ_ONLY_TRANSACTION: &str = "25006";
pub(super) const SERIALIZATION_FAILURE: &str = "40001";
pub(super) const DEADLOCK_DETECTED: &str = "40P01";
pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
pub(super) const UNIQUE_VIOLATION: &str = "23505";
pub(super) const ADMIN_SHUTDOWN: &str = "57P01";
pub(super) const CRASH_SHUTDOWN: &str = "57P02";
pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";
pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
pub(super) const DATA_CORRUPTED: &str = "XX001";
pub(super) const INDEX_CORRUPTED: &str = "XX002";
/// The class of errors about insufficient resources.
pub(super) const INSUFFICIENT_RESOURCES: &str = "53";
/// The class of errors about actions of an administrator.
pub(super) const OPERATOR_INTERVENTION: &str = "57";
/// The class of errors about broken connections.
pub(super) const CONNECTION_EXCEPTION: &str = "08";
