// A hostile capture, read by wirebeat itself and looked at on every page: all that was captured is text.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { launch, open, quit } from "../browser";
import { Capture, dns, resp, type End } from "../pcap";
import { binary, show, type Server } from "../server";
import { settled } from "./page";

/** What each of these does when it is taken for more than a text: it sets window.hit, loads from elsewhere, hides, or computes. */
const EVIL = [
  "<img/src=x/onerror=window.hit=1>",
  "<svg/onload=window.hit=1>",
  "</script><script>window.hit=1</script>",
  "javascript:window.hit=1",
  "\"><iframe/srcdoc='<script>parent.hit=1</script>'>",
  "a\u202egnp.exe\u2066b",
  "c\u0007\u0001\u001b[31md",
  "=HYPERLINK(\"http://evil.example\",1)",
  "+1+cmd|'/C'!A0",
  "@SUM(1+9)*cmd",
];
const CLIENT = (port: number): End => ({ ip: [10, 0, 0, 1], port });
const SERVER = (port: number): End => ({ ip: [10, 0, 0, 2], port });
const KEYS = 2_000;
const BODY = 1_000_000;

function made(): { bytes: Buffer; events: number } {
  const capture = new Capture(Date.now() - 60_000);
  let events = 0;
  EVIL.forEach((evil, i) => {
    const body = `{"a":"${evil}"}`;
    const answer = `HTTP/1.1 200 ${evil.replace(/[^\x20-\x7e]/g, "?")}\r\nServer: ${evil}\r\nSet-Cookie: ${evil}\r\nContent-Type: text/html\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const request = `GET /${evil}?q=${evil} HTTP/1.1\r\nHost: ${evil}\r\nUser-Agent: ${evil}\r\nReferer: ${evil}\r\nX-Evil: ${evil}\r\n\r\n`;
    capture.tcp(CLIENT(40_000 + i), SERVER(80), [[Buffer.from(request), Buffer.from(answer)]]);
    const labels = [...(evil.match(/.{1,40}/gsu) ?? []), "example"];
    capture.udp(CLIENT(50_000 + i), SERVER(53), dns(i, labels), dns(i, labels, evil));
    capture.tcp(CLIENT(45_000 + i), SERVER(6379), [
      [resp("SET", evil, evil), Buffer.from("+OK\r\n")],
      [resp("GET", evil), Buffer.from(`-ERR ${evil}\r\n`)],
    ]);
    events += 4;
  });
  const many = Array.from({ length: KEYS }, (_, k) => `X-Key-${k}: ${EVIL[k % EVIL.length] ?? ""}\r\n`).join("");
  const large = "<b>B</b>".repeat(BODY / 8);
  capture.tcp(CLIENT(48_000), SERVER(80), [
    [Buffer.from(`GET /large HTTP/1.1\r\nHost: x\r\n${many.slice(0, 60_000)}X-End: 1\r\n\r\n`), Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${large.length}\r\n\r\n${large}`)],
  ]);
  return { bytes: capture.bytes(), events: events + 1 };
}

const skip = binary() === undefined ? "no wirebeat binary: build it or set WIREBEAT" : false;

