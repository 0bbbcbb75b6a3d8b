//! Which real servers there are, and where they are unpacked. `xtask/src/elastic.rs` shares this file: it puts them
//! there.
#![allow(dead_code, reason = "xtask and the tests each use a part")]

use std::path::{Path, PathBuf};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch.
    OpenSearch,
}

impl Kind {
    /// Its name in tables and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Elasticsearch => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }

    /// The version that is used.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Elasticsearch => "8.19.5",
            Self::OpenSearch => "2.19.6",
        }
    }

    /// Where it is unpacked, below the workspace's root.
    pub(crate) fn home(self, root: &Path) -> PathBuf {
        root.join(format!("target/servers/{}-{}", self.name(), self.version()))
    }

    /// Whether it is unpacked: the last thing that is written says so.
    pub(crate) fn installed(self, root: &Path) -> bool {
        self.home(root).join(READY).is_file()
    }
}

/// The file that says that a server is unpacked and whole.
pub(crate) const READY: &str = "wirebeat-ready";
