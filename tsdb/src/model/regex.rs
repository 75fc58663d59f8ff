//! Go's regular expressions (RE2 syntax), translated for Rust's `regex` crate.
//!
//! Both engines run in linear time, but they read some texts differently. [`translate`] walks
//! over the pattern once and rewrites what differs: literal braces (`/v1/{gid}`), `\Q…\E`,
//! `\pN`, octal escapes, `\z`, the Perl classes (ASCII in Go, Unicode in Rust), set operators
//! and brackets inside classes (literals in Go). What only Rust knows is refused.
//!
//! Prometheus compiles `^(?s:PATTERN)$`; [`Anchored`] does the same.

use regex::Regex;
use thiserror::Error;

/// Longest pattern that is compiled, in bytes: bounds memory and time for hostile queries.
pub const PATTERN_BYTES_MAX: usize = 64 * 1024;
/// Largest compiled program, in bytes.
const PROGRAM_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest repeat count that Go allows (`a{1000}`).
const REPEAT_MAX: u32 = 1000;

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("error parsing regexp: {0}")]
pub struct RegexError(pub String);

/// A pattern that matches whole texts only, with `.` matching newlines too.
#[derive(Clone, Debug)]
pub struct Anchored(Regex);

impl Anchored {
    /// Compiles a pattern in Go's syntax.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let translated = translate(pattern)?;
        // Compiled alone first, so that `a)(b` is an error and the text of errors is the user's.
        compile(&translated)?;
        Ok(Self(compile(&format!("^(?s:{translated})$"))?))
    }

    /// Whether the whole `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The compiled expression, for captures and replacement.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

fn compile(pattern: &str) -> Result<Regex, RegexError> {
    let mut builder = regex::RegexBuilder::new(pattern);
    builder.size_limit(PROGRAM_BYTES_MAX).build().map_err(|error| RegexError(error.to_string()))
}

/// Rewrites a pattern from Go's syntax to that of the `regex` crate.
pub fn translate(pattern: &str) -> Result<String, RegexError> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(RegexError(format!("expression is longer than {PATTERN_BYTES_MAX} bytes")));
    }
    let mut translator =
        Translator { rest: pattern, out: String::with_capacity(pattern.len() + 8) };
    while !translator.rest.is_empty() {
        translator.step()?;
    }
    Ok(translator.out)
}

/// What stands last in a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    None,
    /// A character, which may begin a range.
    Char,
    /// The dash of a range.
    Dash,
    /// A range or a class, which cannot begin a range.
    Set,
}

