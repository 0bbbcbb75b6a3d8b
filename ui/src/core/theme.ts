// Dark or light: the system's choice until the reader makes one.
import { computed, effect, signal } from "@preact/signals";

export type Choice = "system" | "dark" | "light";
const KEY = "wirebeat.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const system = signal(dark.matches);
dark.addEventListener("change", (e) => (system.value = e.matches));

function kept(): Choice {
  const value = localStorage.getItem(KEY);
  return value === "dark" || value === "light" ? value : "system";
}

export const choice = signal<Choice>(kept());
export const theme = computed<"dark" | "light">(() => {
  if (choice.value !== "system") return choice.value;
  return system.value ? "dark" : "light";
});

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  if (choice.value === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice.value);
});
