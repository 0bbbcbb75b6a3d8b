import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldInfo } from "../../src/core/fields";
import { apply, contextAt, fieldChoices, operatorChoices, quote, startsWith } from "../../src/core/kql";

/** The context where the bar stands in the text. */
function at(text: string) {
  const caret = text.indexOf("|");
  const c = contextAt(text.replace("|", ""), caret);
  return [c.place, c.field, c.prefix] as const;
}

test("what may stand at the caret", () => {
  assert.deepEqual(at("|"), ["field", "", ""]);
  assert.deepEqual(at("sta|"), ["field", "", "sta"]);
  assert.deepEqual(at("status |"), ["operator", "status", ""]);
  assert.deepEqual(at("status:|"), ["value", "status", ""]);
  assert.deepEqual(at("status: |"), ["value", "status", ""]);
  assert.deepEqual(at("status: Er|"), ["value", "status", "Er"]);
  assert.deepEqual(at("status: Error |"), ["word", "", ""]);
  assert.deepEqual(at("status: Error a|"), ["word", "", "a"]);
  assert.deepEqual(at("status: Error and |"), ["field", "", ""]);
  assert.deepEqual(at("status: Error and not |"), ["field", "", ""]);
  assert.deepEqual(at("status: Error and not ty|"), ["field", "", "ty"]);
  assert.deepEqual(at("http.response.status_code >= 5|"), ["value", "http.response.status_code", "5"]);
});

test("groups of values belong to their field", () => {
  assert.deepEqual(at("type: (http or |"), ["value", "type", ""]);
  assert.deepEqual(at("type: (http or d|)"), ["value", "type", "d"]);
  assert.deepEqual(at("type: (http or dns) |"), ["word", "", ""]);
  assert.deepEqual(at("(status: OK or ty|)"), ["field", "", "ty"]);
  assert.deepEqual(at("(type: (a or b) and |)"), ["field", "", ""]);
});

test("quoted values are completed inside their quotes", () => {
  assert.deepEqual(at('url.path: "/a |'), ["value", "url.path", "/a "]);
  assert.deepEqual(at('url.path: "/a" |'), ["word", "", ""]);
  assert.deepEqual(at('url.path: "a:b and |c"'), ["value", "url.path", "a:b and "]);
});

test("the caret in the middle of a word replaces the whole word", () => {
  const c = contextAt("status: Error", 3);
  assert.deepEqual([c.from, c.to, c.prefix], [0, 6, "sta"]);
  assert.deepEqual(apply("status: Error", c, "source.ip "), { text: "source.ip: Error", caret: 9 });
});

test("a choice leaves one space", () => {
  const c = contextAt("sta: x", 3);
  assert.equal(apply("sta x", c, "status ").text, "status x");
  const v = contextAt('a: "b c', 7);
  assert.deepEqual(apply('a: "b c', v, '"b c d" '), { text: 'a: "b c d" ', caret: 11 });
});

test("values are quoted where they would be read otherwise", () => {
  assert.equal(quote("Error"), "Error");
  assert.equal(quote("/a/b?c=1"), "/a/b?c=1");
  assert.equal(quote("a b"), '"a b"');
  assert.equal(quote("or"), '"or"');
  assert.equal(quote('say "hi"\\'), '"say \\"hi\\"\\\\"');
  assert.equal(quote(""), '""');
  assert.equal(quote("2001:db8::1"), '"2001:db8::1"');
});

const field = (name: string, type = "keyword"): FieldInfo => ({ name, type, searchable: true, aggregatable: true });

test("fields that begin with the text come first, then parts of names", () => {
  const all = [field("http.response.status_code", "long"), field("status"), field("tls.established"), field("system.status")];
  assert.deepEqual(fieldChoices("stat", all).map((c) => c.label), ["status", "system.status", "http.response.status_code"]);
});

test("ranges are offered for what has an order", () => {
  const signs = (type: string) => operatorChoices(field("x", type), "").map((c) => c.label);
  assert.ok(signs("long").includes(">="));
  assert.ok(!signs("keyword").includes(">="));
});

test("a prefix is a text, not an expression", () => {
  assert.equal(startsWith("/a.b*[c]"), "/a\\.b\\*\\[c\\].*");
});

test("any text has a context at any place", () => {
  const odd = ['"', '\\', '((((', '))', ': :', '"a\\', "a:\"b\\\"", "<>=", "ünï 👾: 👾", "{a: b}"];
  for (const text of odd) for (let i = 0; i <= text.length; i++) assert.ok(contextAt(text, i).from <= i, `${text} ${i}`);
});
