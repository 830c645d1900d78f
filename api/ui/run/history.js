// history.js: the events of a run as stages with their steps, each with its begin and end. Pure.

/** @typedef {import("../types/page").LoggedEvent} LoggedEvent */
/** @typedef {{name: string, attempt: number | null, from: string, to: string | null, position: number, notes: string[], waits: number}} Step */
/** @typedef {{stage: string, round: number, from: string, to: string | null, status: string, position: number, steps: Step[]}} Period */

/** What an event adds to the step that it happens in. @type {Record<string, (data: any) => string>} */
const NOTES = {
  "work_order.claimed": (data) => `claimed by ${data.worker}, attempt ${data.attempt}`,
  "work_order.unclaimed": (data) => `nobody took it within ${data.seconds} s (${data.free} free, ${data.busy} busy)`,
  "work_order.withdrawn": (data) => `order withdrawn: ${data.reason}`,
  "attempt.ended": (data) => `attempt ${data.attempt} ended: ${data.code ?? ""} ${data.message ?? ""}`,
  "evidence.refused": (data) => `refused: ${data.reason}`,
  "evidence.contradicted": (data) => `${data.field} claimed ${data.claimed}, observed ${data.observed}`,
  "repair.ordered": (data) => `sent back to be mended, round ${data.round} of ${data.rounds}: ${data.reason}`,
  "verdict.voided": (data) => `verdict voided: ${data.reason}`,
  "change.head_moved": (data) => `head moved to ${String(data.to).slice(0, 10)}`,
  "change.queued": (data) => `in the merge queue, at position ${data.position}`,
  "change.dequeued": (data) => `out of the merge queue: ${data.reason}`,
  "change.merged": (data) => `merged as ${String(data.sha).slice(0, 10)}`,
  "deploy.run_ended": (data) => `deploy run: ${data.conclusion}`,
  "run.resumed": (data) => `${data.move} by ${data.by}`,
};

/** @param {LoggedEvent[]} events of one run, in order @returns {Period[]} */
export function periodsOf(events) {
  /** @type {Period[]} */
  const periods = [];
  for (const event of events) add(periods, event);
  return periods;
}

/** @param {Period[]} periods @param {LoggedEvent} event */
function add(periods, event) {
  const { type, at, data, position } = event;
  let period = periods.at(-1);
  if (type === "stage.started") {
    close(period, at, "not_passed"); // a stage that passed says so itself, with stage.finished
    const stage = event.stage ?? "";
    const round = 1 + periods.filter((each) => each.stage === stage).length;
    periods.push({ stage, round, from: at, to: null, status: "running", position, steps: [] });
    return;
  }
  if (!period) return;
  if (type === "step.started") begin(period, data.step, data.attempt ?? null, at, position);
  else if (type === "run.blocked") begin(period, "blocked", null, at, position).notes.push(`${data.failure.code}: ${data.failure.message}`), (period.status = "blocked");
  else if (type === "run.resumed") note(period, event), endStep(period, at), (period.status = "running");
  else if (type === "stage.finished") close(period, at, data.status ?? "success");
  else if (type === "run.finished") close(period, at, data.status === "completed" ? "success" : data.status === "cancelled" ? "cancelled" : "error");
  else if (type === "wait.started") countWait(period);
  else note(period, event);
}

/** @param {Period} period @param {string} name @param {number | null} attempt @param {string} at @param {number} position */
function begin(period, name, attempt, at, position) {
  endStep(period, at);
  /** @type {Step} */
  const step = { name, attempt, from: at, to: null, position, notes: [], waits: 0 };
  period.steps.push(step);
  return step;
}

/** @param {Period} period */
function countWait(period) {
  const step = period.steps.at(-1);
  if (step) step.waits += 1;
}

/** @param {Period} period @param {LoggedEvent} event */
function note(period, event) {
  const words = NOTES[event.type]?.(event.data);
  if (words) period.steps.at(-1)?.notes.push(words);
}

/** @param {Period} period @param {string} at */
function endStep(period, at) {
  const step = period.steps.at(-1);
  if (step && !step.to) step.to = at;
}

/** @param {Period | undefined} period @param {string} at @param {string} status */
function close(period, at, status) {
  if (!period || period.to) return;
  endStep(period, at);
  period.to = at;
  period.status = status;
}
