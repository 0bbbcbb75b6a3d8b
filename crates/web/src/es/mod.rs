//! The calls, one file a group.

pub(crate) mod cluster;
pub(crate) mod doc;
pub(crate) mod field_caps;
pub(crate) mod index;
pub(crate) mod mapping;
pub(crate) mod msearch;
pub(crate) mod pit;
pub(crate) mod scroll;
pub(crate) mod search;
pub(crate) mod url;
