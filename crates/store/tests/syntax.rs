//! The three text syntaxes. Lucene's cases are those of its own test of the classic parser, Kibana's those its grammar
//! describes, the simple syntax' those of Lucene's `SimpleQueryParser`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::ops::Bound;

use wirebeat_store::lang::ast::{Operator, Query, Scalar};
use wirebeat_store::lang::{kql, lucene, simple};

/// A query in Lucene's notation: `+` must, `#` filter, `-` must not, bare should.
fn show(query: &Query) -> String {
    let field = |f: &str| if f.is_empty() || f == "field" { String::new() } else { format!("{f}:") };
    match query {
        Query::MatchAll => "*:*".into(),
        Query::MatchNone => "none".into(),
        Query::Bool(q) => {
            let all = [("+", &q.must), ("#", &q.filter), ("", &q.should), ("-", &q.must_not)];
            let parts: Vec<String> = all
                .iter()
                .flat_map(|(sign, list)| list.iter().map(move |q| format!("{sign}{}", show(q))))
                .collect();
            format!("({})", parts.join(" "))
        }
        Query::AnyField { fields, leaf, .. } => format!("[{}]{}", fields.join(","), show(leaf)),
        Query::Match(m) => format!("{}{}", field(&m.field), m.text.text()),
        Query::MatchPhrase { field: f, text, slop, .. } => {
            let slop = if *slop > 0 { format!("~{slop}") } else { String::new() };
            format!("{}\"{}\"{slop}", field(f), text.text())
        }
        Query::Prefix { field: f, value, .. } => format!("{}{value}*", field(f)),
        Query::Wildcard { field: f, pattern, .. } => format!("{}wild {pattern}", field(f)),
        Query::Regexp { field: f, pattern, .. } => format!("{}/{pattern}/", field(f)),
        Query::Fuzzy { field: f, value, fuzziness } => format!("{}{value}~{:?}", field(f), fuzziness.edits),
        Query::Exists { field: f } => format!("exists {f}"),
        Query::Range(r) => {
            let text = |s: &Scalar| s.text().into_owned();
            let low = match &r.lower {
                Bound::Included(s) => format!("[{}", text(s)),
                Bound::Excluded(s) => format!("{{{}", text(s)),
                Bound::Unbounded => "[*".into(),
            };
            let high = match &r.upper {
                Bound::Included(s) => format!("{}]", text(s)),
                Bound::Excluded(s) => format!("{}}}", text(s)),
                Bound::Unbounded => "*]".into(),
            };
            format!("{}{low} TO {high}", field(&r.field))
        }
        other => panic!("not expected here: {other:?}"),
    }
}

fn lucene_with(text: &str, operator: Operator) -> String {
    let options = lucene::Options { fields: vec!["field".into()], operator, ..Default::default() };
    match lucene::parse(text, &options) {
        Ok(query) => show(&query),
        Err(e) => e.cause.unwrap().reason,
    }
}

