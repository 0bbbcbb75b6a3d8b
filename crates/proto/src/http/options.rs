//! The options of the `http` section.

use wirebeat_model::config::Section;

use super::redact::Rules;
use crate::Options;

/// Which headers go into events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Only those that always do.
    None,
    /// These, in lower case.
    Some(Vec<String>),
    /// All.
    All,
}

impl Headers {
    /// Whether this one does, whatever the case of its name.
    pub(super) fn want(&self, name: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::Some(names) => names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes())),
            Self::All => true,
        }
    }
}

/// Options of HTTP.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Content types whose requests' bodies are wanted, in lower case.
    pub(super) request_bodies: Vec<String>,
    /// The same for answers.
    pub(super) response_bodies: Vec<String>,
    /// Undo the codings of bodies.
    pub(super) decode_body: bool,
    /// The most that is kept of a body, as sent and decoded.
    pub(super) max_message_size: usize,
    /// Headers wanted.
    pub(super) headers: Headers,
    /// Cookies one by one.
    pub(super) split_cookie: bool,
    /// The header that names the client behind a proxy, in lower case.
    pub(super) real_ip_header: Option<String>,
    /// What is masked.
    pub(super) rules: Rules,
    /// Headers have to be kept that have no meaning here.
    pub(super) all_lines: bool,
}

fn lower(mut list: Vec<String>) -> Vec<String> {
    list.iter_mut().for_each(|s| s.make_ascii_lowercase());
    list
}

impl Options for HttpOptions {
    fn read(section: &mut Section<'_>) -> Self {
        let both = section.strings(
            "include_body_for",
            &[],
            "Content types (parts of them, e.g. \"text/html\") whose bodies are put into events.",
        );
        let requests = section.strings("include_request_body_for", &[], "The same for requests alone.");
        let responses = section.strings("include_response_body_for", &[], "The same for answers alone.");
        let all = section.bool("send_all_headers", false, "Put all headers into events.");
        let some = section.strings("send_headers", &[], "Headers that are put into events.");
        let headers = match (all, some.is_empty()) {
            (true, _) => Headers::All,
            (false, true) => Headers::None,
            (false, false) => Headers::Some(lower(some)),
        };
        let real_ip = section.string(
            "real_ip_header",
            "",
            "Header that names the client behind a proxy, e.g. X-Forwarded-For; its first address becomes network.forwarded_ip.",
        );
        let real_ip_header = (!real_ip.is_empty()).then(|| real_ip.to_ascii_lowercase());
        let all_lines = headers != Headers::None || real_ip_header.is_some();
        Self {
            request_bodies: lower([both.clone(), requests].concat()),
            response_bodies: lower([both, responses].concat()),
            decode_body: section.bool("decode_body", true, "Undo gzip, deflate, br and zstd of bodies that are put into events."),
            max_message_size: section.bytes(
                "max_message_size",
                10 << 20,
                "The most that is kept of a body, both as sent and decoded.",
            ),
            headers,
            split_cookie: section.bool(
                "split_cookie",
                false,
                "Put cookies into headers one by one, as cookie.NAME and set-cookie.NAME.",
            ),
            real_ip_header,
            rules: Rules {
                keywords: lower(section.strings(
                    "hide_keywords",
                    &[],
                    "Parameters (of the query, a form or JSON) whose values are replaced by xxxxx.",
                )),
                authorization: section.bool(
                    "redact_authorization",
                    false,
                    "Replace the values of Authorization and Proxy-Authorization by *.",
                ),
                headers: lower(section.strings("redact_headers", &[], "Headers whose values are replaced by REDACTED.")),
            },
            all_lines,
        }
    }
}
