// Each dashboard and page in a browser, on an empty, a demo and a full store.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { DASHBOARDS } from "../../src/dashboards/load";
import { pages, span } from "./store";

const stores = pages();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser: Browser;

interface Opened {
  page: Page;
  errors: string[];
}

async function open(url: string, scheme: "dark" | "light", width = 1280): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  // A busy machine is slow, not wrong.
  page.setDefaultTimeout(120_000);
  const errors: string[] = [];
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => {
    // A program without the page's own calls answers 404 there: that is not a fault of the page.
    if (m.type() === "error" && !/status of 404/.test(m.text())) errors.push(m.text());
  });
  await page.goto(url);
  return { page, errors };
}

/** Waits until every panel has an answer. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector(".panel");
  await page.waitForSelector(".panel-wait", { state: "detached" });
}

/** Goes where the events are, if the page says that there are some. */
async function toEvents(page: Page): Promise<void> {
  await settled(page);
  const button = page.locator(".dash-empty .primary");
  await page.waitForTimeout(500);
  if ((await page.locator(".dash-empty").count()) === 0) return;
  if ((await button.count()) === 0) return;
  await button.click();
  await page.waitForSelector(".dash-empty", { state: "detached" });
  await settled(page);
}

async function sideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
}

async function serious(page: Page): Promise<string[]> {
  // Not as a script of the page: its policy allows none.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe;
    return (await run.run()).violations;
  });
  return found.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0]?.html.slice(0, 160) ?? ""}`);
}

before(async () => {
  if (stores.size) browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
});

for (const kind of ["empty", "demo", "full"]) {
  const base = stores.get(kind);
  const skip = base === undefined ? `no page over ${kind === "empty" ? "an empty" : `a ${kind}`} store: set WIREBEAT_UI` : false;
  describe(`${kind} store`, { skip }, () => {
    for (const d of DASHBOARDS) {
      test(`${d.id} shows without an error, dark and light`, async () => {
        for (const scheme of ["dark", "light"] as const) {
          const { page, errors } = await open(`${base ?? ""}/dashboards/${d.id}`, scheme);
          await toEvents(page);
          assert.equal(await page.locator(".panel").count(), d.panels.length);
          assert.equal(await page.locator(".panel-error").count(), 0, (await page.locator(".panel-error").allInnerTexts()).join());
          if (kind === "empty") assert.equal(await page.locator(".dash-empty").count(), 1);
          assert.deepEqual(await serious(page), []);
          assert.deepEqual(errors, []);
          await page.close();
        }
      });
      test(`${d.id} fits a width of 360 px`, async () => {
        const { page, errors } = await open(`${base ?? ""}/dashboards/${d.id}`, "light", 360);
        await toEvents(page);
        assert.equal(await sideways(page), false);
        assert.deepEqual(errors, []);
        await page.close();
      });
    }
    for (const path of ["dashboards", "indices", "capture"]) {
      test(`${path} shows without an error`, async () => {
        for (const width of [1280, 360]) {
          const { page, errors } = await open(`${base ?? ""}/${path}`, width === 360 ? "dark" : "light", width);
          await page.waitForSelector("h1");
          await page.waitForTimeout(600);
          assert.equal(await sideways(page), false);
          assert.deepEqual(await serious(page), []);
          assert.deepEqual(errors, []);
          await page.close();
        }
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
  const { page } = await open(`${full ?? ""}/dashboards/overview`, "light");
  await toEvents(page);
  const panel = page.locator('[data-panel="types"]');
  await panel.getByRole("button", { name: "Table" }).click();
  await panel.locator("tbody tr").nth(1).waitFor();
  await panel.getByRole("button", { name: "Chart" }).click();
  await panel.locator("canvas").waitFor();
  assert.equal(await panel.locator("tbody").count(), 0);
  await page.close();
});

test("a click in the legend filters every panel", { skip }, async () => {
  const { page } = await open(`${full ?? ""}/dashboards/overview`, "light");
  await toEvents(page);
  const before = await total(page, "types");
  const name = page.locator('[data-panel="types"] button.legend-item').first();
  const part = Number((await name.locator(".legend-sum").innerText()).replaceAll(",", ""));
  assert.ok(part > 0 && part <= before);
  await name.click();
  await page.waitForFunction((n) => document.querySelector('[data-panel="types"] .events')?.getAttribute("data-total") === String(n), part);
  await page.close();
});

test("keys move over a chart and narrow the time", { skip }, async () => {
  const { page } = await open(`${full ?? ""}/dashboards/overview`, "light");
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
  await page.close();
});

test("the counter's text is the number of transactions", { skip }, async () => {
  const { page } = await open(`${full ?? ""}/dashboards/http`, "light");
  await toEvents(page);
  const text = await page.locator('[data-panel="total"] .figure-value').innerText();
  assert.equal(Number(text.replaceAll(",", "")), await total(page, "total"));
  await page.close();
});

for (const d of DASHBOARDS) {
  test(`${d.id}: Discover counts what the panels say`, { skip }, async (t) => {
    const base = full ?? "";
    const times = await span(`${base}/es`, d.index);
    if (!times) return;
    // A time that stands still: the newest minutes still grow.
    const [from, to] = [times.from, Math.min(times.to, Date.now() - 120_000)].map((ms) => new Date(ms).toISOString());
    const { page } = await open(`${base}/dashboards/${d.id}?v=1&from=${from}&to=${to}`, "light");
    await settled(page);
    const links = await page.locator("a.events").evaluateAll((list) => list.map((a) => ({ href: (a as HTMLAnchorElement).href, total: Number((a as HTMLElement).dataset["total"]) })));
    assert.ok(links.length > 0);
    for (const l of links) {
      // The searches of the page before are not to be taken for this one's.
      await page.goto("about:blank");
      const seen = page.waitForResponse((r) => /_search|_msearch/.test(r.url()) && r.request().method() === "POST", { timeout: 10_000 }).catch(() => undefined);
      await page.goto(l.href);
      const response = await seen;
      if (!response) return t.skip("Discover asked nothing");
      const counts = totals(await response.json());
      assert.ok(counts.includes(l.total), `${l.href}: ${counts.join()} against ${l.total}`);
    }
    await page.close();
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
