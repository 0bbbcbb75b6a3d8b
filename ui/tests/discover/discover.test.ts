// Discover in a browser over a real store.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { address, ask, BASE, busiest, hits, launch, open, quit, range, seriousInBoth, settled, SKIP, type Range } from "./page";

describe("Discover", { skip: SKIP }, () => {
  let r: Range;
  before(async () => {
    await launch();
    r = await busiest();
    assert.ok(r.count > 100, "the store needs an hour with more than 100 events");
  });
  after(quit);

  test("counts what the store counts, and the bars add up to it", async () => {
    const { page, errors, strangers } = await open(address(r));
    assert.equal(await hits(page), r.count);
    await page.getByRole("button", { name: "As a table" }).click();
    const cells = await page.locator(".histogram-table tbody tr").evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll("td")].slice(1).reduce((sum, td) => sum + Number((td.textContent ?? "").replace(/[^0-9]/g, "") || 0), 0)),
    );
    assert.ok(cells.length > 1);
    assert.equal(cells.reduce((a, b) => a + b, 0), r.count);
    assert.deepEqual(errors, []);
    assert.deepEqual(strangers, []);
    await page.context().close();
  });

  test("completes fields and values, and the query filters", async () => {
    const { page } = await open(address(r));
    await settled(page);
    await page.keyboard.press("/");
    await page.keyboard.type("statu");
    const options = page.locator("#query-choices [role=option]");
    await options.first().waitFor();
    assert.match((await options.first().textContent()) ?? "", /status/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#query").inputValue(), "status ");
    await page.keyboard.type(": ");
    await page.locator("#query-choices .value").first().waitFor();
    const all = await ask("packetbeat-*", { query: range(r.from, r.to), aggs: { s: { terms: { field: "status" } } } });
    const first = all.aggregations["s"]?.buckets[0];
    assert.ok(first);
    assert.match((await options.first().textContent()) ?? "", new RegExp(first.key));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=/);
    assert.equal(await hits(page), first.doc_count);
    await page.context().close();
  });

  test("an error points at the character", async () => {
    const { page } = await open(address(r));
    await settled(page);
    await page.locator("#query").fill("status: (");
    await page.keyboard.press("Enter");
    await page.locator(".fault").waitFor();
    assert.match((await page.locator(".fault").textContent()) ?? "", /character \d+/);
    assert.equal(await page.locator("#query").getAttribute("aria-invalid"), "true");
    await page.locator("#query").fill("status: OK");
    await page.keyboard.press("Enter");
    await page.locator(".fault").waitFor({ state: "detached" });
    await page.context().close();
  });

  test("filters are included, excluded, switched off, pinned, edited and removed", async () => {
    const { page } = await open(address(r));
    await settled(page);
    await page.keyboard.press("f");
    await page.keyboard.type("status");
    await page.getByRole("button", { name: /keyword status$/ }).click();
    const value = page.locator(".top-value").first();
    await value.waitFor();
    const text = (await value.locator("bdi").textContent()) ?? "";
    const shown = Number(((await value.locator(".top-count").textContent()) ?? "").replace(/,/g, ""));
    await value.getByRole("button", { name: /^Filter for/ }).click();
    await page.locator(".pill").waitFor();
    const included = await hits(page);
    assert.equal(included, shown, "the count of the value is the count of the events");
    const menu = async (name: string) => {
      await page.locator(".pill-text").first().click();
      await page.getByRole("button", { name }).click();
    };
    await menu("Exclude instead");
    await page.locator(".pill.not").waitFor();
    assert.equal(await hits(page), r.count - included);
    await menu("Switch off");
    await page.locator(".pill.off").waitFor();
    assert.equal(await hits(page), r.count);
    await menu("Switch on");
    await menu("Pin to all pages");
    const href = (await page.locator(".pages a", { hasText: "Dashboards" }).getAttribute("href")) ?? "";
    assert.match(decodeURIComponent(href), new RegExp(`"value":"${text}"`), "a pinned filter goes along");
    await page.locator(".pill-text").first().click();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.locator(".filter-form select").selectOption({ label: "exists" });
    await page.getByRole("button", { name: "Change", exact: true }).click();
    const have = await ask("packetbeat-*", { query: range(r.from, r.to, { exists: { field: "status" } }) });
    await page.waitForFunction(() => !document.querySelector(".pill.not"));
    assert.equal(await hits(page), have.hits.total.value);
    await page.getByRole("button", { name: /^Remove the filter/ }).click();
    await page.locator(".pill").waitFor({ state: "detached" });
    assert.equal(await hits(page), r.count);
    await page.context().close();
  });

  test("the address holds the whole state", async () => {
    const filter = JSON.stringify([{ field: "type", op: "is", value: "http" }]);
    const { page } = await open(address(r, { f: filter, c: "@timestamp,url.path,http.response.status_code", s: "url.path:asc", b: "http.response.status_code", r: "60000" }));
    const n = await hits(page);
    const heads = () => page.locator(".head-name").evaluateAll((list) => list.map((e) => (e as HTMLElement).id));
    assert.deepEqual(await heads(), ["head-@timestamp", "head-url.path", "head-http.response.status_code"]);
    const top = await page.locator(".grid-body .row").first().textContent();
    await page.reload();
    assert.equal(await hits(page), n);
    assert.deepEqual(await heads(), ["head-@timestamp", "head-url.path", "head-http.response.status_code"]);
    assert.equal(await page.locator(".grid-body .row").first().textContent(), top);
    assert.equal(await page.getByRole("columnheader", { name: /Path/ }).getAttribute("aria-sort"), "ascending");
    await page.getByRole("button", { name: /^Remove the filter/ }).click();
    await page.locator(".pill").waitFor({ state: "detached" });
    assert.equal(await hits(page), r.count);
    await page.goBack();
    await page.locator(".pill").waitFor();
    assert.equal(await hits(page), n, "going back undoes it");
    await page.context().close();
  });

  test("columns are added, moved, sorted, resized and removed", async () => {
    const { page } = await open(address(r, { c: "@timestamp,type" }));
    await settled(page);
    await page.locator("#field-search").fill("destination.port");
    await page.getByRole("button", { name: "Add the column destination.port" }).click();
    const ids = () => page.locator(".head-name").evaluateAll((list) => list.map((e) => (e as HTMLElement).id.slice(5)));
    assert.deepEqual(await ids(), ["@timestamp", "type", "destination.port"]);
    await page.locator("[id='head-destination.port']").focus();
    await page.keyboard.press("[");
    assert.deepEqual(await ids(), ["@timestamp", "destination.port", "type"]);
    await page.locator("[id='head-destination.port']").click();
    await page.waitForURL(/s=destination.port:asc/);
    await settled(page);
    const column = (await page.locator(".grid-body .row [data-column='1']").allTextContents()).map(Number).filter((n) => !Number.isNaN(n));
    assert.ok(column.length > 5);
    assert.deepEqual(column, [...column].sort((a, b) => a - b));
    const head = page.locator(".head-cell").nth(0);
    const edge = await head.locator(".edge").boundingBox();
    const wide = (await head.boundingBox())?.width ?? 0;
    assert.ok(edge);
    await page.mouse.move(edge.x + 4, edge.y + 10);
    await page.mouse.down();
    await page.mouse.move(edge.x + 64, edge.y + 10, { steps: 4 });
    await page.mouse.up();
    assert.ok(Math.abs(((await head.boundingBox())?.width ?? 0) - wide - 60) < 3);
    await page.getByRole("button", { name: "Column Type" }).click();
    await page.getByRole("button", { name: "Remove the column" }).last().click();
    assert.deepEqual(await ids(), ["@timestamp", "destination.port"]);
    await page.context().close();
  });

  test("everything by keyboard: rows, the open event, filters, pages, help", async () => {
    const { page } = await open(address(r, { f: JSON.stringify([{ field: "type", op: "is", value: "http" }]) }));
    const n = await hits(page);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("l");
    assert.equal(await page.locator(".cell.chosen").getAttribute("data-column"), "1");
    const source = await page.locator(".cell.chosen").textContent();
    await page.keyboard.press("Enter");
    await page.locator(".drawer .halves").waitFor();
    assert.match((await page.locator(".drawer .first-line").first().textContent()) ?? "", /^[A-Z]+ /);
    const first = page.url();
    await page.keyboard.press("j");
    await page.waitForFunction((url) => location.href !== url, first);
    await page.keyboard.press("Escape");
    await page.locator(".drawer").waitFor({ state: "detached" });
    await page.keyboard.press("k");
    await page.keyboard.press("+");
    await page.locator(".pill").nth(1).waitFor();
    assert.match((await page.locator(".pill").nth(1).textContent()) ?? "", new RegExp(`source.ip:${source ?? ""}`));
    assert.ok((await hits(page)) <= n);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys and queries" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    await page.getByRole("dialog", { name: "Time range" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("f");
    await page.waitForFunction(() => document.activeElement?.id === "field-search");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.waitForURL(/dashboards\/overview/);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.waitForURL(/discover/);
    await page.context().close();
  });

  test("an event has a page of its own, a table with filters, and the JSON that the store holds", async () => {
    const { page, errors } = await open(address(r, { f: JSON.stringify([{ field: "type", op: "is", value: "dns" }]) }));
    await settled(page);
    if ((await page.locator(".grid-body .row").count()) === 0) return page.context().close();
    await page.locator(".grid-body .row").first().click();
    await page.locator(".drawer .ends").waitFor();
    await page.getByRole("tab", { name: "Table" }).click();
    await page.locator(".doc-row").first().waitFor();
    assert.ok((await page.locator(".doc-row").count()) > 10);
    await page.getByRole("tab", { name: "JSON" }).click();
    const shown = JSON.parse((await page.locator(".long.json").textContent()) ?? "") as { _index: string; _id: string; _source: unknown };
    const stored = (await (await fetch(`${BASE ?? ""}/es/${shown._index}/_doc/${shown._id}`)).json()) as { _source: unknown };
    assert.deepEqual(shown._source, stored._source);
    await page.getByRole("link", { name: "Own page" }).click();
    await page.waitForURL(new RegExp(`/doc/${shown._index}/${shown._id}`));
    await page.locator(".doc-page .detail-body").waitFor();
    await page.getByRole("link", { name: "Same flow" }).click();
    await page.waitForURL(/community_id/);
    assert.ok((await hits(page)) >= 1);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  for (const format of ["csv", "ndjson"] as const) {
    test(`the whole result as ${format}`, async () => {
      const filter = [{ field: "type", op: "is", value: "http" }];
      const { page } = await open(address(r, { f: JSON.stringify(filter), c: "@timestamp,source.ip,url.path" }), {
        acceptDownloads: true,
        before: async (p) => void (await p.addInitScript(() => void delete (window as { showSaveFilePicker?: unknown }).showSaveFilePicker)),
      });
      const n = await hits(page);
      await page.getByRole("button", { name: "Export" }).click();
      const coming = page.waitForEvent("download", { timeout: 120_000 });
      await page.getByRole("button", { name: format === "csv" ? /^CSV/ : /^NDJSON/ }).click();
      const file = await readFile((await (await coming).path()) ?? "", "utf8");
      if (format === "csv") {
        const lines = file.trimEnd().split("\r\n");
        assert.equal(lines[0], "'@timestamp,source.ip,url.path");
        assert.equal(lines.length - 1, n);
      } else {
        const docs = file.trimEnd().split("\n").map((l) => JSON.parse(l) as { _id: string; type: string });
        assert.equal(docs.length, n);
        assert.equal(new Set(docs.map((d) => d._id)).size, n, "each event once");
        assert.ok(docs.every((d) => d.type === "http"));
      }
      await page.context().close();
    });
  }

  test("rows are read on while one goes down", async () => {
    const { page } = await open(address(r));
    const n = await hits(page);
    // Down, and down again as long as there is more.
    await page.waitForFunction((most) => {
      const grid = document.getElementById("grid");
      grid?.scrollTo(0, grid.scrollHeight);
      return Number([...document.querySelectorAll(".grid-body .row")].at(-1)?.getAttribute("aria-rowindex")) > most;
    }, Math.min(n, 2000));
    const last = await page.locator(".grid-body .row").last().getAttribute("aria-rowindex");
    assert.ok(Number(last) > Math.min(n, 400), `row ${last ?? ""} of ${n}`);
    assert.ok((await page.locator(".grid-body .row").count()) < 80, "only rows in sight exist");
    await page.context().close();
  });

  test("a live list waits while it is paused and says how many came", async () => {
    const { page } = await open("/discover?v=1&i=packetbeat-*&from=now-15m&to=now&live=1");
    await page.locator(".live-bar").waitFor();
    await page.locator(".grid-body .row").first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    const top = await page.locator(".grid-body .row").first().getAttribute("data-row");
    await page.waitForTimeout(2_500);
    assert.equal(await page.locator(".grid-body .row").first().getAttribute("data-row"), top);
    assert.ok((await page.locator(".grid-body .row").count()) <= 1000);
    await page.context().close();
  });

  test("without the server the page says so, and goes on when it is back", async () => {
    const { page } = await open(address(r));
    await settled(page);
    await page.context().setOffline(true);
    await page.keyboard.press("r");
    await page.locator(".banner.error").waitFor();
    assert.ok((await page.locator(".grid-body .row").count()) > 0, "what was read stays");
    await page.context().setOffline(false);
    await page.locator(".banner.error").waitFor({ state: "detached" });
    assert.equal(await hits(page), r.count);
    await page.context().close();
  });

  test("no serious finding of axe, dark and light", async () => {
    const { page } = await open(address(r, { f: JSON.stringify([{ field: "type", op: "is", value: "http" }]) }), { colorScheme: "dark" });
    await settled(page);
    assert.deepEqual(await seriousInBoth(page), [], "the list");
    await page.locator(".grid-body .row").first().click();
    await page.locator(".drawer .halves").waitFor();
    assert.deepEqual(await seriousInBoth(page), [], "an event");
    await page.getByRole("tab", { name: "Table" }).click();
    await page.locator(".doc-row").first().waitFor();
    assert.deepEqual(await seriousInBoth(page), [], "its table");
    await page.keyboard.press("Escape");
    await page.locator(".drawer").waitFor({ state: "detached" });
    await page.keyboard.press("t");
    await page.getByRole("dialog", { name: "Time range" }).waitFor();
    assert.deepEqual(await seriousInBoth(page), [], "the time");
    await page.goto(`${BASE ?? ""}/discover?v=1&i=packetbeat-*&from=1971-01-01T00:00:00Z&to=1971-01-02T00:00:00Z`);
    await page.locator(".empty h2").waitFor();
    assert.deepEqual(await seriousInBoth(page), [], "nothing found");
    await page.context().close();
  });

  test("bars of a time in which something was lost are shaded", async () => {
    // Half of the range: what the status would tell of a loss then.
    const at = (Date.parse(r.from) + Date.parse(r.to)) / 2;
    const recent = Array.from({ length: 30 }, (_, i) => ({ t: new Date(at + i * 10_000).toISOString(), n: 7 }));
    const painted = (page: Page) => page.locator(".histogram canvas").evaluate((c) => (c as HTMLCanvasElement).toDataURL());
    const plain = await open(address(r));
    await settled(plain.page);
    assert.equal(await plain.page.locator(".histogram .swatch.lost").count(), 0);
    const before = await painted(plain.page);
    await plain.close();
    const { page, close } = await open(address(r), {
      before: async (p) => {
        await p.route("**/_ui/status", async (route) => {
          const status = (await (await route.fetch()).json()) as { capture?: object };
          await route.fulfill({ json: { ...status, capture: { ...status.capture, loss: [{ name: "kernel_drops", value: 210, meaning: "x", recent }] } } });
        });
      },
    });
    await settled(page);
    await page.locator(".histogram .swatch.lost").waitFor();
    await page.getByRole("link", { name: "What was lost" }).waitFor();
    await page.waitForFunction((old) => (document.querySelector(".histogram canvas") as HTMLCanvasElement | null)?.toDataURL() !== old, before);
    await close();
  });

  test("fits a width of 360 px, the open event too", async () => {
    const { page } = await open(address(r), { viewport: { width: 360, height: 740 } });
    await settled(page);
    const sideways = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(await sideways(), false);
    await page.locator(".grid-body .row").first().click();
    await page.locator(".drawer .protocol").waitFor();
    assert.equal(await sideways(), false);
    assert.equal(await page.locator(".detail-body").evaluate((e) => e.scrollWidth > e.clientWidth), false);
    await page.getByRole("button", { name: "Close the event" }).click();
    await page.getByRole("button", { name: "Fields", exact: true }).click();
    await page.locator(".fields.open").waitFor();
    await page.context().close();
  });
});
