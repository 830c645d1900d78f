// doing.js: the verbs of a task. Each reads the state at the moment of the click, and names the version that it means.

import { signal } from "@preact/signals";
import { api } from "../api.js";
import { perform } from "../actions.js";
import { load, put, putRun } from "../store.js";
import { nowOf } from "./steps.js";

/** Hashes of the texts that were saved in this tab: their author has read them. */
export const savedHere = signal(/** @type {ReadonlySet<string>} */ (new Set()));

/** The task as it stands now; the buttons cannot be pressed before it is read. @param {string} vtid */
const taskOf = (vtid) => /** @type {import("../types/page").Head} */ (nowOf(vtid).task);

/** @param {string} vtid */
export const validate = (vtid) =>
  perform(`validate ${vtid}`, async () => put(await api("POST", `/tasks/${vtid}/spec/validate`, { ifMatch: taskOf(vtid).version })), {
    did: `The spec of ${vtid} is well-formed.`,
  });

/**
 * Approve the text that was read, and no other.
 * @param {string} vtid @param {string} hash of the text before the reader
 */
export const approve = (vtid, hash) =>
  perform(
    `approve ${vtid}`,
    async () => put(await api("POST", `/tasks/${vtid}/spec/approve`, { body: { hash }, ifMatch: taskOf(vtid).version })),
    { did: `The spec of ${vtid} is approved, in your name and for exactly this text.` },
  );

/** @param {string} vtid */
export const activate = (vtid) =>
  perform(
    `activate ${vtid}`,
    async () => {
      try {
        putRun(await api("POST", "/runs", { body: { vtid } }), vtid);
      } catch (error) {
        // A refused start means that the task is not as it looked: see how it stands.
        if (/** @type {any} */ (error).status === 409) await load(vtid);
        throw error;
      }
    },
    { did: `The run of ${vtid} is started.`, href: `/runs/${vtid}` },
  );

/**
 * Change fields of the task; the answer to a lost race is how it stands now.
 * @param {string} vtid @param {Record<string, unknown>} changes
 */
export function change(vtid, changes) {
  const before = taskOf(vtid);
  const old = Object.fromEntries(Object.keys(changes).map((name) => [name, /** @type {any} */ (before)[name]]));
  const send = async (/** @type {Record<string, unknown>} */ body) => put(await api("PATCH", `/tasks/${vtid}`, { body, ifMatch: taskOf(vtid).version }));
  return perform(`change ${vtid}`, () => send(changes), { did: `${vtid} is changed.`, undo: () => send(old) });
}

/**
 * Save the text as a new version, on top of the version that was edited.
 * @param {string} vtid @param {string} markdown @param {number} version of the task that the editor began with
 * @param {string | null} before the text that it replaces
 */
export function save(vtid, markdown, version, before) {
  const send = async (/** @type {string} */ text, /** @type {number} */ ifMatch) => {
    const task = await api("PUT", `/tasks/${vtid}/spec`, { body: { markdown: text }, ifMatch });
    savedHere.value = new Set(savedHere.peek()).add(task.spec.hash);
    put(task);
  };
  const undo = before === null ? undefined : () => send(before, taskOf(vtid).version);
  return perform(`save ${vtid}`, () => send(markdown, version), { did: `The spec of ${vtid} is saved as a new version; it needs an approval.`, undo });
}

/** @param {string} vtid @param {string} reason */
export const cancel = (vtid, reason) =>
  perform(`cancel ${vtid}`, async () => putRun(await api("POST", `/runs/${vtid}/cancel`, { body: { reason } }), vtid), {
    did: `${vtid} is asked to end; its worker is told at its next heartbeat.`,
  });
