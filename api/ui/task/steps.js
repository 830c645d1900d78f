// steps.js: what can be done with a task now, and if not, why not. Asked when drawn and again when pressed.

import { inbox } from "../board/data.js";
import { cellOf } from "../store.js";
import { whyNot } from "../session.js";

/** @typedef {import("../types/page").Known} Known */

/** @param {Known} known */
const hasOpenRun = ({ brief }) => Boolean(brief && !brief.outcome);

/** @param {Known} known @param {string | null} read the hash of the text that the reader has before them */
function unread({ task }, read) {
  if (!task?.spec || !read || task.spec.hash === read) return null;
  return `Version ${task.spec.version} by ${task.spec.author} came while you were reading: read it first.`;
}

/** @param {Known} known */
export function whyNotValidate({ task }) {
  if (!task?.spec) return "There is no spec yet: write one.";
  return whyNot("operator");
}

/** @param {Known} known @param {string | null} read */
export function whyNotApprove(known, read) {
  const { task } = known;
  if (!task?.spec) return "There is no spec yet: write one.";
  if (task.spec.state === "approved") return `Version ${task.spec.version} is approved already.`;
  if (!read) return "Its text is not here yet: nobody approves what they could not read.";
  return unread(known, read) ?? whyNot("approver") ?? refused(task);
}

/** What the server says of this reader and this text, where it lists it among what waits for an approval. @param {import("../types/page").Head} task */
function refused({ vtid, spec }) {
  const why = inbox.value?.approvals.items.find((/** @type {any} */ each) => each.vtid === vtid && each.spec.hash === spec?.hash)?.why_not;
  return why ? `${why[0].toUpperCase()}${why.slice(1)}.` : null;
}

/** @param {Known} known @param {string | null} read */
export function whyNotActivate(known, read) {
  const { task, brief } = known;
  if (!task?.spec) return "There is no spec yet: write one.";
  if (task.status === "completed") return "The task is completed, which is final.";
  if (hasOpenRun(known)) return `A run is under way, in ${brief?.stage}.`;
  if (task.spec.state !== "approved") return `The spec is ${task.spec.state}: version ${task.spec.version} must be approved first.`;
  return unread(known, read) ?? whyNot("operator");
}

/** @param {Known} known */
export function whyNotEdit({ task }) {
  if (task?.status === "completed") return "The task is completed, which is final.";
  return whyNot("operator");
}

/** @param {Known} known */
export function whyNotCancel(known) {
  if (!hasOpenRun(known)) return "No run is under way.";
  return whyNot("operator");
}

/** As it stands at this very moment, whatever was drawn before. @param {string} vtid */
export const nowOf = (vtid) => cellOf(vtid).peek();
