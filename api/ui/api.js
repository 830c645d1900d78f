// api.js: the only file that sends a request. Every one has a time limit, and every refusal is a Problem in words.

const PREFIX = "/api/v1";
const TIMEOUT_MS = 10_000; // the server answers within 8 s, or says that it cannot
const AGAIN_MS = 300;
const CHANGING = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * A call that did not do what was asked. `unknown`: no answer came, so nothing is known to have happened.
 */
export class Problem extends Error {
  /**
   * @param {string} detail
   * @param {Partial<import("./types/page").ProblemBody> & {unknown?: boolean}} [told]
   */
  constructor(detail, told = {}) {
    super(detail);
    this.status = told.status ?? 0;
    this.code = told.code ?? "UNREACHABLE";
    this.title = told.title ?? "";
    this.expected = told.expected;
    this.actual = told.actual;
    this.errors = told.errors ?? [];
    this.fresh = told.fresh ?? null;
    this.request = told.request_id ?? null;
    this.unknown = told.unknown ?? false;
  }
}

/** Called when the server says that nobody is signed in. Set once, by session.js. */
let onSignedOut = () => {};
/** @param {() => void} react */
export const whenSignedOut = (react) => (onSignedOut = react);

// The key of a call whose answer never came is used again, so that pressing once more cannot do it twice.
/** @type {Map<string, string>} */
const unanswered = new Map();

/**
 * Ask the server. Gives the answer's JSON (null when it has none); throws Problem.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: unknown, ifMatch?: number | null, timeout?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function api(method, path, { body, ifMatch, timeout = TIMEOUT_MS, signal } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const limit = AbortSignal.timeout(timeout);
  const call = `${method} ${path} ${text ?? ""}`;
  let answer, told;
  try {
    do {
      if (told) await pause(limit);
      answer = await fetch(PREFIX + path, {
        method,
        body: text,
        headers: headersOf(method, text, ifMatch, call),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      told = answer.status === 204 ? null : await answer.json();
      // Pressed again, and the first call goes on behind the server's door: its answer is ours, too.
    } while (answer.status === 409 && told.actual === "in_progress");
  } catch (error) {
    if (signal?.aborted) throw error;
    throw silence(method, answer, limit.aborted ? timeout : null);
  }
  if (answer.status < 500) unanswered.delete(call);
  if (answer.ok) return told;
  if (answer.status === 401) onSignedOut();
  throw new Problem(told?.detail ?? `the server answered ${answer.status}`, told ?? { status: answer.status });
}

/** A moment, or as long as the time limit allows. @param {AbortSignal} limit */
const pause = (limit) =>
  new Promise((go, stop) => {
    setTimeout(go, AGAIN_MS);
    limit.addEventListener("abort", stop, { once: true });
  });

/**
 * @param {string} method
 * @param {string | undefined} text
 * @param {number | null | undefined} ifMatch
 * @param {string} call
 */
function headersOf(method, text, ifMatch, call) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (text !== undefined) headers["Content-Type"] = "application/json";
  if (ifMatch != null) headers["If-Match"] = `"${ifMatch}"`;
  if (CHANGING.has(method)) {
    if (!unanswered.has(call)) unanswered.set(call, newKey());
    headers["Idempotency-Key"] = /** @type {string} */ (unanswered.get(call));
  }
  return headers;
}

// crypto.randomUUID exists on secure origins only, and a page on the local network may not be one.
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {string} method
 * @param {Response | undefined} answer
 * @param {number | null} waited milliseconds, null when the connection failed
 */
function silence(method, answer, waited) {
  const why = waited
    ? `the server did not answer within ${waited / 1000} s`
    : answer
      ? "the server's answer broke off"
      : "the server is out of reach";
  if (!CHANGING.has(method)) return new Problem(why, { unknown: true });
  return new Problem(`Nothing was confirmed: ${why}. It may or may not have happened; pressing again cannot do it twice.`, {
    unknown: true,
  });
}