impl Member {
    /// What stands last when this one follows `last`.
    fn after(self, last: Self) -> Result<Self, RegexError> {
        match (last, self) {
            (Self::Dash, Self::Char) => Ok(Self::Set),
            (Self::Dash, _) => Err(RegexError("invalid character class range".into())),
            _ => Ok(self),
        }
    }
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

impl Translator<'_> {
    /// Consumes one construct outside of a class.
    fn step(&mut self) -> Result<(), RegexError> {
        if let Some(rest) = self.rest.strip_prefix("\\Q") {
            let (literal, after) = rest.split_once("\\E").unwrap_or((rest, ""));
            self.out.push_str(&regex::escape(literal));
            self.rest = after;
            return Ok(());
        }
        match self.next_char() {
            Some('\\') => self.escape(false).map(drop),
            Some('[') => self.class(),
            Some('(') => self.group(),
            Some('{') => self.brace(),
            Some('}') => {
                self.out.push_str("\\}");
                Ok(())
            }
            Some(c) => {
                self.out.push(c);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// `(?x)` and `(?u)`, `(?R)` are flags that Go does not know.
    fn group(&mut self) -> Result<(), RegexError> {
        self.out.push('(');
        let Some(flags) = self.rest.strip_prefix('?') else { return Ok(()) };
        let end =
            flags.find(|c: char| !(c.is_ascii_alphabetic() || c == '-')).unwrap_or(flags.len());
        if !flags.starts_with(['P', '<']) {
            let unknown = flags[..end].chars().find(|c| !"imsU-".contains(*c));
            if unknown.is_some() {
                let next = flags[end..].chars().next().map_or(0, char::len_utf8);
                let named = &self.rest[..1 + end + next];
                return Err(RegexError(format!("invalid or unsupported Perl syntax: `({named}`")));
            }
        }
        Ok(())
    }

    /// `{2,3}` repeats; every other brace is a literal in Go.
    fn brace(&mut self) -> Result<(), RegexError> {
        let repeat = self.rest.split_once('}').filter(|(inside, _)| is_repeat(inside));
        let Some((inside, after)) = repeat else {
            self.out.push_str("\\{");
            return Ok(());
        };
        let too_large = inside.split(',').filter(|part| !part.is_empty());
        if too_large.map(|n| n.parse().unwrap_or(u32::MAX)).any(|n: u32| n > REPEAT_MAX) {
            return Err(RegexError(format!("invalid repeat count: `{{{inside}}}`")));
        }
        self.out.push_str(&format!("{{{inside}}}"));
        self.rest = after;
        Ok(())
    }

    /// What follows a backslash, in a class or outside; says what it stands for.
    fn escape(&mut self, in_class: bool) -> Result<Member, RegexError> {
        let Some(c) = self.next_char() else {
            return Err(RegexError("trailing backslash at end of expression: ``".into()));
        };
        let perl = |negated: &str, plain: &str| {
            if in_class { plain.to_owned() } else { format!("[{negated}{plain}]") }
        };
        let text = match c {
            'd' => perl("", "0-9"),
            's' => perl("", "\\t\\n\\f\\r "),
            'w' => perl("", "0-9A-Za-z_"),
            'D' if in_class => "[^0-9]".into(),
            'S' if in_class => "[^\\t\\n\\f\\r ]".into(),
            'W' if in_class => "[^0-9A-Za-z_]".into(),
            'D' => perl("^", "0-9"),
            'S' => perl("^", "\\t\\n\\f\\r "),
            'W' => perl("^", "0-9A-Za-z_"),
            'b' if !in_class => "(?-u:\\b)".into(),
            'B' if !in_class => "(?-u:\\B)".into(),
            'A' | 'z' if !in_class => format!("\\{c}"),
            'C' if !in_class => "(?s:.)".into(),
            'a' | 'f' | 'n' | 'r' | 't' | 'v' => format!("\\{c}"),
            'x' | 'p' | 'P' => format!("\\{c}{}", self.braced()),
            '0'..='7' => self.octal(c)?,
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => {
                return Err(RegexError(format!("invalid escape sequence: `\\{c}`")));
            }
            c => regex::escape(&c.to_string()),
        };
        self.out.push_str(&text);
        let is_set = matches!(c, 'd' | 's' | 'w' | 'D' | 'S' | 'W' | 'p' | 'P');
        Ok(if is_set { Member::Set } else { Member::Char })
    }

    /// The braces that may follow `\x` and `\p`, as they are.
    fn braced(&mut self) -> &str {
        let end = match self.rest.strip_prefix('{').and_then(|inside| inside.find('}')) {
            Some(length) => length + 2,
            None => 0,
        };
        let (braced, rest) = self.rest.split_at(end);
        self.rest = rest;
        braced
    }

    /// `\0`, `\012`, `\123`; a lone `\1`…`\7` would be a back reference, which Go refuses.
    fn octal(&mut self, first: char) -> Result<String, RegexError> {
        let more = self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
        if first != '0' && more == 0 {
            return Err(RegexError(format!("invalid escape sequence: `\\{first}`")));
        }
        let digits = format!("{first}{}", &self.rest[..more]);
        self.rest = &self.rest[more..];
        let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
        Ok(format!("\\x{{{code:X}}}"))
    }

    /// `[…]`: set operators and brackets in it are literals in Go.
    fn class(&mut self) -> Result<(), RegexError> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.out.push('^');
            self.rest = rest;
        }
        let mut last = Member::None;
        loop {
            if let Some(written) = self.posix_class() {
                self.out.push_str(written);
                last = Member::Set.after(last)?;
                continue;
            }
            let member = match self.next_char() {
                None => return Err(RegexError(format!("missing closing ]: `{}`", self.out))),
                Some(']') if last != Member::None => {
                    self.out.push(']');
                    return Ok(());
                }
                Some('\\') => self.escape(true)?,
                // Between two characters it makes a range, everywhere else it is itself.
                Some('-') if last == Member::Char && !self.rest.starts_with(']') => {
                    self.out.push('-');
                    last = Member::Dash;
                    continue;
                }
                Some(c) => {
                    if "[]&~-".contains(c) {
                        self.out.push('\\');
                    }
                    self.out.push(c);
                    Member::Char
                }
            };
            last = member.after(last)?;
        }
    }

    fn posix_class(&mut self) -> Option<&'static str> {
        const CLASSES: [&str; 28] = [
            "[:alnum:]",
            "[:^alnum:]",
            "[:alpha:]",
            "[:^alpha:]",
            "[:ascii:]",
            "[:^ascii:]",
            "[:blank:]",
            "[:^blank:]",
            "[:cntrl:]",
            "[:^cntrl:]",
            "[:digit:]",
            "[:^digit:]",
            "[:graph:]",
            "[:^graph:]",
            "[:lower:]",
            "[:^lower:]",
            "[:print:]",
            "[:^print:]",
            "[:punct:]",
            "[:^punct:]",
            "[:space:]",
            "[:^space:]",
            "[:upper:]",
            "[:^upper:]",
            "[:word:]",
            "[:^word:]",
            "[:xdigit:]",
            "[:^xdigit:]",
        ];
        let found = CLASSES.into_iter().find(|written| self.rest.starts_with(written))?;
        self.rest = &self.rest[found.len()..];
        Some(found)
    }
}

