//! The paths that a pattern stands for: in its last part `*` is any text.

use std::fs;
use std::path::{Path, PathBuf};

/// The paths that there are and match, in order.
pub(super) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    if !name.contains('*') {
        // A link to nowhere is there: it may be in the middle of being swapped.
        let is_there = fs::symlink_metadata(pattern).is_ok();
        return is_there.then(|| pattern.to_owned()).into_iter().collect();
    }
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let read = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(read) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let parts: Vec<&str> = name.split('*').collect();
    let mut paths: Vec<_> =
        names.filter(|name| is_match(&parts, name)).map(|name| folder.join(name)).collect();
    paths.sort();
    paths
}

/// Whether `name` is `parts` with any text between them.
fn is_match(parts: &[&str], name: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let rows = [
            ("*.json", "a.json", true),
            ("*.json", ".json", true),
            ("*.json", "a.yml", false),
            ("a*b*c.yml", "abc.yml", true),
            ("a*b*c.yml", "axxbxxc.yml", true),
            ("a*b*c.yml", "acbc.yml", true),
            ("a*b*c.yml", "ac.yml", false),
            ("a*a.yml", "a.yml", false),
            ("**.yml", "a.yml", true),
        ];
        for (pattern, name, expected) in rows {
            let parts: Vec<&str> = pattern.split('*').collect();
            assert_eq!(is_match(&parts, name), expected, "{pattern} {name}");
        }
    }
}
