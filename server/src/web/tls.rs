//! rustls's configuration, made of `tls_server_config`.
//!
//! Go's names stand for what rustls has: TLS 1.2 and 1.3, the suites with forward secrecy and
//! authenticated encryption, three curves. As in Go, `cipher_suites` chooses among those of TLS 1.2.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use super::client_cert;
use crate::config::web::{Pem, TlsServer, TlsVersion};

/// Makes it; reads the files that are named.
pub(super) fn config(tls: &TlsServer, http2: bool) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(provider(tls));
    let roots = roots(tls)?;
    let names = tls.client_allowed_sans.clone();
    let clients = client_cert::verifier(tls.client_auth, roots, names, &provider)?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls))
        .map_err(|error| format!("tls_server_config: {error}"))?
        .with_client_cert_verifier(clients);
    let (chain, key) = identity(tls)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key cannot be used: {error}"))?;
    config.ignore_client_order = tls.prefer_server_cipher_suites;
    let second = http2.then(|| b"h2".to_vec());
    config.alpn_protocols = second.into_iter().chain([b"http/1.1".to_vec()]).collect();
    Ok(Arc::new(config))
}

fn identity(
    tls: &TlsServer,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = certificates(&tls.cert, "cert_file")?;
    let key = PrivateKeyDer::from_pem_slice(&text(&tls.key, "key_file")?)
        .map_err(|error| format!("no private key in {}: {error}", tls.key.name("key")))?;
    Ok((chain, key))
}

fn certificates(pem: &Pem, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |why: String| format!("no certificate in {}: {why}", pem.name(what));
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text(pem, what)?).collect();
    let read = read.map_err(|error| wrong(error.to_string()))?;
    if read.is_empty() {
        Err(wrong("there is no PEM section for one".to_owned()))
    } else {
        Ok(read)
    }
}

/// Those who vouch for clients.
fn roots(tls: &TlsServer) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in tls.client_ca.iter().map(|pem| certificates(pem, "client_ca_file")) {
        for certificate in certificate? {
            let wrong = |error| format!("client_ca cannot be used: {error}");
            roots.add(certificate).map_err(wrong)?;
        }
    }
    Ok(roots)
}

fn text(pem: &Pem, what: &str) -> Result<Vec<u8>, String> {
    match pem {
        Pem::Text(text) => Ok(text.clone().into_bytes()),
        Pem::File(path) => std::fs::read(path)
            .map_err(|error| format!("failed to read {what} ({}): {error}", path.display())),
    }
}

fn versions(tls: &TlsServer) -> Vec<&'static SupportedProtocolVersion> {
    let both = [
        (TlsVersion::Tls12, &rustls::version::TLS12),
        (TlsVersion::Tls13, &rustls::version::TLS13),
    ];
    let chosen = both.into_iter().filter(|(v, _)| (tls.min_version..=tls.max_version).contains(v));
    chosen.map(|(_, version)| version).collect()
}

/// Suites and curves in the order of the configuration, all if it names none.
fn provider(tls: &TlsServer) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        let named = tls.cipher_suites.iter().filter_map(|name| suite(name));
        let named: Vec<_> = named.filter(|suite| suite.tls13().is_none()).collect();
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(named);
    }
    if !tls.curve_preferences.is_empty() {
        let named = tls.curve_preferences.iter().filter_map(|name| curve(name));
        provider.kx_groups = named.collect();
    }
    provider
}

/// The suite with Go's name.
pub(crate) fn suite(name: &str) -> Option<SupportedCipherSuite> {
    use ring::cipher_suite as own;
    Some(match name {
        "TLS_AES_128_GCM_SHA256" => own::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => own::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => own::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => own::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => own::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
            own::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => own::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => own::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
            own::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        _ => return None,
    })
}

/// The curve with Go's name.
pub(crate) fn curve(name: &str) -> Option<&'static dyn rustls::crypto::SupportedKxGroup> {
    Some(match name {
        "X25519" => ring::kx_group::X25519,
        "CurveP256" => ring::kx_group::SECP256R1,
        "CurveP384" => ring::kx_group::SECP384R1,
        _ => return None,
    })
}
