import { render } from "preact";
import "../core/theme";
import "./styles/index.css";
import { bind, DEFAULT_TIME, time } from "../core/state";
import { go, listen, path } from "../core/route";
import { takeToken } from "../core/send";
import { status, watch } from "../core/status";
import { App } from "./App";
import { listenKeys } from "./keys";

takeToken();
listen();
listenKeys();
if (path.value === "/") go(`/discover${location.search}`, true);

const started = watch();
// A capture file is looked at in its own time, unless the address says otherwise.
const open = () => {
  const range = status.value?.range;
  if (range && !new URLSearchParams(location.search).has("from") && time.value === DEFAULT_TIME) {
    time.value = { from: new Date(range.from).toISOString(), to: new Date(Number(new Date(range.to)) + 1).toISOString() };
  }
  bind();
  const root = document.getElementById("app");
  if (root) render(<App />, root);
};
void Promise.race([started, new Promise((resolve) => setTimeout(resolve, 400))]).then(open);
