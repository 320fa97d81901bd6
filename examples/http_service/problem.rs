//! Errors as responses: the kind of an error decides about the status.

use crate::domain::Refusal;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eventlogs::{DecideError, ErrorKind, LogManagerError};

/// What a client gets instead of a result.
pub(crate) struct Problem {
    status: StatusCode,
    text: String,
}

impl From<LogManagerError> for Problem {
    fn from(error: LogManagerError) -> Self {
        DecideError::<Refusal>::from(error).into()
    }
}

impl From<DecideError<Refusal>> for Problem {
    fn from(error: DecideError<Refusal>) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => conflict(&error),
            ErrorKind::TryAgain => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::InDoubt => StatusCode::GATEWAY_TIMEOUT,
            // The events are stored, and only the state after them is missing.
            ErrorKind::Done => StatusCode::ACCEPTED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            // For the operators. The client gets no details of the database.
            eprintln!("error: {error}");
            let text = "the service cannot do this now".to_owned();
            return Self { status, text };
        }
        let text = match error {
            DecideError::Refused(refusal) => refusal.to_string(),
            error => error.to_string(),
        };
        Self { status, text }
    }
}

fn conflict(error: &DecideError<Refusal>) -> StatusCode {
    match error {
        DecideError::Log(LogManagerError::UnexpectedIndex { .. }) => {
            StatusCode::PRECONDITION_FAILED
        }
        _ => StatusCode::CONFLICT,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, self.text).into_response()
    }
}
