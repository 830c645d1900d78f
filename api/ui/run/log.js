// log.js: the events of one VTID, all that were and each that comes, in the order of the log and each once.

import { useEffect, useState } from "preact/hooks";
import { api } from "../api.js";
import { onEvent, onReturn } from "../live.js";

/** @typedef {import("../types/page").LoggedEvent} LoggedEvent */

const PAGE = 500;

/**
 * @param {string} vtid
 * @returns {{events: LoggedEvent[] | null, problem: Error | null, again: () => void}}
 */
export function useLog(vtid) {
  const [events, setEvents] = useState(/** @type {LoggedEvent[] | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const add = (/** @type {LoggedEvent[]} */ told) => setEvents((known) => merged(known ?? [], told));
    // Heard before the first page is there, too: what comes meanwhile is not lost.
    const hangUp = onEvent(({ event }) => event.vtid === vtid && add([event]));
    setProblem(null);
    readAll(vtid, add, leaving.signal).catch((error) => leaving.signal.aborted || setProblem(error));
    return () => (leaving.abort(), hangUp());
  }, [vtid, round]);
  useEffect(() => onReturn(() => setRound((before) => before + 1)), []);
  return { events, problem, again: () => setRound((before) => before + 1) };
}

/** @param {string} vtid @param {(told: LoggedEvent[]) => void} add @param {AbortSignal} signal */
async function readAll(vtid, add, signal) {
  let after = "0";
  do {
    const page = await api("GET", `/events?vtid=${vtid}&after=${after}&limit=${PAGE}`, { signal });
    add(page.items);
    after = page.next_cursor;
  } while (after);
}

/** @param {LoggedEvent[]} known @param {LoggedEvent[]} told */
function merged(known, told) {
  const last = known.at(-1)?.position ?? -1;
  if (told.every((each) => each.position > last)) return [...known, ...told];
  const all = new Map([...known, ...told].map((each) => [each.position, each]));
  return [...all.values()].sort((a, b) => a.position - b.position);
}
