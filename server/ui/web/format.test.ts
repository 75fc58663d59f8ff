// Numbers as people read them, and sample values as the API writes them.
import { expect, test } from 'vitest';
import { formatTime, formatValue, parseSample } from './format';
import type { Unit } from './panels';

const rows: [number, Unit, string][] = [
  [0, 'seconds', '0 s'],
  [0.000004, 'seconds', '4 µs'],
  [0.0123, 'seconds', '12.3 ms'],
  [0.25, 'seconds', '250 ms'],
  [1, 'seconds', '1 s'],
  [2.345, 'seconds', '2.35 s'],
  [119, 'seconds', '119 s'],
  [600, 'seconds', '10 min'],
  [0, 'ratio', '0 %'],
  [0.005, 'ratio', '0.5 %'],
  [0.5644, 'ratio', '56.4 %'],
  [1, 'ratio', '100 %'],
  [3, 'count', '3'],
  [1234, 'count', '1234'],
  [12_345, 'count', '12.3 k'],
  [0.67, 'requests/s', '0.67/s'],
  [0.0012, 'requests/s', '0.0012/s'],
  [1_234_567, 'tokens/s', '1.23 M/s'],
  [2e9, 'tokens/s', '2 G/s'],
  [Number.NaN, 'ratio', 'no traffic'],
  [Number.NaN, 'seconds', 'no traffic'],
  [Number.POSITIVE_INFINITY, 'seconds', '∞'],
  [Number.NEGATIVE_INFINITY, 'count', '-∞'],
];

test.each(rows)('formatValue(%d, %s) is %j', (value, unit, expected) => {
  expect(formatValue(value, unit)).toBe(expected);
});

test.each([
  ['1.5', 1.5],
  ['-0', -0],
  ['1e-07', 1e-7],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
  ['', Number.NaN],
  ['word', Number.NaN],
])('parseSample(%j) is %d', (text, expected) => {
  expect(parseSample(text)).toBe(expected);
});

test('the clock has 24 hours', () => {
  const evening = new Date(2026, 0, 2, 23, 4, 5).getTime() / 1000;
  const midnight = new Date(2026, 0, 2, 0, 0, 0).getTime() / 1000;
  expect(formatTime(evening)).toBe('23:04:05');
  expect(formatTime(midnight)).toBe('00:00:00');
});
