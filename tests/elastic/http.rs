//! A small HTTP/1.1 client: one connection, requests one after the other.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A server's answer.
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; a text that is none becomes a JSON string, nothing becomes null.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A server's address, with a connection that is kept.
pub(crate) struct Client {
    base: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// For `http://127.0.0.1:9200`.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.trim_start_matches("http://").trim_end_matches('/').to_owned(), connection: None }
    }

    /// Sends a request and reads the answer; an error when nothing listens or the answer is cut off.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> std::io::Result<Answer> {
        let kind = if path.contains("_bulk") || path.contains("_msearch") {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        // A kept connection may have been closed meanwhile: then once more on a new one.
        for kept in [true, false] {
            if !kept || self.connection.is_none() {
                let stream = TcpStream::connect(&self.base)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream.set_nodelay(true)?;
                self.connection = Some(BufReader::new(stream));
            }
            match self.exchange(method, path, kind, body) {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.connection = None;
                    if !kept {
                        return Err(error);
                    }
                }
            }
        }
        unreachable!("the second try answers");
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: Option<&str>,
    ) -> std::io::Result<Answer> {
        let reader = self.connection.as_mut().expect("connected");
        let text = body.unwrap_or_default();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n", self.base);
        if body.is_some() {
            request.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", text.len()));
        let stream = reader.get_mut();
        stream.write_all(request.as_bytes())?;
        stream.write_all(text.as_bytes())?;
        let status = line(reader)?;
        let status = status.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| broken("status"))?;
        let mut headers = Vec::new();
        loop {
            let header = line(reader)?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method == "HEAD" || status == 204 {
            return Ok(answer);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = line(reader)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(|_| broken("chunk"))?;
                let at = answer.body.len();
                answer.body.resize(at + size, 0);
                reader.read_exact(&mut answer.body[at..])?;
                line(reader)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            let size = answer.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
            answer.body.resize(size, 0);
            reader.read_exact(&mut answer.body)?;
        }
        if answer.header("connection") == Some("close") {
            self.connection = None;
        }
        Ok(answer)
    }
}

fn line(reader: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    if reader.read_line(&mut text)? == 0 {
        return Err(broken("end"));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::UnexpectedEof, format!("answer without {what}"))
}
