//! The headers that make requests safe to repeat and to send at the same time.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use eventlogs::{CreateOptions, DecideOptions, LogState};
use std::convert::Infallible;

/// The header `Idempotency-Key`. Whoever sends none repeats at their own risk.
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The options of a request that creates a log.
    pub(crate) fn create(self) -> CreateOptions {
        CreateOptions {
            idempotency_key: self.0,
            ..Default::default()
        }
    }

    /// The options of a request that changes a log.
    pub(crate) fn decide(self) -> DecideOptions {
        DecideOptions {
            idempotency_key: self.0,
            ..Default::default()
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            text(&parts.headers, "idempotency-key").map(str::to_owned),
        ))
    }
}

/// The header `If-Match`: the index of the last event that the client has seen, as [`etag`] has sent it.
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(tag) = text(&parts.headers, header::IF_MATCH.as_str()) else {
            return Ok(Self(None));
        };
        let index = tag.trim_matches('"').parse();
        index.map(|index| Self(Some(index))).map_err(|_| {
            let advice = "send the ETag of the last answer in If-Match";
            (StatusCode::BAD_REQUEST, advice)
        })
    }
}

/// The header `ETag`: the index of the last event.
pub(crate) fn etag<E>(state: LogState<E>) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, format!("\"{}\"", state.index()))]
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
