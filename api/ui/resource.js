// resource.js: one GET for a view, ended when the view is left and asked again when the server is back.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.js";
import { onReturn } from "./live.js";

/**
 * @param {string | null} path null asks for nothing
 * @returns {{value: any, problem: Error | null, loading: boolean, again: () => void}}
 */
export function useResource(path) {
  const [state, set] = useState({ path, value: /** @type {any} */ (null), problem: /** @type {Error | null} */ (null) });
  const [round, setRound] = useState(0);
  const again = () => setRound((before) => before + 1);
  useEffect(() => {
    if (path === null) return undefined;
    const leaving = new AbortController();
    api("GET", path, { signal: leaving.signal }).then(
      (value) => set({ path, value, problem: null }),
      (problem) => leaving.signal.aborted || set({ path, value: null, problem }),
    );
    return () => leaving.abort();
  }, [path, round]);
  useEffect(() => onReturn(again), []);
  const fresh = state.path === path;
  return {
    value: fresh ? state.value : null,
    problem: fresh ? state.problem : null,
    loading: path !== null && !(fresh && (state.value || state.problem)),
    again,
  };
}
