//! The one place where status codes are chosen: every failure of a request, as Prometheus
//! answers it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use promql::EvalError;

use super::json;
use crate::queries::QueryError;

/// Prometheus's `errorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The request cannot be understood.
    BadData,
    /// It was understood and could not be carried out.
    Execution,
    /// The client went away.
    Canceled,
    /// It took too long, or the server is not ready.
    Timeout,
    /// Our fault.
    Internal,
    /// Switched off by a flag.
    Unavailable,
    /// No such thing.
    NotFound,
}

impl ErrorType {
    fn as_str(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Canceled => "canceled",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::NotFound => "not_found",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            // nginx's "client closed request", which Prometheus uses too.
            Self::Canceled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal | Self::Unavailable => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }
}

/// An answer of the API that says what went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What kind of failure.
    pub kind: ErrorType,
    /// In words.
    pub message: String,
}

impl ApiError {
    /// The request cannot be understood.
    pub fn bad_data(message: impl Into<String>) -> Self {
        Self { kind: ErrorType::BadData, message: message.into() }
    }

    /// Our fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: ErrorType::Internal, message: message.into() }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let message = error.to_string();
        let kind = match error {
            QueryError::Parse(_) | QueryError::Eval(EvalError::Invalid(_)) => {
                return super::params::invalid("query", message);
            }
            QueryError::Eval(
                EvalError::Execution(_)
                | EvalError::TooManySamples
                | EvalError::TooMuchMemory { .. },
            ) => ErrorType::Execution,
            QueryError::Eval(EvalError::Canceled) => ErrorType::Canceled,
            QueryError::Eval(EvalError::Timeout) => ErrorType::Timeout,
            QueryError::Eval(EvalError::Storage(_)) | QueryError::Store(_) => ErrorType::Internal,
        };
        Self { kind, message }
    }
}

impl From<tsdb::Error> for ApiError {
    fn from(error: tsdb::Error) -> Self {
        Self::internal(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body =
            format!(r#"{{"status":"error","errorType":"{}","error":"#, self.kind.as_str());
        json::write_html_safe(&mut body, &self.message);
        body.push('}');
        (self.kind.status(), [("content-type", "application/json")], body).into_response()
    }
}
