//! How a job connects: who we are and how TLS is spoken.
//!
//! Checks and words are those of Prometheus's common library (`config/http_config`). There an
//! empty text is as good as none, so here too.

use std::path::Path;

use scraper::job::{Authorization, ClientOptions, Secret, TlsOptions, TlsVersion};

use super::super::error::{Place, Problem};
use super::super::raw::{self, ScrapeConfig, TlsConfig, given, or_default};
use super::super::yaml::Value;
use super::value;

/// `Authorization: Bearer …` unless another scheme is written.
const BEARER: &str = "Bearer";

/// Decides how `raw` connects.
pub(super) fn client(raw: &ScrapeConfig, base_dir: &Path) -> Result<ClientOptions, Problem> {
    let tls = given(&raw.tls_config).map(|(section, place)| tls(section, place, base_dir));
    Ok(ClientOptions {
        authorization: authorization(raw, base_dir)?,
        tls: tls.transpose()?.unwrap_or_default(),
        follow_redirects: or_default(&raw.follow_redirects, true),
        http2: or_default(&raw.enable_http2, true),
        ..ClientOptions::default()
    })
}

fn authorization(raw: &ScrapeConfig, base_dir: &Path) -> Result<Option<Authorization>, Problem> {
    let bearer = secret(
        &raw.bearer_token,
        &raw.bearer_token_file,
        "at most one of bearer_token & bearer_token_file must be configured",
        base_dir,
    )?;
    let basic = given(&raw.basic_auth).map(|(section, _)| basic(section, base_dir)).transpose()?;
    let credentials = given(&raw.authorization).map(|(section, _)| credentials(section, base_dir));
    let credentials = credentials.transpose()?;
    let bearer = bearer.map(|(credentials, place)| {
        (Authorization::Credentials { scheme: BEARER.to_owned(), credentials }, place)
    });
    match (bearer, basic, credentials) {
        (Some((_, place)), Some(_), _) => Err(Problem::new(
            place,
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
            "keep one",
        )),
        (Some((_, place)), None, Some(_)) => Err(Problem::new(
            place,
            "authorization is not compatible with bearer_token & bearer_token_file",
            "keep `authorization`",
        )),
        (None, Some(_), Some(_)) => Err(Problem::new(
            value::place(&raw.authorization),
            "at most one of basic_auth, oauth2 & authorization must be configured",
            "keep one",
        )),
        (Some((bearer, _)), None, None) => Ok(Some(bearer)),
        (None, basic, credentials) => Ok(basic.or(credentials)),
    }
}

fn basic(raw: &raw::BasicAuth, base_dir: &Path) -> Result<Authorization, Problem> {
    let what =
        "at most one of basic_auth password, password_file & password_ref must be configured";
    let password = secret(&raw.password, &raw.password_file, what, base_dir)?;
    let username = Secret::Inline(or_default(&raw.username, String::new()));
    Ok(Authorization::Basic { username, password: password.map(|(password, _)| password) })
}

fn credentials(raw: &raw::Authorization, base_dir: &Path) -> Result<Authorization, Problem> {
    let what = "at most one of authorization credentials & credentials_file must be configured";
    let credentials = secret(&raw.credentials, &raw.credentials_file, what, base_dir)?;
    let written = or_default(&raw.kind, String::new());
    let scheme = Some(written.trim()).filter(|scheme| !scheme.is_empty()).unwrap_or(BEARER);
    if scheme.eq_ignore_ascii_case("basic") {
        let what = "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
        let cure = "it takes `username` and `password`";
        return Err(Problem::new(value::place(&raw.kind), what, cure));
    }
    let credentials = credentials.map(|(secret, _)| secret);
    let credentials = credentials.unwrap_or(Secret::Inline(String::new()));
    Ok(Authorization::Credentials { scheme: scheme.to_owned(), credentials })
}

fn tls(raw: &TlsConfig, place: Place, base_dir: &Path) -> Result<TlsOptions, Problem> {
    let one = |inline, file, name: &str| {
        let what = format!("at most one of {name}, {name}_file & {name}_ref must be configured");
        secret(inline, file, &what, base_dir).map(|secret| secret.map(|(secret, _)| secret))
    };
    let ca = one(&raw.ca, &raw.ca_file, "ca")?;
    let certificate = one(&raw.cert, &raw.cert_file, "cert")?;
    let key = one(&raw.key, &raw.key_file, "key")?;
    if certificate.is_some() && key.is_none() {
        let what = "exactly one of key or key_file must be configured when a client certificate is \
                    configured";
        return Err(Problem::new(place, what, "add the certificate's key"));
    }
    if key.is_some() && certificate.is_none() {
        let what = "exactly one of cert or cert_file must be configured when a client key is \
                    configured";
        return Err(Problem::new(place, what, "add the key's certificate"));
    }
    let (min_version, max_version) = (version(&raw.min_version)?, version(&raw.max_version)?);
    if max_version.is_some() && min_version > max_version {
        let what = "min_version is above max_version";
        return Err(Problem::new(value::place(&raw.min_version), what, "lower it"));
    }
    Ok(TlsOptions {
        ca,
        certificate,
        key,
        server_name: given(&raw.server_name)
            .map(|(name, _)| name.clone())
            .filter(|n| !n.is_empty()),
        insecure_skip_verify: or_default(&raw.insecure_skip_verify, false),
        min_version,
        max_version,
    })
}

fn version(field: &Option<Value<String>>) -> Result<Option<TlsVersion>, Problem> {
    let Some((text, place)) = given(field) else { return Ok(None) };
    let cure = "write TLS12 or TLS13";
    match text.as_str() {
        "TLS12" => Ok(Some(TlsVersion::Tls12)),
        "TLS13" => Ok(Some(TlsVersion::Tls13)),
        "TLS10" | "TLS11" => {
            let what = "is a Prometheus setting that Inferometer does not support yet";
            Err(Problem { place, text: format!("`{text}` {what}: it is not safe; {cure}") })
        }
        _ => Err(Problem::new(place, format!("unknown TLS version: {text}"), cure)),
    }
}

/// A secret that may be written down or be in a file, and where the one that counts is named.
fn secret(
    inline: &Option<Value<String>>,
    file: &Option<Value<String>>,
    what: &str,
    base_dir: &Path,
) -> Result<Option<(Secret, Place)>, Problem> {
    let written = |field| given(field).filter(|(text, _): &(&String, Place)| !text.is_empty());
    match (written(inline), written(file)) {
        (Some(_), Some((_, place))) => Err(Problem::new(place, what, "keep one of the two")),
        (Some((text, place)), None) => Ok(Some((Secret::Inline(text.clone()), place))),
        (None, Some((path, place))) => Ok(Some((Secret::File(value::file(path, base_dir)), place))),
        (None, None) => Ok(None),
    }
}
