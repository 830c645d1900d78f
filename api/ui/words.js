// words.js: a state in signs and words. Pure: no requests, no DOM, so node alone can test it.

export const STAGE = {
  pending: { sign: "·", words: "not started" },
  running: { sign: "▸", words: "running" },
  blocked: { sign: "‖", words: "blocked" },
  success: { sign: "✓", words: "passed" },
  error: { sign: "✗", words: "stopped" },
  skipped: { sign: "–", words: "skipped" },
  cancelled: { sign: "○", words: "cancelled" },
};

const OUTCOME = {
  success: { sign: "✓", words: "proven", kind: "success" },
  failure: { sign: "✗", words: "the change failed", kind: "failure" },
  error: { sign: "!", words: "a system failed", kind: "error" },
  timeout: { sign: "◷", words: "took too long", kind: "error" },
  cancellation: { sign: "○", words: "cancelled", kind: "cancelled" },
};

// How a person ended the run says more than its outcome.
const ENDED_BY_A_PERSON = {
  ABANDONED: { sign: "✗", words: "given up", kind: "failure" },
  CANCELLED: { sign: "○", words: "cancelled", kind: "cancelled" },
};

const STATUS = {
  scheduled: { sign: "·", words: "scheduled", kind: "pending" },
  in_progress: { sign: "▸", words: "in progress", kind: "running" },
  validating: { sign: "▸", words: "validating", kind: "running" },
  blocked: { sign: "‖", words: "needs you", kind: "blocked" },
};

const ENGINE = {
  stuck: "Temporal keeps failing on this run; its state may stand still.",
  terminated: "Somebody ended this run inside Temporal.",
  unreachable: "Temporal does not answer, so this may be out of date.",
};

// A state from a newer server is shown by its own name.
const named = (table, key) => table[key] ?? { sign: "?", words: key, kind: "pending" };

export const stageLook = (status) => named(STAGE, status);
export function runLook(run) {
  if (!run.outcome) return named(STATUS, run.status);
  return ENDED_BY_A_PERSON[run.failure?.code] ?? named(OUTCOME, run.outcome);
}
export const engineWarning = (run) => (run.engine === "ok" ? null : (ENGINE[run.engine] ?? `Temporal: ${run.engine}`));
export const groupOf = (run) => (run.outcome ? "done" : run.status === "blocked" ? "needs" : "open");

export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const seconds = (from, to) => (to - Date.parse(from)) / 1000;

export const ago = (at, now) => `${duration(seconds(at, now))} ago`;

// Waiting for what, since when, until when, who can move it: the parts of one sentence.
export function waitingParts(waiting, now) {
  const left = waiting.until ? -seconds(waiting.until, now) : null;
  return {
    what: waiting.for,
    since: waiting.since ? duration(seconds(waiting.since, now)) : null,
    left: left === null ? null : left > 0 ? `${duration(left)} left` : "due now",
    late: left !== null && left <= 0,
    who: waiting.who,
  };
}

export function took(stage, now) {
  if (!stage.started_at) return "";
  return duration(seconds(stage.started_at, stage.ended_at ? Date.parse(stage.ended_at) : now));
}
