import assert from "node:assert/strict";
import { test } from "node:test";
import { cell, line } from "../../src/discover/csv";

test("what a spreadsheet would compute is text", () => {
  for (const formula of ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0"]) {
    assert.match(cell(formula).replace(/^"/, ""), /^'/, JSON.stringify(formula));
  }
  assert.equal(cell('=HYPERLINK("http://x")'), '"\'=HYPERLINK(""http://x"")"');
  assert.equal(cell(["=1", "b"]), "\"'=1, b\"");
});

test("cells are quoted where needed and numbers stay numbers", () => {
  assert.equal(cell("a,b"), '"a,b"');
  assert.equal(cell('a"b'), '"a""b"');
  assert.equal(cell("a\nb"), '"a\nb"');
  assert.equal(cell(-5), "-5");
  assert.equal(cell(true), "true");
  assert.equal(cell(undefined), "");
  assert.equal(cell(null), "");
  assert.equal(cell({ a: 1 }), '"{""a"":1}"');
  assert.equal(line(["a", 1, undefined]), "a,1,\r\n");
});
