// paged.js: a list that comes page by page, read anew when something happened that may change it.

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.js";
import { html } from "../html.js";
import { onEvent, onReturn } from "../live.js";

const REST_MS = 300; // a burst of events is one reading

/**
 * @typedef {{items: any[], next: string | null, problem: Error | null, loading: boolean, more: () => void, again: () => void}} Pages
 */

/**
 * @param {string} path with its filters
 * @param {(type: string) => boolean} matters whether an event of this type may change the list
 * @returns {Pages}
 */
export function usePages(path, matters) {
  const [state, set] = useState({ path: "", items: /** @type {any[]} */ ([]), next: /** @type {string | null} */ (null), problem: /** @type {Error | null} */ (null) });
  const [round, setRound] = useState(0);
  const leaving = useRef(new AbortController());
  const again = () => setRound((before) => before + 1);

  /** @param {any[]} before @param {string | null} cursor */
  const read = (before, cursor) => {
    const { signal } = leaving.current;
    const query = cursor ? `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : "";
    api("GET", path + query, { signal }).then(
      (page) => set({ path, items: [...before, ...page.items], next: page.next_cursor, problem: null }),
      (problem) => signal.aborted || set((known) => ({ ...known, path, problem })),
    );
  };
  useEffect(() => {
    leaving.current = new AbortController();
    read([], null);
    return () => leaving.current.abort();
  }, [path, round]);
  useEffect(() => onReturn(again), []);
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const stop = onEvent(({ event }) => {
      if (!matters(event.type)) return;
      clearTimeout(timer);
      timer = setTimeout(again, REST_MS);
    });
    return () => (clearTimeout(timer), stop());
  }, []);

  const fresh = state.path === path;
  return {
    items: fresh ? state.items : [],
    next: fresh ? state.next : null,
    problem: fresh ? state.problem : null,
    loading: !fresh,
    more: () => read(state.items, state.next),
    again,
  };
}

/** @param {{pages: Pages}} props */
export const More = ({ pages }) => pages.next && html`<p><button type="button" onClick=${pages.more}>Show more</button></p>`;