fn is_repeat(inside: &str) -> bool {
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_matches() {
        let rows = [
            ("foo|bar", "bar", true),
            ("foo|bar", "foobar", false),
            ("a.c", "a\nc", true),
            ("", "", true),
            ("/v1/{gid}", "/v1/{gid}", true),
            ("a{,3}", "a{,3}", true),
            ("a{2,3}", "aaa", true),
            (r"\d+", "12", true),
            (r"\d+", "٣", false),
            (r"\w+", "é", false),
            (r"[\w.]+", "a.b", true),
            (r"[\D]", "x", true),
            (r"\W", "é", true),
            (r"\Qa.b\E", "a.b", true),
            (r"\Qa.b\E", "axb", false),
            (r"\101", "A", true),
            ("[a&&b]", "&", true),
            ("[a--b]", "-", false),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[[:alpha:]_]+", "ab_", true),
            ("[a[b]", "[", true),
            ("(?i)FOO", "foo", true),
            ("(?i:f)oo", "Foo", true),
            ("a}", "a}", true),
            (r"\.", ".", true),
            (r"\-", "-", true),
            (r"\x41\x{42}", "AB", true),
            (r"\pL+", "aé", true),
            (r"\p{Greek}+", "αβ", true),
            (r"\P{Greek}", "α", false),
            (r"[\p{Greek}x]+", "αx", true),
            (r"\x{10FFFF}", "\u{10ffff}", true),
            (r"[\x{2028}-\x{2029}]", "\u{2028}", true),
            (r"[\w-.]+", "a-b.c", true),
            (r"[\w-\.]+", "a-b.c", true),
            ("[a-c-e]+", "b-e", true),
            ("[a-c-e]", "d", false),
            ("[--/]", ".", true),
            ("[[:digit:]-x]+", "1-x", true),
            (r"\Bb", "b", false),
            (r"a\Bb\b", "ab", true),
            (r"10\.(\d+\.\d+\.\d+):(\d+)", "10.1.2.3:80", true),
            (r"([^:]+)(?::\d+)?;(\d+)", "h:1;2", true),
        ];
        for (pattern, text, matches) in rows {
            // `[a--b]` is a range from `a` back to `-` in Go, hence an error there as here.
            let Ok(regex) = Anchored::new(pattern) else {
                assert_eq!(pattern, "[a--b]");
                continue;
            };
            assert_eq!(regex.is_match(text), matches, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_go_refuses() {
        for pattern in [
            "(", "a)(b", "*", "a{1001}", r"\8", r"\y", "[a", r"\", "(?x)a", "(?u)a", "(?x", "(?xé",
            r"[a-\d]",
        ] {
            assert!(Anchored::new(pattern).is_err(), "{pattern}");
        }
    }
}
