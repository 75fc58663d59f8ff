//! Which packs are on: the value of `--packs`.
//!
//! Words between commas, each in its turn: `all`, `none`, a pack's name, or `-` and a name to take
//! one out. What begins with `-NAME` begins with all.

use std::fmt;

use super::{PACKS, Pack};
use crate::config::nearest::nearest;

/// Packs that are on; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice(Vec<&'static str>);

impl Choice {
    /// Every pack.
    pub fn all() -> Self {
        Self(PACKS.iter().map(|pack| pack.name).collect())
    }

    /// Reads the value of `--packs`; the error says which names there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let begin = if text.trim_start().starts_with('-') { Self::all() } else { Self::default() };
        text.split(',').map(str::trim).try_fold(begin, |choice, word| choice.with(word))
    }

    fn with(mut self, word: &str) -> Result<Self, String> {
        match (word, word.strip_prefix('-')) {
            ("all", _) => return Ok(Self::all()),
            ("none", _) => return Ok(Self::default()),
            (_, Some(without)) => {
                let name = known(without)?;
                self.0.retain(|own| *own != name);
            }
            (_, None) => {
                let name = known(word)?;
                if !self.0.contains(&name) {
                    self.0.push(name);
                }
            }
        }
        Ok(self)
    }

    /// The packs, those first that others need.
    pub fn packs(&self) -> impl Iterator<Item = &'static Pack> {
        PACKS.iter().filter(|pack| self.0.contains(&pack.name))
    }

    /// Whether the pack of that name is on.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("no pack of rules is on"),
            names => write!(f, "packs of rules that are on: {}", names.join(", ")),
        }
    }
}

fn known(word: &str) -> Result<&'static str, String> {
    let names = || PACKS.iter().map(|pack| pack.name);
    names().find(|name| *name == word).ok_or_else(|| match nearest(word, names()) {
        Some(near) => format!("there is no pack {word:?}; did you mean {near}?"),
        None => {
            let names = names().collect::<Vec<_>>().join(", ");
            format!("there is no pack {word:?}; there are {names}, and all and none")
        }
    })
}