#[test]
fn lucene_clauses() {
    for (text, expected) in [
        ("term", "term"),
        ("term term term", "term term term"),
        ("türm term", "türm term"),
        ("a AND b", "(+a +b)"),
        ("(a AND b)", "(+a +b)"),
        ("c OR (a AND b)", "(c (+a +b))"),
        ("a AND NOT b", "(+a -b)"),
        ("a AND -b", "(+a -b)"),
        ("a AND !b", "(+a -b)"),
        ("a && b", "(+a +b)"),
        ("a && ! b", "(+a -b)"),
        ("a OR b", "(a b)"),
        ("a || b", "(a b)"),
        ("a OR !b", "(a -b)"),
        ("a OR -b", "(a -b)"),
        ("a OR b AND c", "(+b +c a)"),
        ("+term -term term", "(+term term -term)"),
        ("foo:term AND field:anotherTerm", "(+foo:term +anotherTerm)"),
        ("term AND \"phrase phrase\"", "(+term +\"phrase phrase\")"),
        ("\"hello there\"", "\"hello there\""),
        ("germ term^2.0", "(germ term)"),
        ("(term)^2.0", "term"),
        ("\"term germ\"^2", "\"term germ\""),
        ("(foo OR bar) AND (baz OR boo)", "(+(foo bar) +(baz boo))"),
        ("((a OR b) AND NOT c) OR d", "((+(a b) -c) d)"),
        ("+(apple \"steve jobs\") -(foo bar baz)", "(+(apple \"steve jobs\") -foo bar baz)"),
        ("+title:(dog OR cat) -author:\"bob dole\"", "(+(title:dog title:cat) -author:\"bob dole\")"),
        ("a:b c d", "(a:b c d)"),
        ("NOT a", "(-a)"),
        ("term~", "term~None"),
        ("term~1", "term~Some(1)"),
        ("\"a b\"~3", "\"a b\"~3"),
        ("term*", "term*"),
        ("te?m*gerM", "wild te?m*gerM"),
        ("/joh?n(ath[oa]n)/", "/joh?n(ath[oa]n)/"),
        ("[a TO c]", "[a TO c]"),
        ("{a TO c}", "{a TO c}"),
        ("{a TO c]", "{a TO c]"),
        ("x:[* TO \"2020-01-01 00:00\"}", "x:[* TO 2020-01-01 00:00}"),
        ("age:>10", "age:{10 TO *]"),
        ("age:(>=10 AND <20)", "(+age:[10 TO *] +age:[* TO 20})"),
        ("a\\:b", "a:b"),
        ("a\\-b\\ c", "a-b c"),
        ("\\u0041bc", "Abc"),
        ("a-b", "a-b"),
        ("_exists_:title", "exists title"),
        ("title:*", "exists title"),
        ("*:*", "*:*"),
        ("http.\\*:x", "[http.*]x"),
        ("a&b", "a&b"),
    ] {
        assert_eq!(lucene_with(text, Operator::Or), expected, "{text}");
    }
}

#[test]
fn lucene_with_and_as_the_default() {
    for (text, expected) in [
        ("a b", "a b"),
        ("a:x b", "(+a:x +b)"),
        ("a:x OR b", "(a:x b)"),
        ("+a -b c", "(+a +c -b)"),
        ("a:x b:y OR c:z", "(+a:x b:y c:z)"),
    ] {
        assert_eq!(lucene_with(text, Operator::And), expected, "{text}");
    }
}

#[test]
fn lucene_mistakes_name_their_place() {
    for (text, column) in [
        ("foo (", 5),
        ("a AND", 5),
        ("AND a", 0),
        ("[a TO b", 7),
        ("\"abc", 0),
        ("a)", 1),
        ("a:", 2),
        ("a/b", 1),
    ] {
        let shown = lucene_with(text, Operator::Or);
        assert!(shown.ends_with(&format!("at line 1, column {column}.")), "{text}: {shown}");
    }
    let wrong = lucene::parse("a:😀 OR\n ]", &lucene::Options::default()).unwrap_err().cause.unwrap();
    assert!(wrong.reason.ends_with("at line 2, column 1."), "{}", wrong.reason);
    assert_eq!(wrong.more["offset"], 9);
    assert!(lucene_with(&"(".repeat(10_000), Operator::Or).contains("parentheses"));
    assert!(lucene_with(&"a:b ".repeat(10_000), Operator::Or).contains("maxClauseCount"));
}

fn kql(text: &str) -> String {
    match kql::parse(text, &kql::Options::default()) {
        Ok(query) => show(&query),
        Err(e) => {
            let cause = e.cause.unwrap();
            format!("{} at {}", cause.reason, cause.more["offset"])
        }
    }
}

