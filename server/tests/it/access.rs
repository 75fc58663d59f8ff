//! `--web.config.file`: TLS, clients' certificates, passwords, tokens, and changes on disk; the
//! certificates are those of `testdata/tls`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, StatusCode};
use server::app::AppOptions;
use server::web::WebOptions;

use crate::prometheus::Prometheus;
use crate::running::{self, Running, peer, testdata};

/// bcrypt of `secret`, at cost 4.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn pem(name: &str) -> Vec<u8> {
    fs::read(testdata("tls").join(name)).unwrap()
}

/// A client that trusts the tests' authority and shows a certificate, if one is named.
fn client(identity: Option<&str>) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Certificate::from_pem(&pem("authority.pem")).unwrap();
    let mut builder =
        Client::builder().tls_certs_only([authority]).timeout(Duration::from_secs(20));
    if let Some(name) = identity {
        let both = [pem(&format!("{name}.pem")), pem(&format!("{name}.key"))].concat();
        builder = builder.identity(Identity::from_pem(&both).unwrap());
    }
    builder.build().unwrap()
}

/// A server with that configuration; `{tls}` in it is the folder of the certificates.
async fn serve(directory: &Path, text: &str) -> Running {
    let file = directory.join("web.yml");
    fs::write(&file, text.replace("{tls}", &testdata("tls").display().to_string())).unwrap();
    let web = WebOptions { config_file: Some(file), ..WebOptions::default() };
    let options = AppOptions { web, ..running::options() };
    Running::start_with(&directory.join("data"), Vec::new(), options).await
}

fn https(server: &Running) -> String {
    server.url.replace("http://", "https://")
}

const CERTIFICATE: &str = "  cert_file: '{tls}/server.pem'\n  key_file: '{tls}/server.key'\n";

