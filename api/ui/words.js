// words.js: a state in a sign, a word and a kind (which has a colour). Pure: no requests, no DOM.

/** @typedef {{sign: string, words: string, kind: string}} Look */

/** @type {Record<string, Look>} */
const STAGE = {
  pending: { sign: "·", words: "not started", kind: "pending" },
  running: { sign: "▸", words: "running", kind: "running" },
  blocked: { sign: "‖", words: "blocked", kind: "blocked" },
  success: { sign: "✓", words: "passed", kind: "success" },
  error: { sign: "✗", words: "stopped", kind: "failure" },
  not_passed: { sign: "✗", words: "not passed", kind: "failure" }, // a round of it, before the next one
  skipped: { sign: "–", words: "skipped", kind: "pending" },
  cancelled: { sign: "○", words: "cancelled", kind: "cancelled" },
};

/** @type {Record<string, Look>} */
const OUTCOME = {
  success: { sign: "✓", words: "proven", kind: "success" },
  failure: { sign: "✗", words: "the change failed", kind: "failure" },
  error: { sign: "!", words: "a system failed", kind: "error" },
  timeout: { sign: "◷", words: "took too long", kind: "error" },
  cancellation: { sign: "○", words: "cancelled", kind: "cancelled" },
};

// How a person ended the run says more than its outcome.
/** @type {Record<string, Look>} */
const ENDED_BY_A_PERSON = {
  ABANDONED: { sign: "✗", words: "given up", kind: "failure" },
  CANCELLED: { sign: "○", words: "cancelled", kind: "cancelled" },
};

/** @type {Record<string, Look>} */
const STATUS = {
  allocated: { sign: "✎", words: "needs approval", kind: "pending" },
  scheduled: { sign: "◔", words: "ready to start", kind: "pending" },
  in_progress: { sign: "▸", words: "in progress", kind: "running" },
  validating: { sign: "▸", words: "validating", kind: "running" },
  blocked: { sign: "‖", words: "needs you", kind: "blocked" },
  completed: { sign: "✓", words: "completed", kind: "success" },
  rejected: { sign: "✗", words: "failed", kind: "failure" },
  cancelled: { sign: "○", words: "cancelled", kind: "cancelled" },
};

/** @type {Record<string, Look>} */
const SPEC = {
  draft: { sign: "✎", words: "draft", kind: "pending" },
  validated: { sign: "◔", words: "validated", kind: "running" },
  approved: { sign: "✓", words: "approved", kind: "success" },
};

/** @type {Record<string, Look>} */
const ANSWER = {
  pass: { sign: "✓", words: "pass", kind: "success" },
  fail: { sign: "✗", words: "fail", kind: "failure" },
  not_asked: { sign: "?", words: "not asked", kind: "error" },
  skipped: { sign: "–", words: "skipped", kind: "pending" },
};

/** @type {Record<string, Look>} */
const LINK = {
  proven: { sign: "✓", words: "proven", kind: "success" },
  claimed: { sign: "❝", words: "claimed", kind: "error" },
  contradicted: { sign: "✗", words: "contradicted", kind: "failure" },
  unknown: { sign: "?", words: "unknown", kind: "error" },
};

// What became of a deployment after it was proven.
/** @type {Record<string, Look>} */
const SERVING = {
  watched: { sign: "✓", words: "still as proven", kind: "success" },
  restored: { sign: "✓", words: "as proven, again", kind: "success" },
  superseded: { sign: "→", words: "superseded by a newer one", kind: "pending" },
  drifted: { sign: "≠", words: "drifted", kind: "failure" },
  reverted: { sign: "✗", words: "reverted", kind: "failure" },
  unwatched: { sign: "?", words: "not watched any more", kind: "error" },
};

// What was proven and does not hold any more must not stand there as proven alone.
/** @type {Record<string, Look>} */
const PROVEN_ONCE = {
  drifted: { sign: "≠", words: "proven, then drifted", kind: "failure" },
  reverted: { sign: "✗", words: "proven, then reverted", kind: "failure" },
  unwatched: { sign: "?", words: "proven, not watched any more", kind: "error" },
};

// What was done about a deployment that could not be proven.
/** @type {Record<string, Look>} */
const ROLLBACK = {
  proven: { sign: "↶", words: "rolled back, proven", kind: "success" },
  unproven: { sign: "?", words: "rolled back, not proven", kind: "error" },
  held: { sign: "‖", words: "not rolled back", kind: "blocked" },
};

/** @type {Record<string, string>} */
const ENGINE = {
  stuck: "Temporal keeps failing on this run; its state may stand still.",
  terminated: "Somebody ended this run inside Temporal.",
  unreachable: "Temporal does not answer, so this may be out of date.",
};

// A state from a newer server is shown by its own name.
const look = (/** @type {Record<string, Look>} */ table) => (/** @type {string} */ key) =>
  table[key] ?? { sign: "?", words: plain(key), kind: "pending" };

export const stageLook = look(STAGE);
export const statusLook = look(STATUS);
export const specLook = look(SPEC);
export const answerLook = look(ANSWER);
export const linkLook = look(LINK);
export const servingLook = look(SERVING);
export const rollbackLook = look(ROLLBACK);

/** A task in a word: how its run ended says more than its status. @param {string} status @param {{outcome: string | null, failure: {code: string} | null, serving?: {state: string} | null} | null} run */
export function taskLook(status, run) {
  const ended = status === "rejected" || status === "cancelled" || status === "completed";
  if (!ended || !run?.outcome) return started(status, run);
  return PROVEN_ONCE[run.serving?.state ?? ""] ?? ENDED_BY_A_PERSON[run.failure?.code ?? ""] ?? look(OUTCOME)(run.outcome);
}

/** A started run that waits is not "ready to start". @param {string} status @param {{outcome: string | null} | null} run */
const started = (status, run) =>
  status === "scheduled" && run && !run.outcome ? { sign: "◔", words: "started, waiting", kind: "running" } : statusLook(status);

/** @param {{engine: string}} run */
export const engineWarning = (run) => (run.engine === "ok" ? null : (ENGINE[run.engine] ?? `Temporal: ${run.engine}`));

/** The board's column of a status, as the server sorts it: a card moves as soon as its event is here. @type {Record<string, string>} */
export const COLUMN_OF = {
  allocated: "scheduled",
  scheduled: "scheduled",
  in_progress: "in_progress",
  validating: "in_progress",
  blocked: "needs_you",
  completed: "done",
  rejected: "done",
  cancelled: "done",
};

/** @type {Record<string, string>} */
export const COLUMN_WORDS = { scheduled: "Scheduled", in_progress: "In progress", needs_you: "Needs you", done: "Done" };

/** A name of the code as words: `await_checks` → `await checks`. @param {string} name */
export const plain = (name) => name.replaceAll("_", " ");

/** A failure code as words: `PICKUP_TIMEOUT` → `pickup timeout`. @param {string} code */
export const codeWords = (code) => plain(code).toLowerCase();

/** @param {string} hash */
export const brief = (hash) => hash.slice(0, 10);
