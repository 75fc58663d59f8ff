// A line chart on a canvas (uPlot).
//
// The plot is made once for a panel and then only gets new data. Its x scale is the whole grid,
// so that a gap is seen as one; y begins at zero. Colours come from style.css and follow the
// colour scheme. The pointer's instant is shared by all charts. Drawing belongs to the same turn as
// the table beside it, so that the two never differ.
import { useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatMinute, formatValue } from './format';
import type { Line, Unit } from './panels';
import { type Grid, instants } from './span';
import { cursorTime } from './state';

interface ChartProps {
  lines: Line[];
  unit: Unit;
  grid: Grid | null;
  /** One list for each line, on the grid; `null` if there is no series. */
  values: ((number | null)[] | null)[];
  label: string;
  /** Id of the table that says the same in words. */
  details: string;
  compact: boolean;
}

const FONT = '11px system-ui, sans-serif';

export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const grid = useRef(props.grid);
  grid.current = props.grid;

  useLayoutEffect(() => {
    const element = host.current as HTMLDivElement;
    const made = new uPlot(options(props, element, grid), [[]], element);
    plot.current = made;
    const size = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    size.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => made.redraw(false, true);
    scheme.addEventListener('change', redraw);
    return () => {
      size.disconnect();
      scheme.removeEventListener('change', redraw);
      made.destroy();
    };
  }, []);

  useLayoutEffect(() => {
    if (props.grid === null) return;
    const times = instants(props.grid);
    const empty = times.map(() => null);
    plot.current?.setData([times, ...props.values.map((values) => values ?? empty)]);
  }, [props.grid, props.values]);

  return (
    <div
      class="chart"
      ref={host}
      role="img"
      aria-label={props.label}
      aria-details={props.details}
    />
  );
}

function options(
  { lines, unit, compact }: ChartProps,
  host: HTMLElement,
  grid: { current: Grid | null },
): uPlot.Options {
  const axis = { font: FONT, stroke: () => colour(host, '--ink-soft') };
  const grating = { stroke: () => colour(host, '--grating'), width: 1 };
  return {
    width: Math.max(1, host.clientWidth),
    height: Math.max(1, host.clientHeight),
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'page' }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [grid.current?.start ?? 0, grid.current?.end ?? 1] },
      y: { range: (_, __, max) => [0, ceiling(unit, max)] },
    },
    axes: [
      {
        ...axis,
        grid: grating,
        ticks: { show: false },
        size: 24,
        gap: 4,
        space: 64,
        values: (_, splits) => splits.map(formatMinute),
      },
      {
        ...axis,
        grid: grating,
        ticks: { show: false },
        size: 62,
        gap: 6,
        space: compact ? 24 : 34,
        ...(unit === 'count' && { incrs: WHOLE_STEPS }),
        values: (_, splits) => splits.map((value) => formatValue(value, unit)),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        stroke: () => colour(host, `--colour-${line.colour}`),
        width: line.broad ? 5 : 2,
        points: { size: 4 },
      })),
    ],
    hooks: {
      setCursor: [
        (made) => {
          const index = made.cursor.idx;
          cursorTime.value = index == null ? null : (made.data[0][index] ?? null);
        },
      ],
    },
  };
}

/** Axis steps for things that are counted. */
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5].map((ten) => step * ten))
  .sort((a, b) => a - b);

/** The top of the y scale: all of it for a share, else a little above the highest value. */
function ceiling(unit: Unit, max: number | null): number {
  if (unit === 'ratio') return 1;
  return max === null || max <= 0 ? 1 : max * 1.08;
}

/** Resolves a custom property to a colour that a canvas understands. */
function colour(host: HTMLElement, property: string): string {
  host.style.outlineColor = `var(${property})`;
  return getComputedStyle(host).outlineColor;
}
