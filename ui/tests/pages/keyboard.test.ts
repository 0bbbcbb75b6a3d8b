// Whatever reacts to a click can be reached and used by keyboard, and shows that it has the focus.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { pages } from "../dashboards/store";
import { launch, open, quit } from "../browser";

const full = pages().get("full");
const skip = full === undefined ? "no page over a full store: set WIREBEAT_UI" : false;
before(async () => {
  if (!skip) await launch();
});
after(quit);

/** Notes every element that listens to the mouse, before any script of the page runs. */
function note(): void {
  const listening = new Set<EventTarget>();
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args: Parameters<typeof add>) {
    if (["click", "dblclick", "mousedown", "pointerdown"].includes(args[0])) listening.add(this);
    return add.apply(this, args);
  };
  (window as unknown as { listening: Set<EventTarget> }).listening = listening;
}

/** Elements in sight that a mouse can use and no key can. */
function unreachable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const OWN = "a[href], button, input, select, textarea, summary, [tabindex]";
    const seen = (e: Element) => (e as HTMLElement).offsetParent !== null || getComputedStyle(e).position === "fixed";
    const all = [...(window as unknown as { listening: Set<EventTarget> }).listening];
    const out: string[] = [];
    for (const e of all) {
      if (!(e instanceof HTMLElement || e instanceof SVGElement) || !e.isConnected || (e instanceof HTMLElement && !seen(e))) continue;
      // Itself; what surrounds it and takes the keys (a chart, a grid); or what stands inside it.
      if (e.closest(OWN) || e.querySelector(OWN)) continue;
      // A label is its control's; the body and the root only watch for clicks elsewhere.
      // A slice's twin is the button of its name beside it.
      const slice = e.closest(".pickable")?.querySelector("title")?.textContent?.replace(/: [^:]*$/, "");
      const twins = [...(e.closest(".panel")?.querySelectorAll("button") ?? [])].map((b) => b.textContent ?? "");
      if (slice !== undefined && twins.some((t) => t.startsWith(slice))) continue;
      if (e.closest("label") || e === document.body || e.id === "app") continue;
      out.push(e.outerHTML.slice(0, 160));
    }
    return out;
  });
}

interface Stop {
  name: string;
  shown: boolean;
}

/** Goes through the page by Tab until it is round; what had the focus, and whether it showed. */
async function round(page: Page): Promise<{ stops: Stop[]; missed: string[] }> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    const marked = window as unknown as { visited: Set<Element> };
    marked.visited = new Set();
  });
  const stops: Stop[] = [];
  for (let i = 0; i < 700; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      const { visited } = window as unknown as { visited: Set<Element> };
      if (!e || e === document.body || visited.has(e)) return null;
      visited.add(e);
      const style = getComputedStyle(e);
      const ring = (s: CSSStyleDeclaration) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
      // A field inside a frame of its own shows it there.
      const shown = ring(style) || (e.parentElement !== null && ring(getComputedStyle(e.parentElement)));
      return { name: `${e.tagName.toLowerCase()} ${(e.getAttribute("aria-label") ?? e.textContent ?? e.id).slice(0, 50)}`, shown };
    });
    if (at === null) break;
    stops.push(at);
  }
  const missed = await page.evaluate(() => {
    const { visited } = window as unknown as { visited: Set<Element> };
    return [...document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary, [tabindex='0']")]
      .filter((e) => e.tabIndex >= 0 && e.offsetParent !== null && !(e as HTMLButtonElement).disabled && !visited.has(e) && !e.closest("[inert]"))
      .map((e) => e.outerHTML.slice(0, 160));
  });
  return { stops, missed };
}

for (const path of ["discover?v=1&from=now-15y&to=now", "dashboards", "dashboards/overview?v=1&from=now-15y&to=now", "dashboards/http?v=1&from=now-15y&to=now", "dashboards/processes?v=1&from=now-15m&to=now", "indices", "capture"]) {
  test(`${path.split("?")[0]}: every control by keyboard`, { skip }, async () => {
    const { page, close } = await open(`${full ?? ""}/${path}`, {
      before: async (p) => {
        await p.addInitScript(note);
      },
    });
    await page.waitForSelector("h1, #hits:not([data-total=''])");
    if (path.startsWith("dashboards/")) {
      await page.waitForSelector(".panel");
      await page.waitForSelector(".panel-wait", { state: "detached" });
    }
    if (path.startsWith("discover")) await page.locator(".grid-body .row").first().waitFor();
    assert.deepEqual(await unreachable(page), []);
    const { stops, missed } = await round(page);
    assert.ok(stops.length > 8, `${stops.length} stops`);
    assert.deepEqual(missed, [], "not reached by Tab");
    assert.deepEqual(stops.filter((s) => !s.shown).map((s) => s.name), [], "without a visible focus");
    await close();
  });
}
