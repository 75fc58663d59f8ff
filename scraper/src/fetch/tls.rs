//! Go's words for what goes wrong in TLS, where it has some: they are what people search for.

use std::net::IpAddr;

use jiff::Timestamp;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// What went wrong.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(wrong) => {
            format!("tls: failed to verify certificate: {}", certificate(wrong))
        }
        Error::AlertReceived(alert) => alert_in_words(*alert)
            .map_or_else(|| error.to_string(), |words| format!("remote error: tls: {words}")),
        // Who speaks HTTP where TLS is spoken is nearly always a scheme that is wrong.
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "tls: first record does not look like a TLS handshake (http: server gave HTTP response \
             to HTTPS client; check scheme)"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// What is wrong with a server's certificate.
fn certificate(error: &CertificateError) -> String {
    const EXPIRED: &str = "x509: certificate has expired or is not yet valid";
    match error {
        CertificateError::UnknownIssuer => {
            "x509: certificate signed by unknown authority".to_owned()
        }
        CertificateError::Expired | CertificateError::NotValidYet => EXPIRED.to_owned(),
        CertificateError::ExpiredContext { time, not_after } => {
            format!("{EXPIRED}: current time {} is after {}", date(time), date(not_after))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("{EXPIRED}: current time {} is before {}", date(time), date(not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("x509: {}", other_name(expected, presented))
        }
        other => other.to_string(),
    }
}

/// `expected` is not among the names of the certificate (`DnsName("a")`, `IpAddress(10.0.0.1)`).
fn other_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    let is_address = expected.parse::<IpAddr>().is_ok();
    let kind = if is_address { "IpAddress(" } else { "DnsName(" };
    let names = presented.iter().filter_map(|name| name.strip_prefix(kind)?.strip_suffix(')'));
    let names: Vec<&str> = names.map(|name| name.trim_matches('"')).collect();
    match (names.as_slice(), is_address) {
        ([], true) => format!(
            "cannot validate certificate for {expected} because it doesn't contain any IP SANs"
        ),
        ([], false) => {
            format!("certificate is not valid for any names, but wanted to match {expected}")
        }
        (names, _) => format!("certificate is valid for {}, not {expected}", names.join(", ")),
    }
}

fn date(time: &UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Why the other side refuses us.
fn alert_in_words(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::HandshakeFailure => "handshake failure",
        AlertDescription::BadCertificate => "bad certificate",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateRevoked => "revoked certificate",
        AlertDescription::CertificateExpired => "expired certificate",
        AlertDescription::CertificateUnknown => "unknown certificate",
        AlertDescription::UnknownCA => "unknown certificate authority",
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::ProtocolVersion => "protocol version not supported",
        AlertDescription::InternalError => "internal error",
        AlertDescription::UnrecognisedName => "unrecognized name",
        AlertDescription::CertificateRequired => "certificate required",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let name = |text: &str| ServerName::try_from(text.to_owned()).unwrap();
        let time = |secs| UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs));
        let presented = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let both = ["DnsName(\"a\")", "DnsName(\"*.b\")", "IpAddress(10.0.0.1)"];
        let rows = [
            (CertificateError::UnknownIssuer, "certificate signed by unknown authority"),
            (
                CertificateError::ExpiredContext { time: time(86_400), not_after: time(0) },
                "certificate has expired or is not yet valid: current time 1970-01-02T00:00:00Z is \
                 after 1970-01-01T00:00:00Z",
            ),
            (
                CertificateError::NotValidYetContext { time: time(0), not_before: time(60) },
                "certificate has expired or is not yet valid: current time 1970-01-01T00:00:00Z is \
                 before 1970-01-01T00:01:00Z",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: name("c"),
                    presented: presented(&both),
                },
                "certificate is valid for a, *.b, not c",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: name("10.0.0.2"),
                    presented: presented(&both),
                },
                "certificate is valid for 10.0.0.1, not 10.0.0.2",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: name("10.0.0.2"),
                    presented: presented(&both[..2]),
                },
                "cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: name("c"),
                    presented: presented(&[]),
                },
                "certificate is not valid for any names, but wanted to match c",
            ),
        ];
        for (error, words) in rows {
            let said = describe(&Error::InvalidCertificate(error));
            assert_eq!(said, format!("tls: failed to verify certificate: x509: {words}"));
        }
        let alert = Error::AlertReceived(AlertDescription::BadCertificate);
        assert_eq!(describe(&alert), "remote error: tls: bad certificate");
    }
}
