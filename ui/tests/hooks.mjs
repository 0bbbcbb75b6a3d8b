import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformWithOxc } from "vite";

const ENDINGS = [".ts", ".tsx", "/index.ts", "/index.tsx"];

export async function resolve(name, context, next) {
  if (name.startsWith(".") && context.parentURL?.startsWith("file:")) {
    const path = fileURLToPath(new URL(name, context.parentURL));
    const found = ENDINGS.map((e) => path + e).find((p) => existsSync(p));
    if (found && !/\.(mjs|ts|tsx|json|css)$/.test(path)) return { url: pathToFileURL(found).href, shortCircuit: true };
    if (/\.(json|css)$/.test(path)) return { url: pathToFileURL(path).href, shortCircuit: true };
  }
  return next(name, context);
}

export async function load(url, context, next) {
  if (url.endsWith(".css")) return { format: "module", source: "", shortCircuit: true };
  if (url.endsWith(".json") && url.startsWith("file:") && !url.includes("/node_modules/")) {
    return { format: "module", source: `export default ${await readFile(fileURLToPath(url), "utf8")};`, shortCircuit: true };
  }
  if (/\.tsx?$/.test(url)) {
    const path = fileURLToPath(url);
    const { code } = await transformWithOxc(await readFile(path, "utf8"), path, { jsx: { runtime: "automatic", importSource: "preact" } });
    return { format: "module", source: code, shortCircuit: true };
  }
  return next(url, context);
}
