//! The pages and what they ask for beside searches.
//!
//! One origin serves it all: files of the front end, the Elasticsearch API below `/es`, and the calls of [`ROUTES`].

mod files;
mod headers;

use axum::http::Uri;
use serde_json::Value;

use crate::Failure;
use crate::call::Call;
use crate::reply::Reply;
use crate::routes::Route;

pub(crate) use files::{load, serve};
pub(crate) use headers::secure;

/// What the pages ask for beside searches.
pub trait Pages: Send + Sync + 'static {
    /// How capture, journal and store are.
    fn status(&self) -> Value;

    /// The saved searches: `{"items": […]}`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn saved(&self) -> Result<Value, Failure>;

    /// Keeps one under this name, new or in place of the old one. Answers it as it is kept.
    ///
    /// # Errors
    /// When it is no saved search, too much, or cannot be written.
    fn save(&self, id: &str, item: Value) -> Result<Value, Failure>;

    /// Forgets one.
    ///
    /// # Errors
    /// 404 when there is none; when it cannot be written.
    fn forget(&self, id: &str) -> Result<(), Failure>;

    /// Puts a capture of ours into the store. Answers `{"events", "range": {"from", "to"}}`.
    ///
    /// # Errors
    /// 409 while another call does; when it cannot be kept.
    fn demo(&self) -> Result<Value, Failure>;
}

/// The calls of the pages.
pub(crate) static ROUTES: &[Route] = &[
    Route { params: Some(&[]), ..call(&["GET"], "/_ui/status", status) },
    Route { params: Some(&[]), ..call(&["GET"], "/_ui/saved", saved) },
    Route { body: true, changes: true, ..call(&["PUT"], "/_ui/saved/{id}", save) },
    Route { changes: true, ..call(&["DELETE"], "/_ui/saved/{id}", forget) },
    Route { params: Some(&[]), changes: true, ..call(&["POST"], "/_ui/demo", demo) },
];

const fn call(
    methods: &'static [&'static str],
    path: &'static str,
    run: fn(&Call<'_>) -> Result<Reply, Failure>,
) -> Route {
    Route { methods, path, params: Some(&[&["id"]]), body: false, changes: false, run }
}

/// Whose a request is.
pub(crate) enum Place {
    /// The API's, at this address.
    Api(Uri),
    /// One of [`ROUTES`].
    Own,
    /// A file or a page.
    File,
}

/// Whose a request for this address is.
pub(crate) fn place(uri: &Uri) -> Place {
    let path = uri.path();
    if path.starts_with("/_ui/") {
        return Place::Own;
    }
    let Some(rest) = path.strip_prefix("/es").filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return Place::File;
    };
    let rest = if rest.is_empty() { "/" } else { rest };
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    Uri::try_from(format!("{rest}{query}")).map_or(Place::File, Place::Api)
}

fn pages<'a>(call: &'a Call<'_>) -> Result<&'a dyn Pages, Failure> {
    call.api.pages.as_deref().ok_or_else(|| Failure::plain(404, "there are no pages here"))
}

fn status(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(pages(call)?.status().into())
}

fn saved(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(pages(call)?.saved()?.into())
}

fn save(call: &Call<'_>) -> Result<Reply, Failure> {
    let item = Value::Object(call.object()?);
    Ok(pages(call)?.save(call.params.get("id").unwrap_or_default(), item)?.into())
}

fn forget(call: &Call<'_>) -> Result<Reply, Failure> {
    pages(call)?.forget(call.params.get("id").unwrap_or_default())?;
    Ok(serde_json::json!({"acknowledged": true}).into())
}

fn demo(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(pages(call)?.demo()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let at = |uri: &str| match place(&uri.parse().unwrap()) {
            Place::Api(uri) => format!("api {uri}"),
            Place::Own => "own".to_owned(),
            Place::File => "file".to_owned(),
        };
        assert_eq!(at("/es"), "api /");
        assert_eq!(at("/es/"), "api /");
        assert_eq!(at("/es?pretty"), "api /?pretty");
        assert_eq!(at("/es/packetbeat-*/_search?q=a%20b"), "api /packetbeat-*/_search?q=a%20b");
        assert_eq!(at("/es//es/_search"), "api //es/_search");
        assert_eq!(at("/_ui/status"), "own");
        for file in ["/", "/essay", "/assets/x.js", "/dashboards/http", "/_uix"] {
            assert_eq!(at(file), "file", "{file}");
        }
    }
}
