// route.js: the URL is the truth for what is shown. Nothing else remembers where the reader is.

import { signal } from "@preact/signals";
import { html } from "./html.js";

/** @type {[RegExp, string][]} the first that fits wins */
const PATHS = [
  [/^\/$/, "board"],
  [/^\/tasks\/new$/, "new"],
  [/^\/tasks\/(VTID-\d{4,})$/i, "task"],
  [/^\/runs\/(VTID-\d{4,})$/i, "run"],
  [/^\/dead-letters(?:\/([\w.-]+))?$/, "dead-letters"],
  [/^\/(statistics|workers|limits|failure-codes|rules|environments)$/, "$1"],
];

export const route = signal(read());

/** @returns {import("./types/page").Route} */
function read() {
  const query = new URLSearchParams(location.search);
  const hash = decodeURIComponent(location.hash.slice(1));
  const top = history.state?.top ?? 0;
  for (const [pattern, name] of PATHS) {
    const found = pattern.exec(location.pathname);
    if (!found) continue;
    const page = name === "$1" ? found[1] : name;
    const id = name === "$1" ? undefined : found[1];
    return { page, id: id && (/^vtid-/i.test(id) ? id.toUpperCase() : id), query, hash, top };
  }
  return { page: "nowhere", id: undefined, query, hash, top };
}

/** Go to a path of this page. @param {string} path @param {{replace?: boolean}} [how] */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search + location.hash) return;
  // Where the reader was is kept with the place that they leave: going back leads there again.
  if (!replace) history.replaceState({ top: scrollY }, "");
  history[replace ? "replaceState" : "pushState"](null, "", path);
  route.value = read();
}

/** The same page with other query parameters; null takes one away. @param {Record<string, string | null>} changes */
export function withQuery(changes, path = location.pathname, hash = "") {
  // The signal, not the browser's own: a link that was drawn follows when the filters change.
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  const text = query.toString();
  return path + (text ? `?${text}` : "") + (hash && `#${hash}`);
}

/** @param {Record<string, string | null>} changes @param {{replace?: boolean}} [how] */
export const setQuery = (changes, how) => go(withQuery(changes), how);

addEventListener("popstate", () => (route.value = read()));
addEventListener("hashchange", () => (route.value = read()));

/**
 * A link that stays in the page; with a modifier key the browser does what it always does.
 * @param {{href: string, children?: unknown, [more: string]: unknown}} props
 */
export function Link({ href, children, ...more }) {
  /** @param {MouseEvent} event */
  const follow = (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return html`<a href=${href} onClick=${follow} ...${more}>${children}</a>`;
}
