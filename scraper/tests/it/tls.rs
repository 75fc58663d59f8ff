//! TLS: whom we trust, and who we say that we are. The certificates are in `certificates/`: a
//! CA, a server `vllm.internal` and a client, valid for a hundred years, and the same server by
//! itself, valid in 2020; made for these tests.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use scraper::fetch::{Fetcher, Page};
use scraper::job::{ClientOptions, Job, Secret, TlsOptions, TlsVersion};

use crate::jobs::job;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/certificates").join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path(name)).unwrap()
}

/// A server for one connection; returns its port. It answers with the name that the client
/// asked for in TLS and the `Host` header it sent.
fn serve(wants_client: bool) -> u16 {
    serve_as("server", wants_client)
}

/// The same, with the certificate and the key of that name.
fn serve_as(name: &str, wants_client: bool) -> u16 {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::from_pem_file(path(&format!("{name}.key"))).unwrap();
    let builder = match wants_client {
        false => ServerConfig::builder().with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate("ca.pem")).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config =
        Arc::new(builder.with_single_cert(vec![certificate(&format!("{name}.pem"))], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || -> std::io::Result<()> {
        let (mut socket, _) = listener.accept()?;
        let mut connection = ServerConnection::new(config).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        let request = String::from_utf8_lossy(&request).to_lowercase();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let name = stream.conn.server_name().map(|name| name.to_owned()).unwrap_or_default();
        let page = format!("{name} {host}");
        let length = page.len();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
        stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{page}").as_bytes())?;
        stream.flush()
    });
    port
}

/// The page that `tls` gets from a server, or why it gets none.
async fn get(wants_client: bool, host: &str, tls: TlsOptions) -> Result<String, String> {
    let port = serve(wants_client);
    let job = Job { client: ClientOptions { tls, ..ClientOptions::default() }, ..job() };
    let (fetcher, mut page) = (Fetcher::new(&job), Page::default());
    let url = format!("https://{host}:{port}/metrics");
    let fetched = fetcher.fetch(&url, Duration::from_secs(10), &mut page).await;
    let port = port.to_string();
    match fetched {
        Ok(()) => Ok(String::from_utf8(page.body).unwrap().replace(&port, "PORT")),
        Err(error) => Err(error.to_string().replace(&port, "PORT")),
    }
}

#[tokio::test]
async fn whom_we_trust() {
    let file = |name: &str| Some(Secret::File(path(name)));
    let inline = |name: &str| Some(Secret::Inline(std::fs::read_to_string(path(name)).unwrap()));
    let name = Some("vllm.internal".to_owned());
    let plain = TlsOptions::default;
    let with_ca = || TlsOptions { ca: file("ca.pem"), server_name: name.clone(), ..plain() };
    let client =
        || TlsOptions { certificate: file("client.pem"), key: inline("client.key"), ..with_ca() };
    let rows = [
        (
            false,
            "127.0.0.1",
            plain(),
            Err("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { ca: file("ca.pem"), ..plain() },
            Err(
                "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            ),
        ),
        (false, "127.0.0.1", with_ca(), Ok("vllm.internal 127.0.0.1:PORT")),
        (false, "localhost", with_ca(), Ok("vllm.internal localhost:PORT")),
        (
            false,
            "127.0.0.1",
            TlsOptions { ca: inline("ca.pem"), ..with_ca() },
            Ok("vllm.internal 127.0.0.1:PORT"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { server_name: Some("other".into()), ..with_ca() },
            Err("x509: certificate is valid for vllm.internal, not other"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { server_name: Some("::1".into()), ..with_ca() },
            Err("server_name must be a name"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { insecure_skip_verify: true, ..plain() },
            Ok(" 127.0.0.1:PORT"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { min_version: Some(TlsVersion::Tls13), ..with_ca() },
            Ok("vllm.internal 127.0.0.1:PORT"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { max_version: Some(TlsVersion::Tls12), ..with_ca() },
            Ok("vllm.internal 127.0.0.1:PORT"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { ca: file("none.pem"), ..plain() },
            Err("unable to read CA certificate: unable to read file"),
        ),
        (
            false,
            "127.0.0.1",
            TlsOptions { ca: file("client.key"), ..plain() },
            Err("unable to use specified CA certificate"),
        ),
        (true, "127.0.0.1", with_ca(), Err("remote error: tls: certificate required")),
        (true, "127.0.0.1", client(), Ok("vllm.internal 127.0.0.1:PORT")),
        (
            true,
            "127.0.0.1",
            TlsOptions { key: None, ..client() },
            Err("cert and key must be given together"),
        ),
    ];
    for (wants_client, host, tls, expected) in rows {
        let told = format!("{tls:?}");
        match (get(wants_client, host, tls).await, expected) {
            (Ok(page), Ok(expected)) => assert_eq!(page, expected, "{told}"),
            (Err(error), Err(expected)) => {
                let error = error.to_lowercase();
                assert!(error.contains(&expected.to_lowercase()), "{error} for {told}");
                assert!(error.starts_with("get \"https://"), "{error}");
            }
            (got, _) => panic!("{got:?} for {told}"),
        }
    }
}

/// Certificates that expired or that nobody knows, and what replaces them on disk, are used from the
/// next scrape on.
#[tokio::test]
async fn certificates_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let put = |from: &str, to: &str| std::fs::copy(path(from), folder.path().join(to)).unwrap();
    let file = |name: &str| Some(Secret::File(folder.path().join(name)));
    let tls = TlsOptions {
        ca: file("ca"),
        certificate: file("certificate"),
        key: file("key"),
        server_name: Some("vllm.internal".into()),
        ..TlsOptions::default()
    };
    let job = Job { client: ClientOptions { tls, ..ClientOptions::default() }, ..job() };
    let (fetcher, mut page) = (Fetcher::new(&job), Page::default());
    let mut fetch = async |server: &str, wants_client: bool| {
        let url = format!("https://127.0.0.1:{}/metrics", serve_as(server, wants_client));
        let fetched = fetcher.fetch(&url, Duration::from_secs(10), &mut page).await;
        fetched.map_err(|error| error.to_string().replace(&url, "URL")).err().unwrap_or_default()
    };
    put("client.pem", "ca");
    put("expired.pem", "certificate");
    put("expired.key", "key");
    let unknown = "Get \"URL\": tls: failed to verify certificate: x509: certificate signed by \
        unknown authority";
    assert_eq!(fetch("server", false).await, unknown);
    // The server's is known, and expired.
    put("expired.pem", "ca");
    let error = fetch("expired", false).await;
    let expired = "Get \"URL\": tls: failed to verify certificate: x509: certificate has expired or \
        is not yet valid: current time 2";
    assert!(error.starts_with(expired), "{error}");
    assert!(error.ends_with("Z is after 2021-01-01T00:00:00Z"), "{error}");
    // The server has a new one.
    put("ca.pem", "ca");
    assert_eq!(fetch("server", false).await, "");
    // Ours is not known to the server, and is replaced.
    let error = fetch("server", true).await;
    assert!(error.starts_with("Get \"URL\": remote error: tls: "), "{error}");
    put("client.pem", "certificate");
    put("client.key", "key");
    assert_eq!(fetch("server", true).await, "");
    // Gone: it is said what is missing.
    std::fs::remove_file(folder.path().join("key")).unwrap();
    let error = fetch("server", true).await;
    assert!(error.starts_with("Get \"URL\": unable to read client key: unable to read"), "{error}");
}

/// A port where HTTP is spoken.
#[tokio::test]
async fn no_tls_at_all() {
    let _done = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/metrics", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _hello = socket.read(&mut [0; 4096]).unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let fetcher = Fetcher::new(&job());
    let fetched = fetcher.fetch(&url, Duration::from_secs(10), &mut Page::default()).await;
    let error = fetched.unwrap_err().to_string();
    assert!(error.contains("http: server gave HTTP response to HTTPS client"), "{error}");
}
