//! The names in a client's certificate: its subject alternative names (RFC 5280, 4.2.1.6).
//!
//! A certificate is DER: elements of a tag, a length and a content, nested. Its bytes come from
//! outside, before anybody has vouched for them: what is no DER has no names.

use std::net::{Ipv4Addr, Ipv6Addr};

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3] EXPLICIT Extensions` of a TBSCertificate.
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17
const ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// All names: hosts, addresses, URIs, mail addresses.
pub(super) fn alt_names(certificate: &[u8]) -> Vec<String> {
    extension(certificate).map(names).unwrap_or_default()
}

/// The content of the extension that holds them.
fn extension(certificate: &[u8]) -> Option<&[u8]> {
    let signed = content(SEQUENCE, content(SEQUENCE, certificate)?)?;
    let extensions = Elements(signed).find(|(tag, _)| *tag == EXTENSIONS)?.1;
    for (_, extension) in Elements(content(SEQUENCE, extensions)?) {
        let mut parts = Elements(extension);
        if parts.next() != Some((OBJECT_IDENTIFIER, &ALT_NAME)) {
            continue;
        }
        // A flag may stand in between.
        let value = parts.find(|(tag, _)| *tag == OCTET_STRING)?.1;
        return content(SEQUENCE, value);
    }
    None
}

fn names(content: &[u8]) -> Vec<String> {
    let name = |(tag, value): (u8, &[u8])| match tag {
        // rfc822Name, dNSName, uniformResourceIdentifier
        0x81 | 0x82 | 0x86 => String::from_utf8(value.to_vec()).ok(),
        0x87 => address(value),
        _ => None,
    };
    Elements(content).filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).to_string());
    }
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
    Some(address.to_ipv4_mapped().map_or_else(|| address.to_string(), |four| four.to_string()))
}

/// The content of the first element, if it has that tag.
fn content(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    Elements(bytes).next().filter(|(own, _)| *own == tag).map(|(_, content)| content)
}

/// Elements one after the other; ends at what is none.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (len, rest) = match usize::from(*first) {
            short @ 0..0x80 => (short, rest),
            long => {
                let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
                let value =
                    |len: usize, byte: &u8| Some(len.checked_mul(256)? | usize::from(*byte));
                (bytes.iter().try_fold(0, value)?, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = content.len();
        let mut bytes = vec![tag, 0x82, (len / 256) as u8, (len % 256) as u8];
        bytes.extend(content);
        bytes
    }

    fn certificate() -> Vec<u8> {
        let names = [
            element(0x82, b"a.example"),
            element(0x87, &[10, 0, 0, 1]),
            element(0x87, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            element(0x87, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4]),
            element(0x86, b"spiffe://x/y"),
            element(0x81, b"a@b"),
            element(0x82, b"\xff"),
            element(0xa4, b"a directory's name"),
        ]
        .concat();
        let value = element(OCTET_STRING, &element(SEQUENCE, &names));
        let oid = element(OBJECT_IDENTIFIER, &ALT_NAME);
        let extension = element(SEQUENCE, &[oid, vec![1, 1, 0xff], value].concat());
        let other = element(SEQUENCE, &element(OBJECT_IDENTIFIER, &[1]));
        let extensions = element(SEQUENCE, &[other, extension].concat());
        let signed = [element(2, b"serial"), element(EXTENSIONS, &extensions)].concat();
        element(SEQUENCE, &element(SEQUENCE, &signed))
    }

    #[test]
    fn names_of_all_kinds() {
        let names = alt_names(&certificate());
        let expected = ["a.example", "10.0.0.1", "2001:db8::1", "1.2.3.4", "spiffe://x/y", "a@b"];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_damaged_certificate_has_fewer_names_and_never_panics() {
        let whole = certificate();
        let all = alt_names(&whole).len();
        for end in 0..whole.len() {
            assert!(alt_names(&whole[..end]).len() <= all);
        }
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= change;
                let _names = alt_names(&damaged);
            }
        }
        assert_eq!(alt_names(&[0x30, 0xff, 1, 2]), Vec::<String>::new());
    }
}
