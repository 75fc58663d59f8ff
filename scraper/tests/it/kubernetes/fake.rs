//! An API server: lists in pages, watches with bookmarks, selectors, refusals, an end to its
//! memory of old versions; and it can be cut off, go away and come back.
//!
//! Each connection has a thread, and going away closes every connection at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;

use serde_json::{Value, json};

use super::objects::{labels_of, place};

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    shared: Shared,
    open: Arc<Open>,
}

type Shared = Arc<Mutex<Cluster>>;
type Params = BTreeMap<String, String>;

/// The connections of a server that is there.
#[derive(Default)]
struct Open {
    away: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// What is said to a request.
enum Answer {
    Whole(u16, Vec<u8>),
    Stream(mpsc::Receiver<Said>),
}

enum Said {
    Line(String),
    Cut,
}

/// What the server has and how it behaves.
#[derive(Default)]
pub(crate) struct Cluster {
    version: u64,
    /// By plural, namespace and name.
    objects: BTreeMap<(String, String, String), Value>,
    history: Vec<Change>,
    watchers: Vec<Watcher>,
    /// `METHOD path?query` of every request, with the token that came with it.
    pub(crate) requests: Vec<(String, String)>,
    /// Verbs and plurals that are forbidden.
    pub(crate) forbidden: BTreeSet<(String, String)>,
    /// Plurals of kinds of the operator that the cluster does not know.
    pub(crate) unknown: BTreeSet<String>,
    /// Most objects on a page, whatever is asked for.
    pub(crate) page: Option<usize>,
    /// Changes up to this version are forgotten.
    pub(crate) forgotten: u64,
    /// The next continuation is answered with 410.
    pub(crate) expire_page: bool,
    /// Only this token is known.
    pub(crate) token: Option<String>,
}

#[derive(Clone)]
struct Change {
    version: u64,
    plural: String,
    before: Option<Value>,
    after: Option<Value>,
}

struct Watcher {
    plural: String,
    params: Params,
    namespace: String,
    send: mpsc::Sender<Said>,
}

impl Fake {
    pub(crate) fn start(objects: impl IntoIterator<Item = Value>) -> Self {
        let _done = rustls::crypto::ring::default_provider().install_default();
        let mut cluster = Cluster::default();
        objects.into_iter().for_each(|object| cluster.apply(object));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(cluster));
        let open = serve(listener, shared.clone());
        Self { address, shared, open }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.shared.lock().unwrap()
    }

    /// Closes every connection and takes no new ones.
    pub(crate) fn go_away(&self) {
        self.open.away.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
        for connection in self.open.connections.lock().unwrap().drain(..) {
            connection.shutdown(Shutdown::Both).ok();
        }
        self.cluster().watchers.clear();
    }

    /// Comes back with what it had.
    pub(crate) fn come_back(&mut self) {
        // The old listener's thread may not have let go yet.
        let listener =
            std::iter::repeat_with(|| TcpListener::bind(self.address)).find_map(Result::ok);
        self.open = serve(listener.unwrap(), self.shared.clone());
    }

    /// The requests that hold this text.
    pub(crate) fn requests(&self, text: &str) -> Vec<String> {
        let cluster = self.cluster();
        let found = cluster.requests.iter().filter(|(request, _)| request.contains(text));
        found.map(|(request, _)| request.clone()).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.go_away();
    }
}

fn serve(listener: TcpListener, shared: Shared) -> Arc<Open> {
    let open = Arc::new(Open::default());
    let own = open.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if own.away.load(Ordering::SeqCst) {
                return;
            }
            let (stream, shared) = (stream.unwrap(), shared.clone());
            own.connections.lock().unwrap().push(stream.try_clone().unwrap());
            thread::spawn(move || connection(stream, &shared));
        }
    });
    open
}

/// Answers requests until the connection ends.
fn connection(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let head: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let request = head.first()?.split(' ').nth(1)?.to_owned();
        let header = |name: &str| {
            let line = head.iter().find(|line| line.to_lowercase().starts_with(name));
            line.map(|line| line[name.len()..].trim().to_owned()).unwrap_or_default()
        };
        let gzip = header("accept-encoding:").contains("gzip");
        match answer(shared, &request, header("authorization:")) {
            Answer::Whole(code, body) => whole(&mut stream, code, body, gzip).ok()?,
            Answer::Stream(lines) => streamed(&mut stream, &lines).ok()?,
        }
    }
}

fn whole(stream: &mut TcpStream, code: u16, mut body: Vec<u8>, gzip: bool) -> std::io::Result<()> {
    let mut encoding = "";
    if gzip && code == 200 {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&body)?;
        body = encoder.finish()?;
        encoding = "Content-Encoding: gzip\r\n";
    }
    let length = body.len();
    // As life has it for Endpoints; it changes nothing.
    let warning = "Warning: 299 - \"v1 Endpoints is deprecated in v1.33+\"\r\n";
    let head = format!("HTTP/1.1 {code} X\r\n{warning}{encoding}Content-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), &body].concat())
}

