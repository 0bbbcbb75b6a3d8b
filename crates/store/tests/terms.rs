//! Forms of terms: wildcards and Lucene's regular expressions; the arithmetic of bucket scripts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;
use wirebeat_store::lang::ast::{MinimumMatch, RegexpFlags, java_double};
use wirebeat_store::lang::ip;
use wirebeat_store::lang::regexp::Pattern;
use wirebeat_store::lang::script::Script;

#[test]
fn wildcards() {
    for (pattern, yes, no) in [
        ("*", &["", "a", "line\nbreak"][..], &[][..]),
        ("a*", &["a", "abc"], &["", "ba", "A"]),
        ("*c", &["c", "abc"], &["ca"]),
        ("*b*", &["b", "abc"], &["ac"]),
        ("a?c", &["abc", "aßc"], &["ac", "abbc"]),
        ("a**c", &["ac", "abc"], &["ab"]),
        ("", &[""], &["a"]),
        ("a\\*c", &["a*c"], &["abc"]),
        ("/index.htm?", &["/index.html"], &["/indexXhtml"]),
        ("?*?", &["ab", "abc"], &["a"]),
        ("(a|b)+", &["(a|b)+"], &["a"]),
    ] {
        let form = Pattern::wildcard(pattern, false).unwrap();
        yes.iter().for_each(|t| assert!(form.matches(t), "{pattern} {t}"));
        no.iter().for_each(|t| assert!(!form.matches(t), "{pattern} {t}"));
    }
    assert!(Pattern::wildcard("Ä*", true).unwrap().matches("äb"));
}

/// Character by character, as Lucene describes it.
fn is_like(pattern: &[char], term: &[char]) -> bool {
    match pattern {
        [] => term.is_empty(),
        ['*', rest @ ..] => (0..=term.len()).any(|n| is_like(rest, &term[n..])),
        ['?', rest @ ..] => !term.is_empty() && is_like(rest, &term[1..]),
        ['\\', c, rest @ ..] | [c, rest @ ..] => term.first() == Some(c) && is_like(rest, &term[1..]),
    }
}

proptest! {
    #[test]
    fn wildcards_of_all_sorts(pattern in "[ab*?\\\\]{1,7}", terms in proptest::collection::vec("[ab*\\\\]{0,6}", 1..20)) {
        let form = Pattern::wildcard(&pattern, false).unwrap();
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for term in &terms {
            prop_assert_eq!(form.matches(term), is_like(&chars(&pattern), &chars(term)), "{} {}", pattern, term);
            if let (true, Some(part)) = (form.matches(term), form.part()) {
                prop_assert!(term.contains(part));
            }
        }
    }
}

#[test]
fn expressions() {
    for (pattern, yes, no) in [
        ("ab", &["ab"][..], &["abc", "xab", "AB"][..]),
        ("a.c", &["abc", "a\nc"], &["ac"]),
        ("a|bc", &["a", "bc"], &["ac", "ab"]),
        ("(a|b)c", &["ac", "bc"], &["a"]),
        ("[a-c]+", &["abc"], &["abd", ""]),
        ("[^a-c]", &["d"], &["a", "dd"]),
        ("a{2,3}", &["aa", "aaa"], &["a", "aaaa"]),
        ("^a$", &["^a$"], &["a"]),
        ("\"a.b\"", &["a.b"], &["axb"]),
        ("a\\.b", &["a.b"], &["axb"]),
        ("[\\]x]", &["]", "x"], &["\\"]),
        ("@", &["", "anything"], &[]),
        ("a@", &["a", "ab"], &["b"]),
        ("#", &[], &["", "#"]),
        ("~a", &["", "b", "aa"], &["a"]),
        ("~(ab.*)", &["a", "xab"], &["ab", "abc"]),
        ("[a-z]+&~(get)", &["post"], &["get", "POST"]),
        (".*a.*&.*b.*", &["ab", "bxa"], &["a", "b"]),
        ("", &[""], &["a"]),
        ("\\d+", &["12"], &["a"]),
        ("/api/v[0-9]/.*", &["/api/v2/x"], &["/api/x"]),
    ] {
        let form =
            Pattern::regexp(pattern, RegexpFlags::ALL, false).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        yes.iter().for_each(|t| assert!(form.matches(t), "{pattern} {t}"));
        no.iter().for_each(|t| assert!(!form.matches(t), "{pattern} {t}"));
    }
    let plain = Pattern::regexp("a~&@#<b", RegexpFlags::NONE, false).unwrap();
    assert!(plain.matches("a~&@#<b"));
    assert!(Pattern::regexp("get|post", RegexpFlags::ALL, true).unwrap().matches("GET"));
}

