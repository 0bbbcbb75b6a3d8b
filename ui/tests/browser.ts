// Chromium for the tests: opening a page and watching what it does, axe, widths.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** A busy machine is slow, not wrong. */
const PATIENCE = 60_000;
let browser: Browser | undefined;

export async function launch(): Promise<void> {
  browser ??= await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

export async function quit(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

export interface Opened {
  page: Page;
  /** Errors of scripts, of the content security policy, of the console. */
  errors: string[];
  /** Addresses of other hosts that were asked. */
  strangers: string[];
  close(): Promise<void>;
}

export type Options = BrowserContextOptions & { before?: (page: Page) => Promise<void> };

/** A page in a context of its own. */
export async function open(url: string, options: Options = {}): Promise<Opened> {
  if (!browser) throw new Error("no browser");
  const { before, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...rest });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const errors: string[] = [];
  const strangers: string[] = [];
  const home = new URL(url).origin;
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => {
    // What the server refuses is told by the page; here only the page's own faults count.
    if (m.type() === "error" && !/the server responded with a status of|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(m.text())) errors.push(m.text());
  });
  page.on("request", (r) => {
    const at = new URL(r.url());
    if (at.protocol.startsWith("http") && at.origin !== home) strangers.push(r.url());
  });
  if (before) await before(page);
  await page.goto(url);
  return { page, errors, strangers, close: () => context.close() };
}

/** What axe finds that is serious or critical. With `colours` only what depends on the theme is looked at. */
export async function serious(page: Page, colours = false): Promise<string[]> {
  // Not as a script of the page: its policy allows none.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate(async (only) => {
    const run = (window as unknown as { axe: { run(where: Document, how: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe;
    return (await run.run(document, { resultTypes: ["violations"], ...(only ? { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } } : {}) })).violations;
  }, colours);
  return found.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).slice(0, 3).join(" | ")}`);
}

/** Axe in the theme that is on and then, for what colours decide, in the other; the page is left in that one. */
export async function seriousInBoth(page: Page): Promise<string[]> {
  const found = await serious(page);
  const dark = await page.evaluate(() => document.documentElement.dataset["theme"] === "dark");
  await page.emulateMedia({ colorScheme: dark ? "light" : "dark" });
  await page.waitForFunction((theme) => document.documentElement.dataset["theme"] === theme, dark ? "light" : "dark");
  return [...found, ...(await serious(page, true)).map((text) => `${dark ? "light" : "dark"}: ${text}`)];
}

/** Whether one would have to scroll sideways. */
export function sideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
}

/** Waits for two frames: what was just answered is drawn. */
export function drawn(page: Page): Promise<void> {
  return page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
}
