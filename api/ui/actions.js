// actions.js: what a person does. A pressed button shows progress, always comes back, and says how it went.

import { signal } from "@preact/signals";
import { Problem } from "./api.js";
import { put } from "./store.js";
import { changesBetween } from "./changes.js";
import { cellOf } from "./store.js";

/** @type {import("@preact/signals").Signal<ReadonlySet<string>>} */
const running = signal(new Set());
/** @type {import("@preact/signals").Signal<import("./types/page").Notice[]>} */
export const notices = signal([]);
/** What a screen reader is told, politely. */
export const announced = signal("");

const DONE_MS = 30_000;
let lastId = 0;

/** Whether this action runs now. @param {string} key */
export const isBusy = (key) => running.value.has(key);

/** @param {string} text */
export const announce = (text) => (announced.value = text);

/**
 * Do one thing at a time under a key. A refusal becomes a notice in words; true when it was done.
 * @param {string} key such as `approve VTID-0001`
 * @param {() => Promise<unknown>} work
 * @param {{did?: string, undo?: () => Promise<void>, href?: string}} [told] what to say when it is done
 */
export async function perform(key, work, { did, undo, href } = {}) {
  if (running.peek().has(key)) return false;
  running.value = new Set(running.peek()).add(key);
  clear(key);
  try {
    await work();
    if (did) note({ key, kind: "done", text: did, undo, href });
    return true;
  } catch (error) {
    note({ key, kind: "refused", text: inWords(error) });
    return false;
  } finally {
    const rest = new Set(running.peek());
    rest.delete(key);
    running.value = rest;
  }
}

/** @param {{key: string, kind: "done" | "refused", text: string, undo?: () => Promise<void>, href?: string}} notice */
function note(notice) {
  const id = ++lastId;
  notices.value = [...notices.peek().slice(-3), { id, ...notice }];
  announce(notice.text);
  // What was done can be seen elsewhere; why something was not done stays until it is put away.
  if (notice.kind === "done") setTimeout(() => dismiss(id), DONE_MS);
}

/** What was said about the same action before is old. @param {string} key */
const clear = (key) => (notices.value = notices.peek().filter((each) => /** @type {any} */ (each).key !== key));

/** @param {number} id */
export const dismiss = (id) => (notices.value = notices.peek().filter((each) => each.id !== id));

/**
 * A refusal for people. One that brings the fresh object says what changed, and the page has it from then on.
 * @param {unknown} error
 */
export function inWords(error) {
  if (!(error instanceof Problem)) throw error;
  if (!error.fresh) return error.status === 403 ? `Not allowed: ${error.message}.` : error.message;
  const changes = changesBetween(cellOf(error.fresh.vtid).peek().task, error.fresh);
  put(error.fresh);
  return `Nothing was done, because ${error.fresh.vtid} changed meanwhile: ${changes.join("; ") || "see above"}.`;
}
