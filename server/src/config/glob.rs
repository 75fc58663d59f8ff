//! Paths with patterns, as Go's `filepath.Glob` reads them.
//!
//! In each part of a path `*` stands for any text, `?` for one character, `[a-z]` for one of some
//! and `[^a-z]` for one of the others; `\` takes the next character as it is. A pattern that is
//! not whole matches nothing.

use std::path::{Component, Path, PathBuf};

/// How many paths a pattern may stand for.
const PATHS_MAX: usize = 10_000;

/// The paths that exist and match, in order.
pub fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy().into_owned();
        let has_pattern =
            matches!(part, Component::Normal(_)) && text.contains(['*', '?', '[', '\\']);
        paths = match has_pattern {
            true => paths.iter().flat_map(|folder| matching(folder, &text)).collect(),
            false => paths.iter().map(|path| path.join(part)).collect(),
        };
        paths.truncate(PATHS_MAX);
    }
    paths.retain(|path| path.exists());
    paths.sort();
    paths
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let read = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let Ok(entries) = std::fs::read_dir(read) else { return Vec::new() };
    let pattern: Vec<char> = pattern.chars().collect();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter(|name| is_match(&pattern, &name.chars().collect::<Vec<_>>()));
    names.map(|name| folder.join(name)).collect()
}

/// Goes back to the last `*` when the rest does not match: time is at most the product of both
/// lengths.
fn is_match(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(_) => {
                if let Some(len) = one(&pattern[p..], name[n]) {
                    (p, n) = (p + len, n + 1);
                    continue;
                }
            }
            None => {}
        }
        let Some((at, from)) = star else { return false };
        (p, n, star) = (at + 1, from + 1, Some((at, from + 1)));
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of the pattern stands for the character; `None` if it does not begin with it.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match (pattern.first()?, pattern.get(1)) {
        ('?', _) => Some(1),
        ('\\', Some(literal)) => (*literal == c).then_some(2),
        ('[', _) => class(&pattern[1..], c).map(|len| len + 1),
        (literal, _) => (*literal == c).then_some(1),
    }
}

/// How many characters a class has behind its `[`, if `c` is in it.
fn class(pattern: &[char], c: char) -> Option<usize> {
    let is_negated = pattern.first() == Some(&'^');
    let mut at = usize::from(is_negated);
    let (start, mut is_in) = (at, false);
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > start {
            return (is_in != is_negated).then_some(at + 1);
        }
        let high = (pattern.get(at + 1) == Some(&'-')).then(|| pattern.get(at + 2)).flatten();
        is_in |= (low..=*high.unwrap_or(&low)).contains(&c);
        at += if high.is_some() { 3 } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let rows = [
            ("*", "", true),
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a*b*c", "axxbyybc", true),
            ("a*b*c", "axxbyyb", false),
            ("?", "é", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[abc", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a", "ab", false),
        ];
        for (pattern, name, matches) in rows {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(is_match(&chars(pattern), &chars(name)), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yml", "c.json"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = |pattern: &str| {
            let found = expand(&dir.path().join(pattern));
            let names = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found("*.yml"), ["a.yml", "b.yml"]);
        assert_eq!(found("c.json"), ["c.json"]);
        assert_eq!(found("d.json"), [""; 0]);
        assert_eq!(found("none/*.yml"), [""; 0]);
    }
}
