import { defineConfig, type ProxyOptions } from "vite";

// The API and the page's own calls, while developing against a running wirebeat.
const api = process.env["WIREBEAT_API"] ?? "http://127.0.0.1:9201";
const ui = process.env["WIREBEAT_UI"] ?? "http://127.0.0.1:5601";

// The server answers only to its own page: the development server speaks for it.
const own: ProxyOptions["configure"] = (proxy) =>
  proxy.on("proxyReq", (request) => {
    for (const name of ["origin", "sec-fetch-site", "sec-fetch-mode", "referer"]) request.removeHeader(name);
  });

export default defineConfig({
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../crates/web/assets",
    emptyOutDir: true,
    assetsDir: "assets",
    assetsInlineLimit: 0,
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    cssCodeSplit: true,
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    proxy: {
      "/es": { target: api, rewrite: (path) => path.replace(/^\/es/, ""), changeOrigin: true, configure: own },
      "/_ui": { target: ui, changeOrigin: true, configure: own },
    },
  },
});
