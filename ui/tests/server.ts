// The program under test with a store of a test's own.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The binary: WIREBEAT, or what was built last. */
export function binary(): string | undefined {
  const given = process.env["WIREBEAT"];
  if (given) return given;
  return ["debug", "release"].map((kind) => new URL(`../../target/${kind}/wirebeat`, import.meta.url).pathname).find((path) => existsSync(path));
}

export interface Server {
  url: string;
  token: string;
  stop(): Promise<void>;
}

/** `wirebeat read CAPTURE --ui`, once all of it is read. */
export async function show(capture: Uint8Array, more: string[] = []): Promise<Server> {
  const path = binary();
  if (path === undefined) throw new Error("no wirebeat binary");
  const dir = mkdtempSync(join(tmpdir(), "wirebeat-ui-"));
  const file = join(dir, "made.pcap");
  writeFileSync(file, capture);
  const child = spawn(path, ["read", file, "--ui=127.0.0.1:0", "--keep", join(dir, "data"), ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const url = await ready(child);
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  return { url, token: readFileSync(join(dir, "data/token"), "utf8").trim(), stop };
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    const take = (part: Buffer) => {
      log += part.toString();
      const at = /open (http:\/\/[^/\s]+)/.exec(log)?.[1];
      // The summary's last line: everything is read.
      if (at !== undefined && log.includes("memory_lent")) resolve(at);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => reject(new Error(`wirebeat ended:\n${log}`)));
  });
}

/** A capture without a packet (draft-ietf-opsawg-pcap): magic, version 2.4, Ethernet. */
export function head(): Buffer {
  const out = Buffer.alloc(24);
  out.writeUInt32LE(0xa1b2c3d4, 0);
  out.writeUInt16LE(2, 4);
  out.writeUInt16LE(4, 6);
  out.writeUInt32LE(262_144, 16);
  out.writeUInt32LE(1, 20);
  return out;
}
