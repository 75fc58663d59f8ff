//! Names for scrapers that only know letters, digits, `_` and `:` (`model.EscapeName` of
//! Prometheus's common library).

use tsdb::model::labels::is_legacy_metric_name;

use super::negotiate::Escaping;

/// `name` as the scheme writes it; a name of the old kind stays as it is.
pub(super) fn name(name: &str, escaping: Escaping) -> String {
    if escaping == Escaping::AllowUtf8 || is_legacy_metric_name(name) {
        return name.to_owned();
    }
    let mut out = String::from(if escaping == Escaping::Values { "U__" } else { "" });
    for (index, c) in name.chars().enumerate() {
        let is_legacy =
            matches!(c, 'a'..='z' | 'A'..='Z' | '_' | ':') || (c.is_ascii_digit() && index > 0);
        match (escaping, c) {
            (Escaping::Dots | Escaping::Values, '_') => out.push_str("__"),
            (Escaping::Dots, '.') => out.push_str("_dot_"),
            (_, c) if is_legacy => out.push(c),
            (Escaping::Dots, _) => out.push_str("__"),
            (Escaping::Values, c) => out.push_str(&format!("_{:x}_", c as u32)),
            _ => out.push('_'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        // Plain, underscores, dots, values.
        let rows = [
            ("up", "up", "up", "up"),
            ("a_b", "a_b", "a_b", "a_b"),
            ("a_b.c", "a_b_c", "a__b_dot_c", "U__a__b_2e_c"),
            ("1é", "__", "____", "U___31__e9_"),
        ];
        for (plain, underscores, dots, values) in rows {
            assert_eq!(name(plain, Escaping::AllowUtf8), plain);
            assert_eq!(name(plain, Escaping::Underscores), underscores);
            assert_eq!(name(plain, Escaping::Dots), dots);
            assert_eq!(name(plain, Escaping::Values), values);
        }
    }
}
