//! Media types and content codings of requests and answers.

use crate::Failure;

/// The form of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`.
    Json,
    /// `application/vnd.elasticsearch+json;compatible-with=N`, as the clients of 8.x and 9.x ask.
    Versioned(u8),
    /// `text/plain`, for `_cat`.
    Text,
}

impl Form {
    /// The header's value.
    pub(crate) fn content_type(self) -> String {
        match self {
            Self::Json => "application/json".to_owned(),
            Self::Versioned(n) => format!("application/vnd.elasticsearch+json;compatible-with={n}"),
            Self::Text => "text/plain; charset=UTF-8".to_owned(),
        }
    }

    /// What an `Accept` header asks for: the first type of its list that is one of ours. Anything else gets JSON, as
    /// Elasticsearch does with what it does not know.
    pub(crate) fn accepted(header: Option<&str>) -> Option<Self> {
        header?.split(',').find_map(|part| {
            let media = Media::parse(part);
            match media.essence.as_str() {
                "application/json" | "application/x-ndjson" => Some(Self::Json),
                "application/vnd.elasticsearch+json" | "application/vnd.elasticsearch+x-ndjson" => {
                    Some(media.compatible.map_or(Self::Json, Self::Versioned))
                }
                "text/plain" => Some(Self::Text),
                _ => None,
            }
        })
    }
}

struct Media {
    /// Lower case, without parameters.
    essence: String,
    compatible: Option<u8>,
}

impl Media {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let compatible = parts
            .filter_map(|p| p.trim().split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("compatible-with"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .filter(|n| (7..=9).contains(n));
        Self { essence, compatible }
    }
}

/// Whether a body of this type is read. That it has to be JSON also keeps web pages of others from sending one: a
/// browser asks first before it sends such a type, and is told no.
///
/// # Errors
/// 406, as Elasticsearch says it.
pub(crate) fn check_request(header: Option<&str>) -> Result<(), Failure> {
    let text = header.unwrap_or_default();
    match Media::parse(text).essence.as_str() {
        "application/json"
        | "application/x-ndjson"
        | "application/vnd.elasticsearch+json"
        | "application/vnd.elasticsearch+x-ndjson" => Ok(()),
        _ => Err(Failure::plain(406, format!("Content-Type header [{text}] is not supported"))),
    }
}

/// How an answer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, which HTTP calls `deflate`.
    Deflate,
}

impl Coding {
    /// What an `Accept-Encoding` header allows (RFC 9110, 12.5.3).
    pub(crate) fn accepted(header: Option<&str>) -> Self {
        let wants = |coding: &str| {
            header.unwrap_or_default().split(',').any(|part| {
                let mut parts = part.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default();
                let refused = parts
                    .any(|p| p.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0)));
                (name.eq_ignore_ascii_case(coding) || name == "*") && !refused
            })
        };
        if wants("gzip") {
            Self::Gzip
        } else if wants("deflate") {
            Self::Deflate
        } else {
            Self::Identity
        }
    }

    /// How a request's body is packed.
    ///
    /// # Errors
    /// 415 for what is not read.
    pub(crate) fn of_request(header: Option<&str>) -> Result<Self, Failure> {
        match header.map(|h| h.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some("deflate") => Ok(Self::Deflate),
            Some(other) => {
                Err(Failure::plain(415, format!("Content-Encoding header [{other}] is not supported")))
            }
        }
    }

    /// The header's value.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted() {
        let accepted = |header| Form::accepted(Some(header)).map(Form::content_type);
        assert_eq!(
            accepted("application/vnd.elasticsearch+json; compatible-with=8").as_deref(),
            Some("application/vnd.elasticsearch+json;compatible-with=8")
        );
        assert_eq!(accepted("text/html, application/json;q=0.9").as_deref(), Some("application/json"));
        assert_eq!(accepted("text/plain,application/json").as_deref(), Some("text/plain; charset=UTF-8"));
        assert_eq!(accepted("*/*"), None);
        assert_eq!(Form::accepted(None), None);
    }

    #[test]
    fn what_is_read() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/x-ndjson",
            "application/vnd.elasticsearch+x-ndjson;compatible-with=9",
        ] {
            assert!(check_request(Some(good)).is_ok(), "{good}");
        }
        for bad in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")]
        {
            assert_eq!(check_request(bad).unwrap_err().status, 406);
        }
    }

    #[test]
    fn codings() {
        assert_eq!(Coding::accepted(Some("gzip, deflate, br")), Coding::Gzip);
        assert_eq!(Coding::accepted(Some("deflate")), Coding::Deflate);
        assert_eq!(Coding::accepted(Some("gzip;q=0, identity")), Coding::Identity);
        assert_eq!(Coding::accepted(None), Coding::Identity);
        assert_eq!(Coding::of_request(Some("GZIP")).unwrap(), Coding::Gzip);
        assert_eq!(Coding::of_request(Some("zstd")).unwrap_err().status, 415);
    }
}
