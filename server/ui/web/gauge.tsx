// A half-circle gauge for a share of one: the value's arc, the thresholds as a thin rim, and the
// state in a word, so that colour is never the only sign.
import { formatValue } from './format';
import { type Threshold, thresholdOf } from './panels';

const RADIUS = 50;
const RIM = 59;

interface GaugeProps {
  thresholds: Threshold[];
  /** NaN means that there was no traffic, `null` that there is no series. */
  value: number | null;
}

export function Gauge({ thresholds, value }: GaugeProps) {
  const state = value === null ? undefined : thresholdOf(thresholds, value);
  const share = value === null || Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  const words = value === null ? '–' : formatValue(value, 'ratio');
  return (
    <div class={`gauge ${state?.tone ?? 'none'}`}>
      <svg viewBox="-64 -64 128 68" aria-hidden="true">
        <path class="track" d={arc(RADIUS, 0, 1)} />
        {share > 0 && <path class="value" d={arc(RADIUS, 0, share)} />}
        {thresholds.map(({ from, tone }, i) => (
          <path key={tone} class={`rim ${tone}`} d={arc(RIM, from, thresholds[i + 1]?.from ?? 1)} />
        ))}
      </svg>
      <p class="number">
        <strong>{words}</strong>
        {state && <span class="word">{state.word}</span>}
      </p>
    </div>
  );
}

/** The part of a half circle around the origin between two shares, from left to right. */
function arc(radius: number, from: number, to: number): string {
  return `M ${point(radius, from)} A ${radius} ${radius} 0 0 1 ${point(radius, to)}`;
}

function point(radius: number, share: number): string {
  const angle = Math.PI * (1 - share);
  return `${(radius * Math.cos(angle)).toFixed(2)} ${(-radius * Math.sin(angle)).toFixed(2)}`;
}
