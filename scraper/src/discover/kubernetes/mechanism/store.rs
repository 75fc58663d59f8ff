//! The objects of one watch, and who is told when they change.
//!
//! 1. A watch puts in what it hears, and marks each key that changed in the inbox of every reader.
//! 2. A reader takes all marks at once and looks up what is there now. Ten changes of a pod while
//!    it was busy are one mark, so an inbox holds no more than the cluster has objects.
//!
//! An object that is equal to the one before is no change. A new list replaces all objects at
//! once: whoever looks meanwhile sees the old ones, and they stay while no list succeeds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::objects::{Kind, Object};

/// Keys of objects that changed, by kind.
pub(crate) type Changes = BTreeSet<(Kind, String)>;

/// What changed since a reader last looked.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    changes: Mutex<Changes>,
    wake: Notify,
}

impl Inbox {
    /// Waits until something was marked (objects, or only the state of a watch) and takes it.
    pub(crate) async fn next(&self) -> Changes {
        self.wake.notified().await;
        std::mem::take(&mut *locked(&self.changes))
    }

    fn mark(&self, kind: Kind, keys: impl IntoIterator<Item = String>) {
        locked(&self.changes).extend(keys.into_iter().map(|key| (kind, key)));
        self.wake.notify_one();
    }
}

/// The objects of one watch.
#[derive(Debug)]
pub(crate) struct Store<K> {
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    objects: HashMap<String, Arc<K>>,
    settled: bool,
    absent: bool,
    troubles: BTreeMap<String, String>,
    readers: Vec<Weak<Inbox>>,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        let (objects, troubles) = (HashMap::new(), BTreeMap::new());
        let state = State { objects, settled: false, absent: false, troubles, readers: Vec::new() };
        Self { state: Mutex::new(state) }
    }
}

impl<K: Object> Store<K> {
    /// Marks everything that is there and all that changes from now on in `inbox`.
    pub(crate) fn subscribe(&self, inbox: &Arc<Inbox>) {
        let mut state = locked(&self.state);
        state.readers.push(Arc::downgrade(inbox));
        inbox.mark(K::KIND, state.objects.keys().cloned());
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<K>> {
        locked(&self.state).objects.get(key).cloned()
    }

    /// All objects, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        locked(&self.state).objects.values().cloned().collect()
    }

    /// Whether all objects are there, or are known to be out of reach.
    pub(crate) fn settled(&self) -> bool {
        locked(&self.state).settled
    }

    /// What fails now: what was tried, and why.
    pub(crate) fn troubles(&self) -> BTreeMap<String, String> {
        locked(&self.state).troubles.clone()
    }

    /// A list was read to its end: these are all objects.
    pub(crate) fn replace(&self, listed: HashMap<String, Arc<K>>) {
        let mut state = locked(&self.state);
        let known = std::mem::replace(&mut state.objects, listed);
        let differs = |key: &&String| known.get(*key) != state.objects.get(*key);
        let gone = known.keys().filter(|key| !state.objects.contains_key(*key));
        let keys = state.objects.keys().filter(differs).chain(gone).cloned();
        let changed: Vec<String> = keys.collect();
        (state.settled, state.absent) = (true, false);
        state.mark(&changed);
    }

    /// The server does not know this kind of objects.
    pub(crate) fn is_unknown(&self) {
        self.replace(HashMap::new());
        let mut state = locked(&self.state);
        state.absent = true;
        state.troubles.clear();
        state.mark(&[]);
    }

    /// Whether the server does not know this kind of objects.
    pub(crate) fn is_absent(&self) -> bool {
        locked(&self.state).absent
    }

    /// An object is new or has changed.
    pub(crate) fn put(&self, object: K) {
        let key = object.meta().key();
        let mut state = locked(&self.state);
        if state.objects.get(&key).is_none_or(|known| **known != object) {
            state.objects.insert(key.clone(), Arc::new(object));
            state.mark(&[key]);
        }
    }

    /// An object is gone, or the selector does not choose it any more.
    pub(crate) fn remove(&self, key: &str) {
        let mut state = locked(&self.state);
        if state.objects.remove(key).is_some() {
            state.mark(&[key.to_owned()]);
        }
    }

    /// `tried` fails. `for_good`: until somebody changes our rights, so that nobody need wait.
    pub(crate) fn failed(&self, tried: &str, why: String, for_good: bool) {
        let mut state = locked(&self.state);
        state.settled |= for_good;
        state.troubles.insert(tried.to_owned(), why);
        state.mark(&[]);
    }

    /// `tried` works.
    pub(crate) fn worked(&self, tried: &str) {
        let mut state = locked(&self.state);
        if state.troubles.remove(tried).is_some() {
            state.mark(&[]);
        }
    }
}

impl<K: Object> State<K> {
    fn mark(&mut self, keys: &[String]) {
        self.readers.retain(|reader| reader.strong_count() > 0);
        for reader in self.readers.iter().filter_map(Weak::upgrade) {
            reader.mark(K::KIND, keys.iter().cloned());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