/// What a client gets: a status, or nothing.
async fn status(client: &Client, url: &str) -> Option<u16> {
    let answer = client.get(format!("{url}/-/healthy")).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

#[tokio::test]
async fn clients_certificates() {
    let authority = "  client_ca_file: '{tls}/authority.pem'\n";
    let sans = |name: &str| format!("  client_allowed_sans: ['nobody', '{name}']\n");
    // Policy, what else, and who comes in: without, with ours, with a stranger's certificate.
    let rows = [
        ("NoClientCert", String::new(), [true, true, true]),
        ("RequestClientCert", String::new(), [true, true, true]),
        ("RequireAnyClientCert", String::new(), [false, true, true]),
        ("RequireClientCert", sans("spiffe://x/scraper"), [false, true, false]),
        ("VerifyClientCertIfGiven", authority.to_owned(), [true, true, false]),
        ("RequireAndVerifyClientCert", authority.to_owned(), [false, true, false]),
        (
            "RequireAndVerifyClientCert",
            authority.to_owned() + &sans("10.0.0.1"),
            [false, true, false],
        ),
        ("RequireAndVerifyClientCert", authority.to_owned() + &sans("else"), [false, false, false]),
    ];
    let clients = [client(None), client(Some("client")), client(Some("stranger"))];
    for (policy, more, expected) in rows {
        let directory = tempfile::tempdir().unwrap();
        let auth = format!("  client_auth_type: {policy}\n");
        let text = format!("tls_server_config:\n{CERTIFICATE}{auth}{more}");
        let server = serve(directory.path(), &text).await;
        for (client, (who, expected)) in
            clients.iter().zip(["nobody", "ours", "a stranger"].into_iter().zip(expected))
        {
            let status = status(client, &https(&server)).await;
            assert_eq!(status, expected.then_some(200), "{who}: {policy} {more}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    for (http2, version) in [(true, reqwest::Version::HTTP_2), (false, reqwest::Version::HTTP_11)] {
        let directory = tempfile::tempdir().unwrap();
        let text = format!(
            "tls_server_config:\n{CERTIFICATE}http_server_config:\n  http2: {http2}\n  headers:\n    \
             X-Frame-Options: deny\n"
        );
        let server = serve(directory.path(), &text).await;
        let answer = client(None).get(https(&server) + "/api/v1/labels").send().await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, version));
        assert_eq!(answer.headers()["x-frame-options"], "deny");
        assert!(answer.text().await.unwrap().contains("success"));
        // Plain HTTP is not answered where TLS is spoken.
        assert_eq!(status(&client(None), &server.url).await, None);
        server.stop().await;
    }
}

#[tokio::test]
async fn versions_suites_and_curves_are_those_that_were_named() {
    use reqwest::tls::Version;
    let one = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n";
    let rsa = "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n";
    // What is named, and whether a client of TLS 1.2 and one of 1.3 come in.
    let rows = [
        ("", [true, true]),
        ("  min_version: TLS13\n", [false, true]),
        ("  max_version: TLS12\n", [true, false]),
        (one, [true, true]),
        // The certificate has another key than this suite needs.
        (rsa, [false, true]),
        ("  curve_preferences: [CurveP384]\n", [true, true]),
    ];
    let authority = || Certificate::from_pem(&pem("authority.pem")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clients = [Version::TLS_1_2, Version::TLS_1_3].map(|version| {
        let builder = Client::builder().tls_certs_only([authority()]);
        builder.tls_version_min(version).tls_version_max(version).build().unwrap()
    });
    for (more, expected) in rows {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("tls_server_config:\n{CERTIFICATE}{more}");
        let server = serve(directory.path(), &text).await;
        for (client, expected) in clients.iter().zip(expected) {
            let status = status(client, &https(&server)).await;
            assert_eq!(status, expected.then_some(200), "{more}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn passwords_and_tokens() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("tokens"), "# of KEDA\n0123456789abcdef\n").unwrap();
    let text = format!(
        "basic_auth_users:\n  alice: '{}'\n  'b:ob': '{}'\nbearer_tokens_file: tokens\n",
        hash("secret"),
        hash("")
    );
    let server = serve(directory.path(), &text).await;
    let url = format!("{}/-/healthy", server.url);
    let client = client(None);
    // Twice each: what is remembered is answered alike.
    for _ in 0..2 {
        for (user, password, expected) in [
            ("alice", "secret", 200),
            ("alice", "wrong", 401),
            ("alice", "", 401),
            ("Alice", "secret", 401),
            ("nobody", "secret", 401),
            ("nobody", "fakepassword", 401),
            ("", "", 401),
            // The first colon ends the user.
            ("b", "ob:", 401),
        ] {
            let answer = client.get(&url).basic_auth(user, Some(password)).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{user}:{password}");
        }
        for (token, expected) in
            [("0123456789abcdef", 200), ("0123456789abcdeg", 401), ("# of KEDA", 401), ("", 401)]
        {
            let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{token}");
        }
    }
    for header in ["", "Basic", "Basic !", "Basic YWxpY2U=", "Digest a", "basic YWxpY2U6c2VjcmV0"] {
        let answer = client.get(&url).header("authorization", header).send().await.unwrap();
        let expected = if header.starts_with("basic") { 200 } else { 401 };
        assert_eq!(answer.status().as_u16(), expected, "{header}");
    }
    let answer = client.get(&url).send().await.unwrap();
    let ways: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(ways, ["Basic", "Bearer"]);
    assert_eq!(answer.text().await.unwrap(), "Unauthorized\n");
    server.stop().await;
}

#[tokio::test]
async fn the_rate_limit_counts_requests() {
    let directory = tempfile::tempdir().unwrap();
    let text = "rate_limit:\n  interval: 1h\n  burst: 3\n";
    let server = serve(directory.path(), text).await;
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(status(&client(None), &server.url).await, Some(expected));
    }
    server.stop().await;
}

/// The serial number of the certificate that a new connection is shown.
async fn shown(server: &Running) -> Vec<u8> {
    let stream = tokio::net::TcpStream::connect(server.url.trim_start_matches("http://"));
    let mut roots = rustls::RootCertStore::empty();
    let authority = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(&pem("authority.pem")).unwrap();
    roots.add(authority).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, stream.await.unwrap()).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn files_that_change_hold_at_once_if_they_are_good() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| {
        // As renewals do: a new file in place of the old one.
        let new = directory.path().join("new");
        fs::copy(testdata("tls").join(from), &new).unwrap();
        fs::rename(&new, directory.path().join(to)).unwrap();
    };
    copy("server.pem", "cert.pem");
    copy("server.key", "cert.key");
    let tls = "tls_server_config:\n  cert_file: cert.pem\n  key_file: cert.key\n";
    let users = |password: &str| format!("{tls}basic_auth_users:\n  u: '{}'\n", hash(password));
    let server = serve(directory.path(), &users("one")).await;
    let (client, url) = (client(None), https(&server) + "/-/healthy");
    let asked = async |password: &str| {
        let answer = client.get(&url).basic_auth("u", Some(password)).send().await.unwrap();
        answer.status().as_u16()
    };
    let first = shown(&server).await;
    assert_eq!((asked("one").await, asked("two").await), (200, 401));

    // The certificate alone does not fit its key: all stays as it was.
    copy("renewed.pem", "cert.pem");
    assert_eq!(shown(&server).await, first);
    copy("renewed.key", "cert.key");
    let second = shown(&server).await;
    assert_ne!(second, first);

    let file = directory.path().join("web.yml");
    fs::write(&file, users("two")).unwrap();
    assert_eq!((asked("one").await, asked("two").await), (401, 200));
    // None of these takes the password or TLS away.
    for wrong in ["", tls, "basic_auth_users: {u: x}\n", "tls_server_config: [", "other: 1\n"] {
        fs::write(&file, wrong).unwrap();
        assert_eq!((asked("one").await, asked("two").await), (401, 200), "{wrong}");
        assert_eq!(shown(&server).await, second, "{wrong}");
    }
    fs::write(&file, users("three")).unwrap();
    assert_eq!((asked("two").await, asked("three").await), (401, 200));
    server.stop().await;
}

#[tokio::test]
async fn prometheus_scrapes_us_through_tls_with_a_password() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = peer("prometheus") else { return };
    let directory = tempfile::tempdir().unwrap();
    let users = format!("basic_auth_users: {{u: {}}}\n", hash("p"));
    let server =
        serve(directory.path(), &format!("tls_server_config:\n{CERTIFICATE}{users}")).await;
    let authority = testdata("tls/authority.pem").canonicalize().unwrap();
    let job = |name: &str, password: &str| {
        format!(
            "- {{job_name: {name}, scheme: https, basic_auth: {{username: u, password: {password}}}, \
             tls_config: {{ca_file: '{}'}}, static_configs: [{{targets: ['{}']}}]}}\n",
            authority.display(),
            server.url.trim_start_matches("http://")
        )
    };
    let text = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\nscrape_configs:\n{}{}",
        job("right", "p"),
        job("wrong", "q")
    );
    let prometheus = Prometheus::start(&program, &text, &[]).await;
    let ask = async |query: &str| {
        let url = format!("{}/api/v1/query?query={query}", prometheus.url);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    let mut answer = String::new();
    // A busy machine may need more than one scrape's time for the first.
    for _ in 0..200 {
        answer = ask("up==1").await;
        if answer.contains("right") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answer.contains("right") && !answer.contains("wrong"), "{answer}");
    server.stop().await;
}
