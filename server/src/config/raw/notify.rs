//! `notify.yml`, the file of the built-in sender.

use super::super::error::Place;
use super::super::yaml::{At, Value};
use super::{Client, Hidden, List, fields, settings};

settings! {
    /// The whole file.
    NotifyFile in NOTIFY_FILE {
        group_by: List<String>,
        group_wait: String,
        group_interval: String,
        repeat_interval: String,
        receivers: List<Receiver>,
    }
}

settings! {
    /// An item of `receivers`.
    Receiver in RECEIVER {
        name: String,
        kind = "type": String,
        url: Hidden,
        url_file: String,
        matchers: List<String>,
        send_resolved: bool,
        timeout: String,
        ..client: Client,
    }
}
