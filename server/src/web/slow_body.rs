//! A request's body that has to be there in time: who sends it byte by byte is cut off.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

pub(super) struct SlowBody {
    body: Incoming,
    late: Pin<Box<Sleep>>,
}

impl SlowBody {
    /// A body that fails if it is not read to its end within `timeout` from now.
    pub(super) fn new(body: Incoming, timeout: Duration) -> Self {
        Self { body, late: Box::pin(tokio::time::sleep(timeout)) }
    }
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let late = "the request's body did not come in time; see --web.read-timeout";
        self.late.as_mut().poll(context).map(|()| Some(Err(late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
