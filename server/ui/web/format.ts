// How values and instants are written for people. Instants are in the browser's time zone, on a
// 24 h clock.
import type { Unit } from './panels';

/** Rounds to three significant digits, without an exponent below a million. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return size >= 0.01 ? trim(value.toFixed(digits)) : trim(value.toPrecision(2));
}

/** Takes off zeros after the decimal point that say nothing. */
function trim(text: string): string {
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text;
}

/** Writes large numbers with k, M or G. */
function scaled(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)} G`;
  if (size >= 1e6) return `${short(value / 1e6)} M`;
  if (size >= 1e4) return `${short(value / 1e3)} k`;
  return short(value);
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${short(seconds * 1e6)} µs`;
  if (size < 1) return `${short(seconds * 1e3)} ms`;
  if (size < 120) return `${short(seconds)} s`;
  return `${short(seconds / 60)} min`;
}

/** Writes a finite `value` of `unit`; infinities as such, NaN as what it means here. */
export function formatValue(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return 'no traffic';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  switch (unit) {
    case 'ratio':
      return `${trim((value * 100).toFixed(1))} %`;
    case 'seconds':
      return duration(value);
    case 'count':
      return scaled(value);
    case 'requests/s':
    case 'tokens/s':
      return `${scaled(value)}/s`;
  }
}

/** Reads a sample value of the API: a decimal number, `NaN`, `+Inf` or `-Inf`. */
export function parseSample(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text.trim() === '' ? Number.NaN : Number(text);
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', hourCycle: 'h23' });
const clockShort = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', hourCycle: 'h23' });

/** `14:03:15` for an instant in Unix seconds. */
export function formatTime(seconds: number): string {
  return clock.format(seconds * 1000);
}

/** `14:03` for an instant in Unix seconds. */
export function formatMinute(seconds: number): string {
  return clockShort.format(seconds * 1000);
}
