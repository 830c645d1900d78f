// keys.js: the keyboard. One listener; a key means nothing while somebody writes.

/** @typedef {{keys: string, says: string, act: () => void}} Shortcut */

/** @type {Shortcut[]} */
export const shortcuts = [];
let before = "";
let beforeAt = 0;

/**
 * @param {string} keys one key, or two after each other: `n`, `g b`, `Escape`, `Control+k`
 * @param {string} says what it does, for the list
 * @param {() => void} act
 */
export function shortcut(keys, says, act) {
  shortcuts.push({ keys, says, act });
}

const writes = (/** @type {EventTarget | null} */ target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  // What is Ctrl on one keyboard is Command on another.
  const held = event.ctrlKey || event.metaKey;
  const key = held ? `Control+${event.key.toLowerCase()}` : event.key;
  // An open dialog has the keyboard to itself; Escape is what leaves a field or closes it.
  if (document.querySelector("dialog[open]")) return;
  if (writes(event.target) && !held && key !== "Escape") return;
  const pair = Date.now() - beforeAt < 1000 ? `${before} ${key}` : "";
  const found = shortcuts.find((each) => each.keys === pair) ?? shortcuts.find((each) => each.keys === key);
  before = key;
  beforeAt = Date.now();
  if (!found) return;
  event.preventDefault();
  found.act();
});
