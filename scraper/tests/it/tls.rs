//! TLS: whom we trust, and who we say that we are. The certificates are in `certificates/`: a
//! CA, a server `vllm.internal` and a client, valid for a hundred years, made for these tests.

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
    let _done = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::from_pem_file(path("server.key")).unwrap();
    let builder = match wants_client {
        false => ServerConfig::builder().with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate("ca.pem")).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(builder.with_single_cert(vec![certificate("server.pem")], key).unwrap());
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
        (false, "127.0.0.1", plain(), Err("UnknownIssuer")),
        (
            false,
            "127.0.0.1",
            TlsOptions { ca: file("ca.pem"), ..plain() },
            Err("not valid for name"),
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
            Err("not valid for name"),
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
        (true, "127.0.0.1", with_ca(), Err("received fatal alert: CertificateRequired")),
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

/// A certificate that was replaced is used from the next scrape on.
#[tokio::test]
async fn certificates_are_read_again() {
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(path("client.pem"), ca.path()).unwrap();
    let tls = TlsOptions {
        ca: Some(Secret::File(ca.path().into())),
        server_name: Some("vllm.internal".into()),
        ..TlsOptions::default()
    };
    let job = Job { client: ClientOptions { tls, ..ClientOptions::default() }, ..job() };
    let (fetcher, mut page) = (Fetcher::new(&job), Page::default());
    let mut fetch = async || {
        let url = format!("https://127.0.0.1:{}/metrics", serve(false));
        fetcher.fetch(&url, Duration::from_secs(10), &mut page).await
    };
    assert!(fetch().await.is_err());
    std::fs::copy(path("ca.pem"), ca.path()).unwrap();
    assert_eq!(fetch().await, Ok(()));
}
