//! Whether every block of a template ends, which the library does not ask.

/// Words that begin a block.
const OPENING: [&str; 5] = ["if", "range", "with", "block", "define"];

/// What is wrong with the blocks of a text, and in which line.
pub(super) fn check(text: &str) -> Result<(), (usize, String)> {
    let (mut open, mut rest, mut line) = (0_usize, text, 1);
    while let Some(start) = rest.find("{{") {
        line += lines(&rest[..start]);
        let inside = &rest[start + 2..];
        let len = action(inside);
        let word = inside[..len].trim_start_matches('-').trim_start();
        let end = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
        match &word[..end] {
            word if OPENING.contains(&word) => open += 1,
            "end" if open == 0 => return Err((line, "unexpected {{end}}".to_owned())),
            "end" => open -= 1,
            _ => {}
        }
        line += lines(&inside[..len]);
        rest = &inside[len..];
    }
    match open {
        0 => Ok(()),
        _ => Err((line + lines(rest), "unexpected EOF".to_owned())),
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// How long an action is, up to its `}}`: one in a comment or a quoted text does not count.
fn action(inside: &str) -> usize {
    let comment = inside.trim_start_matches('-').trim_start();
    if comment.starts_with("/*") {
        return inside.find("*/").unwrap_or(inside.len());
    }
    let (mut quote, mut is_escaped) = (None, false);
    for (at, c) in inside.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some('"' | '\'') if c == '\\' => is_escaped = true,
            Some(own) if own == c => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if inside[at..].starts_with("}}") => return at,
            None => {}
        }
    }
    inside.len()
}
