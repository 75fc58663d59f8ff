//! `/api/v1/notifications`, and as events while they change `/api/v1/notifications/live`.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};

use super::envelope::Success;
use super::runtime::time;
use super::{State, json};
use crate::notifications::Notification;

/// How many may follow at a time (Prometheus's `--web.max-notifications-subscribers`).
pub const FOLLOWERS_MAX: usize = 16;

/// A line that says nothing is sent this often, so that a follower who is gone is noticed.
const REASSURE_EVERY: Duration = Duration::from_secs(15);

/// Events that wait for a follower.
const EVENTS_MAX: usize = 16;

/// Those that hold now.
pub(super) async fn list(Shared(state): Shared<State>) -> Success {
    let all = state.notifications.list();
    Success::with(|out| json::write_list(out, &all, |out, own| write(out, own, true)))
}

/// Server-sent events: those that hold, then each that comes or goes. 204 if too many follow.
pub(super) async fn live(Shared(state): Shared<State>) -> Response {
    let Ok(permit) = state.followers.clone().try_acquire_owned() else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let (mut sender, body) = Channel::<Bytes, std::convert::Infallible>::new(EVENTS_MAX);
    tokio::spawn(async move {
        let _permit = permit;
        // The follower went away, or the server ends.
        let _ended = tell(&state, &mut sender).await;
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONNECTION, "keep-alive"),
    ];
    (headers, Body::new(body)).into_response()
}

async fn tell(
    state: &State,
    sender: &mut Sender<Bytes>,
) -> Result<(), http_body_util::channel::SendError> {
    let mut changes = state.notifications.follow();
    let mut told = Vec::new();
    loop {
        let Some(now) = changes.borrow_and_update().clone() else { return Ok(()) };
        for event in events(&told, &now) {
            sender.send_data(Bytes::from(event)).await?;
        }
        told = now;
        while let Err(_silence) = tokio::time::timeout(REASSURE_EVERY, changes.changed()).await {
            sender.send_data(Bytes::from_static(b":\n\n")).await?;
        }
    }
}

/// What came is active, what went is not.
fn events(before: &[Notification], now: &[Notification]) -> Vec<String> {
    let event = |own: &Notification, is_active| {
        let mut text = String::from("data: ");
        write(&mut text, own, is_active);
        text + "\n\n"
    };
    let went = before.iter().filter(|own| !now.contains(own)).map(|own| event(own, false));
    let came = now.iter().filter(|own| !before.contains(own)).map(|own| event(own, true));
    went.chain(came).collect()
}

fn write(out: &mut String, own: &Notification, is_active: bool) {
    out.push_str(r#"{"text":"#);
    json::write_html_safe(out, &own.text);
    out.push_str(&format!(r#","date":"{}","active":{is_active}}}"#, time(own.since)));
}
