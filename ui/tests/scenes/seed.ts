// A web server in a container, watched: the HTTP dashboard at a range of one minute, and Discover's detail.
import assert from "node:assert/strict";
import { launch, open, quit } from "../browser";
import { command, URL_OF_PAGES } from "./scene";

await launch();
const { page, errors, strangers, close } = await open(`${URL_OF_PAGES}/dashboards/http?v=1&from=now-1m&to=now&r=1000`);
const counter = page.locator('[data-panel="total"] .figure-value');
/** Waits until the counter's text is this; what it was is told otherwise. */
async function says(text: string, within: number): Promise<void> {
  const until = Date.now() + within;
  while ((await counter.innerText()) !== text) {
    assert.ok(Date.now() < until, `the counter says ${await counter.innerText()}, not ${text}`);
    await page.waitForTimeout(100);
  }
}
await counter.waitFor();
await says("0", 5_000);
for (let i = 0; i < 10; i++) assert.equal(await command("WB_VISIT"), "200 10554");
const visited = Date.now();
await says("10", 20_000);
console.log("ten visits: 10");
while (Date.now() < visited + 55_000) {
  assert.equal(await counter.innerText(), "10");
  await page.waitForTimeout(500);
}
// The minute is over for the last visit at 60 s; the page asks each second.
await says("0", visited + 63_000 - Date.now());
console.log(`after ${((Date.now() - visited) / 1000).toFixed(1)} s: 0`);
assert.equal(await command("WB_CONTAINER"), "200 10554");
await says("1", 20_000);
console.log("from another container: 1");

await page.goto(`${URL_OF_PAGES}/discover?v=1&i=packetbeat-*&from=now-1m&to=now&f=${encodeURIComponent(JSON.stringify([{ field: "type", op: "is", value: "http" }]))}`);
await page.locator(".grid-body .row").first().click();
await page.locator(".drawer .halves").waitFor();
const [client, server] = await page.locator(".drawer .end-ip").allInnerTexts();
assert.match(client ?? "", /^172\.17\.0\.\d+:\d+$/);
assert.match(server ?? "", /^172\.17\.0\.\d+:80$/);
assert.notEqual(client?.split(":")[0], server?.split(":")[0]);
const [request, response] = await page.locator(".drawer .half").allInnerTexts();
assert.match(request ?? "", /GET \/ /);
assert.match(response ?? "", /\b200 ok/i);
assert.match(response ?? "", /10,554 bytes/);
console.log(`Discover: ${client ?? ""} → ${server ?? ""}`);
assert.deepEqual(errors, []);
assert.deepEqual(strangers, []);
await close();
await quit();
