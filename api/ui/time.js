// time.js: moments and durations in words. Pure.

/** @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** A duration that was measured: below ten seconds with tenths, below one in milliseconds. @param {number} ms */
export function measured(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000);
}

/** The largest unit alone, for narrow places: `5 min`, `3 h`, `2 d`. @param {number} seconds */
export function short(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** A limit, told in full and without what is nothing: `90 s` is `1 min 30 s`, never "1 min". @param {number} seconds */
export function exact(seconds) {
  if (seconds < 1) return measured(seconds * 1000);
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  return duration(seconds).replace(/ 0+ (s|min|h)$/, "").replace(" 0", " ");
}

/** @param {string} at @param {number} now */
export const secondsSince = (at, now) => (now - Date.parse(at)) / 1000;

// Made once: a log has thousands of moments. `hour12: false` would call the first hour of the day 24 in some languages.
const CLOCK = /** @type {const} */ ({ timeStyle: "medium", hourCycle: "h23" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", ...CLOCK });
const TIME = new Intl.DateTimeFormat(undefined, CLOCK);
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

/** In the reader's own zone. @param {string} at */
export const local = (at) => MOMENT.format(new Date(at));

/** @param {string} at */
export const clockTime = (at) => TIME.format(new Date(at));

/** The name of the zone that all moments are told in. */
export const zone = () => TIME.resolvedOptions().timeZone;

/** The day in the reader's own zone. @param {string} at */
export const day = (at) => DAY.format(new Date(at));

/** The exact moment in UTC. @param {string} at */
export const utc = (at) => `${new Date(at).toISOString().replace("T", " ").replace("Z", "")} UTC`;

/**
 * How long until a moment: `12 s left`, or that it is over.
 * @param {string} until @param {number} now
 */
export function left(until, now) {
  const seconds = -secondsSince(until, now);
  return seconds > 0 ? { text: `${duration(seconds)} left`, late: false } : { text: "due now", late: true };
}
