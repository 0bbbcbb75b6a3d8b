// Each dashboard and page in a browser, on an empty, a demo and a full store.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { DASHBOARDS } from "../../src/dashboards/load";
import { launch, open, quit, seriousInBoth, sideways } from "../browser";
import { pages, SETTLED, span } from "./store";

const stores = pages();
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };

/** Waits until every panel has an answer. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector(".panel");
  await page.waitForSelector(".panel-wait", { state: "detached" });
}

/** Goes where the events are, if the page says that there are some. */
async function toEvents(page: Page): Promise<void> {
  await settled(page);
  if ((await page.locator(".dash-empty").count()) === 0) return;
  await page.waitForSelector('.dash-empty[aria-busy="false"]');
  const button = page.locator(".dash-empty .primary");
  if ((await button.count()) === 0) return;
  await button.click();
  await page.waitForSelector(".dash-empty", { state: "detached" });
  await settled(page);
}

before(async () => {
  if (stores.size) await launch();
});
after(quit);

for (const kind of ["empty", "demo", "full"]) {
  const base = stores.get(kind);
  const skip = base === undefined ? `no page over ${kind === "empty" ? "an empty" : `a ${kind}`} store: set WIREBEAT_UI` : false;
  describe(`${kind} store`, { skip }, () => {
    for (const d of DASHBOARDS) {
      test(`${d.id} shows without an error, wide and at 360 px`, async () => {
        const { page, errors, strangers, close } = await open(`${base ?? ""}/dashboards/${d.id}`, { colorScheme: "dark", viewport: WIDE });
        await toEvents(page);
        assert.equal(await page.locator(".panel").count(), d.panels.length);
        assert.equal(await page.locator(".panel-error").count(), 0, (await page.locator(".panel-error").allInnerTexts()).join());
        if (kind === "empty") assert.equal(await page.locator(".dash-empty").count(), 1);
        // The demo's pages are those of the full store with fewer events; the empty ones differ in their words alone.
        if (kind === "full" || (kind === "empty" && d === DASHBOARDS[0])) assert.deepEqual(await seriousInBoth(page), []);
        await page.setViewportSize(NARROW);
        await settled(page);
        assert.equal(await sideways(page), false);
        assert.deepEqual(errors, []);
        assert.deepEqual(strangers, []);
        await close();
      });
    }
    for (const path of ["dashboards", "indices", "capture"]) {
      test(`${path} shows without an error, wide and at 360 px`, async () => {
        const { page, errors, strangers, close } = await open(`${base ?? ""}/${path}`, { colorScheme: "dark", viewport: WIDE });
        await page.waitForSelector("h1");
        await page.waitForFunction(() => !/Loading …/.test(document.getElementById("main")?.innerText ?? ""));
        assert.deepEqual(await seriousInBoth(page), []);
        await page.setViewportSize(NARROW);
        assert.equal(await sideways(page), false);
        assert.deepEqual(errors, []);
        assert.deepEqual(strangers, []);
        await close();
      });
    }
  });
}

const full = stores.get("full");
const skip = full === undefined ? "no page over a full store: set WIREBEAT_UI" : false;

/** The number at a panel's link, once it is there. */
async function total(page: Page, panel: string): Promise<number> {
  return Number(await page.locator(`[data-panel="${panel}"] .events`).getAttribute("data-total"));
}

test("a chart has a table, and back", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/dashboards/overview`, { viewport: WIDE });
  await toEvents(page);
  const panel = page.locator('[data-panel="types"]');
  await panel.getByRole("button", { name: "Table" }).click();
  await panel.locator("tbody tr").nth(1).waitFor();
  await panel.getByRole("button", { name: "Chart" }).click();
  await panel.locator("canvas").waitFor();
  assert.equal(await panel.locator("tbody").count(), 0);
  await close();
});

test("a click in the legend filters every panel", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/dashboards/overview`, { viewport: WIDE });
  await toEvents(page);
  const before = await total(page, "types");
  const name = page.locator('[data-panel="types"] button.legend-item').first();
  const part = Number((await name.locator(".legend-sum").innerText()).replaceAll(",", ""));
  assert.ok(part > 0 && part <= before);
  await name.click();
  await page.waitForFunction((n) => document.querySelector('[data-panel="types"] .events')?.getAttribute("data-total") === String(n), part);
  await close();
});

test("keys move over a chart and narrow the time", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/dashboards/overview`, { viewport: WIDE });
  await toEvents(page);
  const plot = page.locator('[data-panel="types"] [role="slider"]');
  await plot.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const said = (await plot.getAttribute("aria-valuetext")) ?? "";
  assert.match(said, /\d\d:\d\d:\d\d.*[+−]\d\d:\d\d/);
  const before = page.url();
  await page.keyboard.press("Enter");
  await page.waitForFunction((u) => location.href !== u, before);
  await close();
});

test("the counter's text is the number of transactions", { skip }, async () => {
  const { page, close } = await open(`${full ?? ""}/dashboards/http`, { viewport: WIDE });
  await toEvents(page);
  const text = await page.locator('[data-panel="total"] .figure-value').innerText();
  assert.equal(Number(text.replaceAll(",", "")), await total(page, "total"));
  await close();
});

for (const d of DASHBOARDS) {
  test(`${d.id}: Discover counts what the panels say`, { skip }, async () => {
    const base = full ?? "";
    const times = await span(`${base}/es`, d.index);
    if (!times) return;
    // A time that stands still: the newest seconds still grow.
    const [from, to] = [times.from, Math.max(times.from + 1, Math.min(times.to, Date.now() - SETTLED))].map((ms) => new Date(ms).toISOString());
    const { page, close } = await open(`${base}/dashboards/${d.id}?v=1&from=${from}&to=${to}`);
    await settled(page);
    const links = await page.locator("a.events").evaluateAll((list) => list.map((a) => ({ href: (a as HTMLAnchorElement).href, total: Number((a as HTMLElement).dataset["total"]) })));
    assert.ok(links.length > 0);
    const visited = new Set<string>();
    for (const l of links) {
      if (visited.has(l.href)) continue;
      visited.add(l.href);
      // A link of the page, so that nothing is loaded anew. An answer to the page before may still come first.
      const told: number[] = [];
      const coming = page.waitForResponse(
        async (r) => {
          if (!/_search|_msearch/.test(r.url()) || r.request().method() !== "POST") return false;
          const counts = totals(await r.json());
          told.push(...counts);
          return counts.includes(l.total);
        },
        { timeout: 15_000 },
      );
      await page.evaluate((href) => {
        const a = document.createElement("a");
        a.href = href;
        document.body.append(a);
        a.click();
        a.remove();
      }, l.href);
      await coming.catch(() => assert.fail(`${l.href}: ${told.join()} against ${l.total}`));
      const shown = page.locator(`#hits[data-total="${l.total}"]`);
      await shown.waitFor();
      await page.waitForSelector('.results[aria-busy="false"]');
    }
    await close();
  });
}

/** Every `hits.total` of an answer. */
function totals(answer: unknown): number[] {
  const a = answer as { responses?: unknown[]; hits?: { total?: { value?: number } | number } };
  if (a.responses) return a.responses.flatMap(totals);
  const total = a.hits?.total;
  const n = typeof total === "number" ? total : total?.value;
  return n === undefined ? [] : [n];
}
