//! Which real servers and clients there are, and where they are unpacked. `xtask/src/elastic.rs` shares this file: it puts them
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

/// A client that users have: where it is installed below `target/clients`, and the packages it consists of.
pub(crate) struct Packages {
    /// The folder.
    pub(crate) folder: &'static str,
    /// `pip3` or `npm`.
    pub(crate) installer: &'static str,
    /// Names with versions, as the installer writes them.
    pub(crate) packages: &'static [&'static str],
}

/// All clients.
pub(crate) const CLIENTS: &[Packages] = &[
    Packages { folder: "python-7", installer: "pip3", packages: &["elasticsearch==7.17.13"] },
    Packages { folder: "python-8", installer: "pip3", packages: &["elasticsearch==8.19.3"] },
    Packages { folder: "python-9", installer: "pip3", packages: &["elasticsearch==9.5.1"] },
    Packages { folder: "python-opensearch", installer: "pip3", packages: &["opensearch-py==3.2.0"] },
    Packages {
        folder: "node",
        installer: "npm",
        packages: &["@elastic/elasticsearch@9.4.3", "elasticdump@6.125.1"],
    },
];

/// Engines that read the store's files as others would: `crates/store/tests/interop.rs` asks them.
pub(crate) const ENGINES: Packages =
    Packages { folder: "engines", installer: "pip3", packages: &["duckdb==2.0.1", "polars==2.1.0"] };

impl Packages {
    /// Where it is installed.
    pub(crate) fn home(&self, root: &Path) -> PathBuf {
        root.join("target/clients").join(self.folder)
    }

    /// Whether it is installed: the last thing that is written says so.
    pub(crate) fn installed(&self, root: &Path) -> bool {
        self.home(root).join(READY).is_file()
    }
}
