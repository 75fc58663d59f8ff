//! A rule as it is written in the configuration, on one line.

use std::fmt;

use tsdb::model::labels::Quoted;

use super::{Action, Rule};

impl Action {
    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
            Self::HashMod => "hashmod",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
        }
    }
}

impl fmt::Display for Rule {
    /// YAML, without what is as it would be anyway.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{action: {}", self.action.as_str())?;
        if !self.source_labels.is_empty() {
            write!(f, ", source_labels: [{}]", self.source_labels.join(", "))?;
        }
        let texts = [
            ("separator", &self.separator, ";"),
            ("regex", &self.pattern, "(.*)"),
            ("target_label", &self.target_label, ""),
            ("replacement", &self.replacement, "$1"),
        ];
        for (name, text, default) in texts {
            if text != default {
                write!(f, ", {name}: {}", Quoted(text))?;
            }
        }
        if self.modulus != 0 {
            write!(f, ", modulus: {}", self.modulus)?;
        }
        f.write_str("}")
    }
}
