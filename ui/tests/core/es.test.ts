import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { msearch, search } from "../../src/core/es";
import { get } from "../../src/pages/call";

// A server that stops in the middle of an answer: no real one can be made to do so on demand.
const half = createServer((_, response: ServerResponse) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"took":1,');
});
const there = fetch;

before(async () => {
  half.listen(0, "127.0.0.1");
  await once(half, "listening");
  const at = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
  globalThis.fetch = (path, init) => there(`${at}${String(path)}`, init);
});

after(() => {
  globalThis.fetch = there;
  half.closeAllConnections();
  half.close();
});

for (const [name, ask] of [
  ["search", (signal: AbortSignal) => search("packetbeat-*", { size: 0 }, signal)],
  ["msearch", (signal: AbortSignal) => msearch([{ index: "packetbeat-*", body: {} }], signal)],
  ["get", (signal: AbortSignal) => get("/_status", signal)],
] as const) {
  test(`${name}: given up while the answer arrives, there is none`, async () => {
    const abort = new AbortController();
    const asked = ask(abort.signal);
    setTimeout(() => abort.abort(), 100);
    await assert.rejects(asked, { name: "AbortError" });
  });
}

test("an answer that is cut off is an error", async () => {
  const asked = search("packetbeat-*", { size: 0 });
  setTimeout(() => half.closeAllConnections(), 100);
  await assert.rejects(asked);
});
