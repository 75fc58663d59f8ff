//! List and watch: keeps a store equal to what an API server has.
//!
//! 1. **List**, page by page; when the last page is there the store takes it all at once.
//! 2. **Watch** from the version of the list: each event goes to the store. Bookmarks and events
//!    say from which version the next watch goes on when this one ends, as it does every five
//!    minutes, when the server restarts, or when the connection is cut.
//! 3. A version that the server does not have any more (HTTP 410, an `ERROR` event with 410 inside
//!    a stream that began well, a version from before a restored backup) leads back to 1.
//!
//! 4. A kind that the server does not have is empty, and is looked for again much later. Where
//!    rights are looked at first, that is said by the list of kinds alone.
//!
//! While nothing of that works the store keeps what it has, and says what fails. Where watching
//! is refused and listing is not, lists alone have to do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::core::WatchEvent;
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::api::{Api, ApiError};
use super::objects::{Object, nullable};
use super::scope::{Scope, WATCH_SECONDS};
use super::store::Store;

/// Seconds that a page of a list may take.
const PAGE_SECONDS: u64 = 60;
/// Seconds of silence after which a watch is dead; the server ends it before.
const SILENCE_SECONDS: u64 = WATCH_SECONDS + 15;

/// A kind that the cluster does not know is looked for so often.
const ABSENT: Duration = Duration::from_secs(180);

/// How long to wait after a failure: `first`, then twice as long each time, up to `most`.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub most: Duration,
    /// When the cluster does not know a kind of objects that may be brought to it later.
    pub absent: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(30), absent: ABSENT }
    }
}

/// Waits longer each time, until something works.
pub(super) struct Pause {
    retry: Retry,
    next: Duration,
}

impl Pause {
    pub(super) fn new(retry: Retry) -> Self {
        Self { retry, next: retry.first }
    }

    pub(super) async fn wait(&mut self) {
        sleep(self.next).await;
        self.next = (2 * self.next).min(self.retry.most);
    }

    fn reset(&mut self) {
        self.next = self.retry.first;
    }
}

#[derive(Deserialize)]
#[serde(bound = "K: Object")]
struct List<K> {
    metadata: ListMeta,
    #[serde(deserialize_with = "nullable")]
    items: Vec<K>,
}

/// The kinds of a group.
#[derive(Deserialize)]
struct Kinds {
    #[serde(default)]
    resources: Vec<KindName>,
}

#[derive(Deserialize)]
struct KindName {
    name: String,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct ListMeta {
    resource_version: String,
    r#continue: String,
}

/// Keeps `store` equal to what `scope` is on the server, until it is dropped.
pub(super) async fn follow<K: Object>(api: Api, scope: Scope, store: Arc<Store<K>>, retry: Retry) {
    let mut pause = Pause::new(retry);
    loop {
        let tried = scope.tried("list");
        match list(&api, &scope).await {
            Ok((objects, version)) => {
                store.replace(objects);
                worked(&api, &store, &tried);
                watch(&api, &scope, &store, version, &mut pause).await;
            }
            Err(error) if is_absent(&api, &scope, &error).await => {
                store.is_unknown();
                sleep(retry.absent).await;
            }
            Err(error) => failed(&api, &scope, &store, &tried, &error),
        }
        pause.wait().await;
    }
}

/// `tried` works, and so somebody answers.
fn worked<K: Object>(api: &Api, store: &Store<K>, tried: &str) {
    store.worked(&api.reach);
    store.worked(tried);
}

/// `tried` fails: there is no answer, whatever is tried, or there is one and it is of no use.
fn failed<K: Object>(api: &Api, scope: &Scope, store: &Store<K>, tried: &str, error: &ApiError) {
    if error.is_silence() {
        return store.failed(&api.reach, error.to_string(), false);
    }
    store.worked(&api.reach);
    store.failed(tried, scope.explain(error), error.code() == Some(403));
}

/// Whether the server has no such kind.
async fn is_absent(api: &Api, scope: &Scope, error: &ApiError) -> bool {
    if !scope.kind.may_be_absent() || !matches!(error.code(), Some(403 | 404)) {
        return false;
    }
    let path = scope.group();
    match timeout(Duration::from_secs(PAGE_SECONDS), api.get::<Kinds>(&path)).await {
        Ok(Ok(kinds)) => {
            let plural = scope.kind.resource().2;
            !kinds.resources.iter().any(|kind| kind.name == plural)
        }
        Ok(Err(error)) => error.code() == Some(404),
        Err(_) => false,
    }
}

/// All objects by key, and the version of the server at which these are all.
async fn list<K: Object>(
    api: &Api,
    scope: &Scope,
) -> Result<(HashMap<String, Arc<K>>, String), ApiError> {
    let mut objects = HashMap::new();
    let mut after = String::new();
    loop {
        let path = scope.list(&after);
        let page = timeout(Duration::from_secs(PAGE_SECONDS), api.get::<List<K>>(&path));
        let page = page.await.map_err(|_| ApiError::TimedOut(PAGE_SECONDS))??;
        for mut object in page.items {
            object.meta_mut().resource_version = String::new();
            objects.insert(object.meta().key(), Arc::new(object));
        }
        after = page.metadata.r#continue;
        if after.is_empty() {
            return Ok((objects, page.metadata.resource_version));
        }
    }
}

/// Follows the changes after `version` until it takes a new list to go on.
async fn watch<K: Object>(
    api: &Api,
    scope: &Scope,
    store: &Store<K>,
    mut version: String,
    pause: &mut Pause,
) {
    let tried = scope.tried("watch");
    loop {
        let before = version.clone();
        let ended = stream(api, scope, store, &mut version).await;
        if version != before {
            pause.reset();
        }
        match ended {
            // Cut: if the server is away, the next attempt says so.
            Ok(()) if version != before => continue,
            Ok(()) => {}
            Err(error) if error.is_expired() => return,
            Err(error) => {
                failed(api, scope, store, &tried, &error);
                if !error.is_silence() {
                    return;
                }
            }
        }
        pause.wait().await;
    }
}

/// One watch, from its request to its end.
async fn stream<K: Object>(
    api: &Api,
    scope: &Scope,
    store: &Store<K>,
    version: &mut String,
) -> Result<(), ApiError> {
    let path = scope.watch(version);
    let request = timeout(Duration::from_secs(PAGE_SECONDS), api.events(&path));
    let mut lines = request.await.map_err(|_| ApiError::TimedOut(PAGE_SECONDS))??;
    worked(api, store, &scope.tried("watch"));
    loop {
        let line = match timeout(Duration::from_secs(SILENCE_SECONDS), lines.next()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None) | Err(ApiError::Connection(_))) | Err(_) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        };
        if !line.is_empty() {
            *version = take(store, serde_json::from_slice(&line)?)?;
        }
    }
}

/// Tells the store; the answer is the version after the event.
fn take<K: Object>(store: &Store<K>, event: WatchEvent<K>) -> Result<String, ApiError> {
    match event {
        WatchEvent::Added(mut object) | WatchEvent::Modified(mut object) => {
            let version = std::mem::take(&mut object.meta_mut().resource_version);
            store.put(object);
            Ok(version)
        }
        WatchEvent::Deleted(object) => {
            // With the labels from before, if it only left the selector: the key alone counts.
            store.remove(&object.meta().key());
            Ok(object.meta().resource_version.clone())
        }
        WatchEvent::Bookmark(bookmark) => Ok(bookmark.metadata.resource_version),
        WatchEvent::Error(status) => Err(ApiError::Refused(status)),
    }
}
