/**
 * What is told of many figures.
 *
 * @module
 */

/** The middle one of the figures, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** From the lowest to the highest figure, as a fraction of the median; 0 if all are alike. */
export function spread(figures: readonly number[]): number {
  const range = Math.max(...figures) - Math.min(...figures);
  return range === 0 ? 0 : range / median(figures);
}