fn streamed(stream: &mut TcpStream, lines: &mpsc::Receiver<Said>) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for said in lines {
        match said {
            Said::Line(line) => write!(stream, "{:x}\r\n{line}\r\n", line.len())?,
            Said::Cut => {
                return stream.shutdown(Shutdown::Both).and(Err(std::io::ErrorKind::Other.into()));
            }
        }
    }
    stream.write_all(b"0\r\n\r\n")
}

impl Cluster {
    /// Creates or replaces an object.
    pub(crate) fn apply(&mut self, mut object: Value) {
        let (plural, namespace, name) = place(&object);
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        // As large as in life, and of no use to anybody here.
        object["metadata"]["managedFields"] =
            json!([{ "manager": "test", "fieldsV1": { "f:x": {} } }]);
        let before = self.objects.insert((plural.clone(), namespace, name), object.clone());
        self.changed(plural, before, Some(object));
    }

    /// Changes a field of an object, found by its pointer (RFC 6901).
    pub(crate) fn edit(&mut self, plural: &str, key: &str, pointer: &str, value: Value) {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        let mut object = self.objects[&(plural.into(), namespace.into(), name.into())].clone();
        *object.pointer_mut(pointer).unwrap() = value;
        self.apply(object);
    }

    pub(crate) fn delete(&mut self, plural: &str, key: &str) {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        let before = self.objects.remove(&(plural.into(), namespace.into(), name.into()));
        self.version += 1;
        self.changed(plural.into(), before, None);
    }

    /// Tells all watchers the version.
    pub(crate) fn bookmark(&mut self) {
        for watcher in &self.watchers {
            let metadata =
                json!({ "resourceVersion": self.version.to_string(), "creationTimestamp": null });
            let object = json!({ "kind": "X", "apiVersion": "v1", "metadata": metadata });
            watcher.say(&json!({ "type": "BOOKMARK", "object": object }));
        }
    }

    /// Says something to all watchers of a kind.
    pub(crate) fn say(&mut self, plural: &str, line: &str) {
        for watcher in self.watchers.iter().filter(|watcher| watcher.plural == plural) {
            watcher.send.send(Said::Line(line.to_owned())).ok();
        }
    }

    /// Ends all watches: well, or in the middle of a line.
    pub(crate) fn end_watches(&mut self, cut: bool) {
        for watcher in self.watchers.drain(..) {
            if cut {
                watcher.send.send(Said::Line("{\"type\":\"MODI".into())).ok();
                watcher.send.send(Said::Cut).ok();
            }
        }
    }

    /// How many watches there are.
    pub(crate) fn watching(&self) -> usize {
        self.watchers.len()
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Goes back to a version long ago, as from a backup.
    pub(crate) fn restore(&mut self) {
        self.version = 1;
        self.history.clear();
    }

    /// Forgets all changes until now.
    pub(crate) fn forget(&mut self) {
        self.forgotten = self.version;
    }

    fn changed(&mut self, plural: String, before: Option<Value>, after: Option<Value>) {
        let change = Change { version: self.version, plural, before, after };
        for watcher in &self.watchers {
            watcher.tell(&change);
        }
        self.history.push(change);
    }

    fn list(&mut self, plural: &str, namespace: &str, params: &Params) -> Answer {
        let all: Vec<Value> = self
            .objects
            .iter()
            .filter(|((kind, _, _), object)| kind == plural && chosen(object, namespace, params))
            .map(|(_, object)| object.clone())
            .collect();
        let from: usize = params.get("continue").map_or(0, |from| from.parse().unwrap());
        if from > 0 && std::mem::take(&mut self.expire_page) {
            return refusal(410, "Expired", "The provided continue parameter is too old");
        }
        let asked = params.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let limit = self.page.map_or(asked, |page| page.min(asked));
        let items: Vec<_> = all.iter().skip(from).take(limit).cloned().collect();
        let left = all.len().saturating_sub(from + items.len());
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if left > 0 {
            metadata["continue"] = (from + items.len()).to_string().into();
            metadata["remainingItemCount"] = left.into();
        }
        // As Go writes an empty list.
        let items = if items.is_empty() { Value::Null } else { items.into() };
        json_answer(&json!({ "kind": "List", "metadata": metadata, "items": items }))
    }

    /// The kinds of the operator in a version of its group.
    fn kinds(&self, version: &str) -> Answer {
        let all: &[&str] = match version {
            "v1" => &["servicemonitors", "podmonitors", "probes", "prometheusrules"],
            _ => &["scrapeconfigs"],
        };
        let known = all.iter().filter(|plural| !self.unknown.contains(**plural));
        let known: Vec<Value> = known.map(|plural| json!({ "name": plural })).collect();
        match known.is_empty() {
            true => Answer::Whole(404, b"404 page not found\n".to_vec()),
            false => json_answer(&json!({ "kind": "APIResourceList", "resources": known })),
        }
    }

    fn watch(&mut self, plural: &str, namespace: &str, params: Params) -> Answer {
        let from: u64 = params["resourceVersion"].parse().unwrap();
        if from > self.version {
            let message = format!("Too large resource version: {from}, current: {}", self.version);
            return refusal(504, "Timeout", &message);
        }
        let (send, lines) = mpsc::channel();
        let (plural, namespace) = (plural.to_owned(), namespace.to_owned());
        let watcher = Watcher { plural, params, namespace, send };
        if from < self.forgotten {
            let expired = status(410, "Expired", "too old resource version");
            watcher.say(&json!({ "type": "ERROR", "object": expired }));
        } else {
            let later = self.history.iter().filter(|change| change.version > from);
            later.for_each(|change| watcher.tell(change));
            self.watchers.push(watcher);
        }
        Answer::Stream(lines)
    }
}

impl Watcher {
    fn say(&self, event: &Value) {
        self.send.send(Said::Line(format!("{event}\n"))).ok();
    }

