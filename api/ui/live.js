// live.js: the only file that talks to the server. One snapshot, then one stream.

import { computed, signal } from "@preact/signals";
import { groupOf } from "./words.js";

const API = "/api/v1";
const RETRY_MS = 2000;

const runs = signal(new Map());
export const connection = signal({ state: "opening", since: Date.now(), why: null });
export const asOf = signal(null); // when the server last told us something
export const system = signal(null);
export const signedOut = signal(false);
export const now = signal(Date.now());
export const groups = computed(() => {
  const found = { needs: [], open: [], done: [] };
  for (const run of runs.value.values()) found[groupOf(run)].push(run);
  // By begin, not by last change: a card keeps its place while its run moves.
  for (const list of Object.values(found)) list.sort((a, b) => (a.started_at < b.started_at ? 1 : -1));
  return found;
});

let position = 0;

async function get(path) {
  const answer = await fetch(API + path, { signal: AbortSignal.timeout(10000) });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  signedOut.value = answer.status === 401;
  throw new Error(problem.detail ?? `the server answered ${answer.status}`);
}

export async function signIn(key) {
  const answer = await fetch(`${API}/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
    signal: AbortSignal.timeout(10000),
  });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  signedOut.value = false;
  open();
}

// Any interleaving of snapshot and stream converges: an older view never replaces a newer one.
function put(run) {
  const known = runs.peek().get(run.vtid);
  if (known && known.position > run.position) return;
  runs.value = new Map(runs.peek()).set(run.vtid, run);
}

function say(state, why = null) {
  if (connection.peek().state !== state || why) connection.value = { state, why, since: Date.now() };
}

function listen() {
  const source = new EventSource(`${API}/events/stream?after=${position}`);
  source.onopen = () => {
    asOf.value = Date.now();
    say("live");
  };
  source.addEventListener("event", (message) => {
    const { event, run } = JSON.parse(message.data);
    position = event.position;
    asOf.value = Date.now();
    if (run) put(run);
    if (event.type.startsWith("system.")) readSystem();
  });
  source.onerror = (problem) => {
    // With data it is the server's own word; without, the browser lost the connection and comes back by itself.
    say("lost", problem.data ? JSON.parse(problem.data).detail : null);
    if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
  };
}

const readSystem = async () => (system.value = await get("/system"));

export async function open() {
  try {
    const page = await get("/runs?limit=100");
    page.items.forEach(put);
    position = Math.max(position, page.position);
    await readSystem();
    listen();
  } catch (error) {
    say("lost", error.message);
    if (!signedOut.peek()) setTimeout(open, RETRY_MS);
  }
}

setInterval(() => (now.value = Date.now()), 1000);
