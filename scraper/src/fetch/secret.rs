//! Secrets, read when they are needed.

use std::fs;

use reqwest::header::HeaderValue;

use crate::job::{Authorization, Secret};

/// Largest file that is read for a secret, in bytes; certificate bundles have some 200 KB.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// The bytes of a secret, as they are.
pub(super) fn read(secret: &Secret) -> Result<Vec<u8>, String> {
    let path = match secret {
        Secret::Inline(text) => return Ok(text.clone().into_bytes()),
        Secret::File(path) => path,
    };
    let failed = |error: std::io::Error| format!("unable to read file {}: {error}", path.display());
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("file {} is larger than {FILE_BYTES_MAX} bytes", path.display()));
    }
    fs::read(path).map_err(failed)
}

/// A secret as text, white space around it removed; one in a file is read.
pub fn text(secret: &Secret) -> Result<String, String> {
    let text = String::from_utf8(read(secret)?).map_err(|_| "the secret is no UTF-8 text")?;
    Ok(text.trim().to_owned())
}

/// The value of the `Authorization` header.
pub(super) fn authorization(authorization: &Authorization) -> Result<HeaderValue, String> {
    let value = match authorization {
        Authorization::Credentials { scheme, credentials } => {
            let credentials = text(credentials)
                .map_err(|error| format!("unable to read authorization credentials: {error}"))?;
            format!("{scheme} {credentials}")
        }
        Authorization::Basic { username, password } => {
            let username = text(username)
                .map_err(|error| format!("unable to read basic auth username: {error}"))?;
            let password = password.as_ref().map(text).transpose();
            let password =
                password.map_err(|error| format!("unable to read basic auth password: {error}"))?;
            let pair = format!("{username}:{}", password.unwrap_or_default());
            format!("Basic {}", base64(pair.as_bytes()))
        }
        Authorization::OAuth2(_) => return Err("BUG: a token is asked for elsewhere".to_owned()),
    };
    header(&value)
}

/// The value of a header that is not to be shown.
pub(super) fn header(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credentials hold characters that no header can hold".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Base64 with padding (RFC 4648, 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit <= group.len() { DIGITS[six as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of RFC 4648, section 10.
    #[test]
    fn base64_of_the_standard() {
        let rows = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, encoded) in rows {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn headers() {
        let inline = |text: &str| Secret::Inline(text.into());
        let rows = [
            (
                Authorization::Credentials { scheme: "Bearer".into(), credentials: inline(" t\n") },
                Ok("Bearer t"),
            ),
            (
                Authorization::Basic { username: inline("u"), password: Some(inline("p")) },
                Ok("Basic dTpw"),
            ),
            (Authorization::Basic { username: inline("u"), password: None }, Ok("Basic dTo=")),
            (
                Authorization::Credentials {
                    scheme: "Bearer".into(),
                    credentials: Secret::File("/nowhere/token".into()),
                },
                Err("unable to read authorization credentials: unable to read file \
                     /nowhere/token: No such file or directory (os error 2)"),
            ),
        ];
        for (given, expected) in rows {
            let got = authorization(&given);
            let got = got.as_ref().map(|value| value.to_str().unwrap()).map_err(String::as_str);
            assert_eq!(got, expected);
        }
    }
}
