//! Bearer tokens, of `bearer_tokens_file` (our own): one a line, empty lines and those that begin
//! with `#` left out. Only their digests are kept, and found by them, so that how long a look-up
//! takes says nothing about a token.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

/// Fewest characters: shorter ones can be guessed.
const CHARS_MIN: usize = 16;

/// Who may ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens(HashSet<[u8; 32]>);

impl Tokens {
    /// Those of a file's text, or what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut tokens = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let token = line.trim();
            if token.is_empty() || token.starts_with('#') {
                continue;
            }
            if token.len() < CHARS_MIN || token.contains(char::is_whitespace) {
                let number = index + 1;
                return Err(format!(
                    "line {number} is no token: write {CHARS_MIN} characters or more without spaces"
                ));
            }
            tokens.insert(digest(token));
        }
        if tokens.is_empty() {
            return Err("there is no token in it: write one a line".to_owned());
        }
        Ok(Self(tokens))
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, token: &str) -> bool {
        self.0.contains(&digest(token))
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_a_line() {
        let tokens = Tokens::read("# of grafana\n0123456789abcdef\n\n  0123456789ABCDEF \r\n");
        let tokens = tokens.expect("two tokens");
        let rows = [
            ("0123456789abcdef", true),
            ("0123456789ABCDEF", true),
            ("0123456789abcde", false),
            ("0123456789abcdef0", false),
            ("# of grafana", false),
            ("", false),
        ];
        for (token, expected) in rows {
            assert_eq!(tokens.has(token), expected, "{token}");
        }
        for (text, part) in [("", "no token in it"), ("#\n\nshort", "line 3"), ("a b", "line 1")] {
            let error = Tokens::read(text).expect_err("no tokens");
            assert!(error.contains(part), "{error}");
        }
    }
}
