// Lets node:test read the sources as they are: TypeScript, JSX, JSON, names without endings, styles left out.
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
