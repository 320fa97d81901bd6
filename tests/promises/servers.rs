//! The servers that tests run against, if there are any.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Where PostgreSQL is; says once if it is nowhere, and fails where it must not be.
pub(crate) fn postgres_url() -> Option<String> {
    found("EVENTLOGS_POSTGRES_URL", "PostgreSQL")
}

fn found(variable: &str, name: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        left_out(&format!(
            "everything on {name}: {variable} is not set; ./scripts/servers starts one"
        ));
    }
    url
}

/// Says what was left out, once a run; a failure where nothing may be.
pub(crate) fn left_out(what: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    assert!(
        std::env::var_os("EVENTLOGS_SERVERS").is_none(),
        "left out: {what}"
    );
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(what.to_owned()) {
        eprintln!("left out: {what}");
    }
}
