//! The nearest of some known names to one that is not known.
//!
//! Distance: the least number of characters to insert, delete, replace or swap with their
//! neighbour (optimal string alignment).

/// Names longer than this are not compared: bounds the work for hostile input.
const NAME_BYTES_MAX: usize = 64;

/// The known name nearest to `name`, if it is near enough to be meant: at most one edit for each
/// three characters. Of equally near ones the first.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let length = name.chars().count();
    let edits_max = (length / 3).max(1);
    // Each edit changes the length by one at most: most of thousands need no closer look.
    let alike = known.into_iter().filter(|one| one.chars().count().abs_diff(length) <= edits_max);
    let near = alike.map(|candidate| (distance(name, candidate), candidate));
    let near = near.filter(|(edits, _)| *edits <= edits_max);
    near.min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

fn distance(left: &str, right: &str) -> usize {
    let fold = |text: &str| -> Vec<char> {
        text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let (left, right) = (fold(left), fold(right));
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut edits = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            let swapped =
                i > 1 && j > 1 && (left[i - 1], left[i - 2]) == (right[j - 2], right[j - 1]);
            if swapped {
                edits = edits.min(rows[i - 2][j - 2] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let rows = [
            ("", "", 0),
            ("a", "", 1),
            ("job", "job", 0),
            ("jbo", "job", 1),
            ("job-name", "job_name", 0),
            ("JobName", "job_name", 1),
            ("honour_labels", "honor_labels", 1),
            ("kitten", "sitting", 3),
        ];
        for (left, right, edits) in rows {
            assert_eq!(distance(left, right), edits, "{left} {right}");
            assert_eq!(distance(right, left), edits, "{right} {left}");
        }
    }

    #[test]
    fn only_near_names() {
        let known = ["scrape_interval", "scrape_timeout", "scheme"];
        assert_eq!(nearest("scrape_intervall", known), Some("scrape_interval"));
        assert_eq!(nearest("shceme", known), Some("scheme"));
        assert_eq!(nearest("targets", known), None);
        assert_eq!(nearest(&"x".repeat(NAME_BYTES_MAX + 1), known), None);
    }
}
