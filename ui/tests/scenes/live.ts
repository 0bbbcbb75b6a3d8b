// A live list at 1,000 events a second: it lists a part and says so, and its memory does not grow.
import assert from "node:assert/strict";
import { connect } from "node:net";
import type { CDPSession } from "playwright-core";
import { launch, open, quit } from "../browser";
import { count, SECONDS, sleep, URL_OF_PAGES } from "./scene";

const RATE = 1_000;
/** What is neither a list that fills nor a leak: caches, compiled code. 8 hours may cost 20 MB. */
const MOST = 3 << 20;

/** Commands to a real Redis, as many a second as asked for. */
function load(port: number): { sent: () => number; stop: () => void } {
  const socket = connect(port, "127.0.0.1");
  socket.resume();
  const began = Date.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((Date.now() - began) * RATE) / 1000);
    let text = "";
    for (; sent < due; sent++) {
      const [key, value] = [`key:${sent % 5000}`, `value ${sent}`];
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
    }
    socket.write(text);
  }, 20);
  const stop = () => {
    clearInterval(timer);
    socket.end();
  };
  return { sent: () => sent, stop };
}

async function heap(session: CDPSession): Promise<number> {
  for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find((m) => m.name === "JSHeapUsedSize")?.value ?? NaN;
}

await launch();
const { page, errors, close } = await open(`${URL_OF_PAGES}/discover?v=1&i=packetbeat-*&from=now-15m&to=now&live=1`);
const session = await page.context().newCDPSession(page);
await session.send("Performance.enable");
await session.send("HeapProfiler.enable");
const redis = load(Number(process.env["WB_REDIS"]));
// Until the list is full and everything was drawn once.
await page.locator(".live-bar .warn").waitFor();
await page.waitForFunction(() => document.querySelector(".live-state")?.textContent?.includes("the last 1,000 are kept"));
await sleep(Math.min(SECONDS * 300, 30_000));
const begun = { at: Date.now(), sent: redis.sent(), heap: await heap(session) };
const seen: number[] = [];
let steps = 0;
while (Date.now() < begun.at + SECONDS * 1000) {
  await sleep(Math.max(2_000, SECONDS * 50));
  seen.push(await heap(session));
  assert.match(await page.locator(".live-bar .warn").innerText(), /Sampled: [\d,]+ of [\d,]+ of the last second are listed/);
  assert.ok((await page.locator(".grid-body .row").count()) < 80);
  steps++;
}
const sent = redis.sent() - begun.sent;
const rate = sent / ((Date.now() - begun.at) / 1000);
redis.stop();
const last = seen.at(-1) ?? NaN;
console.log(`${rate.toFixed(0)} events/s for ${((Date.now() - begun.at) / 1000).toFixed(0)} s; heap ${[begun.heap, ...seen].map((b) => (b / (1 << 20)).toFixed(2)).join(", ")} MiB`);
assert.ok(rate > RATE * 0.9, `${rate} events/s`);
assert.ok(steps >= 3);
// The lowest of the end against the beginning: a list that was just refilled is no growth.
const end = Math.min(...seen.slice(-3));
assert.ok(end - begun.heap < MOST, `the heap grew from ${begun.heap} to ${last} bytes`);
// The number at the list counts all of them.
for (let i = 0; (await count("type:redis")) !== redis.sent(); i++) {
  assert.ok(i < 100, `${await count("type:redis")} of ${redis.sent()} events`);
  await sleep(200);
}
assert.deepEqual(errors, []);
await close();
await quit();
