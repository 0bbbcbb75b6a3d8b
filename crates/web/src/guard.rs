//! Who may ask: names of this host, pages of this origin, holders of the token.
//!
//! A page from anywhere that runs in a browser on this machine can send requests to loopback addresses. It cannot read
//! answers of another origin (there are no CORS headers here), unless it makes its own name resolve to this address
//! (DNS rebinding): then the `Host` header carries its name, which is refused.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Failure;

/// A name and a password, asked of every request.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What is let in.
pub(crate) struct Guard {
    names: Vec<String>,
    token: String,
    login: Option<Login>,
}

impl Guard {
    /// Names besides those of the loopback, in lower case.
    pub(crate) fn new(names: &[String], token: String, login: Option<Login>) -> Self {
        let names = names.iter().map(|n| n.trim_end_matches('.').to_ascii_lowercase()).collect();
        Self { names, token, login }
    }

    /// Whether a request is for this host, from no other origin, and by somebody who may ask. `local` is the address
    /// that it came to.
    ///
    /// # Errors
    /// 403 or 401.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap, local: SocketAddr) -> Result<(), Failure> {
        let host = self.host(uri, headers, local)?;
        same_origin(headers, &host)?;
        self.check_login(headers)
    }

    /// The same for what may be asked for by a link of another page.
    ///
    /// # Errors
    /// 403 or 401.
    pub(crate) fn check_host(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        local: SocketAddr,
    ) -> Result<(), Failure> {
        self.host(uri, headers, local)?;
        self.check_login(headers)
    }

    fn check_login(&self, headers: &HeaderMap) -> Result<(), Failure> {
        match &self.login {
            Some(login) if !login.given(headers) => {
                let reason = "missing or wrong name or password (Authorization: Basic)";
                Err(Failure::new(401, "security_exception", reason))
            }
            _ => Ok(()),
        }
    }

    /// Whether a request carries the token, which everything that changes something needs.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn check_token(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| {
            let (scheme, token) = v.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let own = headers.get("x-wirebeat-token").and_then(|v| v.to_str().ok());
        let given = |token: &str| same(token.as_bytes(), self.token.as_bytes());
        if !self.token.is_empty() && (bearer.is_some_and(given) || own.is_some_and(given)) {
            return Ok(());
        }
        let reason = "this request changes something and needs the token of the data directory \
                      (Authorization: Bearer TOKEN, or X-Wirebeat-Token: TOKEN)";
        Err(Failure::new(403, "security_exception", reason))
    }

    /// The host and port asked for. The target's own authority counts before the header (RFC 9112, 3.2.2), and both
    /// have to be ours.
    fn host(&self, uri: &Uri, headers: &HeaderMap, local: SocketAddr) -> Result<String, Failure> {
        let mut values = headers.get_all(header::HOST).iter();
        let header = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        };
        let refused = |text: &str| {
            let reason = format!(
                "host [{text}] is not served here: use localhost, 127.0.0.1 or [::1], or add the name to the \
                 configuration"
            );
            Failure::new(403, "security_exception", reason)
        };
        let header = header.ok_or_else(|| refused(""))?;
        let authority = uri.authority().map(|a| a.as_str());
        for text in [Some(header), authority].into_iter().flatten() {
            if !self.known(text, local) {
                return Err(refused(&text.chars().filter(|c| !c.is_control()).take(255).collect::<String>()));
            }
        }
        Ok(authority.unwrap_or(header).to_ascii_lowercase())
    }

    fn known(&self, text: &str, local: SocketAddr) -> bool {
        let Some(name) = without_port(text) else { return false };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || self.names.contains(&name) {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(&name);
        // An address cannot be made to point elsewhere: the one that was connected to is ours.
        bare.parse::<IpAddr>().is_ok_and(|ip| {
            ip == IpAddr::from([127, 0, 0, 1])
                || ip == IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)
                || ip == local.ip().to_canonical()
        })
    }
}

/// The host of `host`, `host:port`, `[v6]`, `[v6]:port`.
fn without_port(text: &str) -> Option<&str> {
    let (host, port) = match text.rfind(']') {
        Some(end) => text.split_at(end + 1),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = if port.is_empty() { "" } else { port.strip_prefix(':')? };
    (!host.is_empty() && port.bytes().all(|b| b.is_ascii_digit())).then_some(host)
}

/// Browsers say where a request comes from; other clients say nothing. Another port of this host is another origin.
fn same_origin(headers: &HeaderMap, host: &str) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?").to_ascii_lowercase());
    let site = text("sec-fetch-site");
    let from_elsewhere = site.is_some_and(|s| s != "same-origin" && s != "none")
        || text("origin").is_some_and(|origin| {
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) != Some(host)
        });
    if from_elsewhere {
        return Err(Failure::new(
            403,
            "security_exception",
            "requests from pages of other origins are refused",
        ));
    }
    Ok(())
}

