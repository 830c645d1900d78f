// store.js: what the server told about each VTID, once. An older answer never replaces a newer one, so any order
// in which answers and events arrive ends in the same picture.

import { signal } from "@preact/signals";
import { api } from "./api.js";
import { onEvent, onReturn } from "./live.js";

/** @typedef {import("./types/page").Known} Known */
/** @typedef {import("@preact/signals").Signal<Known>} Cell */

/** @type {Map<string, Cell>} */
const cells = new Map();
/** How many views show a VTID in full, and so want its every change. @type {Map<string, number>} */
const watched = new Map();

/** What is known of a VTID, as a signal. @param {string} vtid */
export function cellOf(vtid) {
  const cell = cells.get(vtid) ?? signal({ vtid, task: null, brief: null, run: null });
  cells.set(vtid, cell);
  return cell;
}

/** Whether a newer or equally new thing was told; at the same position the later answer knows more. */
const isNews = (/** @type {{position: number} | null} */ old, /** @type {{position: number}} */ told) => !old || told.position >= old.position;

/**
 * Whether this view of a run is newer than that. Within one run its own count of events decides: an answer that the
 * run gave itself is ahead of the log.
 * @param {import("./types/page").BriefRun | null} old
 * @param {import("./types/page").BriefRun} told
 */
function isNewer(old, told) {
  const sameRun = old && old.run_id === told.run_id && old.seq !== undefined && told.seq !== undefined;
  return sameRun ? /** @type {number} */ (told.seq) >= /** @type {number} */ (old.seq) : isNews(old, told);
}

/**
 * Take a task or a card, whoever answered with it.
 * @param {import("./types/page").Task | import("./types/page").Card} told
 */
export function put(told) {
  const cell = cellOf(told.vtid);
  const { run, ...head } = told;
  const task = isNews(cell.peek().task, head) ? withText(head, cell.peek().task) : cell.peek().task;
  cell.value = { ...cell.peek(), task };
  if (run) putRun(run, told.vtid);
}

/**
 * A card has no text: the same version keeps the one that was read.
 * @param {import("./types/page").Head} head
 * @param {import("./types/page").Head | null} known
 */
function withText(head, known) {
  if (!head.spec || !known?.spec || head.spec.hash !== known.spec.hash) return head;
  return { ...head, spec: { ...known.spec, ...head.spec } };
}

/**
 * Take a run view, or the part of it that a card has.
 * @param {import("./types/page").Run | import("./types/page").BriefRun} run
 * @param {string} vtid
 */
export function putRun(run, vtid) {
  const cell = cellOf(vtid);
  let { task, brief, run: whole } = cell.peek();
  const isNewest = isNewer(brief, run);
  if (isNewest) brief = { ...run, serving: servingOf(run, brief) };
  if ("verdict" in run && isNewer(whole, run)) whole = withWhatEventsLack(run, whole);
  // A run's status is its task's; the events of a run bring no task along.
  if (task && run.position >= task.position && isNewest) task = { ...task, status: run.status, position: run.position };
  cell.value = { vtid, task, brief, run: whole };
}

/**
 * What became of its deployment stands in answers, not in the run's events.
 * @param {import("./types/page").BriefRun} run @param {import("./types/page").BriefRun | null} known
 */
const servingOf = (run, known) => run.serving ?? (known?.run_id === run.run_id ? known.serving : null);

/**
 * The clocks of a lease and what became of the deployment stand in answers, not in events: the lease is kept while
 * the same worker holds it, the other for the same run.
 * @param {import("./types/page").Run} run
 * @param {import("./types/page").Run | null} known
 */
function withWhatEventsLack(run, known) {
  if (!known || known.run_id !== run.run_id) return run;
  const held = known.lease && known.lease.worker === run.worker && known.lease.attempt === run.attempt;
  return { ...run, lease: run.lease ?? (held ? known.lease : null), serving: servingOf(run, known) };
}

/** Read a task whole. Throws Problem. @param {string} vtid @param {AbortSignal} [signal] */
export async function load(vtid, signal) {
  const told = await api("GET", `/tasks/${vtid}`, { signal });
  put(told);
  return told;
}

/** Keep a VTID whole while a view shows it. Gives the function that ends it. @param {string} vtid */
export function watch(vtid) {
  watched.set(vtid, (watched.get(vtid) ?? 0) + 1);
  return () => {
    const left = (watched.get(vtid) ?? 1) - 1;
    left ? watched.set(vtid, left) : watched.delete(vtid);
  };
}

// A failed re-read is told by the lost connection, and is made up for when that is back.
/** @type {Set<string>} */
const reading = new Set();
/** @param {string} vtid */
function reread(vtid) {
  if (reading.has(vtid)) return;
  reading.add(vtid);
  // Several events come at once; one answer has them all.
  setTimeout(() => {
    reading.delete(vtid);
    load(vtid).catch(() => {});
  }, 60);
}

onEvent(({ event, run }) => {
  if (!event.vtid) return;
  if (run && (cells.has(event.vtid) || watched.has(event.vtid))) putRun(run, event.vtid);
  if (!run && watched.has(event.vtid)) reread(event.vtid);
});
onReturn(() => {
  for (const vtid of watched.keys()) reread(vtid);
});
