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

/** @param {string} at @param {number} now */
export const secondsSince = (at, now) => (now - Date.parse(at)) / 1000;

/** In the reader's own zone. @param {string} at */
export const local = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** @param {string} at */
export const clockTime = (at) => new Date(at).toLocaleTimeString(undefined, { hour12: false });

/** The day in the reader's own zone. @param {string} at */
export const day = (at) => new Date(at).toDateString();

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
