// scale.js: time as a place on the axis. A long wait for a decision is drawn short, or it would hide the work. Pure.

const MOST_OF_WAITS = 0.2; // of the axis, for all waits for a decision together

/** @typedef {(at: number) => number} Scale from a moment to 0…1 */

/**
 * @param {number} from @param {number} to the run, in milliseconds
 * @param {{from: number, to: number}[]} waits for a decision, in order
 * @returns {{place: Scale, bent: boolean}} `bent`: the waits are not to scale
 */
export function scaleOf(from, to, waits) {
  const waited = waits.reduce((sum, wait) => sum + (wait.to - wait.from), 0);
  const work = Math.max(1, to - from - waited);
  const room = (work * MOST_OF_WAITS) / (1 - MOST_OF_WAITS);
  const factor = waited > room ? room / waited : 1;
  const span = work + waited * factor;
  const place = (/** @type {number} */ at) => {
    const before = waits.reduce((sum, wait) => sum + Math.max(0, Math.min(at, wait.to) - wait.from), 0);
    return Math.min(1, Math.max(0, (at - from - before + before * factor) / span));
  };
  return { place, bent: factor < 1 };
}
