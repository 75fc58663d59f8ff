//! Environment variables in the values of external labels.
//!
//! As Go's `os.Expand` does it: `${anything}` and `$name` (letters, digits, `_`) are variables, of
//! `$1` and other special characters only the one character is the name, and `$$` is a dollar.

/// Characters that are a whole name when they follow a `$`.
const SPECIAL: &str = "*#$@!?-0123456789";

/// `text` with each variable replaced by what `lookup` says of it.
pub(super) fn expand(text: &str, lookup: impl Fn(&str) -> String) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, len) = variable(after);
        match (name, len) {
            // No name follows: the dollar stays. Broken syntax: it goes.
            ("", 0) => out.push('$'),
            ("", _) => {}
            ("$", _) => out.push('$'),
            _ => out.push_str(&lookup(name)),
        }
        rest = &after[len..];
    }
    out.push_str(rest);
    out
}

/// The name at the start of `text`, behind a dollar, and how many bytes it takes with its braces.
fn variable(text: &str) -> (&str, usize) {
    if let Some(inside) = text.strip_prefix('{') {
        return inside.split_once('}').map_or(("", 1), |(name, _)| (name, name.len() + 2));
    }
    if text.starts_with(|c| SPECIAL.contains(c)) {
        return (&text[..1], 1);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let rows = [
            ("plain", "plain"),
            ("$A", "[A]"),
            ("${A}b", "[A]b"),
            ("$Ab-c", "[Ab]-c"),
            ("x$$y", "x$y"),
            ("x${$}y", "x$y"),
            ("foo$${A}", "foo${A}"),
            ("$12", "[1]2"),
            ("100$", "100$"),
            ("a $ b", "a $ b"),
            ("é$é", "é$é"),
            ("${open", "open"),
            ("a${}b", "ab"),
        ];
        for (text, expanded) in rows {
            assert_eq!(expand(text, |name| format!("[{name}]")), expanded, "{text}");
        }
    }
}
