// One panel: heading, drawing, the table of its lines, and the queries behind them.
//
// Each row of the table carries data-query, data-last-time (Unix seconds), data-last-value (the
// API's own text) and data-points (numbers drawn), so that a test can ask the API the same.
import { Chart } from './chart';
import { formatTime, formatValue, parseSample } from './format';
import { Gauge } from './gauge';
import type { Line, Panel } from './panels';
import { queryFor } from './promql';
import { indexOf } from './span';
import { cursorTime, type Outcome, type Screen, screen } from './state';

/** A line together with what came of its query; no outcome before the first answer. */
interface Row {
  line: Line;
  query: string;
  outcome: Outcome | undefined;
}

export function PanelView({ panel }: { panel: Panel }) {
  const now = screen.value;
  const rows = panel.lines.map((line): Row => {
    const query = queryFor(line.expr, now?.settings.model ?? null);
    return { line, query, outcome: now?.outcomes.get(query) };
  });
  return (
    <section id={panel.id} aria-labelledby={`${panel.id}-title`}>
      <h2 id={`${panel.id}-title`}>{panel.title}</h2>
      <p class="about">{panel.about}</p>
      <div class="drawing">
        {panel.thresholds && (
          <Gauge thresholds={panel.thresholds} value={current(rows.at(-1), now)} />
        )}
        <div class="plot">
          <Chart
            lines={panel.lines}
            unit={panel.unit}
            grid={now?.grid ?? null}
            values={rows.map(({ outcome }) =>
              outcome?.kind === 'series' ? outcome.series.values : null,
            )}
            label={`${panel.title}, line chart`}
            details={`${panel.id}-table`}
            compact={panel.thresholds !== undefined}
          />
          <Verdict rows={rows} />
        </div>
      </div>
      <Legend panel={panel} rows={rows} now={now} />
      <Queries rows={rows} />
    </section>
  );
}

/** The last value if it is the newest there could be; an old one must not look like the present. */
function current(row: Row | undefined, now: Screen | null): number | null {
  if (row?.outcome?.kind !== 'series') return null;
  const { time, text } = row.outcome.series.last;
  return time === now?.grid.end ? parseSample(text) : null;
}

/** Says in words why a panel is empty, and what the server answered to a query it refused. */
function Verdict({ rows }: { rows: Row[] }) {
  const errors = new Set<string>();
  for (const { outcome } of rows) if (outcome?.kind === 'error') errors.add(outcome.message);
  if (errors.size > 0) return <p class="verdict error">{[...errors].join('\n')}</p>;
  if (rows.every(({ outcome }) => outcome === undefined)) return <p class="verdict">Loading</p>;
  if (rows.some(({ outcome }) => outcome?.kind === 'series')) return null;
  return <p class="verdict">No data: no such series in this range</p>;
}

interface LegendProps {
  panel: Panel;
  rows: Row[];
  now: Screen | null;
}

function Legend({ panel, rows, now }: LegendProps) {
  const at = cursorTime.value;
  return (
    <table id={`${panel.id}-table`} class="legend">
      <thead>
        <tr>
          <th scope="col">Series</th>
          <th scope="col">{at === null ? 'Last' : formatTime(at)}</th>
          <th scope="col">Min</th>
          <th scope="col">Max</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <LegendRow key={row.query} row={row} panel={panel} now={now} />
        ))}
      </tbody>
    </table>
  );
}

interface LegendRowProps {
  panel: Panel;
  row: Row;
  now: Screen | null;
}

function LegendRow({ row: { line, query, outcome }, panel, now }: LegendRowProps) {
  const series = outcome?.kind === 'series' ? outcome.series : null;
  const drawn = series?.values.filter((value) => value !== null) ?? [];
  const extreme = (of: (...values: number[]) => number) =>
    drawn.length === 0 ? '' : formatValue(of(...drawn), panel.unit);
  return (
    <tr
      data-query={query}
      data-last-time={series?.last.time}
      data-last-value={series?.last.text}
      data-points={drawn.length}
    >
      <th scope="row">
        <span class={`swatch colour-${line.colour}`} />
        {line.name}
      </th>
      <td>{reading(outcome, panel, now)}</td>
      <td>{extreme(Math.min)}</td>
      <td>{extreme(Math.max)}</td>
    </tr>
  );
}

/** The value under the pointer if there is one, else the last value, with its time if it is old. */
function reading(outcome: Outcome | undefined, panel: Panel, now: Screen | null): string {
  if (outcome === undefined || now === null) return '';
  if (outcome.kind === 'error') return 'error';
  if (outcome.kind === 'empty') return 'no data';
  const { values, last } = outcome.series;
  if (cursorTime.value !== null) {
    const value = values[indexOf(now.grid, cursorTime.value)];
    return value == null ? '–' : formatValue(value, panel.unit);
  }
  const text = formatValue(parseSample(last.text), panel.unit);
  return last.time < now.grid.end ? `${text} at ${formatTime(last.time)}` : text;
}

function Queries({ rows }: { rows: Row[] }) {
  return (
    <details>
      <summary>Queries</summary>
      <dl>
        {rows.map(({ line, query }) => (
          <div key={query}>
            <dt>{line.name}</dt>
            <dd>
              <code>{query}</code>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
