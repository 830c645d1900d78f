// live.js: the only file that listens. One EventSource, taken up again where it broke off.

import { signal } from "@preact/signals";
import { api } from "./api.js";
import { serverSays } from "./clock.js";

const STREAM = "/api/v1/events/stream";
const ALIVE_SECONDS = 2;
const SILENCE_MS = 5000; // the server speaks at least every ALIVE_SECONDS: longer silence is a lost connection
const HIDDEN_MS = 5 * 60_000;
const UNMADE_MS = 15_000;
const LONG_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/** @type {import("@preact/signals").Signal<import("./types/page").Connection>} */
export const connection = signal({ state: "opening", since: Date.now(), why: null });
/** When the server last said anything: as of then, what is shown is what the server knows. */
export const heardAt = signal(/** @type {number | null} */ (null));

/** @type {Set<(message: import("./types/page").Message) => void>} */
const listeners = new Set();
/** @type {Set<() => void>} */
const returners = new Set();
/** @type {Set<() => void>} */
const losers = new Set();
/** @type {EventSource | null} */
let source = null;
/** @type {number | null} the last position that is known to be shown */
let position = null;
let pause = FIRST_PAUSE_MS;
let retry = 0;
let asleep = 0;
let connectingAt = 0;

/** Hear every event, in order. Gives the function that ends it. @param {(message: import("./types/page").Message) => void} hear */
export function onEvent(hear) {
  listeners.add(hear);
  return () => void listeners.delete(hear);
}

/** Called whenever the stream stands again after it was lost. @param {() => void} act */
export function onReturn(act) {
  returners.add(act);
  return () => void returners.delete(act);
}

/** Called each time before the lost stream is asked for again: a browser does not tell why it was refused. @param {() => void} act */
export const onLoss = (act) => void losers.add(act);

/** Listen from this position on, unless the stream is open already. @param {number} from */
export function listen(from) {
  if (position !== null) return;
  position = from;
  connect();
}

/** Stop listening: nobody is signed in. */
export function hangUp() {
  clearTimeout(retry);
  source?.close();
  source = null;
  position = null;
}

function connect() {
  connectingAt = Date.now();
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`${STREAM}?after=${position}&alive=${ALIVE_SECONDS}`);
  source.onopen = heard;
  source.addEventListener("alive", (message) => {
    pause = FIRST_PAUSE_MS; // only now: a stream that ends right after it began must not be asked for at once
    serverSays(JSON.parse(message.data).at);
    heard();
  });
  source.addEventListener("event", (message) => {
    heard();
    const told = JSON.parse(message.data);
    position = told.event.position;
    for (const listener of listeners) listener(told);
  });
  source.onerror = (problem) => {
    // With data it is the server's own word; without, the connection broke.
    const data = /** @type {MessageEvent} */ (problem).data;
    lose(data ? JSON.parse(data).detail : null);
  };
}

async function again() {
  clearTimeout(retry);
  for (const act of losers) act();
  try {
    // After a long absence everything is read as it stands (see onReturn), and not event by event.
    if (Date.now() - connection.peek().since > LONG_MS) position = (await api("GET", "/board?limit=1")).position;
    if (position !== null) connect();
  } catch (problem) {
    lose(/** @type {Error} */ (problem).message);
  }
}

function heard() {
  heardAt.value = Date.now();
  if (connection.peek().state === "live") return;
  const returned = connection.peek().state === "lost";
  connection.value = { state: "live", since: Date.now(), why: null };
  if (returned) for (const act of returners) act();
}

/** @param {string | null} why */
function lose(why) {
  source?.close();
  if (position === null) return;
  if (connection.peek().state !== "lost" || why) {
    const since = connection.peek().state === "lost" ? connection.peek().since : Date.now();
    connection.value = { state: "lost", since, why };
  }
  clearTimeout(retry);
  retry = setTimeout(again, pause + Math.random() * 200);
  pause = Math.min(pause * 1.6, LONGEST_PAUSE_MS);
}

/** The first request of the page failed: said where a lost stream is said. @param {string | null} why */
export function unreachable(why) {
  const since = connection.peek().state === "lost" ? connection.peek().since : Date.now();
  connection.value = { state: "lost", since, why };
}

// A server that hangs closes nothing, so silence itself is watched; so is a connection that is never made.
setInterval(() => {
  if (connection.peek().state !== "live") {
    if (source?.readyState === EventSource.CONNECTING && Date.now() - connectingAt > UNMADE_MS) again();
  } else if (Date.now() - (heardAt.peek() ?? 0) > SILENCE_MS) {
    lose(`the server has said nothing for ${SILENCE_MS / 1000} s`);
  }
}, 1000);
// A browser opens only a few connections to one server, so a tab that nobody looks at gives its own back.
document.addEventListener("visibilitychange", () => {
  clearTimeout(asleep);
  if (document.hidden) asleep = setTimeout(sleep, HIDDEN_MS);
  else if (position !== null && source === null) again();
});

function sleep() {
  clearTimeout(retry);
  source?.close();
  source = null;
  connection.value = { state: "lost", since: Date.now(), why: "nobody looked at this tab" };
}

addEventListener("online", () => connection.peek().state === "lost" && position !== null && connect());
// A tab that comes back from the browser's cache has no stream any more.
addEventListener("pageshow", (event) => event.persisted && position !== null && connect());