describe("a hostile capture", { skip }, () => {
  let server: Server;
  let events = 0;
  before(async () => {
    const { bytes, events: n } = made();
    events = n;
    server = await show(bytes, ["-E", "packetbeat.protocols.http.send_all_headers=true", "-E", "packetbeat.protocols.http.include_body_for=[\"text/html\"]"]);
    await launch();
  });
  after(async () => {
    await quit();
    await server.stop();
  });

  /** Nothing that was captured became an element, a script, or changes the direction of what stands beside it. */
  async function inert(page: Page, where: string): Promise<void> {
    const found = await page.evaluate(() => ({
      hit: (window as { hit?: number }).hit,
      foreign: document.querySelectorAll("#app img, #app iframe, #app script, #app object, #app embed, #app b b, [onerror], [onload], a[href^='javascript']").length,
      hidden: /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(document.body.innerText)?.[0],
    }));
    assert.deepEqual(found, { hit: undefined, foreign: 0, hidden: undefined }, where);
  }

  test("the server's own policy allows no script and no style but its own, on every answer", async () => {
    for (const path of ["/", "/discover", "/dashboards/http", "/doc/a/b", "/capture", "/_ui/status", "/es/_search", "/es/none/_doc/1", "/nothing"]) {
      const response = await fetch(server.url + path);
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/, path);
      assert.match(policy, /script-src 'self'/, path);
      assert.doesNotMatch(policy, /unsafe-|\*|http/, path);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
      await response.arrayBuffer();
    }
  });

  test("every event in Discover, as protocol, table and JSON", async () => {
    const { page, errors, strangers, close } = await open(`${server.url}/discover?v=1&i=packetbeat-*&from=now-1h&to=now&f=${encodeURIComponent(JSON.stringify([{ field: "type", op: "one_of", value: ["http", "dns", "redis"] }]))}`);
    await settled(page);
    assert.equal(Number(await page.locator("#hits").getAttribute("data-total")), events);
    await inert(page, "the list");
    const seen = new Set<string>();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    for (let i = 0; i < events; i++) {
      await page.locator(".drawer .protocol").waitFor();
      seen.add(page.url());
      await inert(page, `event ${i}`);
      // One of each kind in every form.
      if (i % 4 === 0) {
        for (const tab of ["Table", "JSON"]) {
          await page.getByRole("tab", { name: tab }).click();
          await page.locator(tab === "JSON" ? ".long.json" : ".doc-row").first().waitFor();
          await inert(page, `event ${i}, ${tab}`);
        }
        await page.getByRole("tab").first().click();
      }
      const url = page.url();
      if (i + 1 === events) break;
      await page.keyboard.press("j");
      await page.waitForFunction((old) => location.href !== old, url);
    }
    assert.equal(seen.size, events, "each event was open once");
    assert.deepEqual(errors, []);
    assert.deepEqual(strangers, []);
    await close();
  });

  test("its values in the field list, as filters, as parts of the bars", async () => {
    const { page, errors, close } = await open(`${server.url}/discover?v=1&i=packetbeat-*&from=now-1h&to=now&b=url.path`);
    await settled(page);
    await page.keyboard.press("f");
    for (const field of ["url.path", "dns.question.name", "resource", "user_agent.original"]) {
      await page.locator("#field-search").fill(field);
      await page.getByRole("button", { name: new RegExp(`keyword ${field.replace(".", "\\.")}$`) }).click();
      await page.locator(".top-value").first().waitFor();
      await inert(page, field);
      await page.locator(".top-value").first().getByRole("button", { name: /^Filter for/ }).click();
      await page.locator(".pill").waitFor();
      await inert(page, `a filter of ${field}`);
      await page.getByRole("button", { name: /^Remove the filter/ }).click();
      await page.getByRole("button", { name: new RegExp(`keyword ${field.replace(".", "\\.")}$`) }).click();
    }
    assert.deepEqual(errors, []);
    await close();
  });

  for (const id of ["overview", "http", "dns", "dns-tunnelling", "redis", "flows"]) {
    test(`the dashboard ${id}`, async () => {
      const { page, errors, close } = await open(`${server.url}/dashboards/${id}?v=1&from=now-1h&to=now`);
      await page.waitForSelector(".panel");
      await page.waitForSelector(".panel-wait", { state: "detached" });
      assert.equal(await page.locator(".panel-error").count(), 0);
      await inert(page, id);
      assert.deepEqual(errors, []);
      await close();
    });
  }

  test("as CSV no cell is a formula", async () => {
    const columns = ["@timestamp", "type", "url.path", "url.domain", "user_agent.original", "dns.question.name", "resource", "query", "error.message"];
    const { page, close } = await open(`${server.url}/discover?${new URLSearchParams({ v: "1", i: "packetbeat-*", from: "now-1h", to: "now", c: columns.join(",") }).toString()}`, {
      acceptDownloads: true,
      before: async (p) => void (await p.addInitScript(() => void delete (window as { showSaveFilePicker?: unknown }).showSaveFilePicker)),
    });
    await settled(page);
    await page.getByRole("button", { name: "Export" }).click();
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: /^CSV/ }).click();
    const text = await readFile((await (await coming).path()) ?? "", "utf8");
    const cells = parsed(text).flat();
    assert.ok(cells.length > events * columns.length);
    const formulas = cells.filter((c) => /^[=+\-@\t\r]/.test(c));
    assert.deepEqual(formulas, []);
    // They are there, behind an apostrophe.
    assert.ok(cells.some((c) => c.startsWith("'=HYPERLINK")), "the formula is among the cells");
    await close();
  });

  test("a body of 1 MB is there to the last byte, beside as many headers as are kept", async () => {
    const filter = [{ field: "url.path", op: "is", value: "/large" }];
    const { page, errors, close } = await open(`${server.url}/discover?v=1&i=packetbeat-*&from=now-1h&to=now&f=${encodeURIComponent(JSON.stringify(filter))}`);
    await settled(page);
    await page.locator(".grid-body .row").first().click();
    await page.locator(".drawer .protocol").waitFor();
    await inert(page, "the large one");
    await page.getByRole("tab", { name: "JSON" }).click();
    const more = page.getByRole("button", { name: /^Show more/ });
    while ((await more.count()) > 0) await more.click();
    const shown = JSON.parse((await page.locator(".long.json").textContent()) ?? "") as { _source: { http: { request: { headers: object }; response: { body: { bytes: number; content?: string } } } } };
    const { request, response } = shown._source.http;
    assert.equal(response.body.bytes, BODY);
    console.log(`# ${Object.keys(request.headers).length} headers, ${response.body.content?.length ?? 0} bytes of body kept`);
    assert.equal(response.body.content?.length, BODY);
    // Of 2,000, the parser keeps some hundreds; hostile.test.ts shows an event with all of them.
    assert.ok(Object.keys(request.headers).length > 200);
    await inert(page, "its JSON");
    assert.deepEqual(errors, []);
    await close();
  });
});

/** Rows and cells of a CSV file (RFC 4180). */
function parsed(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += c;
        i++;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "," || c === "\n") {
      rows.at(-1)?.push(cell.replace(/\r$/, ""));
      cell = "";
      if (c === "\n") rows.push([]);
    } else cell += c;
  }
  return rows;
}