#[test]
fn expressions_that_are_refused() {
    for pattern in
        ["(", "a)", "[a", "a{x}", "\\", "\"a", "*a", "[b-a]", "a{99999}", "((((a{99}){99}){99}){99}", "(?i)a"]
    {
        assert!(Pattern::regexp(pattern, RegexpFlags::ALL, false).is_err(), "{pattern}");
    }
    let long = "a".repeat(1001);
    assert_eq!(
        Pattern::regexp(&long, RegexpFlags::ALL, false).unwrap_err().reason,
        "The length of regex [1001] used in the Regexp Query request has exceeded the allowed maximum of [1000]. This \
         maximum can be set by changing the [index.max_regex_length] index level setting."
    );
    for pattern in ["(a&b)|c", "a(~b)"] {
        assert!(
            Pattern::regexp(pattern, RegexpFlags::ALL, false).unwrap_err().reason.contains("not supported")
        );
    }
}

#[test]
fn scripts() {
    for (source, value) in [
        ("params.a + params.b * 2", Some(13.0)),
        ("(params.a + params.b) * 2", Some(16.0)),
        ("params.a / params.b * 100", Some(60.0)),
        ("return params.a > params.b ? 1 : -1;", Some(-1.0)),
        ("params['a'] == 3 && params.b != 3", Some(1.0)),
        ("!(params.a >= 3) || false", Some(0.0)),
        ("Math.max(params.a, params.b) - Math.abs(-2)", Some(3.0)),
        ("Math.round(2.5) + Math.floor(-0.5)", Some(2.0)),
        ("params.b % 2", Some(1.0)),
        ("a + b", Some(8.0)),
        ("1e3 + .5 + 2L + 1.0f", Some(1003.5)),
        ("-params.a - -1", Some(-2.0)),
        ("params.c == null ? 0 : params.c", Some(0.0)),
        ("params.c + 1", None),
        ("params.k * 2", Some(14.0)),
        ("1 < 2 == true", Some(1.0)),
    ] {
        let script = Script::parse(&json!({"source": source, "params": {"k": 7}}))
            .unwrap_or_else(|e| panic!("{source}: {e:?}"));
        let given = |name: &str| match name {
            "a" => Some(3.0),
            "b" => Some(5.0),
            _ => None,
        };
        assert_eq!(script.run(&given), value, "{source}");
    }
    for source in [
        "",
        "params.",
        "1 +",
        "doc['x'].value",
        "Math.random()",
        "for (;;) {}",
        "a; b",
        "1 2",
        "(1",
        "Math.pow(1)",
    ] {
        assert_eq!(Script::parse(&json!(source)).unwrap_err().kind, "script_exception", "{source}");
    }
    assert!(Script::parse(&json!("(".repeat(3000))).is_err());
    assert!(Script::parse(&json!("-".repeat(3000))).is_err());
}

/// The examples of Elasticsearch's page on minimum_should_match.
#[test]
fn minimum_match() {
    for (text, clauses, needed) in [
        ("3", 5, 3),
        ("-2", 5, 3),
        ("75%", 4, 3),
        ("75%", 5, 3),
        ("-25%", 4, 3),
        ("-25%", 5, 4),
        ("3<90%", 3, 3),
        ("3<90%", 10, 9),
        ("2<-25% 9<-3", 2, 2),
        ("2<-25% 9<-3", 4, 3),
        ("2<-25% 9<-3", 12, 9),
        ("-7", 5, 0),
        ("9", 5, 9),
    ] {
        assert_eq!(MinimumMatch::parse(text).unwrap().of(clauses), needed, "{text} of {clauses}");
    }
    assert!(MinimumMatch::parse("many").is_err());
}

#[test]
fn addresses() {
    assert_eq!(ip::write(ip::address("10.0.0.1").unwrap()), "10.0.0.1");
    assert_eq!(ip::write(ip::address("::ffff:10.0.0.1").unwrap()), "10.0.0.1");
    assert_eq!(ip::write(ip::address("2001:DB8:0:0::1").unwrap()), "2001:db8::1");
    let (first, last) = ip::network("10.1.2.3/20").unwrap();
    assert_eq!((ip::write(first), ip::write(last)), ("10.1.0.0".to_owned(), "10.1.15.255".to_owned()));
    for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/x", "10.0.0.0"] {
        assert!(ip::network(wrong).is_err(), "{wrong}");
    }
}

/// `Double.toString` of the Java platform.
#[test]
fn numbers_as_java_writes_them() {
    for (n, text) in [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e7, "1.0E7"),
        (9_999_999.0, "9999999.0"),
        (1.5e-5, "1.5E-5"),
        (0.001, "0.001"),
        (f64::INFINITY, "Infinity"),
        (1.234e20, "1.234E20"),
    ] {
        assert_eq!(java_double(n), text);
    }
}
