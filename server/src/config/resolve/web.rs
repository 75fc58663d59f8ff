//! The file of `--web.config.file`: what it says, decided.
//!
//! Checks, their order and the words of errors are those of Prometheus's toolkit
//! (`exporter-toolkit/web`), beside what rustls cannot do, which is refused by name.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::{HeaderName, HeaderValue};

use super::super::error::{Place, Problem};
use super::super::go_duration;
use super::super::raw::{self, Hidden, given, items, pairs, section};
use super::super::web::{ClientAuth, Pem, RateLimit, TlsServer, TlsVersion, WebConfig};
use super::super::yaml::Value;
use super::{checked, value};
use crate::web::names;

/// Headers that may be set, with the values that each may have, if not any.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// Suites of Go's that rustls leaves out: they have no authenticated encryption.
const OLD_SUITES: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
];

/// Decides everything, or says all that is wrong.
pub(in crate::config) fn web(file: &raw::Web, base_dir: &Path) -> Result<WebConfig, Vec<Problem>> {
    let mut problems = raw::refused_here(file);
    let server = section(&file.http_server_config);
    let http2 = server.and_then(|server| section(&server.http2)).copied().unwrap_or(true);
    let headers = checked(headers(server), &file.http_server_config, &mut problems);
    let tls = checked(tls(file, base_dir), &file.tls_server_config, &mut problems);
    let rate_limit = checked(rate_limit(file), &file.rate_limit, &mut problems);
    let users = checked(users(file), &None::<String>, &mut problems);
    let bearer_tokens_file = value::path(&file.bearer_tokens_file, base_dir);
    match (headers, tls, rate_limit, users) {
        (Some(headers), Some(tls), Some(rate_limit), Some(users)) if problems.is_empty() => {
            Ok(WebConfig { tls, http2, headers, rate_limit, users, bearer_tokens_file })
        }
        _ => Err(problems),
    }
}

fn headers(server: Option<&raw::HttpServer>) -> Result<Vec<(HeaderName, HeaderValue)>, Problem> {
    let written = server.map_or(&[][..], |server| pairs(&server.headers));
    let mut headers = Vec::new();
    for (name, text) in written {
        let (wanted, text) = (name.value.as_str(), text.value.as_deref().unwrap_or_default());
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == wanted) else {
            let cure = format!("those that can are {}", HEADERS.map(|(name, _)| name).join(", "));
            let what = format!("HTTP header {wanted:?} can not be configured");
            return Err(Problem::new(name.place, what, cure));
        };
        if !values.is_empty() && !values.contains(&text) {
            let what = format!("invalid value for {wanted}: {text:?}");
            return Err(Problem::new(name.place, what, format!("write {}", values.join(" or "))));
        }
        let parsed = HeaderName::try_from(wanted).ok().zip(HeaderValue::try_from(text).ok());
        let wrong =
            || Problem::new(name.place, "this is no header's value", "write it on one line");
        headers.push(parsed.ok_or_else(wrong)?);
    }
    Ok(headers)
}

fn users(file: &raw::Web) -> Result<BTreeMap<String, String>, Problem> {
    let users = pairs(&file.basic_auth_users).iter().map(|(name, hash)| {
        let hash = hash.value.as_ref().map_or("", |Hidden(hash)| hash.as_str());
        if names::is_password_hash(hash) {
            return Ok((name.value.clone(), hash.to_owned()));
        }
        let what = format!("the password of user {:?} is no hash of bcrypt", name.value);
        Err(Problem::new(name.place, what, "make one with `htpasswd -nBC 10 USER`"))
    });
    users.collect()
}

fn rate_limit(file: &raw::Web) -> Result<Option<RateLimit>, Problem> {
    let Some(limit) = section(&file.rate_limit) else { return Ok(None) };
    let Some((text, at)) = value::text(&limit.interval) else { return Ok(None) };
    let wrong = |what: String| Problem::new(at, what, "write it as 100ms, 1.5s or 1m");
    let interval = go_duration::parse(text).map_err(wrong)?;
    if interval.is_zero() {
        return Ok(None);
    }
    let (burst, place) = given(&limit.burst).map_or((0, at), |(burst, place)| (*burst, place));
    let burst = u32::try_from(burst).ok().filter(|burst| *burst > 0);
    let none = || Problem::new(place, "no request would ever pass", "write a burst of 1 or more");
    Ok(Some(RateLimit { interval, burst: burst.ok_or_else(none)? }))
}

