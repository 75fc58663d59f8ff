//! Pushes [`benches::adversarial`] to a remote write 1.0 receiver, as fast as it takes it.
//!
//! `cargo run --release -p inferometer-benches --example adversarial -- HOST:PORT START_S`, then
//! optionally the number of series (20 000) and of hours (1). The receiver's path is
//! `/api/v1/write`; START_S is in seconds since the epoch. Prints the number of samples and the
//! time that it took. A receiver that refuses a request ends it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use benches::adversarial::{Adversary, INTERVAL_MS};
use prost::Message;

/// Makes the load.
const SEED: u64 = 1;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, start, rest @ ..] = &arguments[..] else {
        panic!("usage: adversarial HOST:PORT START_S [SERIES [HOURS]]");
    };
    let number = |text: &String| text.parse::<i64>().expect("a number");
    let series = rest.first().map_or(20_000, number);
    let hours = rest.get(1).map_or(1, number);
    let mut sender = Sender::connect(address);
    let mut load = Adversary::new(SEED, series as usize, number(start) * 1000);
    let (begin, mut samples) = (Instant::now(), 0);
    for _ in 0..hours * 3_600_000 / INTERVAL_MS {
        for request in load.round() {
            samples += request.timeseries.len();
            sender.send(&request.encode_to_vec());
        }
    }
    println!("{samples} samples in {:.1} s", begin.elapsed().as_secs_f64());
}

/// One connection.
struct Sender {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Sender {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the receiver listens");
        stream.set_nodelay(true).expect("a socket's option");
        Self { address: address.to_owned(), stream: BufReader::new(stream) }
    }

    /// Sends a message and waits until it is taken.
    fn send(&mut self, message: &[u8]) {
        let body = snap::raw::Encoder::new().compress_vec(message).expect("a short message");
        let head = format!(
            "POST /api/v1/write HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-protobuf\r\n\
             Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len(),
        );
        let sent = [head.as_bytes(), &body].concat();
        self.stream.get_mut().write_all(&sent).expect("the receiver reads");
        self.read_answer();
    }

    fn read_answer(&mut self) {
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).expect("an answer");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("an answer");
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(own) = line.strip_prefix("content-length:") {
                length = own.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the rest of an answer");
        let is_taken = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
        assert!(is_taken, "{}: {}", status.trim_end(), String::from_utf8_lossy(&body));
    }
}
