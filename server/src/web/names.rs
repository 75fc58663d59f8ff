//! What the web configuration may name: hashes, suites, curves.

use super::{password, tls};

/// Whether it is a hash of bcrypt.
pub(crate) fn is_password_hash(text: &str) -> bool {
    password::cost(text).is_some()
}

/// Whether it is Go's name of a suite that we have.
pub(crate) fn is_suite(name: &str) -> bool {
    tls::suite(name).is_some()
}

/// Whether it is Go's name of a curve that we have.
pub(crate) fn is_curve(name: &str) -> bool {
    tls::curve(name).is_some()
}
