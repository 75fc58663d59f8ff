//! How TLS is spoken.

use std::path::Path;

use scraper::job::{TlsOptions, TlsVersion};

use super::super::super::error::{Place, Problem};
use super::super::super::raw::{TlsConfig, given, or_default};
use super::super::super::yaml::Value;
use super::super::value;
use super::secret;

/// Decides how TLS is spoken; as usual if the section does not stand there.
pub(super) fn tls(
    section: &Option<Value<TlsConfig>>,
    base_dir: &Path,
) -> Result<TlsOptions, Problem> {
    match given(section) {
        Some((raw, place)) => options(raw, place, base_dir),
        None => Ok(TlsOptions::default()),
    }
}

fn options(raw: &TlsConfig, place: Place, base_dir: &Path) -> Result<TlsOptions, Problem> {
    let what = |name| format!("at most one of {name}, {name}_file & {name}_ref must be configured");
    let ca = secret(&raw.ca, &raw.ca_file, &what("ca"), base_dir)?;
    let certificate = secret(&raw.cert, &raw.cert_file, &what("cert"), base_dir)?;
    let key_what = "at most one of key and key_file must be configured";
    let key = secret(&raw.key, &raw.key_file, key_what, base_dir)?;
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
    let min_version = version(&raw.min_version, &["TLS10", "TLS11"])?;
    let max_version = version(&raw.max_version, &[])?;
    if max_version.is_some() && min_version > max_version {
        let what = "min_version is above max_version";
        return Err(Problem::new(value::place(&raw.min_version), what, "lower it"));
    }
    Ok(TlsOptions {
        ca: ca.map(|(ca, _)| ca),
        certificate: certificate.map(|(certificate, _)| certificate),
        key: key.map(|(key, _)| key),
        server_name: value::text(&raw.server_name).map(|(name, _)| name.to_owned()),
        insecure_skip_verify: or_default(&raw.insecure_skip_verify, false),
        min_version,
        max_version,
    })
}

/// Versions in `older` are not spoken, and stand for the oldest that is.
fn version(field: &Option<Value<String>>, older: &[&str]) -> Result<Option<TlsVersion>, Problem> {
    let Some((text, place)) = given(field) else { return Ok(None) };
    let cure = "write TLS12 or TLS13";
    match text.as_str() {
        "TLS12" => Ok(Some(TlsVersion::Tls12)),
        "TLS13" => Ok(Some(TlsVersion::Tls13)),
        text if older.contains(&text) => Ok(None),
        "TLS10" | "TLS11" => {
            let what = "is a Prometheus setting that Inferometer does not support yet";
            Err(Problem { place, text: format!("`{text}` {what}: it is not safe; {cure}") })
        }
        _ => Err(Problem::new(place, format!("unknown TLS version: {text}"), cure)),
    }
}
