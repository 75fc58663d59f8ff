// The eight panels of the LLM Performance Dashboard, as data.
//
// Every expression returns one series: the fleet's value for the chosen model. vLLM renamed
// several metrics and some releases show both names with equal values. `new or old` takes the
// new series and, where a server does not have it, the old one: `or` compares all labels but the
// metric name, so nothing is counted twice.

/** How a value is written: a share of one, seconds, a count, or events for each second. */
export type Unit = 'ratio' | 'seconds' | 'count' | 'requests/s' | 'tokens/s';

/** One line of a panel. */
export interface Line {
  name: string;
  /** PromQL with `$model` for the label `model_name`. */
  expr: string;
  /** Number of the colour in style.css, 1 to 4. */
  colour: 1 | 2 | 3 | 4;
  /** Drawn broad and first, because a later line often coincides with it. */
  broad?: boolean;
}

/** From `from` upward a gauge is in the state `word`, which is `tone` of colour. */
export interface Threshold {
  from: number;
  tone: 'good' | 'warn' | 'bad';
  word: string;
}

/** One panel; with `thresholds` it is a gauge that shows the last value of its last line. */
export interface Panel {
  id: string;
  title: string;
  about: string;
  unit: Unit;
  lines: Line[];
  thresholds?: Threshold[];
}

const MODEL = '{model_name=~"$model"}';
const WINDOW = '[5m]';

/** `new or old`, each made into an expression by `wrap`. */
function either(names: [current: string, former: string], wrap: (name: string) => string): string {
  return names.map(wrap).join(' or ');
}

const gauge = (name: string) => `${name}${MODEL}`;
const rate = (name: string) => `rate(${name}${MODEL}${WINDOW})`;
const total = (name: string) => `sum(${rate(name)})`;

function quantile(q: string, buckets: string): string {
  return `histogram_quantile(${q}, sum by (le) (${buckets}))`;
}

const TTFT = rate('vllm:time_to_first_token_seconds_bucket');
const E2E = rate('vllm:e2e_request_latency_seconds_bucket');
const ITL = either(
  ['vllm:inter_token_latency_seconds_bucket', 'vllm:time_per_output_token_seconds_bucket'],
  rate,
);
const KV = either(['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'], gauge);
const HITS = either(['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'], rate);
const QUERIES = either(
  ['vllm:prefix_cache_queries_total', 'vllm:gpu_prefix_cache_queries_total'],
  rate,
);

export const PANELS: Panel[] = [
  {
    id: 'ttft',
    title: 'Time to first token',
    about: 'How long a user waits for the first token',
    unit: 'seconds',
    lines: [
      { name: 'P50', colour: 1, expr: quantile('0.50', TTFT) },
      { name: 'P95', colour: 2, expr: quantile('0.95', TTFT) },
      { name: 'P99', colour: 3, expr: quantile('0.99', TTFT) },
    ],
  },
  {
    id: 'itl',
    title: 'Inter-token latency',
    about: 'Pause between two tokens of an answer',
    unit: 'seconds',
    lines: [
      { name: 'P50', colour: 1, expr: quantile('0.50', ITL) },
      { name: 'P95', colour: 2, expr: quantile('0.95', ITL) },
    ],
  },
  {
    id: 'kv-cache',
    title: 'KV-cache usage',
    about: 'Share of the cache blocks in use; the gauge shows the fullest engine',
    unit: 'ratio',
    // Some releases show one series for each API process (label `pid`): one per engine counts.
    lines: [
      {
        name: 'Average',
        colour: 4,
        broad: true,
        expr: `avg(max by (instance, model_name, engine) (${KV}))`,
      },
      { name: 'Fullest', colour: 1, expr: `max(${KV})` },
    ],
    thresholds: [
      { from: 0, tone: 'good', word: 'normal' },
      { from: 0.7, tone: 'warn', word: 'high' },
      { from: 0.9, tone: 'bad', word: 'critical' },
    ],
  },
  {
    id: 'prefix-cache',
    title: 'Prefix-cache hit rate',
    about: 'Share of looked-up prompt tokens that were in the cache',
    unit: 'ratio',
    lines: [{ name: 'Hit rate', colour: 1, expr: `sum(${HITS}) / sum(${QUERIES})` }],
    thresholds: [
      { from: 0, tone: 'bad', word: 'low' },
      { from: 0.3, tone: 'warn', word: 'fair' },
      { from: 0.6, tone: 'good', word: 'good' },
    ],
  },
  {
    id: 'queue',
    title: 'Request queue',
    about: 'Requests that run and requests that wait',
    unit: 'count',
    lines: [
      { name: 'Running', colour: 1, expr: `sum(${gauge('vllm:num_requests_running')})` },
      { name: 'Waiting', colour: 2, expr: `sum(${gauge('vllm:num_requests_waiting')})` },
    ],
  },
  {
    id: 'throughput',
    title: 'Request throughput',
    about: 'Finished requests for each second',
    unit: 'requests/s',
    lines: [
      {
        name: 'All',
        colour: 4,
        broad: true,
        expr: total('vllm:e2e_request_latency_seconds_count'),
      },
      { name: 'Successful', colour: 1, expr: total('vllm:request_success_total') },
    ],
  },
  {
    id: 'tokens',
    title: 'Token throughput',
    about: 'Tokens read from prompts and tokens written',
    unit: 'tokens/s',
    lines: [
      { name: 'Prompt', colour: 4, expr: total('vllm:prompt_tokens_total') },
      { name: 'Generated', colour: 1, expr: total('vllm:generation_tokens_total') },
    ],
  },
  {
    id: 'e2e',
    title: 'End-to-end latency',
    about: 'From a request to the last token of its answer',
    unit: 'seconds',
    lines: [
      { name: 'P50', colour: 1, expr: quantile('0.50', E2E) },
      { name: 'P95', colour: 2, expr: quantile('0.95', E2E) },
      { name: 'P99', colour: 3, expr: quantile('0.99', E2E) },
      {
        name: 'Average',
        colour: 4,
        expr: `${total('vllm:e2e_request_latency_seconds_sum')} / ${total('vllm:e2e_request_latency_seconds_count')}`,
      },
    ],
  },
];

/** The threshold that `value` has reached, or `undefined` if it is not a number. */
export function thresholdOf(thresholds: Threshold[], value: number): Threshold | undefined {
  return thresholds.findLast((threshold) => value >= threshold.from);
}
