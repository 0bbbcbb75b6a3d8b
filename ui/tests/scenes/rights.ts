// Without the right to capture: every page says that nothing is captured, and the first ones what to do.
import assert from "node:assert/strict";
import { launch, open, quit, seriousInBoth, sideways } from "../browser";
import { URL_OF_PAGES } from "./scene";

const line = `setcap cap_net_raw,cap_net_admin=eip ${process.env["WB_PROGRAM"] ?? ""}`;
await launch();
for (const path of ["discover", "capture", "dashboards/http", "indices"]) {
  const { page, errors, close } = await open(`${URL_OF_PAGES}/${path}`);
  await page.getByRole("link", { name: "Not capturing" }).waitFor();
  if (path === "discover" || path === "capture") {
    await page.waitForFunction((text) => document.getElementById("main")?.innerText.includes(text) ?? document.body.innerText.includes(text), line);
    assert.deepEqual(await seriousInBoth(page), [], path);
    await page.setViewportSize({ width: 360, height: 740 });
    assert.equal(await sideways(page), false, path);
  }
  if (path === "capture") await page.getByText("Nothing is being captured").waitFor();
  assert.deepEqual(errors, [], path);
  await close();
}
console.log(line);
await quit();
