// clock.js: what time it is for the server. Every age and countdown of the page reads this one clock.

import { signal } from "@preact/signals";

const TOLERATED_MS = 2000; // below this the difference is the way of the answer, not a wrong clock

let skew = 0;
export const now = signal(Date.now());

/** Set the clock by the server's: a reader's wrong clock must not make a deadline wrong. @param {string} at */
export function serverSays(at) {
  const difference = Date.parse(at) - Date.now();
  skew = Math.abs(difference) > TOLERATED_MS ? difference : 0;
}

setInterval(() => (now.value = Date.now() + skew), 1000);
