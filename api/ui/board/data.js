// data.js: which cards stand in which column. The cards themselves are in the store; the server sorts and counts.

import { computed, effect, signal } from "@preact/signals";
import { api } from "../api.js";
import { listen, onEvent, onReturn } from "../live.js";
import { route } from "../route.js";
import { who } from "../session.js";
import { cellOf, put } from "../store.js";
import { COLUMN_OF } from "../words.js";

/** @typedef {import("../types/page").Column} Column */

const PAGE = 25;
const MOST = 200; // cards of a column that one answer may have
const IN_SIGHT = 8; // cards of a column that a high window has room for
const PAINTED_MS = 40;
const SOON_MS = 120; // events come in bursts; one answer has them all
const BUSY_MS = 500; // on a busy system the order is read again this often at most

export const FILTERS = /** @type {const} */ (["q", "status", "environment", "repository", "stage", "code", "priority", "sort"]);

/** @type {import("@preact/signals").Signal<Column[] | null>} */
const columns = signal(null);
/** @type {import("@preact/signals").Signal<Error | null>} */
export const problem = signal(null);
export const reading = signal(false);
/** @type {import("@preact/signals").Signal<any>} */
export const inbox = signal(null);

/** The filters in the URL, as a query. */
const filters = computed(() => {
  const kept = new URLSearchParams();
  for (const name of FILTERS) for (const value of route.value.query.getAll(name)) kept.append(name, value);
  return kept.toString();
});

/** The filters that the columns were read with. @type {import("@preact/signals").Signal<string | null>} */
const applied = signal(null);

/** A word was typed and the server has not answered yet: of the cards at hand those that have it are shown, and no counts. */
export const searching = computed(() => applied.value !== null && filters.value !== applied.value && Boolean(wordOf(filters.value)));

/** @param {string} query */
const wordOf = (query) => (new URLSearchParams(query).get("q") ?? "").toLowerCase();

/** @param {string} vtid @param {string} word */
const has = (vtid, word) => vtid.toLowerCase().includes(word) || Boolean(cellOf(vtid).value.task?.title.toLowerCase().includes(word));

/** The columns as they are to be shown: a card whose run moved on stands in its new column at once. */
export const shown = computed(() => {
  if (!columns.value) return null;
  const word = searching.value ? wordOf(filters.value) : "";
  const placed = new Map(columns.value.map((each) => [each.column, { ...each, vtids: /** @type {string[]} */ ([]) }]));
  for (const { column, vtids } of columns.value) {
    for (const vtid of word ? vtids.filter((each) => has(each, word)) : vtids) {
      const now = COLUMN_OF[cellOf(vtid).value.task?.status ?? ""] ?? column;
      const target = placed.get(now) ?? placed.get(column);
      if (!target) continue;
      target.vtids.push(vtid);
      if (now === column) continue;
      target.count += 1;
      const source = placed.get(column);
      if (source) source.count -= 1;
    }
  }
  return [...placed.values()];
});

let asked = new AbortController();
let readAt = 0;
let timer = 0;

/** Read the board that the URL names. The newest question wins. Throws Problem. */
export async function read() {
  clearTimeout(timer);
  timer = 0;
  asked.abort();
  const mine = (asked = new AbortController());
  const wanted = filters.peek();
  reading.value = true;
  try {
    const board = await api("GET", `/board?limit=${size()}${wanted && `&${wanted}`}`, { signal: mine.signal });
    if (wanted === applied.peek() || !columns.peek()) show(board);
    else {
      // Other cards than before: those in sight come first, and the rest when they have been painted.
      show(board, IN_SIGHT);
      const first = columns.peek();
      setTimeout(() => columns.peek() === first && show(board), PAINTED_MS);
    }
    applied.value = wanted;
    readAt = Date.now();
    problem.value = null;
    return board.position;
  } catch (error) {
    if (mine.signal.aborted) return null;
    problem.value = /** @type {Error} */ (error);
    throw error;
  } finally {
    if (asked === mine) reading.value = false;
  }
}

/** As many as are on the page, so that reading again takes none away. */
const size = () => Math.min(MOST, Math.max(PAGE, ...(columns.peek() ?? []).map((each) => each.vtids.length)));

/** @param {any} board @param {number} [most] cards of a column */
function show(board, most = MOST) {
  columns.value = board.columns.map((/** @type {any} */ each) => {
    const cards = each.items.slice(0, most);
    cards.forEach(put);
    const next_cursor = cards.length < each.items.length ? null : each.next_cursor;
    return { column: each.column, count: each.count, vtids: cards.map((/** @type {any} */ card) => card.vtid), next_cursor };
  });
}

/** The next cards of one column. Throws Problem. @param {Column} column */
export async function more(column) {
  const query = new URLSearchParams(filters.peek());
  query.set("shape", "card");
  query.set("column", column.column);
  query.set("limit", String(PAGE));
  query.set("cursor", /** @type {string} */ (column.next_cursor));
  const page = await api("GET", `/tasks?${query}`);
  page.items.forEach(put);
  const added = page.items.map((/** @type {any} */ card) => card.vtid);
  columns.value = (columns.peek() ?? []).map((each) =>
    each.column === column.column ? { ...each, vtids: [...new Set([...each.vtids, ...added])], next_cursor: page.next_cursor } : each,
  );
}

export const readInbox = async () => (inbox.value = await api("GET", "/needs-you"));

const isShown = () => route.peek().page === "board" || route.peek().page === "task" || route.peek().page === "new";

/** Read again soon: what is shown and how it is sorted may differ. */
function soon() {
  if (timer || !isShown()) return;
  timer = setTimeout(again, Math.max(SOON_MS, BUSY_MS - (Date.now() - readAt)));
}

// A read that fails here is told by the lost connection, and made up for when that is back.
const again = () => void Promise.all([read(), readInbox()]).catch(() => {});

/** Read the board for the first time, and listen from there on. Throws Problem. */
export async function begin() {
  const from = isShown() ? await read() : (await api("GET", "/board?limit=1")).position;
  listen(from ?? 0);
  if (isShown()) await readInbox();
}

// The answers of these may change which cards there are; other events only change how one looks.
/** @type {Map<string, string>} */
const statusBefore = new Map();
onEvent(({ event, run }) => {
  if (!event.vtid) return event.type.startsWith("system.") ? undefined : soon();
  const changed = !run || statusBefore.get(event.vtid) !== run.status || /^(work_order|attempt|engine)\./.test(event.type);
  if (run) statusBefore.set(event.vtid, run.status);
  if (changed) soon();
});
onReturn(again);
effect(() => {
  const wanted = filters.value;
  void route.value;
  if (who.value && isShown() && applied.peek() !== null && wanted !== applied.peek()) read().catch(() => {});
});
