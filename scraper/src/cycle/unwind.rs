//! Panics of one scrape end that scrape only: they become texts here.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use tokio::task::JoinError;

/// What `work` comes to, or what it said when it panicked.
pub(super) async fn unwinding<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = std::pin::pin!(work);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(text_of(&*panic))),
        }
    })
    .await
}

/// What a task that did not finish says.
pub(super) fn panic_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => text_of(&*panic),
        Err(error) => format!("scrape was cancelled: {error}"),
    }
}

/// What a panic says.
pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("scrape panicked: {}", text.unwrap_or("no message"))
}
