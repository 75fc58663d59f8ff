//! Tokens of a page: names, quoted texts, words, numbers.

use tsdb::model::labels::Quoted;
use tsdb::model::number::parse_float;

use super::{Read, Reader, Wrong, wrong};

impl Reader<'_> {
    pub(super) fn label_value(&mut self) -> Read<String> {
        self.skip_blanks()?;
        if self.current != b'"' {
            return wrong(format!("expected '\"' at start of label value, found {}", self.shown()));
        }
        let mut value = Vec::new();
        loop {
            self.next()?;
            match self.current {
                b'"' => break,
                b'\n' => {
                    let value = quoted(&value);
                    return wrong(format!("label value {value} contains unescaped new-line"));
                }
                b'\\' => value.push(self.escaped(b'"')?),
                byte => value.push(byte),
            }
        }
        let shown = quoted(&value);
        String::from_utf8(value).map_err(|_| Wrong::At(format!("invalid label value {shown}")))
    }

    /// The byte that an escape sequence stands for.
    fn escaped(&mut self, quote: u8) -> Read<u8> {
        self.next()?;
        match self.current {
            b'\\' => Ok(b'\\'),
            b'n' => Ok(b'\n'),
            byte if byte == quote => Ok(quote),
            _ => self.wrong_escape(),
        }
    }

    /// Value and timestamp, up to the end of the line.
    pub(super) fn value(&mut self) -> Read<()> {
        let word = self.word()?;
        if number(&word).is_none() {
            return wrong(format!("expected float as value, got {}", quoted(&word)));
        }
        if self.current == b'\n' {
            return Ok(());
        }
        self.skip_blanks()?;
        let word = self.word()?;
        let time = std::str::from_utf8(&word).ok().and_then(|text| text.parse::<i64>().ok());
        if time.is_none() {
            return wrong(format!("expected integer as timestamp, got {}", quoted(&word)));
        }
        let rest = self.until(|byte| byte == b'\n')?;
        if rest.is_empty() {
            return Ok(());
        }
        wrong(format!("spurious string after timestamp: {}", quoted(&rest)))
    }

    /// A name, quoted or not, that `current` begins; empty if it begins none.
    pub(super) fn name(&mut self, more: &[u8], what: &str) -> Read<String> {
        let mut name = Vec::new();
        if self.current == b'"' {
            loop {
                self.next()?;
                match self.current {
                    b'"' => break,
                    b'\n' => {
                        let name = quoted(&name);
                        return wrong(format!("{what} name {name} contains unescaped new-line"));
                    }
                    b'\\' => name.push(self.escaped(b'"')?),
                    byte => name.push(byte),
                }
            }
            self.next()?;
        } else {
            let begins =
                |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || more.contains(&byte);
            while begins(self.current) || (!name.is_empty() && self.current.is_ascii_digit()) {
                name.push(self.current);
                self.next()?;
            }
        }
        let shown = quoted(&name);
        String::from_utf8(name).map_err(|_| Wrong::At(format!("invalid {what} name {shown}")))
    }

    pub(super) fn word(&mut self) -> Read<Vec<u8>> {
        self.until(|byte| is_blank(byte) || byte == b'\n')
    }

    /// From `current` on.
    pub(super) fn until(&mut self, ends: impl Fn(u8) -> bool) -> Read<Vec<u8>> {
        let mut token = Vec::new();
        while !ends(self.current) {
            token.push(self.current);
            self.next()?;
        }
        Ok(token)
    }

    /// From the byte behind `current` on.
    pub(super) fn skip_blanks(&mut self) -> Read<()> {
        loop {
            self.next()?;
            if !is_blank(self.current) {
                return Ok(());
            }
        }
    }

    pub(super) fn next(&mut self) -> Read<()> {
        self.current = *self.page.get(self.at).ok_or(Wrong::End)?;
        self.at += 1;
        Ok(())
    }

    pub(super) fn wrong_escape<T>(&self) -> Read<T> {
        wrong(format!("invalid escape sequence '\\{}'", char::from(self.current)))
    }

    pub(super) fn shown(&self) -> String {
        format!("{:?}", char::from(self.current))
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// A number as Go reads it, without underscores and hexadecimal exponents.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(['p', 'P', '_']) { None } else { parse_float(text) }
}

/// In quotes; what is no UTF-8 byte by byte.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let valid = Quoted(chunk.valid()).to_string();
        out.push_str(&valid[1..valid.len() - 1]);
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out + "\""
}
