//! Answers: what a call says, and how it goes over the wire.

use std::io::Write;

use axum::body::Body as HttpBody;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::Value;

use crate::Failure;
use crate::filter_path::FilterPath;
use crate::json;
use crate::media::{Coding, Form};

/// Answers below this many bytes are not packed.
const SMALL: usize = 512;

/// What a call says.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// The methods that a path knows, for 405 and OPTIONS.
    pub(crate) allow: Option<String>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// JSON, to be filtered and written as asked for.
    Json(Value),
    /// JSON that is written as it is, without a filter.
    Error(Value),
    /// JSON that is filtered and written.
    Written(Vec<u8>),
    /// Text.
    Text(String),
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::json(200, value)
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self { status: failure.status, body: Body::Error(failure.body), allow: None }
    }
}

impl Reply {
    /// JSON with a status.
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self { status, body: Body::Json(value), allow: None }
    }

    /// Text.
    pub(crate) fn text(text: String) -> Self {
        Self { status: 200, body: Body::Text(text), allow: None }
    }

    /// An answer of nothing but its status.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Body::Text(String::new()), allow: None }
    }
}

/// How an answer is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) form: Form,
    pub(crate) coding: Coding,
    pub(crate) pretty: bool,
    pub(crate) filter: FilterPath,
    /// Only the head.
    pub(crate) head: bool,
}

impl Wanted {
    /// Plain JSON, for what is refused before it is looked at.
    pub(crate) fn plain() -> Self {
        Self {
            form: Form::Json,
            coding: Coding::Identity,
            pretty: false,
            filter: FilterPath::default(),
            head: false,
        }
    }
}

/// Writes an answer out.
pub(crate) fn finish(reply: Reply, wanted: &Wanted) -> Response<HttpBody> {
    let json_form = if wanted.form == Form::Text { Form::Json } else { wanted.form };
    let (form, bytes) = match reply.body {
        Body::Json(value) if !wanted.filter.is_empty() => {
            (json_form, json::write(&wanted.filter.apply(value), wanted.pretty))
        }
        Body::Json(value) | Body::Error(value) => (json_form, json::write(&value, wanted.pretty)),
        Body::Written(bytes) => (json_form, bytes),
        Body::Text(text) => (Form::Text, text.into_bytes()),
    };
    let coding = if bytes.len() < SMALL { Coding::Identity } else { wanted.coding };
    let bytes = pack(bytes, coding);
    let length = bytes.len();
    let mut response = Response::new(if wanted.head { HttpBody::empty() } else { HttpBody::from(bytes) });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-elastic-product"), HeaderValue::from_static("Elasticsearch"));
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, form.content_type());
    set(header::CONTENT_LENGTH, length.to_string());
    // What was captured is never to be taken for a page.
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    if let Some(name) = coding.name() {
        set(header::CONTENT_ENCODING, name.to_owned());
        set(header::VARY, "accept-encoding".to_owned());
    }
    if let Some(methods) = reply.allow {
        set(header::ALLOW, methods);
    }
    if reply.status == 401 {
        set(header::WWW_AUTHENTICATE, "Basic realm=\"wirebeat\", charset=\"UTF-8\"".to_owned());
    }
    response
}

fn pack(bytes: Vec<u8>, coding: Coding) -> Vec<u8> {
    let packed = match coding {
        Coding::Identity => return bytes,
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).and_then(|()| encoder.finish())
        }
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).and_then(|()| encoder.finish())
        }
    };
    // Writing into memory cannot fail.
    packed.unwrap_or_default()
}
