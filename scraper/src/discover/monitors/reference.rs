//! Secrets and ConfigMaps that monitors refer to, and the texts in them.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;

/// What holds texts that monitors refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in Kubernetes")]
pub enum DataKind {
    ConfigMap,
    Secret,
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        })
    }
}

/// A Secret or a ConfigMap that a monitor refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Which of the two.
    pub kind: DataKind,
    /// That of the monitor.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Texts by key. `Debug` shows the keys alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Texts(pub BTreeMap<String, String>);

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a reference leads to: nothing, texts, or a reason why it cannot be read.
pub type Referred = Result<Option<Texts>, String>;

/// The texts of a Secret's data, each without the end of its last line.
pub(crate) fn decode(data: Option<BTreeMap<String, ByteString>>) -> Result<Texts, String> {
    let texts = data.unwrap_or_default().into_iter().map(|(key, bytes)| {
        let text = String::from_utf8(bytes.0).map_err(|_| format!("{key} is no text"))?;
        Ok((key, text.trim_end_matches(['\r', '\n']).to_owned()))
    });
    texts.collect::<Result<_, String>>().map(Texts)
}
