//! One question to one server: by UDP, and if the answer is cut off there, by TCP.
//!
//! Everything that comes back is untrusted. A datagram that is no answer to the question is not
//! looked at; a message has at most 64 KiB; two seconds is the time for each way.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest datagram that we ask for, in bytes.
const DATAGRAM_BYTES_MAX: u16 = 4096;

/// What `server` says of `name`, whatever the response code.
pub(super) async fn ask(
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Message, String> {
    let answer = in_time(by_udp(server, &question(name, kind, true))).await?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let answer = in_time(by_tcp(server, &question(name, kind, false))).await?;
    match answer.metadata.truncation {
        true => Err("the answer is cut off on TCP, too".to_owned()),
        false => Ok(answer),
    }
}

fn question(name: &Name, kind: RecordType, large_datagrams: bool) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    if large_datagrams {
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM_BYTES_MAX);
        message.set_edns(edns);
    }
    message
}

async fn in_time(answer: impl Future<Output = Result<Message, String>>) -> Result<Message, String> {
    timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err("i/o timeout".to_owned()))
}

async fn by_udp(server: SocketAddr, question: &Message) -> Result<Message, String> {
    let text = |error: std::io::Error| error.to_string();
    let any: SocketAddr = match server.is_ipv4() {
        true => (Ipv4Addr::UNSPECIFIED, 0).into(),
        false => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await.map_err(text)?;
    socket.connect(server).await.map_err(text)?;
    let bytes = question.to_vec().map_err(|error| error.to_string())?;
    socket.send(&bytes).await.map_err(text)?;
    let mut buffer = vec![0; usize::from(DATAGRAM_BYTES_MAX)];
    loop {
        let len = socket.recv(&mut buffer).await.map_err(text)?;
        let answer = Message::from_vec(buffer.get(..len).unwrap_or_default());
        // Anybody may send datagrams: one that is not the answer is not the end.
        if let Some(answer) = answer.ok().filter(|answer| answers(answer, question)) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &Message) -> Result<Message, String> {
    let text = |error: std::io::Error| error.to_string();
    let bytes = question.to_vec().map_err(|error| error.to_string())?;
    let len = u16::try_from(bytes.len()).map_err(|_| "the question is too long".to_owned())?;
    let mut stream = TcpStream::connect(server).await.map_err(text)?;
    stream.write_all(&[&len.to_be_bytes()[..], &bytes].concat()).await.map_err(text)?;
    let mut answer = vec![0; usize::from(stream.read_u16().await.map_err(text)?)];
    stream.read_exact(&mut answer).await.map_err(text)?;
    let answer = Message::from_vec(&answer).map_err(|error| error.to_string())?;
    answers(&answer, question)
        .then_some(answer)
        .ok_or_else(|| "the answer is to another question".to_owned())
}

fn answers(answer: &Message, question: &Message) -> bool {
    let asked = |message: &Message| {
        let query = message.queries.first();
        query.map(|query| (query.name.to_lowercase(), query.query_type))
    };
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == question.metadata.id
        && asked(answer) == asked(question)
}
