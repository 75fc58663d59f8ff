//! Lookups against a server that says what it is told to.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SRV};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

/// What the server says to a question for a name.
#[derive(Clone)]
enum Say {
    Records(Vec<RData>),
    Code(ResponseCode),
    /// Cut off by UDP, whole by TCP.
    ByTcp(Vec<RData>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// Three answers to other questions, then the records.
    AfterForgeries(Vec<RData>),
    Nothing,
}

struct Server {
    address: SocketAddr,
    says: Arc<Mutex<BTreeMap<String, Say>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Server {
    async fn start() -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        let tcp = TcpListener::bind(address).await.unwrap();
        let says: Arc<Mutex<BTreeMap<String, Say>>> = Arc::default();
        let tasks = [
            tokio::spawn(datagrams(udp, says.clone())),
            tokio::spawn(connections(tcp, says.clone())),
        ];
        Self { address, says, tasks }
    }

    fn say(&self, name: &str, say: Say) {
        self.says.lock().unwrap().insert(name.to_owned(), say);
    }

    fn resolver(&self) -> Resolver {
        Resolver { servers: vec![self.address], search: vec!["ns.svc".into()], dots: 1 }
    }
}

async fn datagrams(socket: UdpSocket, says: Arc<Mutex<BTreeMap<String, Say>>>) {
    let mut buffer = [0; 4096];
    loop {
        let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
        let question = Message::from_vec(&buffer[..len]).unwrap();
        let say = said(&says, &question);
        for answer in answers(&question, &say, false) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn connections(listener: TcpListener, says: Arc<Mutex<BTreeMap<String, Say>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut question).await.unwrap();
        let question = Message::from_vec(&question).unwrap();
        for answer in answers(&question, &said(&says, &question), true) {
            let len = u16::try_from(answer.len()).unwrap();
            stream.write_all(&[&len.to_be_bytes()[..], &answer].concat()).await.unwrap();
        }
    }
}

fn said(says: &Mutex<BTreeMap<String, Say>>, question: &Message) -> Say {
    let name = question.queries[0].name.to_ascii();
    let say = says.lock().unwrap().get(&name).cloned();
    say.unwrap_or(Say::Code(ResponseCode::NXDomain))
}

fn answers(question: &Message, say: &Say, is_tcp: bool) -> Vec<Vec<u8>> {
    let empty = || {
        let mut answer =
            Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
        answer.add_query(question.queries[0].clone());
        answer
    };
    let with = |records: &[RData]| {
        let mut answer = empty();
        let name = question.queries[0].name.clone();
        for record in records {
            answer.add_answer(Record::from_rdata(name.clone(), 5, record.clone()));
        }
        answer.to_vec().unwrap()
    };
    match say {
        Say::Records(records) => vec![with(records)],
        Say::ByTcp(records) if is_tcp => vec![with(records)],
        Say::ByTcp(_) => {
            let mut answer = empty();
            answer.metadata.truncation = true;
            vec![answer.to_vec().unwrap()]
        }
        Say::Code(code) => {
            let mut answer = empty();
            answer.metadata.response_code = *code;
            vec![answer.to_vec().unwrap()]
        }
        Say::Bytes(bytes) => vec![bytes.clone()],
        Say::AfterForgeries(records) => {
            let (mut id, mut name, mut kind) = (empty(), empty(), empty());
            id.metadata.id ^= 1;
            name.queries = vec![Query::query(host("evil."), RecordType::A)];
            kind.metadata.message_type = MessageType::Query;
            let forgeries = [id, name, kind].map(|message| message.to_vec().unwrap());
            forgeries.into_iter().chain([with(records)]).collect()
        }
        Say::Nothing => vec![],
    }
}

fn host(name: &str) -> Name {
    Name::from_ascii(name).unwrap()
}

fn options(names: &[&str], kind: DnsKind) -> DnsOptions {
    let names = names.iter().map(|name| name.to_string()).collect();
    DnsOptions { names, kind, port: 80, refresh_ms: 30_000 }
}

/// The targets as `address label=value …`, a line for each.
fn shown(groups: &[TargetGroup]) -> Vec<String> {
    let targets = groups.iter().flat_map(|group| &group.targets);
    let mut lines: Vec<String> = targets
        .map(|target| {
            let labels = target.iter().filter(|(name, _)| *name != ADDRESS);
            let labels = labels.map(|(name, value)| {
                format!(" {}={value}", name.trim_start_matches("__meta_dns_"))
            });
            target[ADDRESS].clone() + &labels.collect::<String>()
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_kind_of_record() {
    let server = Server::start().await;
    let four = |last| RData::A(A(Ipv4Addr::new(10, 0, 0, last)));
    let cname = RData::CNAME(CNAME(host("b.")));
    let rows: [(DnsKind, Say, &[&str]); 9] = [
        (
            DnsKind::A,
            Say::Records(vec![cname.clone(), four(1), four(2)]),
            &["10.0.0.1:80 name=web.", "10.0.0.2:80 name=web."],
        ),
        (
            DnsKind::Aaaa,
            Say::Records(vec![RData::AAAA(AAAA(Ipv6Addr::LOCALHOST))]),
            &["[::1]:80 name=web."],
        ),
        (
            DnsKind::Srv,
            Say::Records(vec![RData::SRV(SRV::new(1, 2, 8000, host("pod-0.vllm.")))]),
            &["pod-0.vllm:8000 name=web. srv_record_port=8000 srv_record_target=pod-0.vllm."],
        ),
        (
            DnsKind::Mx,
            Say::Records(vec![RData::MX(MX::new(10, host("mx.x.")))]),
            &["mx.x:80 mx_record_target=mx.x. name=web."],
        ),
        (
            DnsKind::Ns,
            Say::Records(vec![RData::NS(NS(host("ns.x.")))]),
            &["ns.x:80 name=web. ns_record_target=ns.x."],
        ),
        (DnsKind::A, Say::ByTcp(vec![four(3)]), &["10.0.0.3:80 name=web."]),
        (DnsKind::A, Say::AfterForgeries(vec![four(4)]), &["10.0.0.4:80 name=web."]),
        (DnsKind::A, Say::Records(vec![]), &[]),
        (DnsKind::A, Say::Code(ResponseCode::NXDomain), &[]),
    ];
    for (kind, say, expected) in rows {
        server.say("web.", say);
        let problems = Problems::default();
        let options = Arc::new(options(&["web."], kind));
        let groups = options.look_up(Arc::new(server.resolver()), &problems).await;
        assert_eq!(
            (groups.len(), shown(&groups)),
            (1, expected.iter().map(|s| s.to_string()).collect())
        );
        assert_eq!(problems.list(), []);
    }
}

/// A name that nobody answers for has no group, so that what was known stays; others go on.
#[tokio::test]
async fn failures_are_problems() {
    let server = Server::start().await;
    server.say("good.", Say::Records(vec![RData::A(A(Ipv4Addr::LOCALHOST))]));
    let rows = [
        (Say::Code(ResponseCode::ServFail), "Server Failure"),
        (Say::Code(ResponseCode::Refused), "Query Refused"),
        (Say::Bytes(vec![0xff; 500]), "i/o timeout"),
        (Say::Bytes(vec![]), "i/o timeout"),
        (Say::Nothing, "i/o timeout"),
    ];
    for (say, part) in rows {
        server.say("bad.", say);
        let problems = Problems::default();
        let options = Arc::new(options(&["bad.", "good."], DnsKind::A));
        let groups = options.look_up(Arc::new(server.resolver()), &problems).await;
        assert_eq!(shown(&groups), ["127.0.0.1:80 name=good."]);
        let [(tried, why)] = &problems.list()[..] else { panic!() };
        assert_eq!(tried, "look up A records of bad.");
        assert!(why.contains(part), "{why}");
    }
}

/// The search list: the first name that exists counts, and one that nobody answers for leaves the
/// question open only if no other exists.
#[tokio::test]
async fn names_are_searched() {
    let server = Server::start().await;
    let records = || Say::Records(vec![RData::A(A(Ipv4Addr::LOCALHOST))]);
    let rows = [
        (records(), Say::Code(ResponseCode::ServFail), Some(1)),
        (Say::Code(ResponseCode::ServFail), records(), Some(1)),
        (Say::Code(ResponseCode::ServFail), Say::Code(ResponseCode::NXDomain), None),
        (Say::Code(ResponseCode::NXDomain), Say::Code(ResponseCode::NXDomain), Some(0)),
        (Say::Records(vec![]), records(), Some(0)),
    ];
    for (searched, plain, expected) in rows {
        server.say("web.ns.svc.", searched);
        server.say("web.", plain);
        let found = server.resolver().look_up("web", RecordType::A).await;
        assert_eq!(found.ok().map(|records| records.len()), expected);
    }
    // A server that is not there is passed over.
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let servers = vec![gone, server.address];
    server.say("web.", records());
    let found = Resolver { servers, ..server.resolver() }.look_up("web.", RecordType::A).await;
    assert_eq!(found.map(|records| records.len()), Ok(1));
}

/// Without its file it says so, and goes on when the file is there.
#[tokio::test]
async fn the_file_may_come_later() {
    let server = Server::start().await;
    server.say("web.", Say::Records(vec![RData::A(A(Ipv4Addr::LOCALHOST))]));
    let tries = Mutex::new(0);
    let resolver = {
        let resolver = server.resolver();
        move || {
            *tries.lock().unwrap() += 1;
            if *tries.lock().unwrap() < 3 {
                Err("no file".to_owned())
            } else {
                Ok(resolver.clone())
            }
        }
    };
    let (updates, mut received) = mpsc::channel(1);
    let problems = Problems::default();
    let running = DnsOptions { refresh_ms: 0, ..options(&["web."], DnsKind::A) }.run_with(
        resolver,
        updates,
        problems.clone(),
    );
    let running = tokio::spawn(running);
    while problems.list().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(problems.list(), [(RESOLV_CONF.to_owned(), "no file".to_owned())]);
    assert_eq!(shown(&received.recv().await.unwrap()), ["127.0.0.1:80 name=web."]);
    assert_eq!(problems.list(), []);
    running.abort();
}
