//! The interface: each request is one call of a manager.

use crate::domain::{Account, AccountEvent, Amount, Refusal, deposit, transfer, withdraw};
use crate::headers::{IdempotencyKey, IfMatch, etag};
use crate::problem::Problem;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use eventlogs::ids::LogId;
use eventlogs::{
    CreateOptions, DecideOptions, LogManager, LogManagerError, RecordedEvent, RequestFingerprint,
    across,
};
use serde::Deserialize;

type Accounts = LogManager<Account>;

/// The routes of the service.
pub(crate) fn routes(accounts: Accounts) -> Router {
    Router::new()
        .route("/accounts", post(open))
        .route("/accounts/{id}", get(show))
        .route("/accounts/{id}/events", get(history))
        .route("/accounts/{id}/deposits", post(make_deposit))
        .route("/accounts/{id}/withdrawals", post(make_withdrawal))
        .route("/transfers", post(make_transfer))
        .route("/readyz", get(ready))
        .with_state(accounts)
}

#[derive(Deserialize)]
struct Opening {
    owner: String,
}

async fn open(
    State(accounts): State<Accounts>,
    key: IdempotencyKey,
    Json(Opening { owner }): Json<Opening>,
) -> Result<Response, Problem> {
    let options = CreateOptions {
        request_fingerprint: Some(RequestFingerprint::new(owner.as_bytes())),
        ..key.create()
    };
    let opened = AccountEvent::Opened { owner };
    let id = match accounts.create(LogId::new(), &opened, &options).await {
        Ok(state) => state.log_id(),
        // The account that the first attempt has opened.
        Err(LogManagerError::IdempotentReplay { log_id, .. }) => log_id,
        Err(error) => return Err(error.into()),
    };
    let location = [("location", format!("/accounts/{id}"))];
    Ok((StatusCode::CREATED, location).into_response())
}

async fn show(
    State(accounts): State<Accounts>,
    Path(id): Path<LogId>,
) -> Result<Response, Problem> {
    let account = accounts.reduce(id).await?;
    Ok((etag(account.state()), Json(account.aggregate())).into_response())
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    from: u64,
}

async fn history(
    State(accounts): State<Accounts>,
    Path(id): Path<LogId>,
    Query(Page { from }): Query<Page>,
) -> Result<Json<Vec<RecordedEvent<AccountEvent>>>, Problem> {
    Ok(Json(accounts.load(id, from, 100).await?))
}

async fn make_deposit(
    State(accounts): State<Accounts>,
    Path(id): Path<LogId>,
    (key, seen): (IdempotencyKey, IfMatch),
    Json(amount): Json<Amount>,
) -> Result<Response, Problem> {
    change(&accounts, id, &options(key, seen, amount), deposit(amount)).await
}

async fn make_withdrawal(
    State(accounts): State<Accounts>,
    Path(id): Path<LogId>,
    (key, seen): (IdempotencyKey, IfMatch),
    Json(amount): Json<Amount>,
) -> Result<Response, Problem> {
    change(&accounts, id, &options(key, seen, amount), withdraw(amount)).await
}

/// A retry with the same key is answered like the first attempt, also if the log has moved since, or the money is gone.
fn options(key: IdempotencyKey, IfMatch(seen): IfMatch, amount: Amount) -> DecideOptions {
    DecideOptions {
        expected_index: seen,
        request_fingerprint: Some(RequestFingerprint::new(&amount.cents.to_le_bytes())),
        ..key.decide()
    }
}

async fn change(
    accounts: &Accounts,
    id: LogId,
    options: &DecideOptions,
    decision: impl Fn(&Account) -> Result<AccountEvent, Refusal> + Send,
) -> Result<Response, Problem> {
    let decided = accounts.decide(id, options, decision).await?;
    Ok((etag(decided.state()), Json(decided.aggregate())).into_response())
}

#[derive(Deserialize)]
struct Transfer {
    from: LogId,
    to: LogId,
    #[serde(flatten)]
    amount: Amount,
}

async fn make_transfer(
    State(accounts): State<Accounts>,
    key: IdempotencyKey,
    Json(Transfer { from, to, amount }): Json<Transfer>,
) -> Result<Json<Account>, Problem> {
    let request = format!("{from} {to} {}", amount.cents);
    let options = DecideOptions {
        request_fingerprint: Some(RequestFingerprint::new(request.as_bytes())),
        ..key.decide()
    };
    let both = across(((&accounts, from), (&accounts, to)));
    let moved = both.decide(&options, transfer(amount)).await?;
    let (from, _) = moved.logs();
    Ok(Json(from.aggregate().clone()))
}

async fn ready(State(accounts): State<Accounts>) -> Result<&'static str, Problem> {
    accounts.ping().await?;
    Ok("ready")
}
