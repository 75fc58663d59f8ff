//! The unchanging text of a page, in parts that pages share.
//!
//! A page is, again and again: comments, a series, a value. What is not a value hardly ever
//! changes, and is the same on many targets. It is kept in **parts** of some dozen lines: a part
//! begins where comments stand (a metric family, usually), and equal parts of all targets are one
//! in memory. So the text of a fleet is held once and stays in the processor's caches, and a series
//! that comes or goes makes one part anew. (Not smaller ones: each is a few places in memory that
//! have to be fetched before the next can be looked at.)
//!
//! A part says nothing about what becomes of its series: that is each target's own (`layout`).

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::held_once::HeldOnce;

/// Comments begin a new part behind so many lines.
const LINES_MIN: usize = 32;
/// Most lines of a part.
const LINES_MAX: usize = 256;
/// A part with so many bytes of text is long enough.
const TEXT_MAX: usize = 1 << 20;

/// Some lines of a page, without the values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    text: Box<[u8]>,
    lines: Box<[Line]>,
}

/// A line of a part: where in its text the series stands. It begins where the one before ends;
/// comments and blanks may stand before the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Line {
    series: u32,
    end: u32,
}

impl Part {
    /// Number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines in order: all of the text before the value, and where in it the series begins.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut from = 0;
        self.lines.iter().map(move |line| {
            let end = line.end as usize;
            let begin = std::mem::replace(&mut from, end);
            (&self.text[begin..end], line.series as usize - begin)
        })
    }

    /// The line with that number, as in [`Part::lines`].
    pub(super) fn line(&self, number: usize) -> (&[u8], usize) {
        let begin = number.checked_sub(1).map_or(0, |before| self.lines[before].end) as usize;
        let line = self.lines[number];
        (&self.text[begin..line.end as usize], line.series as usize - begin)
    }
}

/// The parts that somebody has.
static KNOWN: LazyLock<Mutex<HeldOnce<Part>>> = LazyLock::new(Mutex::default);

fn share(text: &[u8], lines: &[Line]) -> Arc<Part> {
    let is_it = |part: &Part| *part.text == *text && *part.lines == *lines;
    let make = || Arc::new(Part { text: text.into(), lines: lines.into() });
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).share((text, lines), is_it, make)
}

/// Makes the parts of a page, line by line.
#[derive(Debug, Default)]
pub(super) struct Draft {
    parts: Vec<Arc<Part>>,
    text: Vec<u8>,
    lines: Vec<Line>,
    /// Whether there was a line of gigabytes.
    is_too_large: bool,
}

impl Draft {
    /// Adds a line: its text before the value, in which the series begins at `series`.
    pub(super) fn push(&mut self, text: &[u8], series: usize) {
        let lines = self.lines.len();
        if (series > 0 && lines >= LINES_MIN) || lines == LINES_MAX || self.text.len() > TEXT_MAX {
            self.cut();
        }
        let begin = self.text.len();
        self.text.extend_from_slice(text);
        match (u32::try_from(begin + series), u32::try_from(self.text.len())) {
            (Ok(series), Ok(end)) => self.lines.push(Line { series, end }),
            _ => self.is_too_large = true,
        }
    }

    /// Ends the part at hand.
    fn cut(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        self.parts.push(share(&self.text, &self.lines));
        self.text.clear();
        self.lines.clear();
    }

    /// All parts; `None` if the page is too large to be remembered.
    pub(super) fn finish(mut self) -> Option<Vec<Arc<Part>>> {
        self.cut();
        self.parts.shrink_to_fit();
        (!self.is_too_large).then_some(self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(lines: &[(&str, usize)]) -> Vec<Arc<Part>> {
        let mut draft = Draft::default();
        lines.iter().for_each(|(text, series)| draft.push(text.as_bytes(), *series));
        draft.finish().unwrap_or_default()
    }

    #[test]
    fn equal_parts_are_one() {
        let lines = |first: &'static str| {
            let mut lines = vec![(first, 0)];
            lines.extend([("a", 0); LINES_MIN]);
            lines.extend([("# b\nb", 4), ("c", 0)]);
            lines
        };
        let (page, other) = (lines("x"), lines("y"));
        let (one, two) = (parts(&page), parts(&other));
        assert_eq!(one.iter().map(|part| part.len()).collect::<Vec<_>>(), [1 + LINES_MIN, 2]);
        assert!(!Arc::ptr_eq(&one[0], &two[0]) && Arc::ptr_eq(&one[1], &two[1]));
        let read: Vec<_> = one.iter().flat_map(|part| part.lines()).collect();
        let expected: Vec<_> = page.iter().map(|(text, at)| (text.as_bytes(), *at)).collect();
        assert_eq!(read, expected);
        assert_eq!(one[1].line(0), (&b"# b\nb"[..], 4));
        assert_eq!(one[1].line(1), (&b"c"[..], 0));
    }

    #[test]
    fn a_long_page_without_comments_has_parts_too() {
        let lengths: Vec<_> = parts(&[("a", 0); 600]).iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [256, 256, 88]);
    }
}