#[test]
fn kql_queries() {
    for (text, expected) in [
        ("", "*:*"),
        ("  ", "*:*"),
        ("status: 200", "status:200"),
        ("status:200 or status:404", "(status:200 status:404)"),
        ("a: 1 and b: 2 or c: 3", "((#a:1 #b:2) c:3)"),
        ("a: 1 and (b: 2 or c: 3)", "(#a:1 #(b:2 c:3))"),
        ("not a: 1", "(-a:1)"),
        ("a: 1 and not b: 2", "(#a:1 #(-b:2))"),
        ("not (a: 1 or b: 2)", "(-(a:1 b:2))"),
        ("a: (1 or 2 and not 3)", "(a:1 (#a:2 #(-a:3)))"),
        ("http.request.method: GET", "http.request.method:GET"),
        ("msg: quick brown fox", "msg:quick brown fox"),
        ("msg: \"quick brown\"", "msg:\"quick brown\""),
        ("bytes >= 1000 and bytes < 1e6", "(#bytes:[1000 TO *] #bytes:[* TO 1e6})"),
        ("@timestamp < now-15m", "@timestamp:[* TO now-15m}"),
        ("url: *", "exists url"),
        ("*: *", "*:*"),
        ("*", "*:*"),
        ("url: /a*b", "url:wild /a*b"),
        ("url: /a\\*b?", "url:/a*b?"),
        ("url: /?*", "url:wild /\\?*"),
        ("machine.*: linux", "[machine.*]linux"),
        ("error", "[]error"),
        ("\"not found\"", "[]\"not found\""),
        ("a AND b OR c", "((#[]a #[]b) []c)"),
        ("a: b \\and c", "a:b and c"),
        ("a: \"x \\\"y\\\"\"", "a:\"x \"y\"\""),
        ("orange: android", "orange:android"),
        ("ok: true", "ok:true"),
    ] {
        assert_eq!(kql(text), expected, "{text}");
    }
}

#[test]
fn kql_mistakes_name_their_place() {
    for (text, at) in [
        ("a:", 2),
        ("a: (b", 5),
        ("a: b)", 4),
        ("a: \"b", 5),
        ("a: b and ", 9),
        ("a <", 3),
        (": x", 0),
        ("a: b c: d", 6),
    ] {
        let shown = kql(text);
        assert!(shown.ends_with(&format!(" at {at}")), "{text}: {shown}");
    }
    assert!(kql("a: { b: c }").contains("nested"));
    // In UTF-16 units: an emoji has two of them.
    assert!(kql("a: 😀 c: d").ends_with(" at 7"), "{}", kql("a: 😀 c: d"));
    assert!(kql(&"(".repeat(10_000)).contains("parentheses"));
    assert!(kql(&"not ".repeat(10_000)).contains("parentheses"));
}

fn simple_with(text: &str, operator: Operator) -> String {
    let options = simple::Options { fields: vec!["field".into()], operator, ..Default::default() };
    show(&simple::parse(text, &options).unwrap())
}

#[test]
fn simple_queries() {
    for (text, expected) in [
        ("foo", "foo"),
        ("foo bar", "(foo bar)"),
        ("foo + bar", "(+foo +bar)"),
        ("foo+bar", "(+foo +bar)"),
        ("foo | bar", "(foo bar)"),
        ("-foo", "(-foo)"),
        ("foo -bar", "(foo (-bar))"),
        ("- foo", "foo"),
        ("a + b | c", "((+a +b) c)"),
        ("a | b + c", "(+(a b) +c)"),
        ("(a | b) + c", "(+(a b) +c)"),
        ("\"a b\"", "\"a b\""),
        ("\"a b\"~2", "\"a b\"~2"),
        ("foo*", "foo*"),
        ("foo~2", "foo~Some(2)"),
        ("foo~x", "foo~x"),
        ("foo\\*", "foo*"),
        ("\"never closed", "(never closed)"),
        ("(never closed", "(never closed)"),
        ("closed) twice)", "(closed twice)"),
        ("| + foo |", "foo"),
        ("", "none"),
        ("--foo", "foo"),
        ("a-b", "a-b"),
    ] {
        assert_eq!(simple_with(text, Operator::Or), expected, "{text}");
    }
    assert_eq!(simple_with("foo bar | baz", Operator::And), "((+foo +bar) baz)");
    let flags = simple::Flags::parse("NONE").unwrap();
    let none = simple::Options { fields: vec!["field".into()], flags, ..Default::default() };
    assert_eq!(show(&simple::parse("a + (b*", &none).unwrap()), "a + (b*");
    assert!(simple::Flags::parse("OR|WRONG").is_err());
    assert!(simple::parse(&"a ".repeat(10_000), &simple::Options::default()).is_err());
    assert!(simple::parse(&"(".repeat(100_000), &simple::Options::default()).is_ok());
}