    /// An object that leaves the selector is deleted, with the labels from before.
    fn tell(&self, change: &Change) {
        if change.plural != self.plural {
            return;
        }
        let visible = |object: &&Value| chosen(object, &self.namespace, &self.params);
        let before = change.before.as_ref().filter(visible);
        let after = change.after.as_ref().filter(visible);
        let (kind, object) = match (before, after) {
            (None, Some(after)) => ("ADDED", after.clone()),
            (Some(_), Some(after)) => ("MODIFIED", after.clone()),
            (Some(before), None) => ("DELETED", before.clone()),
            (None, None) => return,
        };
        let mut event = json!({ "type": kind, "object": object });
        event["object"]["metadata"]["resourceVersion"] = change.version.to_string().into();
        self.say(&event);
    }
}

fn answer(shared: &Shared, request: &str, token: String) -> Answer {
    let mut cluster = shared.lock().unwrap();
    cluster.requests.push((request.to_owned(), token.clone()));
    if cluster.token.as_ref().is_some_and(|known| token != format!("Bearer {known}")) {
        return refusal(401, "Unauthorized", "Unauthorized");
    }
    let not_found = || Answer::Whole(404, b"404 page not found\n".to_vec());
    let url = reqwest::Url::parse(&format!("http://fake{request}")).unwrap();
    let params: Params = url.query_pairs().into_owned().collect();
    let path: Vec<&str> = url.path().trim_matches('/').split('/').collect();
    let rest = match path.as_slice() {
        ["api", "v1", rest @ ..] => rest,
        ["apis", "monitoring.coreos.com", version] => return cluster.kinds(version),
        ["apis", _, _, rest @ ..] => rest,
        _ => return not_found(),
    };
    let (namespace, plural) = match rest {
        ["namespaces", namespace, plural] => (*namespace, *plural),
        [plural] => ("", *plural),
        _ => return not_found(),
    };
    let watch = params.get("watch").is_some_and(|watch| watch == "true");
    let verb = if watch { "watch" } else { "list" };
    // Rights are looked at first, as in life.
    if cluster.forbidden.contains(&(verb.into(), plural.into())) {
        let message =
            format!("{plural} is forbidden: User \"test\" cannot {verb} resource \"{plural}\"");
        return refusal(403, "Forbidden", &message);
    }
    if cluster.unknown.contains(plural) {
        return not_found();
    }
    match watch {
        true => cluster.watch(plural, namespace, params),
        false => cluster.list(plural, namespace, &params),
    }
}

fn chosen(object: &Value, namespace: &str, params: &Params) -> bool {
    let own = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let labels = labels_of(object);
    let terms = |name: &str| params.get(name).cloned().unwrap_or_default();
    let label = |term: &str| match term.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|own| own == value),
        None => labels.contains_key(term),
    };
    let field = |term: &str| {
        let (path, value) = term.split_once('=').unwrap();
        object.pointer(&format!("/{}", path.replace('.', "/"))).is_some_and(|own| own == value)
    };
    (namespace.is_empty() || own == namespace)
        && terms("labelSelector").split(',').filter(|term| !term.is_empty()).all(label)
        && terms("fieldSelector").split(',').filter(|term| !term.is_empty()).all(field)
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    let (kind, status) = ("Status", "Failure");
    json!({ "kind": kind, "apiVersion": "v1", "metadata": {}, "status": status,
            "message": message, "reason": reason, "code": code })
}

fn refusal(code: u16, reason: &str, message: &str) -> Answer {
    Answer::Whole(code, status(code, reason, message).to_string().into_bytes())
}

fn json_answer(value: &Value) -> Answer {
    Answer::Whole(200, value.to_string().into_bytes())
}
