// Indices and Capture in a browser, over a full store.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, quit } from "../browser";
import { pages } from "../dashboards/store";

const full = pages().get("full");
const skip = full === undefined ? "no page over a full store: set WIREBEAT_UI" : false;

before(async () => {
  if (!skip) await launch();
});
after(quit);

test("an index is deleted only after its name was typed", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/indices`);
  const deletes: string[] = [];
  page.on("request", (r) => {
    if (r.method() === "DELETE") deletes.push(r.url());
  });
  const name = await page.locator(".opener bdi").first().innerText();
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  const dialog = page.getByRole("dialog");
  const go = dialog.getByRole("button", { name: "Delete the index" });
  assert.equal(await go.isDisabled(), true);
  await dialog.getByRole("textbox").fill(name.slice(0, -1));
  assert.equal(await go.isDisabled(), true);
  await dialog.getByRole("textbox").fill(name);
  assert.equal(await go.isDisabled(), false);
  await dialog.getByRole("button", { name: "Keep it" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.locator(".opener bdi").first().innerText(), name);
  assert.deepEqual(deletes, []);
  await close();
});

test("an index shows its fields, those with values first", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/indices`);
  await page.locator(".opener").first().click();
  await page.waitForSelector(".fields-list tbody tr");
  const some = await page.locator(".fields-list tbody tr").count();
  await page.getByLabel("also fields without a value").check();
  const all = await page.locator(".fields-list tbody tr").count();
  assert.ok(some > 0 && all > some, `${some} of ${all}`);
  await page.getByLabel("Search fields").fill("event.duration");
  const left = await page.locator(".fields-list tbody tr").allInnerTexts();
  assert.ok(left.length > 0 && left.every((t) => t.includes("event.duration")));
  await close();
});

test("the documents of all indices are the sum that is shown", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/indices`);
  await page.waitForSelector(".opener");
  const number = (text: string) => Number(text.replaceAll(",", ""));
  const each = (await page.locator(".settings > .table-scroll tbody tr td.num:nth-child(2)").allInnerTexts()).map(number);
  const sum = number(await page.locator(".facts dd").first().innerText());
  assert.equal(each.reduce((a, b) => a + b, 0), sum);
  assert.ok(sum > 0);
  await close();
});
