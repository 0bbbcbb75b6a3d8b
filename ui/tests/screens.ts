// Makes the pictures of docs/images anew: node --import ./tests/register.mjs tests/screens.ts [NAME], as root.
//
// It starts itself once more in namespaces of its own, so that nothing of the machine is on them: a host "shop" with
// nginx and Redis under a little load, wirebeat beside them, and the demo in its store.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { launch, open, quit } from "./browser";
import { smaller } from "./png";
import { binary } from "./server";

const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
/** How long the host is measured before the pictures are made. */
const MEASURED = Number(process.env["SECONDS_MEASURED"] ?? "75") * 1000;
const ONLY = process.argv[2] ?? "";

if (process.env["SCREENS_INSIDE"] === undefined) {
  const inside = "hostname shop; ip link set lo up; ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up; exec \"$0\" \"$@\"";
  const again = [process.execPath, "--import", "./tests/register.mjs", "tests/screens.ts", ...process.argv.slice(2)];
  const done = spawnSync("unshare", ["--net", "--uts", "--pid", "--fork", "--mount-proc", "bash", "-c", inside, ...again], {
    stdio: "inherit",
    env: { ...process.env, SCREENS_INSIDE: "1" },
  });
  process.exit(done.status ?? 1);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dir = mkdtempSync(join(tmpdir(), "shop-"));
const running: ChildProcess[] = [];
const start = (program: string, ...args: string[]) => {
  const child = spawn(program, args, { stdio: "ignore", cwd: dir });
  running.push(child);
  return child;
};

mkdirSync(join(dir, "www"));
writeFileSync(join(dir, "www/index.html"), "<!DOCTYPE html><title>Shop</title><p>Open.</p>\n".repeat(40));
writeFileSync(join(dir, "nginx.conf"), `daemon off; pid ${dir}/pid; error_log stderr; user root; worker_processes 2; events {} http { access_log off; server { listen 80; root ${dir}/www; } }`);
start("nginx", "-c", join(dir, "nginx.conf"), "-e", "stderr");
start("redis-server", "--save", "", "--port", "6379");
start(binary() ?? "wirebeat", "run", "-i", "lo,docker0", "-E", "system.period=1s", "--data", "data");
const URL_OF_PAGES = "http://127.0.0.1:5601";
for (let i = 0; i < 100; i++) {
  if (await fetch(`${URL_OF_PAGES}/_ui/status`).then((r) => r.ok, () => false)) break;
  await sleep(200);
}
const token = readFileSync(join(dir, "data/token"), "utf8").trim();
const demo = (await (await fetch(`${URL_OF_PAGES}/_ui/demo`, { method: "POST", headers: { authorization: `Bearer ${token}` } })).json()) as { range: { from: string; to: string } };
// Whole seconds, outwards: no more digits than say something.
const whole = (from: number, to: number) => ({ from: new Date(Math.floor(from / 1000) * 1000).toISOString(), to: new Date(Math.ceil(to / 1000) * 1000).toISOString() });
const demonstrated = whole(Date.parse(demo.range.from), Date.parse(demo.range.to));
const began = Date.now();
for (const [i, at] of [0, 0.3, 0.6].entries()) {
  await sleep(Math.max(0, began + MEASURED * at - Date.now()));
  start("ab", "-q", "-n", String(150 * (i + 1)), "-c", "1", "http://127.0.0.1/");
  start("redis-benchmark", "-q", "-t", "set,get", "-n", "400", "-c", "2");
}
await sleep(Math.max(0, began + MEASURED - Date.now()));
const measured = whole(began, Date.now());

const address = (path: string, range: { from: string; to: string }, more: Record<string, string> = {}) =>
  `${URL_OF_PAGES}/${path}?${new URLSearchParams({ v: "1", from: range.from, to: range.to, ...more }).toString()}`;
const only = (type: string) => ({ i: "packetbeat-*", f: JSON.stringify([{ field: "type", op: "is", value: type }]) });
const panels = async (page: Page) => {
  await page.waitForSelector(".panel");
  await page.waitForSelector(".panel-wait", { state: "detached" });
};
const list = async (page: Page) => {
  await page.waitForSelector('.results[aria-busy="false"] #hits:not([data-total=""])');
  await page.locator(".grid-body .row").first().waitFor();
};
/** Opens the first event whose row holds a text. */
const event = (text: string) => async (page: Page) => {
  await list(page);
  await page.locator(".grid-body .row", { hasText: text }).first().click();
  await page.locator(".drawer .protocol").waitFor();
};

const SHOTS: [name: string, url: string, ready: (page: Page) => Promise<void>][] = [
  ["discover", address("discover", demonstrated, { i: "packetbeat-*", b: "type" }), list],
  ["discover-detail", address("discover", demonstrated, only("http")), event("GET")],
  ["overview", address("dashboards/overview", demonstrated), panels],
  ["http", address("dashboards/http", demonstrated), panels],
  ["dns", address("dashboards/dns", demonstrated), panels],
  ["redis", address("dashboards/redis", demonstrated), panels],
  ["flows", address("dashboards/flows", demonstrated), panels],
  ["system", address("dashboards/system", measured), panels],
  ["processes", address("dashboards/processes", measured), panels],
  ["dashboards", address("dashboards", demonstrated), async (page) => void (await page.waitForSelector("h1"))],
  ["indices", address("indices", demonstrated), async (page) => page.locator(".opener").first().waitFor()],
  ["capture", address("capture", demonstrated), async (page) => page.locator(".facts").first().waitFor()],
];

mkdirSync(IMAGES, { recursive: true });
await launch();
for (const [name, url, ready] of SHOTS) {
  if (!name.startsWith(ONLY)) continue;
  for (const scheme of ["dark", "light"] as const) {
    const { page, close } = await open(url, { colorScheme: scheme, reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin" });
    await ready(page);
    await page.evaluate(() => document.fonts.ready);
    await sleep(400);
    const path = join(IMAGES, `${name}-${scheme}.png`);
    writeFileSync(path, smaller(await page.screenshot({ animations: "disabled", caret: "hide" })));
    console.log(`${name}-${scheme}.png ${(statSync(path).size / 1024).toFixed(0)} KiB`);
    await close();
  }
}
await quit();
for (const child of running) child.kill("SIGTERM");
await sleep(1500);
rmSync(dir, { recursive: true, force: true });
