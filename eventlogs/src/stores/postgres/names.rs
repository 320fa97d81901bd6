//! Names that a database cannot store.

use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::codes;
use std::fmt::Write;

/// Adds to an error the name that it is about, if it is about a name of these writes: all other values of a write are bytes.
pub(super) fn naming(error: StoreError, writes: &[&EncodedWrite]) -> StoreError {
    let StoreError::Database { source } = error else {
        return error;
    };
    let database = source.downcast_ref::<sqlx::Error>();
    let database = database.and_then(sqlx::Error::as_database_error);
    let message = match database {
        Some(database) if database.code().as_deref() == Some(codes::UNTRANSLATABLE_CHARACTER) => {
            database.message()
        }
        _ => return StoreError::Database { source },
    };
    let names = writes.iter().flat_map(|write| write.appends());
    let names = names.flat_map(|append| {
        let events = append.events().map(|event| event.event_type.name);
        std::iter::once(append.log_type.name()).chain(events)
    });
    let mut names: Vec<_> = names.filter(|name| !name.is_ascii()).collect();
    // The message contains the bytes of the character, in any language.
    if let Some(culprit) = names.iter().position(|name| is_about(message, name)) {
        names.swap(0, culprit);
    }
    match names.first() {
        Some(name) => StoreError::UnstorableName {
            name: (*name).to_owned(),
            source,
        },
        None => StoreError::Database { source },
    }
}

fn is_about(message: &str, name: &str) -> bool {
    let mut letters = name.chars().filter(|letter| !letter.is_ascii());
    letters.any(|letter| message.contains(&hexadecimal(letter)))
}

/// Returns the bytes of a letter, as the server writes them.
fn hexadecimal(letter: char) -> String {
    let mut text = String::new();
    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{space}0x{byte:02x}");
    }
    text
}
