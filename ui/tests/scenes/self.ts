// The pages, open and asking each second, are no traffic that is watched.
import assert from "node:assert/strict";
import { launch, open, quit } from "../browser";
import { command, count, SECONDS, sleep, URL_OF_PAGES } from "./scene";

await launch();
let asked = 0;
const opened = [];
for (const path of ["dashboards/overview?v=1&from=now-5m&to=now&r=1000", "discover?v=1&i=packetbeat-*&from=now-5m&to=now&live=1"]) {
  const one = await open(`${URL_OF_PAGES}/${path}`);
  one.page.on("response", (r) => {
    if (/_m?search|_ui/.test(r.url())) asked++;
  });
  opened.push(one);
}
await sleep(SECONDS * 1000);
for (const one of opened) {
  assert.deepEqual(one.errors, []);
  assert.deepEqual(one.strangers, []);
}
// Twice a second at least, and flow records come within two seconds.
assert.ok(asked >= SECONDS, `${asked} answers in ${SECONDS} s`);
await sleep(2_500);
assert.equal(await count("*"), 0);
console.log(`${asked} answers in ${SECONDS} s, no event`);
// What is not ours is seen.
await command("WB_VISIT");
for (let i = 0; (await count("type:http")) !== 1; i++) {
  assert.ok(i < 100, "the visit to another server is not seen");
  await sleep(200);
}
for (const one of opened) await one.close();
await quit();
