//! The thread on which targets are scraped.
//!
//! A scrape waits for its time, asks, waits for the answer, and stores it in a fraction of a
//! millisecond. On one thread that wakes for all of them, thousands of targets need no second one,
//! and no thread wakes another for every page.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// An async runtime with one thread. When it is dropped, what runs on it ends with its next wait.
#[derive(Debug)]
pub struct ScrapeThread(Option<Runtime>);

impl ScrapeThread {
    /// Starts it.
    pub fn start() -> io::Result<Self> {
        let builder = &mut Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("scrape").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// What starts tasks on it.
    pub fn handle(&self) -> Handle {
        self.0.as_ref().expect("BUG: a thread that has ended").handle().clone()
    }
}

impl Drop for ScrapeThread {
    fn drop(&mut self) {
        // Waiting for it is not allowed where this is dropped, and of no use.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
