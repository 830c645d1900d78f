// palette.js: go anywhere and do anything from the keyboard: pages, tasks by word or number, shortcuts.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { api } from "./api.js";
import { html } from "./html.js";
import { shortcuts } from "./keys.js";
import { Pill } from "./parts.js";
import { go } from "./route.js";
import { taskLook } from "./words.js";

/** @typedef {{id: string, words: unknown, text: string, hint?: unknown, act: () => void}} Entry */

const PLACES = [["/", "Board"], ["/tasks/new", "New task"], ["/dead-letters", "Dead letters"], ["/statistics", "Statistics"], ["/workers", "Workers"], ["/limits", "Limits"], ["/failure-codes", "Failure codes"], ["/rules", "Rules"], ["/environments", "Environments"]];
const HERE = "search and commands"; // is open already
const NO_SENSE = /^(Escape|[jk])$/; // means something in the view behind
const REST_MS = 120; // not at every letter

/** @type {Entry[]} */
const ANYWHERE = PLACES.map(([path, words]) => ({ id: path, words: html`Go to <b>${words}</b>`, text: `go to ${words}`.toLowerCase(), act: () => go(path) }));

/** @param {any} card @returns {Entry[]} */
const ofTask = (card) => [
  { id: `task ${card.vtid}`, words: html`<span class="vtid">${card.vtid}</span> ${card.title}`, text: "", hint: html`<${Pill} look=${taskLook(card.status, card.run)} label="State" />`, act: () => go(`/tasks/${card.vtid}`) },
];

/** Tasks whose VTID or title has the words. @param {string} words @returns {Entry[]} */
function useTasks(words) {
  const [found, setFound] = useState(/** @type {{words: string, entries: Entry[]}} */ ({ words: "", entries: [] }));
  useEffect(() => {
    if (!words) return undefined;
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      api("GET", `/tasks?shape=card&limit=8&q=${encodeURIComponent(words)}`, { signal: leaving.signal }).then(
        (page) => setFound({ words, entries: page.items.flatMap(ofTask) }),
        (problem) => leaving.signal.aborted || setFound({ words, entries: [{ id: "problem", words: `Tasks could not be searched: ${problem.message}`, text: "", act: () => {} }] }),
      );
    }, REST_MS);
    return () => (clearTimeout(timer), leaving.abort());
  }, [words]);
  return words ? found.entries : [];
}

/** @param {{close: () => void}} props */
export default function Palette({ close }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const asked = words.trim().toLowerCase();
  const others = shortcuts.filter((each) => each.says !== HERE && !NO_SENSE.test(each.keys));
  const keyed = others.map((each) => ({ id: `key ${each.keys}`, words: each.says, text: each.says.toLowerCase(), hint: html`<kbd>${each.keys}</kbd>`, act: each.act }));
  const entries = [...useTasks(asked), ...[...ANYWHERE, ...keyed].filter((each) => each.text.includes(asked))].slice(0, 12);
  const chosen = Math.min(at, entries.length - 1);

  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    box.current?.showModal();
    return () => before?.focus?.();
  }, []);
  useEffect(() => void document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
  /** @param {Entry | undefined} entry */
  const take = (entry) => {
    if (!entry) return;
    close();
    // Once the dialog is gone: what follows may open another one, or move the focus.
    setTimeout(entry.act);
  };
  /** @param {KeyboardEvent} event */
  const steer = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((chosen + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter") take(entries[chosen]);
    else return;
    event.preventDefault();
  };
  return html`<dialog ref=${box} class="palette" aria-label="Search and commands" onClose=${close} onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && box.current?.close()}>
    <input type="text" role="combobox" aria-expanded="true" aria-controls=${`${id}-list`} aria-activedescendant=${entries.length > 0 ? `${id}-${chosen}` : undefined} aria-label="Search tasks, pages and commands"
      placeholder="VTID, title, page or command" autocomplete="off" spellcheck="false" value=${words} onKeyDown=${steer} onInput=${(/** @type {any} */ event) => (setWords(event.target.value), setAt(0))} />
    <ul role="listbox" id=${`${id}-list`} aria-label="Found">${entries.map((entry, place) => html`<li key=${entry.id} role="option" id=${`${id}-${place}`} aria-selected=${place === chosen ? "true" : "false"} onClick=${() => take(entry)} onMouseMove=${() => place !== chosen && setAt(place)}><span>${entry.words}</span> ${entry.hint}</li>`)}</ul>
    ${entries.length === 0 && html`<p class="none" role="status">Nothing has these words.</p>`}
  </dialog>`;
}
