// The step grid: aligned to the step, and the place of an instant on it.
import { expect, test } from 'vitest';
import { gridAt, indexOf, instants, RANGES, rangeNamed } from './span';

test.each([
  ['1h', 1_000_000.0, { start: 996_390, end: 999_990, step: 15 }],
  ['1h', 999_990, { start: 996_390, end: 999_990, step: 15 }],
  ['1h', 999_989.999, { start: 996_375, end: 999_975, step: 15 }],
  ['15m', 1_000_004.9, { start: 999_100, end: 1_000_000, step: 5 }],
])('gridAt(%s, %d)', (name, now, expected) => {
  expect(gridAt(rangeNamed(name), now)).toEqual(expected);
});

test.each(RANGES)('$name is whole steps of at most five minutes', (range) => {
  expect(range.seconds % range.step).toBe(0);
  expect(range.step).toBeLessThanOrEqual(300);
  const times = instants(gridAt(range, 1_795_501_234.5));
  expect(times).toHaveLength(range.seconds / range.step + 1);
  expect(times.every((time) => time % range.step === 0)).toBe(true);
});

test.each([
  ['3h', '3h'],
  ['1h', '1h'],
  ['', '1h'],
  ['2y', '1h'],
])('rangeNamed(%j) is %s', (name, expected) => {
  expect(rangeNamed(name).name).toBe(expected);
});

test.each([
  [100, 0],
  [115, 1],
  [130, 2],
  [85, -1],
  [145, -1],
  [107, -1],
])('indexOf(%d) is %d', (time, expected) => {
  expect(indexOf({ start: 100, end: 130, step: 15 }, time)).toBe(expected);
});
