import assert from "node:assert/strict";
import { test } from "node:test";
import { clause, words } from "../../src/core/filter";

test("filters as Elasticsearch is asked", () => {
  assert.deepEqual(clause({ field: "a", op: "is", value: 1 }), { term: { a: { value: 1 } } });
  assert.deepEqual(clause({ field: "a", op: "is", value: "x y" }, "text"), { match_phrase: { a: "x y" } });
  assert.deepEqual(clause({ field: "a", op: "exists", negate: true }), { bool: { must_not: [{ exists: { field: "a" } }] } });
  assert.deepEqual(clause({ field: "a", op: "range", value: { gte: 1 } }), { range: { a: { gte: 1 } } });
  assert.deepEqual(clause({ field: "a", op: "one_of", value: ["x"] }), { terms: { a: ["x"] } });
});

test("filters in words", () => {
  assert.deepEqual(words({ field: "a", op: "range", value: { gte: 1, lt: 5 }, negate: true }), { not: true, name: "a", value: "≥ 1 and < 5" });
  assert.deepEqual(words({ field: "a", op: "exists", label: "has a" }), { not: false, name: "", value: "has a" });
});
