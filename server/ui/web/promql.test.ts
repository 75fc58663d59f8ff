// Models become regular expressions inside strings; every panel's query is whole.
import { expect, test } from 'vitest';
import { PANELS, thresholdOf } from './panels';
import { escapeString, queryFor, quoteRegex } from './promql';

test.each([
  ['llama', 'llama'],
  ['meta-llama/Llama-3.1-8B', 'meta-llama/Llama-3\\.1-8B'],
  ['a|b', 'a\\|b'],
  ['(x)[y]{z}^$*+?', '\\(x\\)\\[y\\]\\{z\\}\\^\\$\\*\\+\\?'],
  ['back\\slash', 'back\\\\slash'],
  ['', ''],
])('quoteRegex(%j) is %j and matches only itself', (text, expected) => {
  expect(quoteRegex(text)).toBe(expected);
  expect(new RegExp(`^(?:${quoteRegex(text)})$`).test(text)).toBe(true);
  expect(new RegExp(`^(?:${quoteRegex(text)})$`).test(`${text}x`)).toBe(false);
});

test.each([
  ['plain', 'plain'],
  ['a"b', 'a\\"b'],
  ['a\\b', 'a\\\\b'],
  ['a\nb', 'a\\nb'],
])('escapeString(%j) is %j', (text, expected) => {
  expect(escapeString(text)).toBe(expected);
});

test.each([
  [null, 'x{model_name=~".+"}'],
  ['m', 'x{model_name=~"m"}'],
  ['v1.5', 'x{model_name=~"v1\\\\.5"}'],
  ['a"}) or vector(1', 'x{model_name=~"a\\"\\\\}\\\\) or vector\\\\(1"}'],
  ["$& and $'", 'x{model_name=~"\\\\$& and \\\\$\'"}'],
])('queryFor with the model %j is %j', (model, expected) => {
  expect(queryFor('x{model_name=~"$model"}', model)).toBe(expected);
});

test('there are eight panels, each with an id of its own', () => {
  expect(PANELS).toHaveLength(8);
  expect(new Set(PANELS.map((panel) => panel.id)).size).toBe(8);
});

const lines = PANELS.flatMap((panel) =>
  panel.lines.map((line) => [panel.id, line.name, line.expr]),
);

test.each(lines)('%s %s chooses the model in every selector, with balanced brackets', (...row) => {
  const expr = row[2] as string;
  expect(expr.match(/vllm:/g)?.length).toBe(expr.match(/\{model_name=~"\$model"\}/g)?.length);
  for (const [open, close] of ['()', '[]', '{}']) {
    expect(expr.split(open as string).length).toBe(expr.split(close as string).length);
  }
});

test.each(lines)('%s %s counts no metric under two names', (...row) => {
  const expr = row[2] as string;
  const renamed = [
    ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
    ['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'],
    ['vllm:prefix_cache_queries_total', 'vllm:gpu_prefix_cache_queries_total'],
    ['vllm:inter_token_latency_seconds_bucket', 'vllm:time_per_output_token_seconds_bucket'],
  ] as const;
  for (const [current, former] of renamed) {
    const parts = expr.split(' or ');
    const first = parts.findIndex((part) => part.includes(current));
    const second = parts.findIndex((part) => part.includes(former));
    expect(second).toBe(first === -1 ? -1 : first + 1);
  }
});

const kv = PANELS.find((panel) => panel.id === 'kv-cache')?.thresholds ?? [];
const hits = PANELS.find((panel) => panel.id === 'prefix-cache')?.thresholds ?? [];

test.each([
  [kv, 0, 'good'],
  [kv, 0.699, 'good'],
  [kv, 0.7, 'warn'],
  [kv, 0.899, 'warn'],
  [kv, 0.9, 'bad'],
  [kv, 1, 'bad'],
  [hits, 0, 'bad'],
  [hits, 0.3, 'warn'],
  [hits, 0.6, 'good'],
  [hits, Number.NaN, undefined],
])('thresholdOf(%#) of %d is %s', (thresholds, value, tone) => {
  expect(thresholdOf(thresholds, value)?.tone).toBe(tone);
});
