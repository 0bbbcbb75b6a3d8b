// What the scenes share: they are played by tests/browser.rs, which starts wirebeat and what it watches.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Address of the pages. */
export const URL_OF_PAGES = process.env["WB_URL"] ?? "http://127.0.0.1:5601";
/** How long the scene's long part takes, s. */
export const SECONDS = Number(process.env["WB_SECONDS"] ?? "5");

/** Runs the command that an environment variable holds as a JSON list; answers what it prints. */
export async function command(name: string): Promise<string> {
  const [program = "", ...args] = JSON.parse(process.env[name] ?? "[]") as string[];
  return (await promisify(execFile)(program, args)).stdout.trim();
}

/** What the store counts. */
export async function count(query: string): Promise<number> {
  const response = await fetch(`${URL_OF_PAGES}/es/packetbeat-*/_count?q=${encodeURIComponent(query)}`);
  return ((await response.json()) as { count: number }).count;
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
