//! What became of a script's cases.

use std::fmt;

/// One `eval`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Line in the script, from 1.
    pub line: usize,
    /// The query.
    pub query: String,
    /// What went wrong, if something did.
    pub failure: Option<String>,
}

/// All cases of a script, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The cases.
    pub cases: Vec<Case>,
}

impl Report {
    /// Cases without a failure.
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_none()).count()
    }

    /// Cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.failure.is_some())
    }
}

impl fmt::Display for Report {
    /// `N passed, M failed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed(), self.failures().count())
    }
}

impl fmt::Display for Case {
    /// `line 12: rate(x[5m]): {} is missing`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = self.failure.as_deref().unwrap_or("passed");
        write!(f, "line {}: {}: {failure}", self.line, self.query)
    }
}
