// overlays.js: what opens over every view from the keyboard: the palette and the list of shortcuts.

import { signal } from "@preact/signals";
import { html } from "./html.js";
import { shortcut } from "./keys.js";
import { lazyView } from "./later.js";
import { go } from "./route.js";
import { who } from "./session.js";

/** @type {import("@preact/signals").Signal<"palette" | "keys" | null>} */
const opened = signal(null);
const close = () => (opened.value = null);
const Palette = lazyView(() => import("./palette.js"));
const ShortcutList = lazyView(() => import("./shortcut_list.js"));

export const openPalette = () => who.peek() && (opened.value = "palette");
export const openKeys = () => (opened.value = "keys");

shortcut("/", "search and commands", openPalette);
shortcut("Control+k", "search and commands", openPalette);
shortcut("?", "this list", openKeys);
shortcut("g d", "go to the dead letters", () => go("/dead-letters"));
shortcut("g s", "go to the statistics", () => go("/statistics"));
shortcut("g w", "go to the workers", () => go("/workers"));

export const Overlays = () =>
  opened.value === "palette" ? html`<${Palette} close=${close} />` : opened.value === "keys" ? html`<${ShortcutList} close=${close} />` : null;