impl Login {
    fn given(&self, headers: &HeaderMap) -> bool {
        let basic = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| {
            let (scheme, code) = v.split_once(' ')?;
            scheme.eq_ignore_ascii_case("basic").then_some(code.trim())
        });
        let Some(given) = basic.and_then(|code| STANDARD.decode(code).ok()) else { return false };
        same(&given, format!("{}:{}", self.user, self.password).as_bytes())
    }
}

/// Compares in a time that does not tell how much of it was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut all = HeaderMap::new();
        for (name, value) in list {
            all.append(*name, HeaderValue::from_str(value).unwrap());
        }
        all
    }

    fn status(guard: &Guard, uri: &str, list: &[(&'static str, &str)]) -> u16 {
        let local = "192.0.2.7:9200".parse().unwrap();
        guard.check(&uri.parse().unwrap(), &headers(list), local).map_or_else(|f| f.status, |()| 200)
    }

    #[test]
    fn hosts() {
        let guard = Guard::new(&["Monitor.Example.".to_owned()], "t".to_owned(), None);
        for good in [
            "localhost",
            "LOCALHOST:9200",
            "localhost.",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:9200",
            "monitor.example",
            "192.0.2.7:9200",
        ] {
            assert_eq!(status(&guard, "/", &[("host", good)]), 200, "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "192.0.2.8",
            "[::1].evil.example",
            "[::2]",
            "localhost:80:80",
            "localhost@evil.example",
            "",
            ":9200",
            "::1",
        ] {
            assert_eq!(status(&guard, "/", &[("host", bad)]), 403, "{bad}");
        }
        assert_eq!(status(&guard, "/", &[]), 403);
        assert_eq!(status(&guard, "/", &[("host", "localhost"), ("host", "localhost")]), 403);
        assert_eq!(status(&guard, "http://evil.example/", &[("host", "localhost")]), 403);
        assert_eq!(status(&guard, "http://localhost/", &[("host", "evil.example")]), 403);
        assert_eq!(status(&guard, "http://localhost/", &[("host", "localhost")]), 200);
    }

    #[test]
    fn origins() {
        let guard = Guard::new(&[], "t".to_owned(), None);
        let with = |name, value| status(&guard, "/", &[("host", "localhost:9200"), (name, value)]);
        assert_eq!(with("origin", "http://localhost:9200"), 200);
        assert_eq!(with("sec-fetch-site", "same-origin"), 200);
        assert_eq!(with("sec-fetch-site", "none"), 200);
        for bad in
            ["http://localhost:3000", "http://localhost", "null", "https://evil.example", "localhost:9200"]
        {
            assert_eq!(with("origin", bad), 403, "{bad}");
        }
        assert_eq!(with("sec-fetch-site", "cross-site"), 403);
        assert_eq!(with("sec-fetch-site", "same-site"), 403);
    }

    #[test]
    fn tokens_and_passwords() {
        let guard = Guard::new(&[], "secret".to_owned(), None);
        let token = |name, value| guard.check_token(&headers(&[(name, value)])).is_ok();
        assert!(token("authorization", "Bearer secret") && token("x-wirebeat-token", "secret"));
        assert!(!token("authorization", "Bearer secre") && !token("authorization", "Basic secret"));
        assert!(!token("x-wirebeat-token", "") && guard.check_token(&HeaderMap::new()).is_err());
        assert!(
            Guard::new(&[], String::new(), None).check_token(&headers(&[("x-wirebeat-token", "")])).is_err()
        );

        let login = Login { user: "me".to_owned(), password: "pass:word".to_owned() };
        assert!(!format!("{login:?}").contains("word"));
        let guard = Guard::new(&[], "t".to_owned(), Some(login));
        let basic = |text: &str| {
            let code = format!("Basic {}", STANDARD.encode(text));
            status(&guard, "/", &[("host", "localhost"), ("authorization", &code)])
        };
        assert_eq!(basic("me:pass:word"), 200);
        assert_eq!(basic("me:pass"), 401);
        assert_eq!(status(&guard, "/", &[("host", "localhost")]), 401);
    }
}
