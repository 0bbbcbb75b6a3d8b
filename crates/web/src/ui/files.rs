//! The front end's files, part of the program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::media::Coding;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Embedded;

/// A file, ready to be sent.
struct File {
    bytes: Cow<'static, [u8]>,
    /// The same, packed once and for all; `None` where that saves nothing.
    packed: Option<Vec<u8>>,
    /// What changes with its content.
    tag: String,
    kind: &'static str,
    /// Its name changes with its content.
    hashed: bool,
}

/// The page that shows all others.
const INDEX: &str = "index.html";
/// Addresses that are pages: words, and one that may be anything.
const PAGES: &[&[&str]] = &[
    &[""],
    &["discover"],
    &["dashboards"],
    &["dashboards", "*"],
    &["indices"],
    &["capture"],
    &["doc", "*", "*"],
];

static FILES: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
    let file = |name: Cow<'static, str>| {
        let embedded = Embedded::get(&name)?;
        let tag = embedded.metadata.sha256_hash().iter().take(16).map(|b| format!("{b:02x}")).collect();
        let packed = pack(&embedded.data);
        let (kind, hashed) = (kind(&name), name.starts_with("assets/"));
        Some((name.into_owned(), File { bytes: embedded.data, packed, tag, kind, hashed }))
    };
    Embedded::iter().filter_map(file).collect()
});

/// Gets the files ready, so that the first who asks need not wait for it.
pub(crate) fn load() {
    LazyLock::force(&FILES);
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < bytes.len() * 9 / 10)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn is_page(path: &str) -> bool {
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let fits = |page: &&[&str]| {
        page.len() == parts.len()
            && page.iter().zip(&parts).all(|(want, part)| *want == *part || *want == "*" && !part.is_empty())
    };
    PAGES.iter().any(fits)
}

/// Answers a request for a file or a page.
pub(crate) fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
    if *method != Method::GET && *method != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD here\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let name = if is_page(path) { INDEX } else { path.strip_prefix('/').unwrap_or(path) };
    let Some(file) = FILES.get(name) else {
        return plain(StatusCode::NOT_FOUND, "there is no such page\n");
    };
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let packed =
        file.packed.as_deref().filter(|_| Coding::accepted(text(header::ACCEPT_ENCODING)) == Coding::Gzip);
    let tag = format!("\"{}{}\"", file.tag, if packed.is_some() { "-gz" } else { "" });
    let known = text(header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',').any(|t| matches!(t.trim().trim_start_matches("W/"), t if t == tag || t == "*"))
    });
    let bytes: Cow<'static, [u8]> = match packed {
        Some(packed) => Cow::Borrowed(packed),
        None => file.bytes.clone(),
    };
    let length = bytes.len();
    let body = match bytes {
        _ if known || *method == Method::HEAD => Body::empty(),
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = Response::new(body);
    let out = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    set(header::ETAG, &tag);
    set(header::VARY, "accept-encoding");
    set(header::CACHE_CONTROL, if file.hashed { "public, max-age=31536000, immutable" } else { "no-cache" });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    set(header::CONTENT_TYPE, file.kind);
    set(header::CONTENT_LENGTH, &length.to_string());
    if packed.is_some() {
        set(header::CONTENT_ENCODING, "gzip");
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        for page in ["/", "/discover", "/dashboards", "/dashboards/http", "/indices", "/capture", "/doc/a/b"]
        {
            assert!(is_page(page), "{page}");
        }
        for other in
            ["/doc/a", "/doc//b", "/dashboards/", "/x", "/discover/x", "/index.html", "//", "/assets/x"]
        {
            assert!(!is_page(other), "{other}");
        }
    }

    #[test]
    fn the_page_is_there_and_names_nothing_that_is_not() {
        let index = &FILES[INDEX];
        let text = String::from_utf8(index.bytes.to_vec()).unwrap();
        assert!(text.contains("<title>"), "{text}");
        for part in text.split('"').filter(|part| part.starts_with("/assets/")) {
            assert!(FILES.contains_key(part.trim_start_matches('/')), "{part}");
        }
        // Scripts and styles inside of it would not run: the policy forbids them.
        assert!(!text.contains("<style") && !text.contains(" style="), "{text}");
        assert!(!text.split("<script").skip(1).any(|s| !s.split('>').next().unwrap().contains("src=")));
    }

    #[test]
    fn all_together_are_small() {
        let size: usize = FILES.values().map(|f| f.packed.as_ref().map_or(f.bytes.len(), Vec::len)).sum();
        assert!(size <= 300 << 10, "{size} bytes");
    }
}
