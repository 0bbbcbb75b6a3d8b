//! `_msearch`: many searches in one request, each with an answer of its own.

use serde_json::{Value, json};

use super::search;
use crate::Failure;
use crate::call::Call;
use crate::json;
use crate::reply::{Body, Reply};

/// Searches in a request, at most.
const MAX_SEARCHES: usize = 1_000;
/// Bytes of all answers together; searches beyond it are refused, each for itself.
const MAX_BYTES: usize = 128 << 20;

/// `GET|POST /_msearch`, `/{index}/_msearch`.
pub(crate) fn msearch(call: &Call<'_>) -> Result<Reply, Failure> {
    let searches = split(&call.body)?;
    let as_int = call.params.flag("rest_total_hits_as_int")?;
    let snapshot = call.snapshot();
    let below = call.wanted.filter.below("responses");
    let mut out = Vec::new();
    let mut first = true;
    for (header, body) in searches {
        let answer = if out.len() > MAX_BYTES {
            let reason = format!("the answers of this request are larger than [{MAX_BYTES}] bytes");
            Err(Failure::new(429, "circuit_breaking_exception", reason))
        } else {
            search::one_of_many(call, &*snapshot, header, body, as_int)
        };
        let answer = match answer {
            Ok(mut answer) => {
                answer["status"] = json!(200);
                answer
            }
            Err(failure) if failure.is_of_search() => failure.body,
            // Elasticsearch reads all of them before it does the first.
            Err(failure) => return Err(failure),
        };
        let Some(below) = &below else { continue };
        let Some(answer) = below.apply(answer) else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        // Written at once: many answers as trees would take many times their room.
        out.extend_from_slice(&json::write(&answer, false));
    }
    Ok(assemble(call, out))
}

/// `{"took": …, "responses": […]}` of answers already written.
fn assemble(call: &Call<'_>, responses: Vec<u8>) -> Reply {
    let filter = &call.wanted.filter;
    let mut out = Vec::with_capacity(responses.len() + 64);
    out.push(b'{');
    let took = json!(call.took());
    if let Some(took) = filter.below("took").and_then(|below| below.apply(took)) {
        out.extend_from_slice(format!("\"took\":{took}").as_bytes());
    }
    if filter.is_empty() || !responses.is_empty() {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(b"\"responses\":[");
        out.extend_from_slice(&responses);
        out.push(b']');
    }
    out.push(b'}');
    if call.wanted.pretty {
        // Only people ask for this, of small answers.
        if let Ok(value) = serde_json::from_slice::<Value>(&out) {
            out = json::write(&value, true);
        }
    }
    Reply { status: 200, body: Body::Written(out), allow: None }
}

/// Pairs of lines: a header and a body.
fn split(text: &[u8]) -> Result<Vec<(Value, Value)>, Failure> {
    if text.is_empty() {
        return Err(Failure::no_body());
    }
    let Some(text) = text.strip_suffix(b"\n") else {
        return Err(Failure::illegal("The msearch request must be terminated by a newline [\n]"));
    };
    let mut lines =
        text.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    let mut searches = Vec::new();
    while let Some(header) = lines.next() {
        if header.is_empty() && lines.peek().is_none() {
            break;
        }
        if searches.len() == MAX_SEARCHES {
            return Err(Failure::illegal(format!("more than [{MAX_SEARCHES}] searches in one request")));
        }
        let header =
            if header.iter().all(u8::is_ascii_whitespace) { json!({}) } else { json::parse(header)? };
        let body = lines.next().unwrap_or_default();
        let body = if body.iter().all(u8::is_ascii_whitespace) { json!({}) } else { json::parse(body)? };
        searches.push((header, body));
    }
    if searches.is_empty() {
        return Err(Failure::invalid(&["no requests added"]));
    }
    Ok(searches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let pairs = split(b"{\"index\":\"a\"}\n{\"size\":1}\n\n{}\r\n").unwrap();
        assert_eq!(pairs, [(json!({"index": "a"}), json!({"size": 1})), (json!({}), json!({}))]);
        for bad in [&b""[..], b"{}\n{}", b"{}\n{\n", b"x\n{}\n"] {
            assert_eq!(split(bad).unwrap_err().status, 400, "{bad:?}");
        }
        assert!(split("{}\n{}\n".repeat(MAX_SEARCHES + 1).as_bytes()).is_err());
    }
}
