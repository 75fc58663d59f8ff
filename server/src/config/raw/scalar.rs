//! Texts that may not be shown.

use std::fmt;

use serde::de::{Deserialize, Deserializer};

use super::super::error::Place;
use super::{Found, Inspect};

/// A secret.
#[derive(Clone, Default)]
pub(in crate::config) struct Hidden(pub(in crate::config) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Inspect for Hidden {
    fn look_through(&self, place: Place, found: &mut Found) {
        if !self.0.is_empty() {
            found.secrets.push(place);
        }
    }
}

/// A URL; a secret if it holds a password.
#[derive(Clone, Default)]
pub(in crate::config) struct Url(pub(in crate::config) String);

impl Url {
    fn has_password(&self) -> bool {
        let behind = self.0.split_once("://").map_or(&*self.0, |(_, behind)| behind);
        let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has_password() { "<secret>" } else { &self.0 })
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Inspect for Url {
    fn look_through(&self, place: Place, found: &mut Found) {
        if self.has_password() {
            found.secrets.push(place);
        }
    }
}
