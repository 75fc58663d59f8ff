//! Protobuf's wire format: a message as a sequence of numbered fields.
//!
//! Nothing is copied and nothing allocated; a length that points beyond its message is an error.

use super::ProtobufError;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'m> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'m [u8]),
    Fixed32(u32),
}

impl<'m> Field<'m> {
    /// A `double`; 0 if it is something else.
    pub(super) fn double(self) -> f64 {
        match self {
            Self::Fixed64(bits) => f64::from_bits(bits),
            _ => 0.0,
        }
    }

    /// An unsigned number, or the bits of a signed one; 0 if it is something else.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Varint(number) => number,
            _ => 0,
        }
    }

    /// A `sint32` or `sint64`.
    pub(super) fn zigzag(self) -> i64 {
        unzigzag(self.number())
    }

    /// A message or text; empty if it is something else.
    pub(super) fn bytes(self) -> &'m [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// A text.
    pub(super) fn text(self, what: &str) -> Result<&'m str, ProtobufError> {
        std::str::from_utf8(self.bytes()).map_err(|_| ProtobufError::new(format!("invalid {what}")))
    }
}

fn unzigzag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

/// The fields of a message, each with its number.
#[derive(Clone, Debug)]
pub(super) struct Fields<'m> {
    rest: &'m [u8],
}

impl<'m> Fields<'m> {
    pub(super) fn of(message: &'m [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Option<(u32, Field<'m>)> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut self.rest)?),
            1 => Field::Fixed64(u64::from_le_bytes(take(&mut self.rest)?)),
            2 => Field::Bytes(delimited(&mut self.rest)?),
            5 => Field::Fixed32(u32::from_le_bytes(take(&mut self.rest)?)),
            _ => return None,
        };
        Some((number, field))
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<(u32, Field<'m>), ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field().ok_or_else(|| ProtobufError::new("malformed message".into()));
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Consumes a number of at most ten bytes.
pub(super) fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Consumes a length and as many bytes.
pub(super) fn delimited<'m>(rest: &mut &'m [u8]) -> Option<&'m [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

/// Appends what a repeated `sint64` field has, packed or not; `false` if there would be more than
/// `max`, or it is malformed.
pub(super) fn push_zigzags(field: Field<'_>, max: usize, into: &mut Vec<i64>) -> bool {
    let Field::Bytes(mut packed) = field else {
        into.push(field.zigzag());
        return into.len() <= max;
    };
    while !packed.is_empty() {
        match varint(&mut packed) {
            Some(bits) if into.len() < max => into.push(unzigzag(bits)),
            _ => return false,
        }
    }
    true
}

/// The same for `double`.
pub(super) fn push_doubles(field: Field<'_>, max: usize, into: &mut Vec<f64>) -> bool {
    let Field::Bytes(mut packed) = field else {
        into.push(field.double());
        return into.len() <= max;
    };
    while !packed.is_empty() {
        match take(&mut packed) {
            Some(bytes) if into.len() < max => into.push(f64::from_le_bytes(bytes)),
            _ => return false,
        }
    }
    true
}