fn tls(file: &raw::Web, base_dir: &Path) -> Result<Option<TlsServer>, Problem> {
    let Some((tls, place)) = given(&file.tls_server_config) else { return Ok(None) };
    let key = given(&tls.key).map(|(Hidden(key), place)| (key.as_str(), place));
    let cert = pem(&tls.cert_file, value::text(&tls.cert), base_dir);
    let key = pem(&tls.key_file, key.filter(|(key, _)| !key.is_empty()), base_dir);
    if cert.is_none() && key.is_none() && is_empty(tls) {
        return Ok(None);
    }
    let missing = |what: &str| {
        Problem::new(
            place,
            format!("missing one of {what} or {what}_file"),
            "TLS needs both, certificate and key",
        )
    };
    let client_ca = pem(&tls.client_ca_file, value::text(&tls.client_ca), base_dir);
    let (client_auth, client_allowed_sans) = clients(tls, client_ca.is_some())?;
    let min_version = version(&tls.min_version)?.unwrap_or(TlsVersion::Tls12);
    let max_version = version(&tls.max_version)?.unwrap_or(TlsVersion::Tls13);
    if min_version > max_version {
        let place = value::place(&tls.min_version);
        return Err(Problem::new(place, "min_version is above max_version", "exchange them"));
    }
    Ok(Some(TlsServer {
        cert: cert.ok_or_else(|| missing("cert"))?,
        key: key.ok_or_else(|| missing("key"))?,
        client_ca,
        client_auth,
        client_allowed_sans,
        cipher_suites: named(items(&tls.cipher_suites), suite)?,
        curve_preferences: named(items(&tls.curve_preferences), curve)?,
        min_version,
        max_version,
        prefer_server_cipher_suites: section(&tls.prefer_server_cipher_suites)
            .copied()
            .unwrap_or(true),
    }))
}

/// Whether nothing stands in it that could mean TLS.
fn is_empty(tls: &raw::TlsServer) -> bool {
    let texts = [&tls.client_auth_type, &tls.client_ca, &tls.client_ca_file];
    let versions = [&tls.min_version, &tls.max_version];
    let lists = [&tls.cipher_suites, &tls.curve_preferences, &tls.client_allowed_sans];
    texts.into_iter().chain(versions).all(|field| value::text(field).is_none())
        && lists.into_iter().all(|list| items(list).is_empty())
}

fn pem(file: &Option<Value<String>>, text: Option<(&str, Place)>, base_dir: &Path) -> Option<Pem> {
    let file = value::path(file, base_dir).map(Pem::File);
    file.or_else(|| text.map(|(text, _)| Pem::Text(text.to_owned())))
}

fn clients(
    tls: &raw::TlsServer,
    has_ca: bool,
) -> Result<(ClientAuth, Option<Vec<String>>), Problem> {
    let (text, at) = value::text(&tls.client_auth_type).unwrap_or(("", Place::default()));
    let Some(auth) = ClientAuth::named(text) else {
        let cure = "write NoClientCert, RequestClientCert, RequireAnyClientCert, \
            VerifyClientCertIfGiven or RequireAndVerifyClientCert";
        return Err(Problem::new(at, format!("invalid ClientAuth: {text}"), cure));
    };
    let ca = value::text(&tls.client_ca_file).or(value::text(&tls.client_ca));
    if let Some((_, place)) = ca.filter(|_| auth == ClientAuth::None) {
        let what = "client CA's have been configured without a Client Auth Policy";
        return Err(Problem::new(
            place,
            what,
            "write `client_auth_type: RequireAndVerifyClientCert`",
        ));
    }
    if !has_ca && auth.verifies() {
        let what = format!("{text} has no client_ca_file to verify clients with");
        return Err(Problem::new(
            at,
            what,
            "name the file with the authority of their certificates",
        ));
    }
    let Some((_, place)) = given(&tls.client_allowed_sans) else { return Ok((auth, None)) };
    if ![ClientAuth::RequireAny, ClientAuth::RequireAndVerify].contains(&auth) {
        let what = "client_allowed_sans requires client_auth_type to be one of \
            RequireAnyClientCert or RequireAndVerifyClientCert";
        return Err(Problem::new(place, what, "write RequireAndVerifyClientCert"));
    }
    Ok((auth, Some(value::texts(items(&tls.client_allowed_sans)))))
}

fn version(field: &Option<Value<String>>) -> Result<Option<TlsVersion>, Problem> {
    let Some((text, place)) = value::text(field) else { return Ok(None) };
    let cure = "write TLS12 or TLS13";
    match text {
        "TLS12" => Ok(Some(TlsVersion::Tls12)),
        "TLS13" => Ok(Some(TlsVersion::Tls13)),
        "TLS10" | "TLS11" => {
            Err(Problem::new(place, format!("{text} is not spoken any more"), cure))
        }
        _ => Err(Problem::new(place, format!("unknown TLS version: {text}"), cure)),
    }
}

/// The names of a list, each checked.
fn named(
    list: &[Value<String>],
    check: fn(&str) -> Result<(), (String, &'static str)>,
) -> Result<Vec<String>, Problem> {
    let names = list.iter().map(|item| {
        let name = item.value.as_deref().unwrap_or_default();
        let wrong = |(what, cure): (String, _)| Problem::new(item.place, what, cure);
        check(name).map(|()| name.to_owned()).map_err(wrong)
    });
    names.collect()
}

fn suite(name: &str) -> Result<(), (String, &'static str)> {
    let cure = "write one with GCM or CHACHA20_POLY1305, or leave cipher_suites out";
    match name {
        _ if names::is_suite(name) => Ok(()),
        _ if OLD_SUITES.contains(&name) => Err((format!("cipher {name} is not supported"), cure)),
        _ => Err((format!("unknown cipher: {name}"), cure)),
    }
}

fn curve(name: &str) -> Result<(), (String, &'static str)> {
    let cure = "write X25519, CurveP256 or CurveP384";
    match name {
        _ if names::is_curve(name) => Ok(()),
        "CurveP521" => Err((format!("curve {name} is not supported"), cure)),
        _ => Err((format!("unknown curve: {name}"), cure)),
    }
}
