// Which instants a panel shows: the ranges on offer and their step grid.
//
// Start and end are multiples of the step (rounded down, as Grafana does), so that neighbouring
// refreshes ask for the same instants and the server can answer from what it has.

/** A range on offer. `step` never exceeds the five minutes that the panels' rates look back. */
export interface Range {
  name: string;
  seconds: number;
  step: number;
}

export const RANGES: Range[] = [
  { name: '15m', seconds: 900, step: 5 },
  { name: '1h', seconds: 3600, step: 15 },
  { name: '3h', seconds: 10_800, step: 30 },
  { name: '6h', seconds: 21_600, step: 60 },
  { name: '12h', seconds: 43_200, step: 120 },
  { name: '24h', seconds: 86_400, step: 300 },
];

export const DEFAULT_RANGE = '1h';

/** The instants `start`, `start + step`, … `end`, in Unix seconds. */
export interface Grid {
  start: number;
  end: number;
  step: number;
}

/** The range called `name`, or the default one. */
export function rangeNamed(name: string): Range {
  const found = RANGES.find((range) => range.name === name);
  return found ?? (RANGES.find((range) => range.name === DEFAULT_RANGE) as Range);
}

/** The grid of `range` that ends at or just before `now` (Unix seconds). */
export function gridAt(range: Range, now: number): Grid {
  const end = Math.floor(now / range.step) * range.step;
  return { start: end - range.seconds, end, step: range.step };
}

/** The instants of a grid. */
export function instants(grid: Grid): number[] {
  const count = Math.round((grid.end - grid.start) / grid.step) + 1;
  return Array.from({ length: count }, (_, i) => grid.start + i * grid.step);
}

/** The place of `time` on the grid, or -1 if it is not one of its instants. */
export function indexOf(grid: Grid, time: number): number {
  const index = Math.round((time - grid.start) / grid.step);
  const exact = Math.abs(grid.start + index * grid.step - time) < 1e-6;
  return exact && index >= 0 && time <= grid.end ? index : -1;
}
